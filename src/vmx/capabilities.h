/*
 * The VMX capability MSRs of a CPU: which exist, what they report.
 *
 * SDM 3D, appendix "VMX Capability Reporting Facility"; SDM 4, "Architectural MSRs".
 * Pure, but for vmx_capabilities_read. x86/vmx_capabilities.h names their bits.
 */
#ifndef HYMIR_VMX_CAPABILITIES_H
#define HYMIR_VMX_CAPABILITIES_H

#include "cpu/msr.h"
#include "lib/status.h"
#include "virt/capability.h"
#include "x86/vmx_capabilities.h"

/* All capability MSRs; one that no bit of another announces stays MSR_NOT_READ. */
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
 * Returns whether msr exists, by what has been read of MSRs with lower numbers. The first
 * eleven come with VMX itself, each other one is announced by a bit of an earlier one.
 */
bool vmx_msr_exists(const struct vmx_capabilities *capabilities, enum vmx_msr msr);

/*
 * Reads the MSRs of this CPU, which has CPUID.01H:ECX.VMX, in order, each only if it
 * exists.
 */
void vmx_capabilities_read(struct vmx_capabilities *capabilities);

/*
 * Returns what the MSRs report of a group: of controls the TRUE_ MSR, where
 * IA32_VMX_BASIC[55] announces it.
 */
struct capability_bits vmx_capability_bits(const struct vmx_capabilities *capabilities,
                                           enum vmx_capability_group group);

/* The kinds of control that have an "allowed 0" and "allowed 1" half in one MSR. */
enum vmx_control {
    CONTROL_PIN_BASED,
    CONTROL_PRIMARY,
    CONTROL_SECONDARY,
    CONTROL_EXIT,
    CONTROL_ENTRY,
    CONTROL_KINDS,
};

/* Returns the group of a kind of control. */
enum vmx_capability_group vmx_control_group(enum vmx_control control);

/*
 * Computes the value for a control field that has the bits wanted, each bit that the
 * processor requires, and no more. Returns the bits of wanted that the processor does not
 * allow: if there is any, *value is untouched. Without secondary controls, none of them
 * is allowed.
 */
uint32_t MUST_CHECK vmx_control_fit(const struct vmx_capabilities *capabilities,
                                    enum vmx_control control, uint32_t wanted,
                                    uint32_t *value);

/* Returns whether the processor has EPT with write-back tables and a four-level walk. */
bool vmx_has_ept(const struct vmx_capabilities *capabilities);

/*
 * Returns whether it has INVEPT, or INVVPID, with the type that invalidates all contexts.
 */
bool vmx_has_invept_all(const struct vmx_capabilities *capabilities);
bool vmx_has_invvpid_all(const struct vmx_capabilities *capabilities);

#endif
