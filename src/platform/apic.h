/*
 * The local APIC, as xAPIC (memory-mapped) or x2APIC (MSRs): inter-processor interrupts
 * and the timer.
 *
 * Owns the mode, the same on all CPUs. SDM 3A, "Advanced Programmable Interrupt
 * Controller (APIC)". IA32_APIC_BASE.EN is never cleared: some processors and emulators
 * do not allow setting it again.
 */
#ifndef HYMIR_PLATFORM_APIC_H
#define HYMIR_PLATFORM_APIC_H

#include "cpu/cpuid.h"
#include "lib/status.h"
#include "x86/apic.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Finds the boot CPU's local APIC and maps its registers. STATUS_UNSUPPORTED if the
 * processor has no local APIC, firmware disabled it, or it cannot be mapped.
 */
enum status MUST_CHECK apic_detect(const struct cpuid_snapshot *snapshot);

/*
 * Selects x2APIC mode for all CPUs; required for APIC IDs above XAPIC_MAX_ID. Call
 * between apic_detect and apic_enable. STATUS_UNSUPPORTED if the processor has no x2APIC
 * mode.
 */
enum status MUST_CHECK apic_choose_x2apic(const struct cpuid_snapshot *snapshot);

bool apic_is_x2apic(void);

/* Returns whether apic_enable has succeeded on any CPU. */
bool apic_is_enabled(void);

/*
 * Sets the executing CPU's APIC to the common mode and enables it by software. Fails with
 * STATUS_UNSUPPORTED if the APIC is disabled or would have to leave x2APIC mode: not
 * every processor allows that without a reset.
 */
enum status MUST_CHECK apic_enable(void);

/* Read and write a register of the executing CPU's APIC, after apic_detect. */
uint32_t apic_read(enum apic_register offset);
void apic_write(enum apic_register offset, uint32_t value);

/* Returns the executing CPU's APIC ID. */
uint32_t apic_id(void);

/*
 * Interrupts this CPU with VECTOR_TIMER after tsc_ticks, but not before 20 us and at the
 * latest after 20 ms; TICKS_NEVER stops the timer. It repeats until it is set again, as
 * the interrupt must: so an interrupt of this CPU that is lost, this one or another,
 * delays its work by 20 ms. The first call takes a millisecond to measure the timer.
 */
void apic_set_timer(uint64_t tsc_ticks);

/*
 * The same with a second timer, which only the boot CPU has: both share its local APIC's.
 */
void apic_set_poll_timer(uint64_t tsc_ticks);

/*
 * Handles VECTOR_TIMER on the boot CPU: returns whether the poll timer has expired, and
 * keeps the one that has not.
 */
bool apic_handle_timer(void);

/* Ends the interrupt in service on this CPU (EOI). */
void apic_end_of_interrupt(void);

/*
 * Sends an interrupt to the CPU with the given APIC ID: ICR_INIT, ICR_NMI, ICR_FIXED with
 * a vector from 16 to 255, or ICR_STARTUP with a page, where the CPU starts in real mode
 * at page * 4096, below 1 MiB. STATUS_OUT_OF_RANGE if this mode cannot address the ID;
 * STATUS_TIMEOUT if the APIC does not send the command within 100 ms; STATUS_UNSUPPORTED
 * before apic_enable.
 */
enum status MUST_CHECK apic_send(uint32_t id, uint32_t command);

#endif
