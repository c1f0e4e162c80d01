/*
 * The local APIC, as xAPIC (memory-mapped) or x2APIC (MSRs): inter-processor interrupts
 * and the timer.
 *
 * Owns the mode, the same on all CPUs. SDM 3A, "Advanced Programmable Interrupt
 * Controller (APIC)". IA32_APIC_BASE.EN is never cleared: some processors and emulators
 * do not take it back.
 */
#ifndef HYMIR_PLATFORM_APIC_H
#define HYMIR_PLATFORM_APIC_H

#include "cpu/cpuid.h"
#include "lib/status.h"
#include "x86/apic.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Finds the local APIC of the boot CPU: *base is the physical address of its registers,
 * which the caller maps, uncached, at their own address before it calls apic_enable.
 * STATUS_UNSUPPORTED if the processor has none or firmware switched it off.
 */
enum status MUST_CHECK apic_detect(const struct cpuid_snapshot *snapshot, uint64_t *base);

/*
 * Switches x2APIC mode on for all CPUs, if the processor has it and it is not on already;
 * needed to reach APIC IDs above XAPIC_MAX_ID. Call between apic_detect and apic_enable.
 * STATUS_UNSUPPORTED.
 */
enum status MUST_CHECK apic_choose_x2apic(const struct cpuid_snapshot *snapshot);

bool apic_is_x2apic(void);

/* True once apic_enable has succeeded on any CPU. */
bool apic_is_enabled(void);

/*
 * Brings the APIC of the CPU that executes this into the common mode, software-enabled.
 * STATUS_UNSUPPORTED, and nothing done, if that would mean to leave x2APIC mode or to
 * switch the APIC on: neither is possible without a reset on every processor.
 */
enum status MUST_CHECK apic_enable(void);

/* Masks all interrupts of the two 8259A, which the boot loader may have left open. */
void apic_silence_pic(void);

/* The APIC ID of the CPU that executes this. */
uint32_t apic_id(void);

/*
 * Has this CPU interrupted once, with VECTOR_TIMER, when tsc_ticks have passed, or before
 * that if the timer cannot count as far; TICKS_NEVER: not at all. The first call takes a
 * millisecond to measure the timer.
 */
void apic_set_timer(uint64_t tsc_ticks);

/* The end of the interrupt in service on this CPU. */
void apic_end_of_interrupt(void);

/*
 * Send an interrupt to the CPU with the given APIC ID: INIT, SIPI (which starts it in
 * real mode at page * 4096, below 1 MiB), NMI, or an interrupt with a vector from 16 to
 * 255. STATUS_OUT_OF_RANGE if the ID cannot be addressed in this mode; STATUS_TIMEOUT if
 * the APIC did not take the command within 100 ms; STATUS_UNSUPPORTED before apic_enable.
 */
enum status MUST_CHECK apic_send_init(uint32_t id);
enum status MUST_CHECK apic_send_startup(uint32_t id, uint8_t page);
enum status MUST_CHECK apic_send_nmi(uint32_t id);
enum status MUST_CHECK apic_send_interrupt(uint32_t id, uint8_t vector);

#endif
