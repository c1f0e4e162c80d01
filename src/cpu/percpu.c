/*
 * See percpu.h: the boot CPU's own, which must be there before any memory can be
 * allocated.
 */
#include "cpu/percpu.h"

struct cpu_stacks boot_cpu_stacks;
struct cpu boot_cpu = {.stacks = &boot_cpu_stacks};
