/*
 * The rules that VM entry checks on VT-x: SDM 3C, "VM Entries". The files rules_*.c have
 * them, one file a section or a few. Pure.
 */
#ifndef HYMIR_VMX_ENTRY_RULES_H
#define HYMIR_VMX_ENTRY_RULES_H

#include "cpu/cpuid.h"
#include "virt/entry_rules.h"
#include "vmx/capabilities.h"
#include "vmx/entry_values.h"

extern const struct entry_rules vmx_entry_rules;

/* Sets the capability MSRs that were read; one that does not exist is 0. */
void vmx_entry_set_capabilities(struct entry_snapshot *snapshot,
                                const struct vmx_capabilities *capabilities);

/* Sets what CPUID reports of the processor. */
void vmx_entry_set_cpuid(struct entry_snapshot *snapshot, cpuid_reader *read);

/* How a VM entry failed: by a VM-instruction error or, with bit 31, an exit reason. */
struct vmx_entry_failure {
    uint32_t error;  /* 0: not known, or no VM-instruction error */
    uint32_t reason; /* 0: not known, or no exit reason */
};

/* Returns the phases whose rules a failure can mean; none if it is not of a VM entry. */
uint64_t vmx_entry_phases(const struct vmx_entry_failure *failure);

/* Sets what the number of an error tells, such as the launch state of the VMCS. */
void vmx_entry_set_implied(struct entry_snapshot *snapshot, uint32_t error);

#endif
