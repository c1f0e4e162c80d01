/*
 * The interrupts of a local APIC: acceptance, priority, end of interrupt, and the
 * messages of other CPUs. For the other files of the model; the vCPU uses local_apic.h.
 */
#ifndef HYMIR_DEV_LOCAL_APIC_INTERRUPTS_H
#define HYMIR_DEV_LOCAL_APIC_INTERRUPTS_H

#include "dev/local_apic.h"

/* Access the register at an offset as it is stored. Other CPUs may read it. */
static inline uint32_t local_apic_get(const struct local_apic *apic, uint32_t offset)
{
    return __atomic_load_n(&apic->registers[offset / 4], __ATOMIC_RELAXED);
}

static inline void local_apic_set(struct local_apic *apic, uint32_t offset,
                                  uint32_t value)
{
    apic->stored[offset / APIC_REGISTER_DISTANCE] = value;
    __atomic_store_n(&apic->registers[offset / 4], value, __ATOMIC_RELAXED);
}

static inline bool local_apic_is_software_enabled(const struct local_apic *apic)
{
    return (local_apic_get(apic, APIC_SPURIOUS) & SPURIOUS_APIC_ENABLE) != 0;
}

/*
 * Leaves a message that addresses the APIC for its CPU. Returns false if the APIC does
 * not accept it, by its mode or because software has disabled the APIC. From any CPU.
 */
bool local_apic_post(struct local_apic *apic, const struct apic_message *message);

/* Accepts an interrupt into IRR, or adds an error. The caller calls local_apic_update. */
void local_apic_accept(struct local_apic *apic, uint8_t vector, bool is_level);

/* Delivers the interrupt of an LVT entry, unless it is masked. */
void local_apic_deliver_entry(struct local_apic *apic, uint32_t offset);

/* Adds an ESR_* bit; the first since the last write to ESR causes an interrupt. */
void local_apic_report_error(struct local_apic *apic, uint32_t error);

/* Performs an EOI. */
void local_apic_end(struct local_apic *apic);

/* Computes PPR and drives the output, after a change of what they depend on. */
void local_apic_update(struct local_apic *apic);

/* Returns PPR. */
uint32_t local_apic_priority(const struct local_apic *apic);

#endif
