/*
 * What a guest may know of its processor's speculation, and which bits of IA32_SPEC_CTRL
 * it has. Pure. Intel, "Speculative Execution Side Channel Mitigations"; APM 3, appendix
 * "Obtaining Processor Information Via the CPUID Instruction".
 */
#ifndef HYMIR_GUEST_SPECULATION_POLICY_H
#define HYMIR_GUEST_SPECULATION_POLICY_H

#include "x86/cpuid.h"

#include <stdint.h>

/* The bits of CPUID.07H:EDX. */
#define SPECULATION_EDX                                                     \
    (CPUID_7_EDX_MD_CLEAR | CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_L1D_FLUSH | \
     CPUID_7_EDX_ARCH_CAPABILITIES)

/* Returns what a guest sees of EDX of that subleaf of CPUID.07H. */
#define SPECULATION_SUBLEAF 2U
uint32_t speculation_policy_subleaf(uint32_t edx);

/*
 * Returns the bits of IA32_SPEC_CTRL that exist with these registers: EDX of CPUID.07H
 * and of its subleaf 2, EBX of CPUID.80000008H. 0 without the MSR.
 */
uint64_t speculation_policy_spec_ctrl(uint32_t edx, uint32_t subleaf_edx, uint32_t ebx);

/* Returns what a guest sees of IA32_ARCH_CAPABILITIES: immunities and what clears
 * buffers. */
uint64_t speculation_policy_capabilities(uint64_t processors);

#endif
