/*
 * Bits of the architectural registers that more than one file speaks of, with the SDM's
 * names.
 *
 * SDM 3A, "Control Registers" (2.5), "Extended Feature Enable Register"; SDM 4,
 * "Model-Specific Registers". What only VMX knows is in vmx/capabilities.h.
 */
#ifndef HYMIR_CPU_REGISTERS_H
#define HYMIR_CPU_REGISTERS_H

#include "lib/bits.h"

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_PCE        BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_SMXE       BIT(14)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_KL         BIT(19)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE        BIT(22)
#define CR4_CET        BIT(23)
#define CR4_PKS        BIT(24)
#define CR4_UINTR      BIT(25)
#define CR4_LASS       BIT(27)
#define CR4_LAM_SUP    BIT(28)
#define CR4_FRED       BIT(32)

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#define RFLAGS_FIXED BIT(1)
#define RFLAGS_TF    BIT(8)
#define RFLAGS_IF    BIT(9)

enum msr {
    MSR_IA32_APIC_BASE         = 0x1B,
    MSR_IA32_FEATURE_CONTROL   = 0x3A,
    MSR_IA32_BIOS_SIGN_ID      = 0x8B,
    MSR_IA32_UMWAIT_CONTROL    = 0xE1,
    MSR_IA32_SYSENTER_CS       = 0x174,
    MSR_IA32_SYSENTER_ESP      = 0x175,
    MSR_IA32_SYSENTER_EIP      = 0x176,
    MSR_IA32_MISC_ENABLE       = 0x1A0,
    MSR_IA32_DEBUGCTL          = 0x1D9,
    MSR_IA32_ARCH_CAPABILITIES = 0x10A,
    MSR_IA32_PAT               = 0x277,
    MSR_IA32_RTIT_CTL          = 0x570,
    MSR_IA32_EFER              = 0xC0000080,
    MSR_IA32_STAR              = 0xC0000081,
    MSR_IA32_LSTAR             = 0xC0000082,
    MSR_IA32_CSTAR             = 0xC0000083,
    MSR_IA32_FMASK             = 0xC0000084,
    MSR_IA32_FS_BASE           = 0xC0000100,
    MSR_IA32_GS_BASE           = 0xC0000101,
    MSR_IA32_KERNEL_GS_BASE    = 0xC0000102,
    MSR_IA32_TSC_AUX           = 0xC0000103,
};

/* IA32_MISC_ENABLE: what firmware switched on. */
#define MISC_ENABLE_FAST_STRINGS BIT(0)

/* IA32_ARCH_CAPABILITIES: what the processor does not suffer from, or need. */
#define ARCH_CAPABILITIES_RDCL_NO            BIT(0) /* no Meltdown, no L1TF */
#define ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY BIT(3)
#define ARCH_CAPABILITIES_MDS_NO             BIT(5)
#define ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO  BIT(6) /* no iTLB multihit */

/* Exceptions: SDM 3A, "Protected-Mode Exceptions and Interrupts". */
enum vector {
    VECTOR_DB            = 1,
    VECTOR_NMI           = 2,
    VECTOR_UD            = 6,
    VECTOR_DF            = 8,
    VECTOR_SS            = 12,
    VECTOR_GP            = 13,
    VECTOR_PF            = 14,
    VECTOR_AC            = 17,
    VECTOR_MC            = 18,
    VECTOR_FIRST_FREE    = 32, /* the first that is no exception */
    VECTOR_WAKE          = 0xF0,
    VECTOR_TIMER         = 0xF1,
    VECTOR_SERIAL        = 0xF2,
    VECTOR_KEYBOARD      = 0xF3,
    VECTOR_APIC_SPURIOUS = 0xFF,
    VECTOR_COUNT         = 256,
};

#endif
