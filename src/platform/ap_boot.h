/*
 * What boot/ap_trampoline.asm and platform/smp.c share.
 */
#ifndef HYMIR_PLATFORM_AP_BOOT_H
#define HYMIR_PLATFORM_AP_BOOT_H

#include "cpu/percpu.h"

#include <stdint.h>

/* At the end of the trampoline; smp_place_trampoline fills it in. */
struct ap_boot_parameters {
    uint32_t cr3;
    uint32_t efer; /* the low half; the high one is zero */
};

/* The trampoline's code, to be copied, and the parameters inside it. */
extern const uint8_t ap_trampoline_start[];
extern const uint8_t ap_trampoline_parameters[];
extern const uint8_t ap_trampoline_end[];

/*
 * The CPU being started. A CPU that comes up takes the pointer out, atomically, and with
 * it the stacks; one that finds NULL came too late and halts.
 */
extern _Atomic(struct cpu *) ap_boot_ticket;

/* Where a CPU enters C, on its own stack, with paging on and interrupts off. */
_Noreturn void smp_ap_main(struct cpu *cpu);

#endif
