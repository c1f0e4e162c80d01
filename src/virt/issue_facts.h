/*
 * The facts about a processor by which virt/issues.h decides: its microarchitecture, and
 * traits that its registers and its microcode's revision report. Sources: virt/issues.h.
 * Pure.
 */
#ifndef HYMIR_VIRT_ISSUE_FACTS_H
#define HYMIR_VIRT_ISSUE_FACTS_H

#include "cpu/msr.h"
#include "virt/microarchitecture.h"

/* What CPUID, MSRs and microcode report, by one name for all vendors. */
enum cpu_trait {
    TRAIT_IBPB,
    TRAIT_IBRS,
    TRAIT_ENHANCED_IBRS,
    TRAIT_AUTOMATIC_IBRS, /* AMD's */
    TRAIT_STIBP,
    TRAIT_SSBD,
    TRAIT_BHI_CTRL,
    TRAIT_RRSBA_CTRL,
    TRAIT_IBPB_RET,
    TRAIT_IBPB_BRTYPE,
    TRAIT_BP_SPEC_REDUCE,
    TRAIT_MD_CLEAR,
    TRAIT_FB_CLEAR,
    TRAIT_RFDS_CLEAR,
    TRAIT_VERW_CLEAR,
    TRAIT_L1D_FLUSH,
    TRAIT_SKIP_L1DFL_VMENTRY,
    TRAIT_SRBDS_CTRL,
    TRAIT_GDS_CTRL,
    TRAIT_TSX_CTRL,
    TRAIT_RSBA,
    TRAIT_RRSBA,
    TRAIT_RDCL_NO,
    TRAIT_SSB_NO,
    TRAIT_MDS_NO,
    TRAIT_TAA_NO,
    TRAIT_SBDR_SSDP_NO,
    TRAIT_FBSDP_NO,
    TRAIT_PSDP_NO,
    TRAIT_PSCHANGE_MC_NO,
    TRAIT_BHI_NO,
    TRAIT_PBRSB_NO,
    TRAIT_GDS_NO,
    TRAIT_RFDS_NO,
    TRAIT_ITS_NO,
    TRAIT_BTC_NO,
    TRAIT_SRSO_NO,
    TRAIT_TSA_SQ_NO,
    TRAIT_TSA_L1_NO,
    TRAIT_AVX,
    TRAIT_RTM,
    TRAIT_RDRAND,
    TRAIT_RDSEED,
    TRAIT_TAA_CLEAR, /* VERW clears what TAA reads */
    TRAIT_RNGDS_ON,  /* the microcode's fixes, which firmware may switch off */
    TRAIT_RNGDS_OFF,
    TRAIT_GDS_ON,
    TRAIT_GDS_OFF,
    TRAIT_ZENBLEED_FIX, /* the microcode has it */
    TRAIT_LFENCE_SERIALIZES,
    TRAIT_SIBLINGS,      /* another CPU shares the core */
    TRAIT_SHADOW_STACKS, /* Hymir uses them, so no retpolines */
    TRAITS,
};
_Static_assert(TRAITS <= 64, "a set of them is a uint64_t");

/* The processor, as the rules of issues see it. */
struct issue_facts {
    enum microarchitecture micro;
    uint64_t traits; /* a bit for each enum cpu_trait */
    bool is_nested;  /* in a hypervisor, which may report another processor */
};

/* The registers of a CPU from which the facts are read. */
struct issue_registers {
    const struct cpuid_snapshot *cpuid;
    struct msr_reading arch_capabilities;
    struct msr_reading mcu_opt_ctrl; /* IA32_MCU_OPT_CTRL */
    uint32_t microcode;              /* revision, 0 if unknown */
    bool accepts_sbpb; /* IA32_PRED_CMD does, without IBPB_BRTYPE in CPUID */
    bool has_siblings;
    bool has_shadow_stacks; /* Hymir uses them */
};

struct issue_facts issue_facts_of(const struct issue_registers *registers);

/*
 * Returns the bits of CPUID.80000021H:EAX that the microcode of an AMD processor implies:
 * a guest does not know its revision.
 */
uint32_t issue_guest_features(const struct issue_facts *facts);

#endif
