/*
 * See guest_policy.h. APM 3, appendix "Obtaining Processor Information Via the CPUID
 * Instruction"; APM 2, appendix "MSR Cross-Reference"; AMD's BIOS and Kernel Developer's
 * Guides, "MSRs", for HWCR, NB_CFG and INT_PENDING.
 */
#include "svm/guest_policy.h"

#include "lib/string.h"
#include "x86/msr.h"

#define ALL UINT32_MAX

/* What a guest can use, or need not do, to limit speculation. */
#define SPECULATION_EBX                                                                \
    (CPUID_80000008_EBX_IBPB | CPUID_80000008_EBX_IBRS | CPUID_80000008_EBX_STIBP |    \
     CPUID_80000008_EBX_IBRS_ALWAYS_ON | CPUID_80000008_EBX_STIBP_ALWAYS_ON |          \
     CPUID_80000008_EBX_IBRS_PREFERRED | CPUID_80000008_EBX_IBRS_SAME_MODE |           \
     CPUID_80000008_EBX_SSBD | CPUID_80000008_EBX_VIRT_SSBD |                          \
     CPUID_80000008_EBX_SSB_NO | CPUID_80000008_EBX_PSFD | CPUID_80000008_EBX_BTC_NO | \
     CPUID_80000008_EBX_IBPB_RET)

/* What only AMD's processors report there. */
static const struct cpuid_row rows[] = {
    {CPUID_LEAF_EXTENDED, {ALL, ALL, ALL, ALL}, false}, /* the vendor again */
    {CPUID_LEAF_EXTENDED_FEATURES,
     {.eax = ALL,
      .ebx = ALL,
      .ecx = GUEST_EXTENDED_FEATURES_ECX | CPUID_80000001_ECX_SSE4A |
             CPUID_80000001_ECX_MISALIGNED_SSE | CPUID_80000001_ECX_XOP |
             CPUID_80000001_ECX_FMA4 | CPUID_80000001_ECX_TBM |
             CPUID_80000001_ECX_TOPOLOGY,
      .edx = GUEST_EXTENDED_FEATURES_EDX | CPUID_80000001_EDX_MMX_EXTENSIONS |
             (GUEST_FEATURES_EDX & CPUID_80000001_EDX_REPEATED)},
     false},
    {CPUID_LEAF_L1_CACHE, {ALL, ALL, ALL, ALL}, false},
    {CPUID_LEAF_TLB_1_GIB, {ALL, ALL, 0, 0}, false},
    {CPUID_LEAF_PERFORMANCE, {.eax = ALL}, false},
    {CPUID_LEAF_CACHE_PROPERTIES, {ALL, ALL, ALL, ALL}, true},
    {CPUID_LEAF_ADDRESS_SIZES,
     {.eax = CPUID_80000008_EAX_WIDTHS, .ebx = SPECULATION_EBX},
     false},
    {CPUID_LEAF_EXTENDED_FEATURES_2,
     {.eax = CPUID_80000021_EAX_NO_NESTED_DATA_BREAKPOINTS |
             CPUID_80000021_EAX_LFENCE_SERIALIZES | CPUID_80000021_EAX_VERW_CLEAR |
             CPUID_80000021_EAX_NULL_SELECTOR_CLEARS_BASE |
             CPUID_80000021_EAX_AUTOMATIC_IBRS | CPUID_80000021_EAX_SBPB |
             CPUID_80000021_EAX_IBPB_BRTYPE | CPUID_80000021_EAX_SRSO_NO,
      .ecx = CPUID_80000021_ECX_TSA_SQ_NO | CPUID_80000021_ECX_TSA_L1_NO},
     false},
};

const struct vendor_cpuid svm_guest_cpuid = {
    .rows              = rows,
    .row_count         = ARRAY_SIZE(rows),
    .repeats_last_leaf = false,
    .counts_processors = true,
};

/*
 * FS_BASE, GS_BASE and the MSRs of SYSCALL and SYSENTER are in the VMCB; TSC_AUX is the
 * CPU's, unused by Hymir.
 */
static const uint32_t passed_msrs[] = {
    MSR_IA32_SYSENTER_CS,    MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
    MSR_IA32_STAR,           MSR_IA32_LSTAR,        MSR_IA32_CSTAR,
    MSR_IA32_FMASK,          MSR_IA32_FS_BASE,      MSR_IA32_GS_BASE,
    MSR_IA32_KERNEL_GS_BASE, MSR_IA32_TSC_AUX,
};

/* The ranges of the MSR permission map, 2 bits an MSR: APM 2, "MSR Intercepts". */
#define MSR_RANGE_SIZE 0x2000U
static const uint32_t msr_ranges[] = {0, 0xC0000000U, 0xC0010000U};

void svm_msr_pass(uint8_t permissions[SVM_MSR_PERMISSIONS_SIZE], uint32_t msr)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(msr_ranges); i++) {
        uint32_t index = msr - msr_ranges[i];
        if (index < MSR_RANGE_SIZE)
            permissions[i * MSR_RANGE_SIZE / 4 + index / 4] &=
                (uint8_t) ~(3U << 2 * (index % 4));
    }
}

void svm_msr_permissions_fill(uint8_t permissions[SVM_MSR_PERMISSIONS_SIZE],
                              bool has_lbr_virtualization)
{
    memset(permissions, 0xFF, SVM_MSR_PERMISSIONS_SIZE);
    for (size_t i = 0; i < ARRAY_SIZE(passed_msrs); i++)
        svm_msr_pass(permissions, passed_msrs[i]);
    for (uint32_t msr = MSR_LAST_BRANCH_FROM_IP;
         has_lbr_virtualization && msr <= MSR_LAST_EXCEPTION_TO_IP; msr++)
        svm_msr_pass(permissions, msr);
}

static const struct msr_row msr_rows[] = {
    {MSR_AMD_PATCH_LEVEL, MSR_CONSTANT, 0, 0},
    {MSR_LAST_BRANCH_FROM_IP, MSR_CONSTANT, 0, 0}, /* without LBR virtualization */
    {MSR_LAST_BRANCH_TO_IP, MSR_CONSTANT, 0, 0},
    {MSR_LAST_EXCEPTION_FROM_IP, MSR_CONSTANT, 0, 0},
    {MSR_LAST_EXCEPTION_TO_IP, MSR_CONSTANT, 0, 0},
    {MSR_SYSCFG, MSR_WRITABLE_CONSTANT, 0, 0},
    {MSR_HWCR, MSR_WRITABLE_CONSTANT, HWCR_TSC_FREQUENCY_SELECT, 0},
    {MSR_NB_CFG, MSR_WRITABLE_CONSTANT, 0, 0},
    {MSR_INT_PENDING, MSR_CONSTANT, 0, 0},
    {MSR_VM_CR, MSR_CONSTANT, VM_CR_LOCK | VM_CR_SVMDIS, 0}, /* no SVM */
    {MSR_DE_CFG, MSR_WRITABLE_CONSTANT, DE_CFG_LFENCE_SERIALIZES, 0},
};
_Static_assert(ARRAY_SIZE(msr_rows) <= VENDOR_MSRS_MAX, "they fit");
const struct vendor_msrs svm_guest_msrs = {msr_rows, ARRAY_SIZE(msr_rows)};
