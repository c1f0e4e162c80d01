/*
 * Model-specific registers: their numbers, and the names of their bits.
 *
 * SDM 4, "Model-Specific Registers (MSRs)". The VMX capability MSRs are in
 * x86/vmx_capabilities.h, the bits of IA32_APIC_BASE in x86/apic.h, those of IA32_EFER in
 * x86/control_registers.h.
 */
#ifndef HYMIR_X86_MSR_H
#define HYMIR_X86_MSR_H

#include "lib/bits.h"

#define TEST_CTRL_SPLIT_LOCK         BIT(29) /* each split lock raises #AC */
#define CORE_CAPABILITIES_SPLIT_LOCK BIT(5)  /* TEST_CTRL_SPLIT_LOCK exists */

/* IA32_DEBUGCTL. */
#define DEBUGCTL_LBR BIT(0)
#define DEBUGCTL_BTF BIT(1)
/* On no processor with VMX: SDM 4, "IA32_DEBUGCTL". */
#define DEBUGCTL_RESERVED (BITS_MASK(63, 16) | BITS_MASK(5, 3))

enum msr {
    MSR_IA32_TIME_STAMP_COUNTER = 0x10,
    MSR_KVM_SYSTEM_TIME         = 0x12, /* KVM's clock in a guest */
    MSR_IA32_PLATFORM_ID        = 0x17,
    MSR_IA32_APIC_BASE          = 0x1B,
    MSR_TEST_CTRL               = 0x33,
    MSR_IA32_FEATURE_CONTROL    = 0x3A,
    MSR_IA32_TSC_ADJUST         = 0x3B,
    MSR_IA32_SPEC_CTRL          = 0x48,
    MSR_IA32_PRED_CMD           = 0x49,
    MSR_IA32_BIOS_UPDT_TRIG     = 0x79,
    MSR_IA32_BIOS_SIGN_ID       = 0x8B,
    MSR_IA32_SMM_MONITOR_CTL    = 0x9B,
    MSR_IA32_CORE_CAPABILITIES  = 0xCF,
    MSR_IA32_UMWAIT_CONTROL     = 0xE1,
    MSR_IA32_MPERF              = 0xE7,
    MSR_IA32_APERF              = 0xE8,
    MSR_IA32_ARCH_CAPABILITIES  = 0x10A,
    MSR_IA32_FLUSH_CMD          = 0x10B,
    MSR_IA32_MCU_OPT_CTRL       = 0x123,
    MSR_IA32_SYSENTER_CS        = 0x174,
    MSR_IA32_SYSENTER_ESP       = 0x175,
    MSR_IA32_SYSENTER_EIP       = 0x176,
    MSR_IA32_THERM_INTERRUPT    = 0x19B,
    MSR_IA32_THERM_STATUS       = 0x19C,
    MSR_IA32_MISC_ENABLE        = 0x1A0,
    MSR_IA32_DEBUGCTL           = 0x1D9,
    MSR_IA32_PAT                = 0x277,
    MSR_IA32_RTIT_CTL           = 0x570,
    MSR_IA32_TSC_DEADLINE       = 0x6E0,
    MSR_IA32_EFER               = 0xC0000080,
    MSR_IA32_STAR               = 0xC0000081,
    MSR_IA32_LSTAR              = 0xC0000082,
    MSR_IA32_CSTAR              = 0xC0000083,
    MSR_IA32_FMASK              = 0xC0000084,
    MSR_IA32_FS_BASE            = 0xC0000100,
    MSR_IA32_GS_BASE            = 0xC0000101,
    MSR_IA32_KERNEL_GS_BASE     = 0xC0000102,
    MSR_IA32_TSC_AUX            = 0xC0000103,

    /* Control-flow enforcement. */
    MSR_IA32_S_CET                    = 0x6A2,
    MSR_IA32_PL0_SSP                  = 0x6A4,
    MSR_IA32_INTERRUPT_SSP_TABLE_ADDR = 0x6A8,

    /* AMD's: APM 2, "MSR Cross-Reference". */
    MSR_AMD_PATCH_LEVEL        = 0x8B,
    MSR_LAST_BRANCH_FROM_IP    = 0x1DB,
    MSR_LAST_BRANCH_TO_IP      = 0x1DC,
    MSR_LAST_EXCEPTION_FROM_IP = 0x1DD,
    MSR_LAST_EXCEPTION_TO_IP   = 0x1DE,
    MSR_SYSCFG                 = 0xC0010010,
    MSR_HWCR                   = 0xC0010015,
    MSR_NB_CFG                 = 0xC001001F,
    MSR_INT_PENDING            = 0xC0010055,
    MSR_VM_CR                  = 0xC0010114,
    MSR_VM_HSAVE_PA            = 0xC0010117,
    MSR_VIRT_SPEC_CTRL         = 0xC001011F,
    MSR_LS_CFG                 = 0xC0011020,
    MSR_DE_CFG                 = 0xC0011029,
    MSR_BP_CFG                 = 0xC001102E,
};

/* INT_PENDING: BIOS and Kernel Developer's Guide for family 10H. */
#define INT_PENDING_C1E (BIT(27) | BIT(28))

/* SYSCFG: APM 2, "System Configuration Register (SYSCFG)". */
#define SYSCFG_MEM_ENCRYPTION_MOD_EN   BIT(23)
#define SYSCFG_SECURE_NESTED_PAGING_EN BIT(24)

/* HWCR: the TSC counts at the frequency of P-state 0. */
#define HWCR_TSC_FREQUENCY_SELECT BIT(24)

/* VM_CR: APM 2, "SVM Related MSRs". */
#define VM_CR_R_INIT BIT(1) /* INIT raises #SX */
#define VM_CR_LOCK   BIT(3)
#define VM_CR_SVMDIS BIT(4)

/* IA32_MISC_ENABLE */
#define MISC_ENABLE_FAST_STRINGS     BIT(0)
#define MISC_ENABLE_BTS_UNAVAILABLE  BIT(11)
#define MISC_ENABLE_PEBS_UNAVAILABLE BIT(12)
#define MISC_ENABLE_LIMIT_CPUID      BIT(22)

/* IA32_THERM_INTERRUPT and IA32_THERM_STATUS */
#define THERM_INTERRUPT_HIGH BIT(0)
#define THERM_INTERRUPT_LOW  BIT(1)
#define THERM_STATUS_HOT     BIT(0)
#define THERM_STATUS_LOG     BIT(1) /* cleared by writing 0 */

/* IA32_S_CET: SDM 4, "Architectural MSRs"; bits 63:12 are an address. */
#define S_CET_SHADOW_STACK       BIT(0) /* SH_STK_EN */
#define S_CET_WRITE_SHADOW_STACK BIT(1) /* WR_SHSTK_EN */
#define S_CET_SHADOW_STACK_BITS  (S_CET_SHADOW_STACK | S_CET_WRITE_SHADOW_STACK)
#define S_CET_RESERVED           BITS_MASK(9, 6)
#define S_CET_SUPPRESS           BIT(10)
#define S_CET_TRACKER            BIT(11)

#define RTIT_CTL_TRACE_ENABLE BIT(0) /* TraceEn */

/* Bits that no processor defines: SDM 4, "Architectural MSRs". */
#define PERF_GLOBAL_CTRL_RESERVED BITS_MASK(63, 49)
#define PERF_GLOBAL_CTRL_METRICS  BIT(48)
#define SPEC_CTRL_RESERVED        (BITS_MASK(63, 11) | BIT(9))
#define LBR_CTL_RESERVED          (BITS_MASK(63, 23) | BITS_MASK(15, 4))
#define RTIT_CTL_RESERVED \
    (BITS_MASK(63, 57) | BITS_MASK(54, 48) | BITS_MASK(30, 28) | BIT(23) | BIT(18))

/* IA32_FRED_CONFIG: Intel, "Flexible Return and Event Delivery". */
#define FRED_CONFIG_RESERVED (BIT(11) | BITS_MASK(5, 4) | BIT(2))

/* IA32_SPEC_CTRL, IA32_PRED_CMD and IA32_FLUSH_CMD. */
#define SPEC_CTRL_IBRS        BIT(0)
#define SPEC_CTRL_STIBP       BIT(1)
#define SPEC_CTRL_SSBD        BIT(2)
#define SPEC_CTRL_IPRED_DIS   BITS_MASK(4, 3)
#define SPEC_CTRL_RRSBA_DIS   BITS_MASK(6, 5)
#define SPEC_CTRL_RRSBA_DIS_S BIT(6)
#define SPEC_CTRL_PSFD        BIT(7)
#define SPEC_CTRL_DDPD_U      BIT(8)
#define SPEC_CTRL_BHI_DIS_S   BIT(10)
#define PRED_CMD_IBPB         BIT(0)
#define PRED_CMD_SBPB         BIT(7) /* AMD's */
#define FLUSH_CMD_L1D         BIT(0)

/* LS_CFG, by family: AMD, "Speculative Store Bypass Disable". */
#define LS_CFG_SSBD_15H BIT(54)
#define LS_CFG_SSBD_16H BIT(33)
#define LS_CFG_SSBD_17H BIT(10)

/* IA32_MCU_OPT_CTRL: SDM 4, "Architectural MSRs". */
#define MCU_OPT_CTRL_RNGDS_MITG_DIS BIT(0)
#define MCU_OPT_CTRL_GDS_MITG_DIS   BIT(4)

/* DE_CFG: AMD-SB-7008, "Cross-Process Information Leak" (Zenbleed). */
#define DE_CFG_FP_BACKUP_FIX BIT(9)

/* DE_CFG: AMD, "Software Techniques for Managing Speculation on AMD Processors". */
#define DE_CFG_LFENCE_SERIALIZES BIT(1)

/* BP_CFG: AMD, "Technical Update Regarding Speculative Return Stack Overflow". */
#define BP_CFG_BP_SPEC_REDUCE BIT(4)

/* IA32_ARCH_CAPABILITIES: immunities, and mitigations that need not be applied. */
#define ARCH_CAPABILITIES_RDCL_NO            BIT(0) /* no Meltdown, no L1TF */
#define ARCH_CAPABILITIES_IBRS_ALL           BIT(1) /* enhanced IBRS */
#define ARCH_CAPABILITIES_RSBA               BIT(2)
#define ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY BIT(3)
#define ARCH_CAPABILITIES_SSB_NO             BIT(4)
#define ARCH_CAPABILITIES_MDS_NO             BIT(5)
#define ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO  BIT(6) /* no iTLB multihit */
#define ARCH_CAPABILITIES_TSX_CTRL           BIT(7)
#define ARCH_CAPABILITIES_TAA_NO             BIT(8)
#define ARCH_CAPABILITIES_SBDR_SSDP_NO       BIT(13)
#define ARCH_CAPABILITIES_FBSDP_NO           BIT(14)
#define ARCH_CAPABILITIES_PSDP_NO            BIT(15)
#define ARCH_CAPABILITIES_FB_CLEAR           BIT(17)
#define ARCH_CAPABILITIES_RRSBA              BIT(19)
#define ARCH_CAPABILITIES_BHI_NO             BIT(20)
#define ARCH_CAPABILITIES_PBRSB_NO           BIT(24)
#define ARCH_CAPABILITIES_GDS_CTRL           BIT(25)
#define ARCH_CAPABILITIES_GDS_NO             BIT(26)
#define ARCH_CAPABILITIES_RFDS_NO            BIT(27)
#define ARCH_CAPABILITIES_RFDS_CLEAR         BIT(28)
#define ARCH_CAPABILITIES_ITS_NO             BIT(62)

/* IA32_FEATURE_CONTROL: SDM 3C, "Enabling and Entering VMX Operation". */
#define FEATURE_CONTROL_LOCK                BIT(0)
#define FEATURE_CONTROL_VMX_INSIDE_SMX      BIT(1)
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX     BIT(2)
#define FEATURE_CONTROL_SENTER_LOCAL(value) BITS_GET(value, 14, 8)
#define FEATURE_CONTROL_SENTER_GLOBAL       BIT(15)
#define FEATURE_CONTROL_SGX_LAUNCH          BIT(17) /* IA32_SGXLEPUBKEYHASH may be written */
#define FEATURE_CONTROL_SGX                 BIT(18)

#endif
