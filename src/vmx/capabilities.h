/*
 * The VMX capability MSRs: which exist, what they say.
 *
 * SDM 3D, appendix "VMX Capability Reporting Facility"; SDM 4, "Architectural MSRs".
 * Pure, but for vmx_capabilities_take. capability_bits.h has their bits.
 */
#ifndef HYMIR_VMX_CAPABILITIES_H
#define HYMIR_VMX_CAPABILITIES_H

#include "cpu/msr.h"
#include "lib/status.h"
#include "vmx/capability_bits.h"

#include <stdbool.h>
#include <stdint.h>

enum vmx_msr {
    MSR_IA32_VMX_BASIC               = 0x480,
    MSR_IA32_VMX_PINBASED_CTLS       = 0x481,
    MSR_IA32_VMX_PROCBASED_CTLS      = 0x482,
    MSR_IA32_VMX_EXIT_CTLS           = 0x483,
    MSR_IA32_VMX_ENTRY_CTLS          = 0x484,
    MSR_IA32_VMX_MISC                = 0x485,
    MSR_IA32_VMX_CR0_FIXED0          = 0x486,
    MSR_IA32_VMX_CR0_FIXED1          = 0x487,
    MSR_IA32_VMX_CR4_FIXED0          = 0x488,
    MSR_IA32_VMX_CR4_FIXED1          = 0x489,
    MSR_IA32_VMX_VMCS_ENUM           = 0x48A,
    MSR_IA32_VMX_PROCBASED_CTLS2     = 0x48B,
    MSR_IA32_VMX_EPT_VPID_CAP        = 0x48C,
    MSR_IA32_VMX_TRUE_PINBASED_CTLS  = 0x48D,
    MSR_IA32_VMX_TRUE_PROCBASED_CTLS = 0x48E,
    MSR_IA32_VMX_TRUE_EXIT_CTLS      = 0x48F,
    MSR_IA32_VMX_TRUE_ENTRY_CTLS     = 0x490,
    MSR_IA32_VMX_VMFUNC              = 0x491,
    MSR_IA32_VMX_PROCBASED_CTLS3     = 0x492,
    MSR_IA32_VMX_EXIT_CTLS2          = 0x493,
};
#define VMX_MSR_FIRST MSR_IA32_VMX_BASIC
#define VMX_MSR_COUNT (MSR_IA32_VMX_EXIT_CTLS2 - MSR_IA32_VMX_BASIC + 1)

/*
 * All capability MSRs as read; one whose existence nothing announces stays MSR_NOT_READ.
 */
struct vmx_capabilities {
    struct msr_reading msr[VMX_MSR_COUNT];
};

/* The reading of one MSR, and its value, which is 0 if it was not read. */
const struct msr_reading *vmx_capability(const struct vmx_capabilities *capabilities,
                                         enum vmx_msr msr);
uint64_t vmx_capability_value(const struct vmx_capabilities *capabilities,
                              enum vmx_msr msr);

/* "IA32_VMX_BASIC" and so on. */
const char *vmx_msr_name(enum vmx_msr msr);

/*
 * True if what has been read of lower-numbered MSRs says that msr exists. The first
 * eleven come with VMX itself, each other one is announced by a bit of an earlier one.
 */
bool vmx_msr_exists(const struct vmx_capabilities *capabilities, enum vmx_msr msr);

/*
 * Reads the MSRs of this CPU, which has CPUID.01H:ECX.VMX, in order, each only if it
 * exists.
 */
void vmx_capabilities_take(struct vmx_capabilities *capabilities);

/* The kinds of control that have an "allowed 0" and "allowed 1" half in one MSR. */
enum vmx_control {
    CONTROL_PIN_BASED,
    CONTROL_PRIMARY,
    CONTROL_SECONDARY,
    CONTROL_EXIT,
    CONTROL_ENTRY,
    CONTROL_KINDS,
};

/*
 * The MSR that says what is allowed for a kind of control: the TRUE_ one where
 * IA32_VMX_BASIC[55] announces it.
 */
enum vmx_msr vmx_control_msr(const struct vmx_capabilities *capabilities,
                             enum vmx_control control);

/*
 * The value for a control field that has the bits wanted, each bit the processor insists
 * on, and no more, by vmx_control_msr. Returns
 * the bits of wanted that the processor does not allow: 0 means that all went in, else
 * *value is untouched. Without secondary controls, none of them is allowed.
 */
uint32_t MUST_CHECK vmx_control_fit(const struct vmx_capabilities *capabilities,
                                    enum vmx_control control, uint32_t wanted,
                                    uint32_t *value);

/* True if the processor has EPT with write-back tables and a four-level walk. */
bool vmx_has_ept(const struct vmx_capabilities *capabilities);

#endif
