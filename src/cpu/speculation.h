/*
 * The MSRs by which a guest limits speculation on its CPU: IA32_SPEC_CTRL, IA32_PRED_CMD,
 * IA32_FLUSH_CMD and, on AMD's older processors, VIRT_SPEC_CTRL.
 *
 * A guest whose CPU needs no bit of IA32_SPEC_CTRL for Hymir accesses it itself, and
 * Hymir runs with the guest's value, which can only make it slower. Otherwise Hymir's
 * bits stay set besides the guest's, or VM exit and VM entry switch: enum entry_measure.
 * Intel, "Speculative Execution Side Channel Mitigations"; AMD, "Speculative Store Bypass
 * Disable".
 */
#ifndef HYMIR_CPU_SPECULATION_H
#define HYMIR_CPU_SPECULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes to msrs those that a guest on this CPU accesses itself; returns their number. */
#define SPECULATION_MSRS 3
size_t speculation_passed_msrs(uint32_t msrs[SPECULATION_MSRS]);

/* Sets the MSRs on this CPU for a guest after reset. */
void speculation_reset(void);

/* Read and write IA32_SPEC_CTRL as the guest has it: bits that its CPUID reports. */
uint64_t speculation_read_spec_ctrl(void);
void speculation_write_spec_ctrl(uint64_t value);

/* Returns IA32_ARCH_CAPABILITIES of this CPU, 0 without one. */
uint64_t speculation_capabilities(void);

/* Returns what guests on this CPU see besides the processor's CPUID.80000021H:EAX. */
uint32_t speculation_guest_features(void);

/*
 * VIRT_SPEC_CTRL's bit SSBD, for processors of AMD that have it in a register of their
 * own, which the threads of a core share. Returns whether this CPU has that, without
 * another thread on its core. AMD, "Speculative Store Bypass Disable".
 */
bool speculation_has_ssbd(void);
uint64_t speculation_read_ssbd(void);
void speculation_write_ssbd(uint64_t virt_spec_ctrl);

#endif
