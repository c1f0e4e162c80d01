/*
 * The VMX capability MSRs: which exist, what they say.
 *
 * SDM 3D, appendix "VMX Capability Reporting Facility"; SDM 4, "Architectural MSRs".
 * Pure, but for vmx_capabilities_take. tests/oracle holds the numbers against Linux's.
 */
#ifndef HYMIR_VMX_CAPABILITIES_H
#define HYMIR_VMX_CAPABILITIES_H

#include "cpu/msr.h"
#include "lib/bits.h"
#include "lib/status.h"

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

/* IA32_VMX_BASIC */
#define VMX_BASIC_REVISION(basic)    ((uint32_t)BITS_GET(basic, 30, 0))
#define VMX_BASIC_REGION_SIZE(basic) ((uint32_t)BITS_GET(basic, 44, 32))
#define VMX_BASIC_MEMORY_TYPE(basic) ((uint32_t)BITS_GET(basic, 53, 50))
#define VMX_BASIC_RESERVED_31        BIT(31)
#define VMX_BASIC_ADDRESSES_32_BIT   BIT(48)
#define VMX_BASIC_TRUE_CONTROLS      BIT(55)
#define VMX_MEMORY_TYPE_WRITE_BACK   6U

/* IA32_VMX_MISC */
#define VMX_MISC_TIMER_SHIFT(misc) \
    ((uint8_t)BITS_GET(misc, 4, 0)) /* TSC to preemption timer */
#define VMX_MISC_ACTIVITY_HLT BIT(6)
#define VMX_MISC_INTEL_PT     BIT(14) /* Intel PT may trace in VMX operation */

/* IA32_VMX_EPT_VPID_CAP */
#define EPT_CAP_WALK_LENGTH_4 BIT(6)
#define EPT_CAP_WRITE_BACK    BIT(14)
#define EPT_CAP_PAGES_2_MIB   BIT(16)
#define EPT_CAP_PAGES_1_GIB   BIT(17)
#define EPT_CAP_INVEPT        BIT(20)
#define EPT_CAP_ACCESSED      BIT(21) /* and dirty flags */
#define EPT_CAP_INVEPT_ALL    BIT(26)
#define VPID_CAP_INVVPID      BIT(32)
#define VPID_CAP_INVVPID_ALL  BIT(42)

/* Pin-based VM-execution controls. */
#define PIN_BASED_EXTERNAL_INTERRUPT_EXITING BIT(0)
#define PIN_BASED_NMI_EXITING                BIT(3)
#define PIN_BASED_VIRTUAL_NMIS               BIT(5)
#define PIN_BASED_ACTIVATE_PREEMPTION_TIMER  BIT(6)

/* Primary processor-based VM-execution controls. */
#define PRIMARY_INTERRUPT_WINDOW_EXITING    BIT(2)
#define PRIMARY_USE_TSC_OFFSETTING          BIT(3)
#define PRIMARY_HLT_EXITING                 BIT(7)
#define PRIMARY_MWAIT_EXITING               BIT(10)
#define PRIMARY_RDPMC_EXITING               BIT(11)
#define PRIMARY_ACTIVATE_TERTIARY_CONTROLS  BIT(17)
#define PRIMARY_CR8_LOAD_EXITING            BIT(19)
#define PRIMARY_CR8_STORE_EXITING           BIT(20)
#define PRIMARY_NMI_WINDOW_EXITING          BIT(22)
#define PRIMARY_USE_IO_BITMAPS              BIT(25)
#define PRIMARY_USE_MSR_BITMAPS             BIT(28)
#define PRIMARY_MONITOR_EXITING             BIT(29)
#define PRIMARY_ACTIVATE_SECONDARY_CONTROLS BIT(31)

/* Secondary processor-based VM-execution controls. */
#define SECONDARY_ENABLE_EPT             BIT(1)
#define SECONDARY_ENABLE_RDTSCP          BIT(3)
#define SECONDARY_ENABLE_VPID            BIT(5)
#define SECONDARY_WBINVD_EXITING         BIT(6)
#define SECONDARY_UNRESTRICTED_GUEST     BIT(7)
#define SECONDARY_ENABLE_INVPCID         BIT(12)
#define SECONDARY_ENABLE_VM_FUNCTIONS    BIT(13)
#define SECONDARY_ENABLE_XSAVES          BIT(20)
#define SECONDARY_ENABLE_USER_WAIT_PAUSE BIT(26)

/* VM-exit controls. */
#define EXIT_SAVE_DEBUG_CONTROLS         BIT(2)
#define EXIT_HOST_ADDRESS_SPACE_SIZE     BIT(9)
#define EXIT_SAVE_IA32_PAT               BIT(18)
#define EXIT_LOAD_IA32_PAT               BIT(19)
#define EXIT_SAVE_IA32_EFER              BIT(20)
#define EXIT_LOAD_IA32_EFER              BIT(21)
#define EXIT_ACTIVATE_SECONDARY_CONTROLS BIT(31)

/* VM-entry controls. */
#define ENTRY_LOAD_DEBUG_CONTROLS BIT(2)
#define ENTRY_IA32E_MODE_GUEST    BIT(9)
#define ENTRY_LOAD_IA32_PAT       BIT(14)
#define ENTRY_LOAD_IA32_EFER      BIT(15)

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
 * The value for a control field that has the bits wanted, each bit the processor insists
 * on, and no more. The TRUE_ MSRs count where IA32_VMX_BASIC[55] announces them. Returns
 * the bits of wanted that the processor does not allow: 0 means that all went in, else
 * *value is untouched. Without secondary controls, none of them is allowed.
 */
uint32_t MUST_CHECK vmx_control_fit(const struct vmx_capabilities *capabilities,
                                    enum vmx_control control, uint32_t wanted,
                                    uint32_t *value);

/* True if the processor has EPT with write-back tables and a four-level walk. */
bool vmx_has_ept(const struct vmx_capabilities *capabilities);

#endif
