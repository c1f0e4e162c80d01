/*
 * The timer of a local APIC: one-shot, periodic and TSC-deadline mode.
 *
 * SDM 3A, "APIC Timer". Nothing ticks: the current count is computed when it is read. A
 * change between one-shot and periodic mode does not stop the timer, as on processors,
 * one to or from TSC-deadline mode does; the reserved mode is one-shot. A new divider
 * applies to the rest of the current count.
 *
 * A period below 20 us lasts 20 us: a guest could otherwise demand expiries faster than
 * its CPU can exit and enter it again, and would neither run nor be stoppable. A guest
 * that is late gets one interrupt for all expiries that it has missed.
 */
#ifndef HYMIR_DEV_APIC_TIMER_H
#define HYMIR_DEV_APIC_TIMER_H

#include "dev/timer.h"

/* The shortest period is 1 / this of a second. */
#define APIC_TIMER_MAX_HZ 50000U

struct local_apic;

struct apic_timer {
    struct device_timer alarm; /* set while an expiry will cause an interrupt */
    uint64_t expiry;           /* next one, in ticks before the divider, or TICKS_NEVER */
    uint64_t tsc_deadline;     /* the guest's TSC, or 0 */
};

/* Stops the timer. Its registers are the caller's, who calls apic_timer_update. */
void apic_timer_stop(struct local_apic *apic);

/* Connects the timer to the vCPU's clock, stopped. */
void apic_timer_init(struct local_apic *apic);

/* Write the LVT entry, the initial count and the divide configuration register. */
void apic_timer_write_entry(struct local_apic *apic, uint32_t value);
void apic_timer_write_count(struct local_apic *apic, uint32_t value);
void apic_timer_write_divide(struct local_apic *apic, uint32_t value);

uint32_t apic_timer_read_count(const struct local_apic *apic);

/* IA32_TSC_DEADLINE: 0, and writes are ignored, in other modes and after the expiry. */
uint64_t apic_timer_read_deadline(const struct local_apic *apic);
void apic_timer_write_deadline(struct local_apic *apic, uint64_t value);

/* Delivers the interrupt if the timer has expired, and sets the next alarm. */
void apic_timer_update(struct local_apic *apic);

#endif
