/*
 * The capabilities of AMD's Secure Virtual Machine: the groups of bits that CPUID
 * reports, and the names of the bits.
 *
 * APM 3, appendix "Obtaining Processor Information Via the CPUID Instruction",
 * "Fn8000_000A SVM Features", "Fn8000_001F Encrypted Memory Capabilities". tests/oracle
 * checks the numbers against Linux's.
 */
#ifndef HYMIR_X86_SVM_CAPABILITIES_H
#define HYMIR_X86_SVM_CAPABILITIES_H

#include "lib/bits.h"

/* The groups of bits, by the register that reports them. */
enum svm_capability_group {
    GROUP_REVISION,   /* Fn8000_000A EAX */
    GROUP_ASIDS,      /* Fn8000_000A EBX */
    GROUP_FEATURES,   /* Fn8000_000A EDX */
    GROUP_ENCRYPTION, /* Fn8000_001F EAX */
    SVM_GROUP_COUNT,
};

/* Fn8000_000A EAX. */
#define SVM_REVISION_NUMBER BITS_MASK(7, 0)

/* Fn8000_000A EBX: the number of ASIDs, of which the host has 0. */
#define SVM_ASID_COUNT BITS_MASK(31, 0)

/* Fn8000_000A EDX: ROW(constant, bit, the APM's name). */
#define SVM_FEATURES(ROW)                                                         \
    ROW(NESTED_PAGING, 0, "Nested paging (NP)")                                   \
    ROW(LBR_VIRTUALIZATION, 1, "LBR virtualization (LbrVirt)")                    \
    ROW(SVM_LOCK, 2, "SVM lock (SVML)")                                           \
    ROW(NRIP_SAVE, 3, "NRIP save (NRIPS)")                                        \
    ROW(TSC_RATE_MSR, 4, "TSC rate MSR (TscRateMsr)")                             \
    ROW(VMCB_CLEAN, 5, "VMCB clean bits (VmcbClean)")                             \
    ROW(FLUSH_BY_ASID, 6, "Flush by ASID (FlushByAsid)")                          \
    ROW(DECODE_ASSISTS, 7, "Decode assists (DecodeAssists)")                      \
    ROW(PMC_VIRTUALIZATION, 8, "Performance-counter virtualization (PmcVirt)")    \
    ROW(PAUSE_FILTER, 10, "PAUSE intercept filter (PauseFilter)")                 \
    ROW(PAUSE_FILTER_THRESHOLD, 12, "PAUSE filter threshold")                     \
    ROW(AVIC, 13, "Advanced virtual interrupt controller (AVIC)")                 \
    ROW(VIRTUAL_VMSAVE_VMLOAD, 15, "Virtual VMSAVE and VMLOAD")                   \
    ROW(VIRTUAL_GIF, 16, "Virtual GIF (vGIF)")                                    \
    ROW(GMET, 17, "Guest mode execute trap (GMET)")                               \
    ROW(X2AVIC, 18, "AVIC in x2APIC mode (x2AVIC)")                               \
    ROW(SUPERVISOR_SHADOW_STACK, 19, "Supervisor shadow-stack check (SSSCheck)")  \
    ROW(SPEC_CTRL, 20, "SPEC_CTRL virtualization")                                \
    ROW(READ_ONLY_GUEST_TABLES, 21, "Read-only guest page tables (ROGPT)")        \
    ROW(HOST_MCE_OVERRIDE, 23,                                                    \
        "Machine checks with the guest's MCE clear "                              \
        "(HOST_MCE_OVERRIDE)")                                                    \
    ROW(TLBI_CONTROL, 24, "INVLPGB and TLBSYNC control (TlbiCtl)")                \
    ROW(VIRTUAL_NMI, 25, "Virtual NMI (VNMI)")                                    \
    ROW(IBS_VIRTUALIZATION, 26, "IBS virtualization (IbsVirt)")                   \
    ROW(EXTENDED_LVT_AVIC_ACCESS, 27, "Changed AVIC access to the extended LVT")  \
    ROW(VMCB_ADDRESS_CHECK, 28, "Checked VMCB addresses (NestedVirtVmcbAddrChk)") \
    ROW(BUS_LOCK_THRESHOLD, 29, "Bus lock threshold (BusLockThreshold)")          \
    ROW(IDLE_HLT_INTERCEPT, 30, "Idle HLT intercept (IdleHltIntercept)")          \
    ROW(ENHANCED_SHUTDOWN, 31, "Enhanced shutdown intercept")

/* Fn8000_001F EAX. */
#define SVM_ENCRYPTION(ROW)                                                      \
    ROW(SME, 0, "Secure memory encryption (SME)")                                \
    ROW(SEV, 1, "Secure encrypted virtualization (SEV)")                         \
    ROW(PAGE_FLUSH_MSR, 2, "Page flush MSR (PageFlushMsr)")                      \
    ROW(SEV_ES, 3, "SEV with encrypted state (SEV-ES)")                          \
    ROW(SEV_SNP, 4, "SEV with secure nested paging (SEV-SNP)")                   \
    ROW(VMPL, 5, "VM permission levels (VMPL)")                                  \
    ROW(RMPQUERY, 6, "RMPQUERY")                                                 \
    ROW(VMPL_SHADOW_STACK, 7, "Supervisor shadow stacks of VMPLs (VmplSSS)")     \
    ROW(SECURE_TSC, 8, "Secure TSC")                                             \
    ROW(TSC_AUX_VIRTUALIZATION, 9, "TSC_AUX virtualization")                     \
    ROW(COHERENT_CACHE, 10, "Cache coherency across encryption domains")         \
    ROW(HOST_64_BIT, 11, "SEV guests only from a 64-bit host")                   \
    ROW(RESTRICTED_INJECTION, 12, "Restricted injection")                        \
    ROW(ALTERNATE_INJECTION, 13, "Alternate injection")                          \
    ROW(DEBUG_VIRTUALIZATION, 14, "Debug-state virtualization (DebugVirt)")      \
    ROW(PREVENT_HOST_IBS, 15, "Prevent host IBS (PreventHostIbs)")               \
    ROW(TRANSPARENT_ENCRYPTION, 16, "Virtual transparent encryption (VTE)")      \
    ROW(VMGEXIT_PARAMETER, 17, "VMGEXIT parameter")                              \
    ROW(VIRTUAL_TOM_MSR, 18, "Virtual TOM MSR")                                  \
    ROW(IBS_FOR_SEV_ES, 19, "IBS virtualization for SEV-ES guests")              \
    ROW(PMC_FOR_SEV_ES, 20, "PMC virtualization for SEV-ES guests")              \
    ROW(RMPREAD, 21, "RMPREAD")                                                  \
    ROW(GUEST_INTERCEPT_CONTROL, 22, "Guest intercept control")                  \
    ROW(SEGMENTED_RMP, 23, "Segmented RMP")                                      \
    ROW(VMSA_REGISTER_PROTECTION, 24, "VMSA register protection (VmsaRegProt)")  \
    ROW(SMT_PROTECTION, 25, "SMT protection (SmtProtection)")                    \
    ROW(SECURE_AVIC, 26, "Secure AVIC")                                          \
    ROW(ALLOWED_SEV_FEATURES, 27, "Allowed SEV features")                        \
    ROW(SVSM_PAGE_MSR, 28, "SVSM communication page MSR")                        \
    ROW(NESTED_SNP_MSR, 29, "Nested virtualization SNP MSR")                     \
    ROW(HOST_WRITE_IN_USE, 30, "Host writes to in-use pages (HvInUseWrAllowed)") \
    ROW(IBPB_ON_ENTRY, 31, "IBPB on entry")

enum svm_feature {
#define SVM_FEATURE_BIT(constant, bit, name) SVM_FEATURE_##constant = BIT(bit),
    SVM_FEATURES(SVM_FEATURE_BIT)
#undef SVM_FEATURE_BIT
};

enum svm_encryption {
#define SVM_ENCRYPTION_BIT(constant, bit, name) SVM_ENCRYPTION_##constant = BIT(bit),
    SVM_ENCRYPTION(SVM_ENCRYPTION_BIT)
#undef SVM_ENCRYPTION_BIT
};

#endif
