/*
 * The interface between boot/ap_trampoline.asm and platform/smp.c.
 */
#ifndef HYMIR_PLATFORM_AP_BOOT_H
#define HYMIR_PLATFORM_AP_BOOT_H

#include "cpu/percpu.h"

#include <stdint.h>

/* At the end of the trampoline; filled by smp_place_trampoline. */
struct ap_boot_parameters {
    uint32_t cr3;
    uint32_t efer; /* the low half; the high half is zero */
};

/* The trampoline's code, which is copied, and the parameters in it. */
extern const uint8_t ap_trampoline_start[];
extern const uint8_t ap_trampoline_parameters[];
extern const uint8_t ap_trampoline_end[];

/*
 * The CPU being started. A starting CPU atomically exchanges the pointer for NULL and
 * uses the stacks of that struct cpu; a CPU that reads NULL starts too late and halts.
 */
extern _Atomic(struct cpu *) ap_boot_ticket;

/* Entered on the CPU's own stack, with paging enabled and interrupts disabled. */
_Noreturn void smp_ap_main(struct cpu *cpu);

#endif
