/*
 * Compares the time-stamp counter of another CPU with the boot CPU's: cpu/tsc_offset.h.
 *
 * The two CPUs take turns through struct cpu. The function is for the boot CPU.
 */
#ifndef HYMIR_PLATFORM_TSC_EXCHANGE_H
#define HYMIR_PLATFORM_TSC_EXCHANGE_H

#include "cpu/percpu.h"
#include "lib/status.h"

/*
 * Compares *cpu's TSC and sets cpu->tsc_offset: one round within a second, then as many
 * as 20 ms allow, up to 64. STATUS_TIMEOUT if the CPU does not end its part within
 * another second, after which it must not be given more work; otherwise as smp_begin.
 */
enum status MUST_CHECK tsc_exchange_run(struct cpu *cpu);

#endif
