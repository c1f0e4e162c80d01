/* See issue_facts.h. */
#include "virt/issue_facts.h"

#include "lib/bits.h"
#include "x86/msr.h"

#define T(trait) BIT(TRAIT_##trait)

#define IN_CPUID(trait, reg, bit)                                  \
    {                                                              \
        TRAIT_##trait, offsetof(struct cpuid_snapshot, reg), (bit) \
    }

/* Where CPUID reports traits: a processor has Intel's or AMD's bit of one. */
static const struct {
    enum cpu_trait trait;
    size_t offset; /* of the register */
    uint64_t bit;
} cpuid_traits[] = {
    IN_CPUID(IBPB, leaf_7.edx, CPUID_7_EDX_IBRS_IBPB),
    IN_CPUID(IBPB, leaf_80000008.ebx, CPUID_80000008_EBX_IBPB),
    IN_CPUID(IBRS, leaf_7.edx, CPUID_7_EDX_IBRS_IBPB),
    IN_CPUID(IBRS, leaf_80000008.ebx, CPUID_80000008_EBX_IBRS),
    IN_CPUID(AUTOMATIC_IBRS, leaf_80000021.eax, CPUID_80000021_EAX_AUTOMATIC_IBRS),
    IN_CPUID(STIBP, leaf_7.edx, CPUID_7_EDX_STIBP),
    IN_CPUID(STIBP, leaf_80000008.ebx, CPUID_80000008_EBX_STIBP),
    IN_CPUID(SSBD, leaf_7.edx, CPUID_7_EDX_SSBD),
    IN_CPUID(SSBD, leaf_80000008.ebx, CPUID_80000008_EBX_SSBD),
    IN_CPUID(BHI_CTRL, leaf_7_2.edx, CPUID_7_2_EDX_BHI_CTRL),
    IN_CPUID(RRSBA_CTRL, leaf_7_2.edx, CPUID_7_2_EDX_RRSBA_CTRL),
    IN_CPUID(IBPB_RET, leaf_80000008.ebx, CPUID_80000008_EBX_IBPB_RET),
    IN_CPUID(IBPB_BRTYPE, leaf_80000021.eax, CPUID_80000021_EAX_IBPB_BRTYPE),
    IN_CPUID(LFENCE_SERIALIZES, leaf_80000021.eax, CPUID_80000021_EAX_LFENCE_SERIALIZES),
    IN_CPUID(BP_SPEC_REDUCE, leaf_80000021.eax, CPUID_80000021_EAX_BP_SPEC_REDUCE),
    IN_CPUID(MD_CLEAR, leaf_7.edx, CPUID_7_EDX_MD_CLEAR),
    IN_CPUID(VERW_CLEAR, leaf_80000021.eax, CPUID_80000021_EAX_VERW_CLEAR),
    IN_CPUID(L1D_FLUSH, leaf_7.edx, CPUID_7_EDX_L1D_FLUSH),
    IN_CPUID(SRBDS_CTRL, leaf_7.edx, CPUID_7_EDX_SRBDS_CTRL),
    IN_CPUID(SSB_NO, leaf_80000008.ebx, CPUID_80000008_EBX_SSB_NO),
    IN_CPUID(BTC_NO, leaf_80000008.ebx, CPUID_80000008_EBX_BTC_NO),
    IN_CPUID(SRSO_NO, leaf_80000021.eax, CPUID_80000021_EAX_SRSO_NO),
    IN_CPUID(TSA_SQ_NO, leaf_80000021.ecx, CPUID_80000021_ECX_TSA_SQ_NO),
    IN_CPUID(TSA_L1_NO, leaf_80000021.ecx, CPUID_80000021_ECX_TSA_L1_NO),
    IN_CPUID(AVX, leaf_1.ecx, CPUID_1_ECX_AVX),
    IN_CPUID(RTM, leaf_7.ebx, CPUID_7_EBX_RTM),
    IN_CPUID(RDRAND, leaf_1.ecx, CPUID_1_ECX_RDRAND),
    IN_CPUID(RDSEED, leaf_7.ebx, CPUID_7_EBX_RDSEED),
};

static const struct {
    enum cpu_trait trait;
    uint64_t bit; /* of IA32_ARCH_CAPABILITIES */
} capability_traits[] = {
    {TRAIT_RDCL_NO, ARCH_CAPABILITIES_RDCL_NO},
    {TRAIT_ENHANCED_IBRS, ARCH_CAPABILITIES_IBRS_ALL},
    {TRAIT_RSBA, ARCH_CAPABILITIES_RSBA},
    {TRAIT_SKIP_L1DFL_VMENTRY, ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY},
    {TRAIT_SSB_NO, ARCH_CAPABILITIES_SSB_NO},
    {TRAIT_MDS_NO, ARCH_CAPABILITIES_MDS_NO},
    {TRAIT_PSCHANGE_MC_NO, ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO},
    {TRAIT_TSX_CTRL, ARCH_CAPABILITIES_TSX_CTRL},
    {TRAIT_TAA_NO, ARCH_CAPABILITIES_TAA_NO},
    {TRAIT_SBDR_SSDP_NO, ARCH_CAPABILITIES_SBDR_SSDP_NO},
    {TRAIT_FBSDP_NO, ARCH_CAPABILITIES_FBSDP_NO},
    {TRAIT_PSDP_NO, ARCH_CAPABILITIES_PSDP_NO},
    {TRAIT_FB_CLEAR, ARCH_CAPABILITIES_FB_CLEAR},
    {TRAIT_RRSBA, ARCH_CAPABILITIES_RRSBA},
    {TRAIT_BHI_NO, ARCH_CAPABILITIES_BHI_NO},
    {TRAIT_PBRSB_NO, ARCH_CAPABILITIES_PBRSB_NO},
    {TRAIT_GDS_CTRL, ARCH_CAPABILITIES_GDS_CTRL},
    {TRAIT_GDS_NO, ARCH_CAPABILITIES_GDS_NO},
    {TRAIT_RFDS_NO, ARCH_CAPABILITIES_RFDS_NO},
    {TRAIT_RFDS_CLEAR, ARCH_CAPABILITIES_RFDS_CLEAR},
    {TRAIT_ITS_NO, ARCH_CAPABILITIES_ITS_NO},
};

/* AMD-SB-7008: the first microcode revision with the fix, by the processor's model. */
static bool has_zenbleed_fix(const struct issue_registers *registers)
{
    static const struct {
        uint32_t first, last, revision;
    } fixes[]      = {{0x30, 0x3F, 0x0830107B},
                      {0x60, 0x67, 0x0860010C},
                      {0x68, 0x6F, 0x08608107},
                      {0x70, 0x7F, 0x08701033},
                      {0xA0, 0xAF, 0x08A00009}};
    uint32_t model = cpuid_signature(registers->cpuid).model;

    for (size_t i = 0; i < ARRAY_SIZE(fixes); i++) {
        if (fixes[i].first <= model && model <= fixes[i].last)
            return registers->microcode >= fixes[i].revision;
    }
    return false;
}

/*
 * AMD, "Transient Scheduler Attacks": the first microcode revision with the VERW that
 * clears buffers, for processors whose CPUID does not report it. The upper 24 bits of a
 * revision are those of the processors that it is for: family, model and stepping.
 */
static bool has_verw_clear(uint32_t microcode)
{
    static const uint32_t revisions[] = {
        0x0A0011D7, 0x0A00123B, 0x0A00820D, 0x0A10114C, 0x0A10124C, 0x0A108109,
        0x0A20102E, 0x0A201211, 0x0A404108, 0x0A500012, 0x0A60120A, 0x0A704108,
        0x0A705208, 0x0A708008, 0x0A70C008, 0x0AA00216,
    };

    for (size_t i = 0; i < ARRAY_SIZE(revisions); i++) {
        if (revisions[i] >> 8 == microcode >> 8)
            return microcode >= revisions[i];
    }
    return false;
}

/* Returns traits that no bit of the vendor's reports. */
static uint64_t traits_of_microcode(const struct issue_registers *registers,
                                    const struct issue_facts *facts)
{
    uint64_t traits = 0;

    if (facts->micro == MICRO_ZEN_2 && has_zenbleed_fix(registers))
        traits |= T(ZENBLEED_FIX);
    if (facts->is_nested || !cpuid_is_amd(registers->cpuid))
        return traits;
    if (has_verw_clear(registers->microcode))
        traits |= T(VERW_CLEAR);
    /* AMD, "Technical Update Regarding Speculative Return Stack Overflow". */
    if (registers->accepts_sbpb)
        traits |= T(IBPB) | T(IBPB_BRTYPE);
    if (cpuid_signature(registers->cpuid).family == CPUID_FAMILY_17H &&
        (facts->traits & T(IBPB)) != 0)
        traits |= T(IBPB_BRTYPE);
    return traits;
}

/* Returns whether each fix that the microcode has is switched on. */
static uint64_t traits_of_mcu_opt_ctrl(const struct issue_registers *registers,
                                       uint64_t traits)
{
    static const struct {
        enum cpu_trait reported, on, off;
        uint64_t disable; /* bit of IA32_MCU_OPT_CTRL */
    } fixes[] = {
        {TRAIT_SRBDS_CTRL, TRAIT_RNGDS_ON, TRAIT_RNGDS_OFF, MCU_OPT_CTRL_RNGDS_MITG_DIS},
        {TRAIT_GDS_CTRL, TRAIT_GDS_ON, TRAIT_GDS_OFF, MCU_OPT_CTRL_GDS_MITG_DIS},
    };
    uint64_t found = 0;

    for (size_t i = 0; i < ARRAY_SIZE(fixes); i++) {
        bool is_off = (registers->mcu_opt_ctrl.value & fixes[i].disable) != 0;
        if ((traits & BIT(fixes[i].reported)) != 0 &&
            registers->mcu_opt_ctrl.state == MSR_READ)
            found |= BIT(is_off ? fixes[i].off : fixes[i].on);
    }
    return found;
}

/*
 * Returns what VERW clears beyond what MDS reads. On processors without MDS, MD_CLEAR
 * does not say that it clears anything; microcode with TSX_CTRL and FB_CLEAR makes it do
 * so: Intel, "TSX Asynchronous Abort" and "Processor MMIO Stale Data Vulnerabilities".
 */
static uint64_t traits_of_verw(uint64_t traits)
{
    bool has_mds   = (traits & T(MDS_NO)) == 0;
    uint64_t found = 0;

    if ((traits & T(MD_CLEAR)) != 0 && (has_mds || (traits & T(TSX_CTRL)) != 0))
        found |= T(TAA_CLEAR);
    if ((traits & T(MD_CLEAR)) != 0 && (traits & T(L1D_FLUSH)) != 0 && has_mds)
        found |= T(FB_CLEAR);
    return found;
}

struct issue_facts issue_facts_of(const struct issue_registers *registers)
{
    const char *cpuid        = (const char *)registers->cpuid;
    struct issue_facts facts = {.micro     = microarchitecture_of(registers->cpuid),
                                .is_nested = cpuid_has_hypervisor(registers->cpuid)};

    for (size_t i = 0; i < ARRAY_SIZE(cpuid_traits); i++) {
        if ((*(const uint32_t *)(cpuid + cpuid_traits[i].offset) & cpuid_traits[i].bit) !=
            0)
            facts.traits |= BIT(cpuid_traits[i].trait);
    }
    for (size_t i = 0; i < ARRAY_SIZE(capability_traits); i++) {
        if ((registers->arch_capabilities.value & capability_traits[i].bit) != 0)
            facts.traits |= BIT(capability_traits[i].trait);
    }
    facts.traits |= traits_of_microcode(registers, &facts);
    facts.traits |= traits_of_mcu_opt_ctrl(registers, facts.traits);
    facts.traits |= traits_of_verw(facts.traits);
    if (registers->has_siblings)
        facts.traits |= T(SIBLINGS);
    if (registers->has_shadow_stacks)
        facts.traits |= T(SHADOW_STACKS);
    return facts;
}

uint32_t issue_guest_features(const struct issue_facts *facts)
{
    uint64_t features = 0;

    if ((facts->traits & T(VERW_CLEAR)) != 0)
        features |= CPUID_80000021_EAX_VERW_CLEAR;
    if ((facts->traits & T(IBPB_BRTYPE)) != 0)
        features |= CPUID_80000021_EAX_IBPB_BRTYPE;
    return (uint32_t)features;
}
