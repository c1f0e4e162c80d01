#include "bitops.h"
