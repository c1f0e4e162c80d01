/*
 * The VMX capability MSRs: their numbers, groups of bits, and the names of the bits.
 *
 * SDM 3D, appendix "VMX Capability Reporting Facility"; SDM 3C, "VM-Execution Control
 * Fields", "VM-Exit Control Fields", "VM-Entry Control Fields". tests/oracle checks the
 * numbers against Linux's.
 */
#ifndef HYMIR_X86_VMX_CAPABILITIES_H
#define HYMIR_X86_VMX_CAPABILITIES_H

#include "lib/bits.h"
#include "x86/control_registers.h"

/* The name, after IA32_VMX_, and the number of each MSR. */
#define VMX_MSRS(MSR)               \
    MSR(BASIC, 0x480)               \
    MSR(PINBASED_CTLS, 0x481)       \
    MSR(PROCBASED_CTLS, 0x482)      \
    MSR(EXIT_CTLS, 0x483)           \
    MSR(ENTRY_CTLS, 0x484)          \
    MSR(MISC, 0x485)                \
    MSR(CR0_FIXED0, 0x486)          \
    MSR(CR0_FIXED1, 0x487)          \
    MSR(CR4_FIXED0, 0x488)          \
    MSR(CR4_FIXED1, 0x489)          \
    MSR(VMCS_ENUM, 0x48A)           \
    MSR(PROCBASED_CTLS2, 0x48B)     \
    MSR(EPT_VPID_CAP, 0x48C)        \
    MSR(TRUE_PINBASED_CTLS, 0x48D)  \
    MSR(TRUE_PROCBASED_CTLS, 0x48E) \
    MSR(TRUE_EXIT_CTLS, 0x48F)      \
    MSR(TRUE_ENTRY_CTLS, 0x490)     \
    MSR(VMFUNC, 0x491)              \
    MSR(PROCBASED_CTLS3, 0x492)     \
    MSR(EXIT_CTLS2, 0x493)

enum vmx_msr {
#define VMX_MSR_ENUM(name, number) MSR_IA32_VMX_##name = (number),
    VMX_MSRS(VMX_MSR_ENUM)
#undef VMX_MSR_ENUM
};
#define VMX_MSR_FIRST MSR_IA32_VMX_BASIC
#define VMX_MSR_COUNT (MSR_IA32_VMX_EXIT_CTLS2 - MSR_IA32_VMX_BASIC + 1)

/* The groups of bits: one for each control field, control register or other MSR. */
enum vmx_capability_group {
    GROUP_BASIC,
    GROUP_PIN_BASED,
    GROUP_PRIMARY,
    GROUP_SECONDARY,
    GROUP_TERTIARY,
    GROUP_VM_EXIT,
    GROUP_SECONDARY_VM_EXIT,
    GROUP_VM_ENTRY,
    GROUP_MISC,
    GROUP_CR0,
    GROUP_CR4,
    GROUP_VMCS_ENUM,
    GROUP_EPT_VPID,
    GROUP_VMFUNC,
    GROUP_COUNT,
};

/*
 * Every bit and field, in the order of the groups and of the bits:
 * FLAG(group, constant, bit, the SDM's name), FIELD(group, mask, name), and REGISTER_FLAG
 * as FLAG, whose constant x86/control_registers.h defines.
 */
#define VMX_CAPABILITIES(FLAG, FIELD, REGISTER_FLAG)                                     \
    FIELD(BASIC, BITS_MASK(30, 0), "VMCS revision identifier")                           \
    FIELD(BASIC, BITS_MASK(44, 32), "bytes of a VMXON region or VMCS")                   \
    FLAG(BASIC, VMX_BASIC_ADDRESSES_32_BIT, 48, "addresses limited to 32 bits")          \
    FLAG(BASIC, VMX_BASIC_DUAL_MONITOR, 49, "dual-monitor treatment of SMIs")            \
    FIELD(BASIC, BITS_MASK(53, 50), "memory type for VMCSs")                             \
    FLAG(BASIC, VMX_BASIC_INS_OUTS_INFORMATION, 54, "information on INS and OUTS exits") \
    FLAG(BASIC, VMX_BASIC_TRUE_CONTROLS, 55, "default1 controls may be 0 (TRUE)")        \
    FLAG(BASIC, VMX_BASIC_ANY_ERROR_CODE, 56, "exceptions with any error code")          \
    FLAG(BASIC, VMX_BASIC_NESTED_EXCEPTIONS, 58, "nested exceptions")                    \
    FLAG(PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING, 0,                             \
         "external-interrupt exiting")                                                   \
    FLAG(PIN_BASED, PIN_BASED_NMI_EXITING, 3, "NMI exiting")                             \
    FLAG(PIN_BASED, PIN_BASED_VIRTUAL_NMIS, 5, "virtual NMIs")                           \
    FLAG(PIN_BASED, PIN_BASED_ACTIVATE_PREEMPTION_TIMER, 6,                              \
         "activate VMX-preemption timer")                                                \
    FLAG(PIN_BASED, PIN_BASED_PROCESS_POSTED_INTERRUPTS, 7, "process posted interrupts") \
    FLAG(PRIMARY, PRIMARY_INTERRUPT_WINDOW_EXITING, 2, "interrupt-window exiting")       \
    FLAG(PRIMARY, PRIMARY_USE_TSC_OFFSETTING, 3, "use TSC offsetting")                   \
    FLAG(PRIMARY, PRIMARY_HLT_EXITING, 7, "HLT exiting")                                 \
    FLAG(PRIMARY, PRIMARY_INVLPG_EXITING, 9, "INVLPG exiting")                           \
    FLAG(PRIMARY, PRIMARY_MWAIT_EXITING, 10, "MWAIT exiting")                            \
    FLAG(PRIMARY, PRIMARY_RDPMC_EXITING, 11, "RDPMC exiting")                            \
    FLAG(PRIMARY, PRIMARY_RDTSC_EXITING, 12, "RDTSC exiting")                            \
    FLAG(PRIMARY, PRIMARY_CR3_LOAD_EXITING, 15, "CR3-load exiting")                      \
    FLAG(PRIMARY, PRIMARY_CR3_STORE_EXITING, 16, "CR3-store exiting")                    \
    FLAG(PRIMARY, PRIMARY_ACTIVATE_TERTIARY_CONTROLS, 17, "activate tertiary controls")  \
    FLAG(PRIMARY, PRIMARY_CR8_LOAD_EXITING, 19, "CR8-load exiting")                      \
    FLAG(PRIMARY, PRIMARY_CR8_STORE_EXITING, 20, "CR8-store exiting")                    \
    FLAG(PRIMARY, PRIMARY_USE_TPR_SHADOW, 21, "use TPR shadow")                          \
    FLAG(PRIMARY, PRIMARY_NMI_WINDOW_EXITING, 22, "NMI-window exiting")                  \
    FLAG(PRIMARY, PRIMARY_MOV_DR_EXITING, 23, "MOV-DR exiting")                          \
    FLAG(PRIMARY, PRIMARY_UNCONDITIONAL_IO_EXITING, 24, "unconditional I/O exiting")     \
    FLAG(PRIMARY, PRIMARY_USE_IO_BITMAPS, 25, "use I/O bitmaps")                         \
    FLAG(PRIMARY, PRIMARY_MONITOR_TRAP_FLAG, 27, "monitor trap flag")                    \
    FLAG(PRIMARY, PRIMARY_USE_MSR_BITMAPS, 28, "use MSR bitmaps")                        \
    FLAG(PRIMARY, PRIMARY_MONITOR_EXITING, 29, "MONITOR exiting")                        \
    FLAG(PRIMARY, PRIMARY_PAUSE_EXITING, 30, "PAUSE exiting")                            \
    FLAG(PRIMARY, PRIMARY_ACTIVATE_SECONDARY_CONTROLS, 31,                               \
         "activate secondary controls")                                                  \
    FLAG(SECONDARY, SECONDARY_VIRTUALIZE_APIC_ACCESSES, 0, "virtualize APIC accesses")   \
    FLAG(SECONDARY, SECONDARY_ENABLE_EPT, 1, "enable EPT")                               \
    FLAG(SECONDARY, SECONDARY_DESCRIPTOR_TABLE_EXITING, 2, "descriptor-table exiting")   \
    FLAG(SECONDARY, SECONDARY_ENABLE_RDTSCP, 3, "enable RDTSCP")                         \
    FLAG(SECONDARY, SECONDARY_VIRTUALIZE_X2APIC_MODE, 4, "virtualize x2APIC mode")       \
    FLAG(SECONDARY, SECONDARY_ENABLE_VPID, 5, "enable VPID")                             \
    FLAG(SECONDARY, SECONDARY_WBINVD_EXITING, 6, "WBINVD exiting")                       \
    FLAG(SECONDARY, SECONDARY_UNRESTRICTED_GUEST, 7, "unrestricted guest")               \
    FLAG(SECONDARY, SECONDARY_APIC_REGISTER_VIRTUALIZATION, 8,                           \
         "APIC-register virtualization")                                                 \
    FLAG(SECONDARY, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY, 9,                             \
         "virtual-interrupt delivery")                                                   \
    FLAG(SECONDARY, SECONDARY_PAUSE_LOOP_EXITING, 10, "PAUSE-loop exiting")              \
    FLAG(SECONDARY, SECONDARY_RDRAND_EXITING, 11, "RDRAND exiting")                      \
    FLAG(SECONDARY, SECONDARY_ENABLE_INVPCID, 12, "enable INVPCID")                      \
    FLAG(SECONDARY, SECONDARY_ENABLE_VM_FUNCTIONS, 13, "enable VM functions")            \
    FLAG(SECONDARY, SECONDARY_VMCS_SHADOWING, 14, "VMCS shadowing")                      \
    FLAG(SECONDARY, SECONDARY_ENABLE_ENCLS_EXITING, 15, "enable ENCLS exiting")          \
    FLAG(SECONDARY, SECONDARY_RDSEED_EXITING, 16, "RDSEED exiting")                      \
    FLAG(SECONDARY, SECONDARY_ENABLE_PML, 17, "enable PML")                              \
    FLAG(SECONDARY, SECONDARY_EPT_VIOLATION_VE, 18, "EPT-violation #VE")                 \
    FLAG(SECONDARY, SECONDARY_CONCEAL_VMX_FROM_PT, 19, "conceal VMX from PT")            \
    FLAG(SECONDARY, SECONDARY_ENABLE_XSAVES, 20, "enable XSAVES/XRSTORS")                \
    FLAG(SECONDARY, SECONDARY_PASID_TRANSLATION, 21, "PASID translation")                \
    FLAG(SECONDARY, SECONDARY_MODE_BASED_EXECUTE, 22,                                    \
         "mode-based execute control for EPT")                                           \
    FLAG(SECONDARY, SECONDARY_SUB_PAGE_WRITE_PERMISSIONS, 23,                            \
         "sub-page write permissions for EPT")                                           \
    FLAG(SECONDARY, SECONDARY_PT_USES_GUEST_PHYSICAL, 24,                                \
         "PT uses guest physical addresses")                                             \
    FLAG(SECONDARY, SECONDARY_USE_TSC_SCALING, 25, "use TSC scaling")                    \
    FLAG(SECONDARY, SECONDARY_ENABLE_USER_WAIT_PAUSE, 26, "enable user wait and pause")  \
    FLAG(SECONDARY, SECONDARY_ENABLE_PCONFIG, 27, "enable PCONFIG")                      \
    FLAG(SECONDARY, SECONDARY_ENABLE_ENCLV_EXITING, 28, "enable ENCLV exiting")          \
    FLAG(SECONDARY, SECONDARY_VMM_BUS_LOCK_DETECTION, 30, "VMM bus-lock detection")      \
    FLAG(SECONDARY, SECONDARY_INSTRUCTION_TIMEOUT, 31, "instruction timeout")            \
    FLAG(TERTIARY, TERTIARY_LOADIWKEY_EXITING, 0, "LOADIWKEY exiting")                   \
    FLAG(TERTIARY, TERTIARY_ENABLE_HLAT, 1, "enable HLAT")                               \
    FLAG(TERTIARY, TERTIARY_EPT_PAGING_WRITE_CONTROL, 2, "EPT paging-write control")     \
    FLAG(TERTIARY, TERTIARY_GUEST_PAGING_VERIFICATION, 3, "guest-paging verification")   \
    FLAG(TERTIARY, TERTIARY_IPI_VIRTUALIZATION, 4, "IPI virtualization")                 \
    FLAG(TERTIARY, TERTIARY_SEAM_ADDRESS_WIDTH, 5, "SEAM guest-physical address width")  \
    FLAG(TERTIARY, TERTIARY_ENABLE_MSR_LISTS, 6, "enable MSR-list instructions")         \
    FLAG(TERTIARY, TERTIARY_VIRTUALIZE_SPEC_CTRL, 7, "virtualize IA32_SPEC_CTRL")        \
    FLAG(TERTIARY, TERTIARY_APIC_TIMER_VIRTUALIZATION, 8, "APIC-timer virtualization")   \
    FLAG(VM_EXIT, VM_EXIT_SAVE_DEBUG_CONTROLS, 2, "save debug controls")                 \
    FLAG(VM_EXIT, VM_EXIT_HOST_ADDRESS_SPACE_SIZE, 9, "host address-space size")         \
    FLAG(VM_EXIT, VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL, 12, "load IA32_PERF_GLOBAL_CTRL")  \
    FLAG(VM_EXIT, VM_EXIT_ACKNOWLEDGE_INTERRUPT, 15, "acknowledge interrupt on exit")    \
    FLAG(VM_EXIT, VM_EXIT_SAVE_IA32_PAT, 18, "save IA32_PAT")                            \
    FLAG(VM_EXIT, VM_EXIT_LOAD_IA32_PAT, 19, "load IA32_PAT")                            \
    FLAG(VM_EXIT, VM_EXIT_SAVE_IA32_EFER, 20, "save IA32_EFER")                          \
    FLAG(VM_EXIT, VM_EXIT_LOAD_IA32_EFER, 21, "load IA32_EFER")                          \
    FLAG(VM_EXIT, VM_EXIT_SAVE_PREEMPTION_TIMER, 22, "save VMX-preemption timer value")  \
    FLAG(VM_EXIT, VM_EXIT_CLEAR_IA32_BNDCFGS, 23, "clear IA32_BNDCFGS")                  \
    FLAG(VM_EXIT, VM_EXIT_CONCEAL_VMX_FROM_PT, 24, "conceal VMX from PT")                \
    FLAG(VM_EXIT, VM_EXIT_CLEAR_IA32_RTIT_CTL, 25, "clear IA32_RTIT_CTL")                \
    FLAG(VM_EXIT, VM_EXIT_CLEAR_IA32_LBR_CTL, 26, "clear IA32_LBR_CTL")                  \
    FLAG(VM_EXIT, VM_EXIT_CLEAR_UINV, 27, "clear UINV")                                  \
    FLAG(VM_EXIT, VM_EXIT_LOAD_CET_STATE, 28, "load CET state")                          \
    FLAG(VM_EXIT, VM_EXIT_LOAD_PKRS, 29, "load PKRS")                                    \
    FLAG(VM_EXIT, VM_EXIT_SAVE_IA32_PERF_GLOBAL_CTRL, 30, "save IA32_PERF_GLOBAL_CTRL")  \
    FLAG(VM_EXIT, VM_EXIT_ACTIVATE_SECONDARY_CONTROLS, 31,                               \
         "activate secondary controls")                                                  \
    FLAG(SECONDARY_VM_EXIT, SECONDARY_VM_EXIT_SAVE_FRED, 0, "save FRED")                 \
    FLAG(SECONDARY_VM_EXIT, SECONDARY_VM_EXIT_LOAD_FRED, 1, "load FRED")                 \
    FLAG(SECONDARY_VM_EXIT, SECONDARY_VM_EXIT_LOAD_SPEC_CTRL, 2,                         \
         "load host IA32_SPEC_CTRL")                                                     \
    FLAG(SECONDARY_VM_EXIT, SECONDARY_VM_EXIT_PREMATURELY_BUSY_SHADOW_STACK, 3,          \
         "prematurely busy shadow stack")                                                \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_DEBUG_CONTROLS, 2, "load debug controls")               \
    FLAG(VM_ENTRY, VM_ENTRY_IA32E_MODE_GUEST, 9, "IA-32e mode guest")                    \
    FLAG(VM_ENTRY, VM_ENTRY_TO_SMM, 10, "entry to SMM")                                  \
    FLAG(VM_ENTRY, VM_ENTRY_DEACTIVATE_DUAL_MONITOR, 11,                                 \
         "deactivate dual-monitor treatment")                                            \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL, 13,                              \
         "load IA32_PERF_GLOBAL_CTRL")                                                   \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_IA32_PAT, 14, "load IA32_PAT")                          \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_IA32_EFER, 15, "load IA32_EFER")                        \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_IA32_BNDCFGS, 16, "load IA32_BNDCFGS")                  \
    FLAG(VM_ENTRY, VM_ENTRY_CONCEAL_VMX_FROM_PT, 17, "conceal VMX from PT")              \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_IA32_RTIT_CTL, 18, "load IA32_RTIT_CTL")                \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_UINV, 19, "load UINV")                                  \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_CET_STATE, 20, "load CET state")                        \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_IA32_LBR_CTL, 21, "load guest IA32_LBR_CTL")            \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_PKRS, 22, "load PKRS")                                  \
    FLAG(VM_ENTRY, VM_ENTRY_LOAD_FRED, 23, "load FRED")                                  \
    FIELD(MISC, BITS_MASK(4, 0), "preemption timer: TSC shifted by")                     \
    FLAG(MISC, VMX_MISC_SAVES_EFER_LMA, 5, "exits save IA32_EFER.LMA")                   \
    FLAG(MISC, VMX_MISC_ACTIVITY_HLT, 6, "activity state HLT")                           \
    FLAG(MISC, VMX_MISC_ACTIVITY_SHUTDOWN, 7, "activity state shutdown")                 \
    FLAG(MISC, VMX_MISC_ACTIVITY_WAIT_SIPI, 8, "activity state wait-for-SIPI")           \
    FLAG(MISC, VMX_MISC_INTEL_PT, 14, "Intel PT in VMX operation")                       \
    FLAG(MISC, VMX_MISC_RDMSR_IN_SMM, 15, "RDMSR of IA32_SMBASE in SMM")                 \
    FIELD(MISC, BITS_MASK(24, 16), "CR3-target values")                                  \
    FIELD(MISC, BITS_MASK(27, 25), "MSRs in a list, in 512s, less 1")                    \
    FLAG(MISC, VMX_MISC_SMM_MONITOR_CTL, 28, "IA32_SMM_MONITOR_CTL[2] may be 1")         \
    FLAG(MISC, VMX_MISC_VMWRITE_ALL, 29, "VMWRITE to any supported field")               \
    FLAG(MISC, VMX_MISC_INJECTION_LENGTH_ZERO, 30, "injection of instruction length 0")  \
    FIELD(MISC, BITS_MASK(63, 32), "MSEG revision identifier")                           \
    CR0_FLAGS(REGISTER_FLAG)                                                             \
    CR4_FLAGS(REGISTER_FLAG)                                                             \
    FIELD(VMCS_ENUM, BITS_MASK(9, 1), "highest index of a VMCS field")                   \
    FLAG(EPT_VPID, EPT_CAP_EXECUTE_ONLY, 0, "EPT: execute-only translations")            \
    FLAG(EPT_VPID, EPT_CAP_WALK_LENGTH_4, 6, "EPT: page-walk length 4")                  \
    FLAG(EPT_VPID, EPT_CAP_WALK_LENGTH_5, 7, "EPT: page-walk length 5")                  \
    FLAG(EPT_VPID, EPT_CAP_UNCACHEABLE, 8, "EPT: structures uncacheable")                \
    FLAG(EPT_VPID, EPT_CAP_WRITE_BACK, 14, "EPT: structures write-back")                 \
    FLAG(EPT_VPID, EPT_CAP_PAGES_2_MIB, 16, "EPT: 2-MByte pages")                        \
    FLAG(EPT_VPID, EPT_CAP_PAGES_1_GIB, 17, "EPT: 1-GByte pages")                        \
    FLAG(EPT_VPID, EPT_CAP_INVEPT, 20, "INVEPT")                                         \
    FLAG(EPT_VPID, EPT_CAP_ACCESSED, 21, "EPT: accessed and dirty flags")                \
    FLAG(EPT_VPID, EPT_CAP_VIOLATION_DETAILS, 22, "EPT: advanced violation details")     \
    FLAG(EPT_VPID, EPT_CAP_SHADOW_STACK, 23, "EPT: supervisor shadow stacks")            \
    FLAG(EPT_VPID, EPT_CAP_INVEPT_SINGLE, 25, "INVEPT: single-context")                  \
    FLAG(EPT_VPID, EPT_CAP_INVEPT_ALL, 26, "INVEPT: all-context")                        \
    FLAG(EPT_VPID, VPID_CAP_INVVPID, 32, "INVVPID")                                      \
    FLAG(EPT_VPID, VPID_CAP_INVVPID_ADDRESS, 40, "INVVPID: individual-address")          \
    FLAG(EPT_VPID, VPID_CAP_INVVPID_SINGLE, 41, "INVVPID: single-context")               \
    FLAG(EPT_VPID, VPID_CAP_INVVPID_ALL, 42, "INVVPID: all-context")                     \
    FLAG(EPT_VPID, VPID_CAP_INVVPID_KEEP_GLOBAL, 43, "INVVPID: retaining globals")       \
    FIELD(EPT_VPID, BITS_MASK(53, 48), "HLAT: largest prefix size")                      \
    FLAG(VMFUNC, VMFUNC_EPTP_SWITCHING, 0, "EPTP switching")

#define VMX_CAPABILITY_FLAG(group, constant, bit, name) constant = BIT(bit),
#define VMX_CAPABILITY_NOTHING(...)
enum vmx_capability_flag {
    VMX_CAPABILITIES(VMX_CAPABILITY_FLAG, VMX_CAPABILITY_NOTHING, VMX_CAPABILITY_NOTHING)
};
#undef VMX_CAPABILITY_FLAG
#undef VMX_CAPABILITY_NOTHING

/* IA32_VMX_BASIC */
#define VMX_BASIC_REVISION(basic)    ((uint32_t)BITS_GET(basic, 30, 0))
#define VMX_BASIC_REGION_SIZE(basic) ((uint32_t)BITS_GET(basic, 44, 32)) /* bytes */
#define VMX_BASIC_MEMORY_TYPE(basic) ((uint32_t)BITS_GET(basic, 53, 50))
#define VMX_BASIC_RESERVED_31        BIT(31) /* always 0 */
#define VMX_MEMORY_TYPE_WRITE_BACK   6U

/* IA32_VMX_MISC: the preemption timer counts once per 2^shift ticks of the TSC. */
#define VMX_MISC_TIMER_SHIFT(misc) ((uint8_t)BITS_GET(misc, 4, 0))

#endif
