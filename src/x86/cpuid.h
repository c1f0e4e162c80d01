/*
 * CPUID: its leaves, the result of one, and the feature bits that Hymir uses.
 *
 * SDM 2, "CPUID - CPU Identification"; APM 3, "Obtaining Processor Information Via the
 * CPUID Instruction". A bit is named after its leaf, its subleaf if that is not 0, and
 * its register.
 */
#ifndef HYMIR_X86_CPUID_H
#define HYMIR_X86_CPUID_H

#include "lib/bits.h"

#include <stdint.h>

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

enum cpuid_leaf {
    CPUID_LEAF_BASIC                  = 0, /* the last basic leaf, and the vendor */
    CPUID_LEAF_FEATURES               = 1, /* and version information */
    CPUID_LEAF_CACHE_AND_TLB          = 2,
    CPUID_LEAF_CACHES                 = 4, /* Deterministic Cache Parameters */
    CPUID_LEAF_POWER                  = 6, /* Thermal and Power Management */
    CPUID_LEAF_STRUCTURED_FEATURES    = 7, /* Structured Extended Feature Flags */
    CPUID_LEAF_PERFORMANCE_MONITORING = 0xA,
    CPUID_LEAF_TOPOLOGY               = 0xB, /* Extended Topology Enumeration */
    CPUID_LEAF_EXTENDED_STATE         = 0xD,
    CPUID_LEAF_TSC                    = 0x15, /* and nominal core crystal clock */
    CPUID_LEAF_FREQUENCY              = 0x16,
    CPUID_LEAF_NATIVE_MODEL           = 0x1A,
    CPUID_LEAF_TOPOLOGY_V2            = 0x1F,  /* V2 Extended Topology Enumeration */
    CPUID_LEAF_HYPERVISOR        = 0x40000000, /* the last such leaf, and the signature */
    CPUID_LEAF_HYPERVISOR_TIMING = 0x40000010,
    CPUID_LEAF_KVM               = 0x40000100, /* KVM's signature, after another one */
    CPUID_LEAF_EXTENDED          = 0x80000000, /* the last extended leaf */
    CPUID_LEAF_EXTENDED_FEATURES = 0x80000001,
    CPUID_LEAF_BRAND_1           = 0x80000002,
    CPUID_LEAF_BRAND_2           = 0x80000003,
    CPUID_LEAF_BRAND_3           = 0x80000004,
    CPUID_LEAF_L1_CACHE          = 0x80000005, /* AMD: and TLBs */
    CPUID_LEAF_L2_CACHE          = 0x80000006,
    CPUID_LEAF_POWER_MANAGEMENT  = 0x80000007,
    CPUID_LEAF_ADDRESS_SIZES     = 0x80000008,
    CPUID_LEAF_SVM               = 0x8000000A,
    CPUID_LEAF_TLB_1_GIB         = 0x80000019,
    CPUID_LEAF_PERFORMANCE       = 0x8000001A,
    CPUID_LEAF_CACHE_PROPERTIES  = 0x8000001D,   /* AMD: as leaf 04H */
    CPUID_LEAF_PROCESSOR_TOPOLOGY  = 0x8000001E, /* AMD */
    CPUID_LEAF_ENCRYPTED_MEMORY    = 0x8000001F,
    CPUID_LEAF_EXTENDED_FEATURES_2 = 0x80000021,
    CPUID_LEAF_EXTENDED_TOPOLOGY   = 0x80000026,
};

/* The highest last leaf where IA32_MISC_ENABLE[22] hides leaves. SDM 4, "Architectural
 * MSRs". */
#define CPUID_LIMITED_MAXIMUM 3U

/* The ranges of leaves that hypervisors use; each begins with its own last leaf. */
#define CPUID_LEAF_HYPERVISOR_END  0x40001000U
#define CPUID_LEAF_HYPERVISOR_STEP 0x100U

/* CPUID.00H:EBX: the first characters of AuthenticAMD and HygonGenuine. */
#define CPUID_0_EBX_AMD   0x68747541U
#define CPUID_0_EBX_HYGON 0x6F677948U
#define CPUID_FAMILY_10H  0x10U /* of AMD's processors */
/* CPUID.01H:EAX without its reserved bits: family, model, type and stepping. */
#define CPUID_1_EAX_SIGNATURE (BITS_MASK(27, 16) | BITS_MASK(13, 0))
/* CPUID.01H:EAX and CPUID.80000001H:EAX: family, model and type; not the stepping. */
#define CPUID_1_EAX_MODEL (BITS_MASK(27, 16) | BITS_MASK(13, 4))
/* CPUID.01H:EBX */
#define CPUID_1_EBX_BRAND_INDEX BITS_MASK(7, 0)
#define CPUID_1_EBX_CLFLUSH     BITS_MASK(15, 8)  /* line size in units of 8 bytes */
#define CPUID_1_EBX_PROCESSORS  BITS_MASK(23, 16) /* logical, in a package, at most */
#define CPUID_1_EBX_COUNT(ebx)  ((uint32_t)BITS_GET(ebx, 23, 16)) /* the same */
#define CPUID_1_EBX_COUNT_MAX   255U
#define CPUID_1_EBX_COUNT_LOW   16
#define CPUID_1_EBX_APIC_ID_LOW 24 /* the initial one, bits 31:24 */
/* CPUID.01H:ECX */
#define CPUID_1_ECX_SSE3         BIT(0)
#define CPUID_1_ECX_PCLMULQDQ    BIT(1)
#define CPUID_1_ECX_VMX          BIT(5)
#define CPUID_1_ECX_SMX          BIT(6)
#define CPUID_1_ECX_SSSE3        BIT(9)
#define CPUID_1_ECX_FMA          BIT(12)
#define CPUID_1_ECX_CMPXCHG16B   BIT(13)
#define CPUID_1_ECX_PCID         BIT(17)
#define CPUID_1_ECX_SSE4_1       BIT(19)
#define CPUID_1_ECX_SSE4_2       BIT(20)
#define CPUID_1_ECX_X2APIC       BIT(21)
#define CPUID_1_ECX_MOVBE        BIT(22)
#define CPUID_1_ECX_POPCNT       BIT(23)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_AES          BIT(25)
#define CPUID_1_ECX_XSAVE        BIT(26)
#define CPUID_1_ECX_OSXSAVE      BIT(27)
#define CPUID_1_ECX_AVX          BIT(28)
#define CPUID_1_ECX_F16C         BIT(29)
#define CPUID_1_ECX_RDRAND       BIT(30)
#define CPUID_1_ECX_HYPERVISOR   BIT(31)
/* CPUID.01H:EDX */
#define CPUID_1_EDX_FPU    BIT(0)
#define CPUID_1_EDX_VME    BIT(1)
#define CPUID_1_EDX_DE     BIT(2)
#define CPUID_1_EDX_PSE    BIT(3)
#define CPUID_1_EDX_TSC    BIT(4)
#define CPUID_1_EDX_MSR    BIT(5)
#define CPUID_1_EDX_PAE    BIT(6)
#define CPUID_1_EDX_MCE    BIT(7)
#define CPUID_1_EDX_CX8    BIT(8)
#define CPUID_1_EDX_APIC   BIT(9)
#define CPUID_1_EDX_SEP    BIT(11)
#define CPUID_1_EDX_MTRR   BIT(12)
#define CPUID_1_EDX_PGE    BIT(13)
#define CPUID_1_EDX_MCA    BIT(14)
#define CPUID_1_EDX_CMOV   BIT(15)
#define CPUID_1_EDX_PAT    BIT(16)
#define CPUID_1_EDX_PSE_36 BIT(17)
#define CPUID_1_EDX_CLFSH  BIT(19)
#define CPUID_1_EDX_ACPI   BIT(22) /* the MSRs of the thermal sensor */
#define CPUID_1_EDX_MMX    BIT(23)
#define CPUID_1_EDX_FXSR   BIT(24)
#define CPUID_1_EDX_SSE    BIT(25)
#define CPUID_1_EDX_SSE2   BIT(26)
#define CPUID_1_EDX_SS     BIT(27)
#define CPUID_1_EDX_HTT    BIT(28) /* several logical processors in a package */
#define CPUID_1_EDX_TM     BIT(29) /* thermal monitor */

/* CPUID.04H:EAX: type, level, self-initializing, fully associative; not the sharing. */
#define CPUID_4_EAX_CACHE BITS_MASK(9, 0)
#define CPUID_4_EAX_TYPE  BITS_MASK(4, 0) /* 0: no more caches */
/* The APIC IDs that share the cache, and the core IDs of the package, each less 1. */
#define CPUID_4_EAX_SHARING(eax) ((uint32_t)BITS_GET(eax, 25, 14))
#define CPUID_4_EAX_SHARING_LOW  14
#define CPUID_4_EAX_CORES(eax)   ((uint32_t)BITS_GET(eax, 31, 26))
#define CPUID_4_EAX_CORES_LOW    26

/* CPUID.06H:EAX */
#define CPUID_6_EAX_ARAT BIT(2) /* the APIC timer always runs */

/* CPUID.07H:EBX */
#define CPUID_7_EBX_FSGSBASE   BIT(0)
#define CPUID_7_EBX_TSC_ADJUST BIT(1)
#define CPUID_7_EBX_SGX        BIT(2)
#define CPUID_7_EBX_BMI1       BIT(3)
#define CPUID_7_EBX_AVX2       BIT(5)
#define CPUID_7_EBX_FDP_EXCPTN BIT(6) /* FDP only changes at x87 exceptions */
#define CPUID_7_EBX_SMEP       BIT(7)
#define CPUID_7_EBX_BMI2       BIT(8)
#define CPUID_7_EBX_ERMS       BIT(9)
#define CPUID_7_EBX_INVPCID    BIT(10)
#define CPUID_7_EBX_RTM        BIT(11)
#define CPUID_7_EBX_NO_FPU_CS  BIT(13) /* FCS and FDS are 0 */
#define CPUID_7_EBX_AVX512F    BIT(16)
#define CPUID_7_EBX_AVX512DQ   BIT(17)
#define CPUID_7_EBX_RDSEED     BIT(18)
#define CPUID_7_EBX_ADX        BIT(19)
#define CPUID_7_EBX_SMAP       BIT(20)
#define CPUID_7_EBX_AVX512IFMA BIT(21)
#define CPUID_7_EBX_CLFLUSHOPT BIT(23)
#define CPUID_7_EBX_CLWB       BIT(24)
#define CPUID_7_EBX_INTEL_PT   BIT(25)
#define CPUID_7_EBX_AVX512ER   BIT(27)
#define CPUID_7_EBX_AVX512CD   BIT(28)
#define CPUID_7_EBX_SHA        BIT(29)
#define CPUID_7_EBX_AVX512BW   BIT(30)
#define CPUID_7_EBX_AVX512VL   BIT(31)
/* CPUID.07H:ECX */
#define CPUID_7_ECX_AVX512_VBMI      BIT(1)
#define CPUID_7_ECX_UMIP             BIT(2)
#define CPUID_7_ECX_PKU              BIT(3)
#define CPUID_7_ECX_OSPKE            BIT(4)
#define CPUID_7_ECX_WAITPKG          BIT(5)
#define CPUID_7_ECX_AVX512_VBMI2     BIT(6)
#define CPUID_7_ECX_SHADOW_STACKS    BIT(7) /* CET_SS */
#define CPUID_7_ECX_GFNI             BIT(8)
#define CPUID_7_ECX_VAES             BIT(9)
#define CPUID_7_ECX_VPCLMULQDQ       BIT(10)
#define CPUID_7_ECX_AVX512_VNNI      BIT(11)
#define CPUID_7_ECX_AVX512_BITALG    BIT(12)
#define CPUID_7_ECX_AVX512_VPOPCNTDQ BIT(14)
#define CPUID_7_ECX_LA57             BIT(16)
#define CPUID_7_ECX_RDPID            BIT(22)
#define CPUID_7_ECX_BUS_LOCK_DETECT  BIT(24)
#define CPUID_7_ECX_CLDEMOTE         BIT(25)
#define CPUID_7_ECX_MOVDIRI          BIT(27)
#define CPUID_7_ECX_MOVDIR64B        BIT(28)
#define CPUID_7_ECX_SGX_LC           BIT(30)
/* CPUID.07H:EDX */
#define CPUID_7_EDX_FSRM              BIT(4)
#define CPUID_7_EDX_SRBDS_CTRL        BIT(9)
#define CPUID_7_EDX_MD_CLEAR          BIT(10)
#define CPUID_7_EDX_BRANCH_TRACKING   BIT(20) /* CET_IBT */
#define CPUID_7_EDX_IBRS_IBPB         BIT(26) /* IA32_SPEC_CTRL and IA32_PRED_CMD */
#define CPUID_7_EDX_STIBP             BIT(27)
#define CPUID_7_EDX_L1D_FLUSH         BIT(28)
#define CPUID_7_EDX_ARCH_CAPABILITIES BIT(29)
#define CPUID_7_EDX_CORE_CAPABILITIES BIT(30)
#define CPUID_7_EDX_SSBD              BIT(31)
#define CPUID_7_EDX_SPEC_CTRL         /* each implies IA32_SPEC_CTRL */ \
    (CPUID_7_EDX_IBRS_IBPB | CPUID_7_EDX_STIBP | CPUID_7_EDX_SSBD)
/* CPUID.07H.01H:EAX */
#define CPUID_7_1_EAX_PERFORMANCE_LEAF BIT(8) /* leaf 23H, ArchPerfmonExt */
#define CPUID_7_1_EAX_LAM              BIT(26)

/* CPUID.07H.02H:EDX: bits of IA32_SPEC_CTRL, and an immunity */
#define CPUID_7_2_EDX_PSFD       BIT(0)
#define CPUID_7_2_EDX_IPRED_CTRL BIT(1)
#define CPUID_7_2_EDX_RRSBA_CTRL BIT(2)
#define CPUID_7_2_EDX_DDPD_U     BIT(3)
#define CPUID_7_2_EDX_BHI_CTRL   BIT(4)
#define CPUID_7_2_EDX_MCDT_NO    BIT(5)

/* CPUID.0BH and CPUID.1FH: a level of the topology, by the subleaf. */
#define CPUID_B_EAX_SHIFT(eax) ((unsigned int)BITS_GET(eax, 4, 0)) /* of an APIC ID */
#define CPUID_B_ECX_LEVEL      UINT32_C(0xFF)
#define CPUID_B_ECX_TYPE       UINT32_C(0xFF00)
#define CPUID_B_ECX_THREADS    UINT32_C(0x100)
#define CPUID_B_ECX_CORES      UINT32_C(0x200)

/* CPUID.0DH.1:EAX */
#define CPUID_D_1_EAX_XSAVEOPT BIT(0)
#define CPUID_D_1_EAX_XGETBV_1 BIT(2) /* XGETBV with ECX = 1 */
#define CPUID_D_1_EAX_XSAVES   BIT(3)

/* CPUID.1AH:EAX: the type of core. */
#define CPUID_1A_EAX_CORE_TYPE(eax) ((uint8_t)BITS_GET(eax, 31, 24))
#define CPUID_CORE_TYPE_EFFICIENT   0x20 /* Intel Atom */
#define CPUID_CORE_TYPE_PERFORMANCE 0x40 /* Intel Core */

/* CPUID.80000001H:EBX: AMD's brand and package type. */
#define CPUID_80000001_EBX_TYPE (BITS_MASK(31, 28) | BITS_MASK(15, 0))
/* CPUID.80000001H:ECX */
#define CPUID_80000001_ECX_LAHF           BIT(0) /* in 64-bit mode */
#define CPUID_80000001_ECX_CMP_LEGACY     BIT(1)
#define CPUID_80000001_ECX_SVM            BIT(2)
#define CPUID_80000001_ECX_LZCNT          BIT(5)
#define CPUID_80000001_ECX_SSE4A          BIT(6)
#define CPUID_80000001_ECX_MISALIGNED_SSE BIT(7)
#define CPUID_80000001_ECX_PREFETCHW      BIT(8)
#define CPUID_80000001_ECX_XOP            BIT(11)
#define CPUID_80000001_ECX_FMA4           BIT(16)
#define CPUID_80000001_ECX_TCE            BIT(17)
#define CPUID_80000001_ECX_TBM            BIT(21)
#define CPUID_80000001_ECX_TOPOLOGY       BIT(22) /* leaves 8000001DH and 8000001EH */
/* CPUID.80000001H:EDX; AMD's processors repeat bits of leaf 01H in it. */
#define CPUID_80000001_EDX_REPEATED       UINT32_C(0x0183F3FF)
#define CPUID_80000001_EDX_SYSCALL        BIT(11)
#define CPUID_80000001_EDX_NX             BIT(20)
#define CPUID_80000001_EDX_MMX_EXTENSIONS BIT(22)
#define CPUID_80000001_EDX_FFXSR          BIT(25)
#define CPUID_80000001_EDX_PAGES_1_GIB    BIT(26)
#define CPUID_80000001_EDX_RDTSCP         BIT(27)
#define CPUID_80000001_EDX_LONG_MODE      BIT(29)
/* AMD's families: Zen and Zen 2, and those from Zen 3 on. */
#define CPUID_FAMILY_17H 0x17
#define CPUID_FAMILY_19H 0x19

/* CPUID.80000021H:EAX: properties of the processor that software need not enable. */
#define CPUID_80000021_EAX_NO_NESTED_DATA_BREAKPOINTS BIT(0)
#define CPUID_80000021_EAX_LFENCE_SERIALIZES          BIT(2)
#define CPUID_80000021_EAX_VERW_CLEAR                 BIT(5)
#define CPUID_80000021_EAX_NULL_SELECTOR_CLEARS_BASE  BIT(6)
#define CPUID_80000021_EAX_UPPER_ADDRESS_IGNORE       BIT(7)
#define CPUID_80000021_EAX_AUTOMATIC_IBRS             BIT(8)
#define CPUID_80000021_EAX_SBPB                       BIT(27) /* in IA32_PRED_CMD */
#define CPUID_80000021_EAX_IBPB_BRTYPE                BIT(28) /* IBPB flushes all types */
#define CPUID_80000021_EAX_SRSO_NO                    BIT(29)
#define CPUID_80000021_EAX_BP_SPEC_REDUCE             BIT(31) /* BP_CFG has it */
/* CPUID.80000021H:ECX: TSA is described in AMD's "Transient Scheduler Attacks". */
#define CPUID_80000021_ECX_TSA_SQ_NO BIT(1)
#define CPUID_80000021_ECX_TSA_L1_NO BIT(2)
/* CPUID.80000026H, subleaf 0, which is about cores: EAX, and the core type in EBX. */
#define CPUID_80000026_EAX_HETEROGENEOUS_CORES BIT(30)
#define CPUID_80000026_EBX_CORE_TYPE(ebx)      ((uint8_t)BITS_GET(ebx, 31, 28))
#define CPUID_80000026_CORE_TYPE_PERFORMANCE   0
#define CPUID_80000026_CORE_TYPE_EFFICIENCY    1
/* CPUID.80000007H:EBX */
#define CPUID_80000007_EBX_MCA_OVERFLOW_RECOVERY BIT(0)
#define CPUID_80000007_EBX_SUCCOR                BIT(1) /* recovery from uncorrected errors */
#define CPUID_80000007_EBX_SCALABLE_MCA          BIT(3)

/* CPUID.80000007H:EDX */
#define CPUID_80000007_EDX_INVARIANT_TSC BIT(8)
/* CPUID.80000008H:EAX: the widths of addresses in bits. */
#define CPUID_80000008_EAX_PHYSICAL(eax)  ((unsigned int)BITS_GET(eax, 7, 0))
#define CPUID_80000008_EAX_PHYSICAL_WIDTH BITS_MASK(7, 0)
#define CPUID_80000008_EAX_LINEAR(eax)    ((unsigned int)BITS_GET(eax, 15, 8))
#define CPUID_80000008_EAX_WIDTHS         BITS_MASK(15, 0) /* physical and linear */
/* CPUID.80000008H:EBX */
#define CPUID_80000008_EBX_INVLPGB         BIT(3)
#define CPUID_80000008_EBX_MCOMMIT         BIT(8)
#define CPUID_80000008_EBX_IBPB            BIT(12)
#define CPUID_80000008_EBX_INTWB           BIT(13)
#define CPUID_80000008_EBX_IBRS            BIT(14)
#define CPUID_80000008_EBX_STIBP           BIT(15)
#define CPUID_80000008_EBX_IBRS_ALWAYS_ON  BIT(16)
#define CPUID_80000008_EBX_STIBP_ALWAYS_ON BIT(17)
#define CPUID_80000008_EBX_IBRS_PREFERRED  BIT(18)
#define CPUID_80000008_EBX_IBRS_SAME_MODE  BIT(19)
#define CPUID_80000008_EBX_NO_LMSLE        BIT(20)
#define CPUID_80000008_EBX_SSBD            BIT(24)
#define CPUID_80000008_EBX_VIRT_SSBD       BIT(25) /* VIRT_SPEC_CTRL */
#define CPUID_80000008_EBX_SSB_NO          BIT(26)
#define CPUID_80000008_EBX_PSFD            BIT(28)
#define CPUID_80000008_EBX_BTC_NO          BIT(29)
#define CPUID_80000008_EBX_IBPB_RET        BIT(30) /* IBPB also clears return predictions */
#define CPUID_80000008_EBX_SPEC_CTRL               /* each implies IA32_SPEC_CTRL */ \
    (CPUID_80000008_EBX_IBRS | CPUID_80000008_EBX_STIBP | CPUID_80000008_EBX_SSBD)
/* CPUID.80000008H:ECX: the threads of the package, less 1, and the bits of their IDs. */
#define CPUID_80000008_ECX_APIC_ID_SIZE_LOW 12
/* CPUID.8000001EH:EBX: the threads of a core, less 1. */
#define CPUID_8000001E_EBX_THREADS(ebx) ((uint32_t)BITS_GET(ebx, 15, 8))
#define CPUID_8000001E_EBX_THREADS_LOW  8
/* CPUID.8000000AH:ECX */
#define CPUID_8000000A_ECX_X2AVIC_EXT BIT(6)

#endif
