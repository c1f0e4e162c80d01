/* asm/svm.h includes it for the definitions that its own include. */
#include "../../linux/bitops.h"
