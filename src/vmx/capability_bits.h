/*
 * The bits of the VMX capability MSRs and of the controls that they allow.
 *
 * SDM 3D, appendix "VMX Capability Reporting Facility"; SDM 3C, "VM-Execution Control
 * Fields", "VM-Exit Control Fields", "VM-Entry Control Fields". capability_rows.c has a
 * name for each, tests/oracle holds the numbers against Linux's. Pure.
 */
#ifndef HYMIR_VMX_CAPABILITY_BITS_H
#define HYMIR_VMX_CAPABILITY_BITS_H

#include "lib/bits.h"

/* IA32_VMX_BASIC */
#define VMX_BASIC_REVISION(basic)      ((uint32_t)BITS_GET(basic, 30, 0))
#define VMX_BASIC_REGION_SIZE(basic)   ((uint32_t)BITS_GET(basic, 44, 32))
#define VMX_BASIC_MEMORY_TYPE(basic)   ((uint32_t)BITS_GET(basic, 53, 50))
#define VMX_BASIC_RESERVED_31          BIT(31)
#define VMX_BASIC_ADDRESSES_32_BIT     BIT(48)
#define VMX_BASIC_DUAL_MONITOR         BIT(49)
#define VMX_BASIC_INS_OUTS_INFORMATION BIT(54)
#define VMX_BASIC_TRUE_CONTROLS        BIT(55)
#define VMX_BASIC_ANY_ERROR_CODE       BIT(56) /* injected with or without one */
#define VMX_BASIC_NESTED_EXCEPTIONS    BIT(58)
#define VMX_MEMORY_TYPE_WRITE_BACK     6U

/* IA32_VMX_MISC */
#define VMX_MISC_TIMER_SHIFT(misc) \
    ((uint8_t)BITS_GET(misc, 4, 0)) /* TSC to preemption timer */
#define VMX_MISC_SAVES_EFER_LMA        BIT(5)
#define VMX_MISC_ACTIVITY_HLT          BIT(6)
#define VMX_MISC_ACTIVITY_SHUTDOWN     BIT(7)
#define VMX_MISC_ACTIVITY_WAIT_SIPI    BIT(8)
#define VMX_MISC_INTEL_PT              BIT(14) /* Intel PT may trace in VMX operation */
#define VMX_MISC_RDMSR_IN_SMM          BIT(15)
#define VMX_MISC_SMM_MONITOR_CTL       BIT(28)
#define VMX_MISC_VMWRITE_ALL           BIT(29)
#define VMX_MISC_INJECTION_LENGTH_ZERO BIT(30)

/* IA32_VMX_EPT_VPID_CAP */
#define EPT_CAP_EXECUTE_ONLY         BIT(0)
#define EPT_CAP_WALK_LENGTH_4        BIT(6)
#define EPT_CAP_WALK_LENGTH_5        BIT(7)
#define EPT_CAP_UNCACHEABLE          BIT(8)
#define EPT_CAP_WRITE_BACK           BIT(14)
#define EPT_CAP_PAGES_2_MIB          BIT(16)
#define EPT_CAP_PAGES_1_GIB          BIT(17)
#define EPT_CAP_INVEPT               BIT(20)
#define EPT_CAP_ACCESSED             BIT(21) /* and dirty flags */
#define EPT_CAP_VIOLATION_DETAILS    BIT(22)
#define EPT_CAP_SHADOW_STACK         BIT(23)
#define EPT_CAP_INVEPT_SINGLE        BIT(25)
#define EPT_CAP_INVEPT_ALL           BIT(26)
#define VPID_CAP_INVVPID             BIT(32)
#define VPID_CAP_INVVPID_ADDRESS     BIT(40)
#define VPID_CAP_INVVPID_SINGLE      BIT(41)
#define VPID_CAP_INVVPID_ALL         BIT(42)
#define VPID_CAP_INVVPID_KEEP_GLOBAL BIT(43)

/* IA32_VMX_VMFUNC */
#define VMFUNC_EPTP_SWITCHING BIT(0)

/* Pin-based VM-execution controls. */
#define PIN_BASED_EXTERNAL_INTERRUPT_EXITING BIT(0)
#define PIN_BASED_NMI_EXITING                BIT(3)
#define PIN_BASED_VIRTUAL_NMIS               BIT(5)
#define PIN_BASED_ACTIVATE_PREEMPTION_TIMER  BIT(6)
#define PIN_BASED_PROCESS_POSTED_INTERRUPTS  BIT(7)

/* Primary processor-based VM-execution controls. */
#define PRIMARY_INTERRUPT_WINDOW_EXITING    BIT(2)
#define PRIMARY_USE_TSC_OFFSETTING          BIT(3)
#define PRIMARY_HLT_EXITING                 BIT(7)
#define PRIMARY_INVLPG_EXITING              BIT(9)
#define PRIMARY_MWAIT_EXITING               BIT(10)
#define PRIMARY_RDPMC_EXITING               BIT(11)
#define PRIMARY_RDTSC_EXITING               BIT(12)
#define PRIMARY_CR3_LOAD_EXITING            BIT(15)
#define PRIMARY_CR3_STORE_EXITING           BIT(16)
#define PRIMARY_ACTIVATE_TERTIARY_CONTROLS  BIT(17)
#define PRIMARY_CR8_LOAD_EXITING            BIT(19)
#define PRIMARY_CR8_STORE_EXITING           BIT(20)
#define PRIMARY_USE_TPR_SHADOW              BIT(21)
#define PRIMARY_NMI_WINDOW_EXITING          BIT(22)
#define PRIMARY_MOV_DR_EXITING              BIT(23)
#define PRIMARY_UNCONDITIONAL_IO_EXITING    BIT(24)
#define PRIMARY_USE_IO_BITMAPS              BIT(25)
#define PRIMARY_MONITOR_TRAP_FLAG           BIT(27)
#define PRIMARY_USE_MSR_BITMAPS             BIT(28)
#define PRIMARY_MONITOR_EXITING             BIT(29)
#define PRIMARY_PAUSE_EXITING               BIT(30)
#define PRIMARY_ACTIVATE_SECONDARY_CONTROLS BIT(31)

/* Secondary processor-based VM-execution controls. */
#define SECONDARY_VIRTUALIZE_APIC_ACCESSES     BIT(0)
#define SECONDARY_ENABLE_EPT                   BIT(1)
#define SECONDARY_DESCRIPTOR_TABLE_EXITING     BIT(2)
#define SECONDARY_ENABLE_RDTSCP                BIT(3)
#define SECONDARY_VIRTUALIZE_X2APIC_MODE       BIT(4)
#define SECONDARY_ENABLE_VPID                  BIT(5)
#define SECONDARY_WBINVD_EXITING               BIT(6)
#define SECONDARY_UNRESTRICTED_GUEST           BIT(7)
#define SECONDARY_APIC_REGISTER_VIRTUALIZATION BIT(8)
#define SECONDARY_VIRTUAL_INTERRUPT_DELIVERY   BIT(9)
#define SECONDARY_PAUSE_LOOP_EXITING           BIT(10)
#define SECONDARY_RDRAND_EXITING               BIT(11)
#define SECONDARY_ENABLE_INVPCID               BIT(12)
#define SECONDARY_ENABLE_VM_FUNCTIONS          BIT(13)
#define SECONDARY_VMCS_SHADOWING               BIT(14)
#define SECONDARY_ENABLE_ENCLS_EXITING         BIT(15)
#define SECONDARY_RDSEED_EXITING               BIT(16)
#define SECONDARY_ENABLE_PML                   BIT(17)
#define SECONDARY_EPT_VIOLATION_VE             BIT(18)
#define SECONDARY_CONCEAL_VMX_FROM_PT          BIT(19)
#define SECONDARY_ENABLE_XSAVES                BIT(20)
#define SECONDARY_PASID_TRANSLATION            BIT(21)
#define SECONDARY_MODE_BASED_EXECUTE           BIT(22)
#define SECONDARY_SUB_PAGE_WRITE_PERMISSIONS   BIT(23)
#define SECONDARY_PT_USES_GUEST_PHYSICAL       BIT(24)
#define SECONDARY_USE_TSC_SCALING              BIT(25)
#define SECONDARY_ENABLE_USER_WAIT_PAUSE       BIT(26)
#define SECONDARY_ENABLE_PCONFIG               BIT(27)
#define SECONDARY_ENABLE_ENCLV_EXITING         BIT(28)
#define SECONDARY_VMM_BUS_LOCK_DETECTION       BIT(30)
#define SECONDARY_INSTRUCTION_TIMEOUT          BIT(31)

/* Tertiary processor-based VM-execution controls. */
#define TERTIARY_LOADIWKEY_EXITING         BIT(0)
#define TERTIARY_ENABLE_HLAT               BIT(1)
#define TERTIARY_EPT_PAGING_WRITE_CONTROL  BIT(2)
#define TERTIARY_GUEST_PAGING_VERIFICATION BIT(3)
#define TERTIARY_IPI_VIRTUALIZATION        BIT(4)
#define TERTIARY_SEAM_ADDRESS_WIDTH        BIT(5)
#define TERTIARY_ENABLE_MSR_LISTS          BIT(6)
#define TERTIARY_VIRTUALIZE_SPEC_CTRL      BIT(7)
#define TERTIARY_APIC_TIMER_VIRTUALIZATION BIT(8)

/* VM-exit controls. */
#define EXIT_SAVE_DEBUG_CONTROLS         BIT(2)
#define EXIT_HOST_ADDRESS_SPACE_SIZE     BIT(9)
#define EXIT_LOAD_IA32_PERF_GLOBAL_CTRL  BIT(12)
#define EXIT_ACKNOWLEDGE_INTERRUPT       BIT(15)
#define EXIT_SAVE_IA32_PAT               BIT(18)
#define EXIT_LOAD_IA32_PAT               BIT(19)
#define EXIT_SAVE_IA32_EFER              BIT(20)
#define EXIT_LOAD_IA32_EFER              BIT(21)
#define EXIT_SAVE_PREEMPTION_TIMER       BIT(22)
#define EXIT_CLEAR_IA32_BNDCFGS          BIT(23)
#define EXIT_CONCEAL_VMX_FROM_PT         BIT(24)
#define EXIT_CLEAR_IA32_RTIT_CTL         BIT(25)
#define EXIT_CLEAR_IA32_LBR_CTL          BIT(26)
#define EXIT_CLEAR_UINV                  BIT(27)
#define EXIT_LOAD_CET_STATE              BIT(28)
#define EXIT_LOAD_PKRS                   BIT(29)
#define EXIT_SAVE_IA32_PERF_GLOBAL_CTRL  BIT(30)
#define EXIT_ACTIVATE_SECONDARY_CONTROLS BIT(31)

/* Secondary VM-exit controls. */
#define SECONDARY_EXIT_SAVE_FRED                     BIT(0)
#define SECONDARY_EXIT_LOAD_FRED                     BIT(1)
#define SECONDARY_EXIT_LOAD_SPEC_CTRL                BIT(2)
#define SECONDARY_EXIT_PREMATURELY_BUSY_SHADOW_STACK BIT(3)

/* VM-entry controls. */
#define ENTRY_LOAD_DEBUG_CONTROLS        BIT(2)
#define ENTRY_IA32E_MODE_GUEST           BIT(9)
#define ENTRY_TO_SMM                     BIT(10)
#define ENTRY_DEACTIVATE_DUAL_MONITOR    BIT(11)
#define ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL BIT(13)
#define ENTRY_LOAD_IA32_PAT              BIT(14)
#define ENTRY_LOAD_IA32_EFER             BIT(15)
#define ENTRY_LOAD_IA32_BNDCFGS          BIT(16)
#define ENTRY_CONCEAL_VMX_FROM_PT        BIT(17)
#define ENTRY_LOAD_IA32_RTIT_CTL         BIT(18)
#define ENTRY_LOAD_UINV                  BIT(19)
#define ENTRY_LOAD_CET_STATE             BIT(20)
#define ENTRY_LOAD_IA32_LBR_CTL          BIT(21)
#define ENTRY_LOAD_PKRS                  BIT(22)
#define ENTRY_LOAD_FRED                  BIT(23)

#endif
