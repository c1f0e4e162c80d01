/*
 * The VMX capability MSRs of a CPU: which exist and what they report.
 *
 * SDM 3D, appendix "VMX Capability Reporting Facility"; SDM 4, "Architectural MSRs".
 * Pure, except vmx_capabilities_read. x86/vmx_capabilities.h names their bits.
 */
#ifndef HYMIR_VMX_CAPABILITIES_H
#define HYMIR_VMX_CAPABILITIES_H

#include "cpu/msr.h"
#include "lib/status.h"
#include "virt/capability.h"
#include "x86/vmx_capabilities.h"

/* All capability MSRs; one that does not exist stays MSR_NOT_READ. */
struct vmx_capabilities {
    struct msr_reading msr[VMX_MSR_COUNT];
};

/* The groups of x86/vmx_capabilities.h, by enum vmx_capability_group, and their rows. */
extern const struct capability_table vmx_capability_table;

/* Returns the reading of one MSR, and its value, which is 0 if it was not read. */
const struct msr_reading *vmx_capability(const struct vmx_capabilities *capabilities,
                                         enum vmx_msr msr);
uint64_t vmx_capability_value(const struct vmx_capabilities *capabilities,
                              enum vmx_msr msr);

/* Returns "IA32_VMX_BASIC" and so on. */
const char *vmx_msr_name(enum vmx_msr msr);

/*
 * Returns whether an MSR exists, according to MSRs with lower numbers, which must have
 * been read. VMX implies the first eleven; a bit of an earlier MSR reports each other.
 */
bool vmx_msr_exists(const struct vmx_capabilities *capabilities, enum vmx_msr msr);

/* Reads the MSRs that exist on this CPU, which must have CPUID.01H:ECX.VMX. */
void vmx_capabilities_read(struct vmx_capabilities *capabilities);

/*
 * Returns what the MSRs report of a group: for controls the TRUE MSR, if
 * IA32_VMX_BASIC[55] is set.
 */
struct capability_bits vmx_capability_bits(const struct vmx_capabilities *capabilities,
                                           enum vmx_capability_group group);

/*
 * Computes the value of a control field with the wanted bits and those that the processor
 * requires. Returns the wanted bits that the processor does not allow; if there are any,
 * *value is unchanged. A processor without secondary controls allows none of them.
 */
uint32_t MUST_CHECK vmx_control_fit(const struct vmx_capabilities *capabilities,
                                    enum vmx_capability_group group, uint32_t wanted,
                                    uint32_t *value);

/* Returns whether the processor has EPT with write-back tables and a four-level walk. */
bool vmx_has_ept(const struct vmx_capabilities *capabilities);

/* Returns whether all bits of IA32_VMX_EPT_VPID_CAP are set, such as these. */
bool vmx_has_ept_capability(const struct vmx_capabilities *capabilities, uint64_t bits);
#define INVEPT_OF_ALL_CONTEXTS  (EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL)
#define INVVPID_OF_ALL_CONTEXTS (VPID_CAP_INVVPID | VPID_CAP_INVVPID_ALL)

#endif
