/*
 * The local APIC's own sources of interrupts, its local vector table, and the interrupts
 * in service.
 *
 * SDM 3A, "Local Vector Table", "Interrupt Acceptance for Fixed Interrupts"; APM 2,
 * "Extended Local Vector Table". The functions are for the executing CPU.
 */
#ifndef HYMIR_PLATFORM_LOCAL_SOURCES_H
#define HYMIR_PLATFORM_LOCAL_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Masks the entries of the local vector table, and ends the interrupts that firmware left
 * in service, which would hold back all of lower priority. Keeps what belongs to the
 * platform: SMIs, and NMIs of the pins LINT0 and LINT1. After apic_enable, before
 * interrupts are enabled.
 */
void local_sources_mask(void);

/* Masks the entries that have a vector; returns whether there was any. */
bool local_source_mask_vector(uint8_t vector);

/* Returns whether an interrupt of the vector, 16 or higher, is in service. */
bool local_source_is_in_service(uint8_t vector);

/* Holds back a vector and all of lower priority, but none of Hymir's own class. */
void local_source_hold_back(uint8_t vector);

#endif
