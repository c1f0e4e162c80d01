/*
 * Interrupts from the machine's devices: their sources, what firmware left on, and what
 * Hymir does not want.
 *
 * Owns the list of I/O APICs, and the counts of unwanted interrupts. The sources that
 * firmware left on are masked before interrupts are enabled. What still arrives without a
 * handler is counted, and masked at its source when it first does; so is a wanted
 * interrupt whose source never becomes quiet.
 */
#ifndef HYMIR_PLATFORM_INTERRUPTS_H
#define HYMIR_PLATFORM_INTERRUPTS_H

#include "firmware/acpi.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Masks all inputs of the I/O APICs, and stops the interrupts of the HPET's timers, but
 * not its counter. Call on the boot CPU, in Hymir's own address space.
 */
void interrupts_stop_sources(const struct acpi *acpi);

/* Logs the interrupts without a handler that went on after the first. */
void interrupts_report(void);

/* Handle and end interrupts: the hooks of cpu/traps.h. */
bool interrupt_is_in_service(uint8_t vector);
void interrupt_begin(uint8_t vector);
void interrupt_end(uint8_t vector);
void interrupt_handle_unwanted(uint8_t vector);

/* Recognizes a storm of a vector: interrupts that leave no time between them. */
struct interrupt_storm {
    uint64_t ended; /* when the last interrupt did */
    uint32_t count; /* of interrupts without a pause before them, less those with one */
};

/*
 * The count of a storm, and the longest time that is no pause: at 115200 baud a byte
 * takes 87 us.
 */
#define INTERRUPT_STORM_COUNT    10000
#define INTERRUPT_STORM_PAUSE_US 20

/*
 * Counts an interrupt that begins now; after more than pause ticks, it has a pause before
 * it. Returns true when the count reaches a storm's. Pure.
 */
bool interrupt_storm_count(struct interrupt_storm *storm, uint64_t now, uint64_t pause);

#endif
