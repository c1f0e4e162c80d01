/*
 * What CPUID reports of AMD-V: groups of bits, and the names of the bits.
 *
 * APM 3, "Function 8000_000Ah: SVM Features" and "Function 8000_001Fh: Encrypted Memory
 * Capabilities". tests/oracle checks the numbers against Linux's.
 */
#ifndef HYMIR_X86_SVM_CAPABILITIES_H
#define HYMIR_X86_SVM_CAPABILITIES_H

#include "lib/bits.h"

/* The groups of bits: one for each register. */
enum svm_capability_group {
    GROUP_REVISION,         /* CPUID.8000000AH:EAX */
    GROUP_ASIDS,            /* CPUID.8000000AH:EBX */
    GROUP_FEATURES,         /* CPUID.8000000AH:EDX */
    GROUP_ENCRYPTION,       /* CPUID.8000001FH:EAX */
    GROUP_ENCRYPTION_BIT,   /* CPUID.8000001FH:EBX */
    GROUP_ENCRYPTED_GUESTS, /* CPUID.8000001FH:ECX */
    GROUP_ENCRYPTED_ASIDS,  /* CPUID.8000001FH:EDX */
    SVM_GROUP_COUNT,
};

/*
 * Every bit and field, in the order of the groups and of the bits:
 * FLAG(group, constant, bit, the APM's name) and FIELD(group, mask, name).
 */
#define SVM_CAPABILITIES(FLAG, FIELD)                                                    \
    FIELD(REVISION, BITS_MASK(7, 0), "SVM revision number")                              \
    FIELD(ASIDS, BITS_MASK(31, 0), "number of ASIDs")                                    \
    FLAG(FEATURES, SVM_FEATURE_NESTED_PAGING, 0, "nested paging")                        \
    FLAG(FEATURES, SVM_FEATURE_LBR_VIRTUALIZATION, 1, "LBR virtualization")              \
    FLAG(FEATURES, SVM_FEATURE_SVM_LOCK, 2, "SVM lock")                                  \
    FLAG(FEATURES, SVM_FEATURE_NRIP_SAVE, 3, "NRIP save")                                \
    FLAG(FEATURES, SVM_FEATURE_TSC_RATE_MSR, 4, "MSR-based TSC rate control")            \
    FLAG(FEATURES, SVM_FEATURE_VMCB_CLEAN, 5, "VMCB clean bits")                         \
    FLAG(FEATURES, SVM_FEATURE_FLUSH_BY_ASID, 6, "flush by ASID")                        \
    FLAG(FEATURES, SVM_FEATURE_DECODE_ASSISTS, 7, "decode assists")                      \
    FLAG(FEATURES, SVM_FEATURE_PMC_VIRTUALIZATION, 8, "PMC virtualization")              \
    FLAG(FEATURES, SVM_FEATURE_PAUSE_FILTER, 10, "PAUSE intercept filter")               \
    FLAG(FEATURES, SVM_FEATURE_PAUSE_FILTER_THRESHOLD, 12, "PAUSE filter threshold")     \
    FLAG(FEATURES, SVM_FEATURE_AVIC, 13, "AVIC")                                         \
    FLAG(FEATURES, SVM_FEATURE_VIRTUAL_VMSAVE_VMLOAD, 15, "virtualized VMSAVE, VMLOAD")  \
    FLAG(FEATURES, SVM_FEATURE_VIRTUAL_GIF, 16, "virtualized GIF")                       \
    FLAG(FEATURES, SVM_FEATURE_GMET, 17, "guest mode execute trap (GMET)")               \
    FLAG(FEATURES, SVM_FEATURE_X2AVIC, 18, "x2AVIC")                                     \
    FLAG(FEATURES, SVM_FEATURE_SHADOW_STACK_CHECK, 19, "shadow-stack check (SSSCheck)")  \
    FLAG(FEATURES, SVM_FEATURE_SPEC_CTRL_VIRTUALIZATION, 20, "SPEC_CTRL virtualization") \
    FLAG(FEATURES, SVM_FEATURE_READ_ONLY_GUEST_TABLES, 21,                               \
         "read-only guest page tables (ROGPT)")                                          \
    FLAG(FEATURES, SVM_FEATURE_HOST_MCE_OVERRIDE, 23, "host MCE override")               \
    FLAG(FEATURES, SVM_FEATURE_INVLPGB_TLBSYNC, 24, "INVLPGB enable, TLBSYNC intercept") \
    FLAG(FEATURES, SVM_FEATURE_VIRTUAL_NMI, 25, "NMI virtualization (VNMI)")             \
    FLAG(FEATURES, SVM_FEATURE_IBS_VIRTUALIZATION, 26, "IBS virtualization")             \
    FLAG(FEATURES, SVM_FEATURE_EXTENDED_LVT_AVIC, 27, "extended LVT through AVIC")       \
    FLAG(FEATURES, SVM_FEATURE_VMCB_ADDRESS_CHECK, 28, "guest VMCB address check")       \
    FLAG(FEATURES, SVM_FEATURE_BUS_LOCK_THRESHOLD, 29, "bus lock threshold")             \
    FLAG(FEATURES, SVM_FEATURE_IDLE_HLT_INTERCEPT, 30, "idle HLT intercept")             \
    FLAG(FEATURES, SVM_FEATURE_ENHANCED_SHUTDOWN, 31, "enhanced shutdown intercept")     \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SME, 0, "SME")                                       \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SEV, 1, "SEV")                                       \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_PAGE_FLUSH_MSR, 2, "VM_PAGE_FLUSH MSR")              \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SEV_ES, 3, "SEV-ES")                                 \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SEV_SNP, 4, "SEV-SNP")                               \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_VMPL, 5, "VM permission levels (VMPL)")              \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_RMPQUERY, 6, "RMPQUERY")                             \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_VMPL_SHADOW_STACK, 7, "VMPL shadow stacks")          \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SECURE_TSC, 8, "secure TSC")                         \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_TSC_AUX_VIRTUALIZATION, 9, "TSC_AUX virtualization") \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_CACHE_COHERENCY, 10, "enforced cache coherency")     \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_64_BIT_HOST, 11, "SEV guests need a 64-bit host")    \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_RESTRICTED_INJECTION, 12, "restricted injection")    \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_ALTERNATE_INJECTION, 13, "alternate injection")      \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_DEBUG_VIRTUALIZATION, 14,                            \
         "debug state virtualization")                                                   \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_PREVENT_HOST_IBS, 15, "host IBS can be prevented")   \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_VTE, 16, "virtual transparent encryption")           \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_VMGEXIT_PARAMETER, 17, "VMGEXIT parameter")          \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_VIRTUAL_TOM_MSR, 18, "virtual TOM MSR")              \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_GUEST_IBS, 19, "IBS virtualization for SEV-ES")      \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_GUEST_PMC, 20, "PMC virtualization for SEV-ES")      \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_RMPREAD, 21, "RMPREAD")                              \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_GUEST_INTERCEPT_CONTROL, 22,                         \
         "guest intercept control")                                                      \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SEGMENTED_RMP, 23, "segmented RMP")                  \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_VMSA_REGISTER_PROTECTION, 24,                        \
         "VMSA register protection")                                                     \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SMT_PROTECTION, 25, "SMT protection")                \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SECURE_AVIC, 26, "secure AVIC")                      \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_ALLOWED_SEV_FEATURES, 27, "allowed SEV features")    \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_SVSM_PAGE_MSR, 28, "SVSM communication page MSR")    \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_NESTED_SNP_MSRS, 29,                                 \
         "VIRT_RMPUPDATE, VIRT_PSMASH MSRs")                                             \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_HOST_WRITES_IN_USE, 30,                              \
         "host writes to in-use pages")                                                  \
    FLAG(ENCRYPTION, SVM_ENCRYPTION_IBPB_ON_ENTRY, 31, "IBPB on entry")                  \
    FIELD(ENCRYPTION_BIT, BITS_MASK(5, 0), "C-bit position")                             \
    FIELD(ENCRYPTION_BIT, BITS_MASK(11, 6), "physical address bit reduction")            \
    FIELD(ENCRYPTION_BIT, BITS_MASK(15, 12), "number of VMPLs")                          \
    FIELD(ENCRYPTED_GUESTS, BITS_MASK(31, 0), "number of encrypted guests")              \
    FIELD(ENCRYPTED_ASIDS, BITS_MASK(31, 0), "minimum ASID without SEV-ES")

#define SVM_CAPABILITY_FLAG(group, constant, bit, name) constant = BIT(bit),
#define SVM_CAPABILITY_NOTHING(...)
enum svm_capability_flag {
    SVM_CAPABILITIES(SVM_CAPABILITY_FLAG, SVM_CAPABILITY_NOTHING)
};
#undef SVM_CAPABILITY_FLAG
#undef SVM_CAPABILITY_NOTHING

#endif
