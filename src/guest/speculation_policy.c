/* See speculation_policy.h. */
#include "guest/speculation_policy.h"

#include "lib/bits.h"
#include "x86/msr.h"

/* Bits that announce no MSR, or bits of one that guests have. */
#define CAPABILITIES                                                                     \
    (ARCH_CAPABILITIES_RDCL_NO | ARCH_CAPABILITIES_IBRS_ALL | ARCH_CAPABILITIES_RSBA |   \
     ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY | ARCH_CAPABILITIES_SSB_NO |                   \
     ARCH_CAPABILITIES_MDS_NO | ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO |                    \
     ARCH_CAPABILITIES_TAA_NO | ARCH_CAPABILITIES_SBDR_SSDP_NO |                         \
     ARCH_CAPABILITIES_FBSDP_NO | ARCH_CAPABILITIES_PSDP_NO |                            \
     ARCH_CAPABILITIES_FB_CLEAR | ARCH_CAPABILITIES_RRSBA | ARCH_CAPABILITIES_BHI_NO |   \
     ARCH_CAPABILITIES_PBRSB_NO | ARCH_CAPABILITIES_GDS_NO | ARCH_CAPABILITIES_RFDS_NO | \
     ARCH_CAPABILITIES_RFDS_CLEAR | ARCH_CAPABILITIES_ITS_NO)

/* The bits of IA32_SPEC_CTRL, each with those of CPUID that announce it. */
static const struct {
    uint64_t bits;
    uint64_t edx, subleaf_edx, ebx;
} rows[] = {
    {SPEC_CTRL_IBRS, CPUID_7_EDX_IBRS_IBPB, 0, CPUID_80000008_EBX_IBRS},
    {SPEC_CTRL_STIBP, CPUID_7_EDX_IBRS_IBPB | CPUID_7_EDX_STIBP, 0,
     CPUID_80000008_EBX_IBRS | CPUID_80000008_EBX_STIBP}, /* ignored without STIBP */
    {SPEC_CTRL_SSBD, CPUID_7_EDX_SSBD, 0, CPUID_80000008_EBX_SSBD},
    {SPEC_CTRL_IPRED_DIS, 0, CPUID_7_2_EDX_IPRED_CTRL, 0},
    {SPEC_CTRL_RRSBA_DIS, 0, CPUID_7_2_EDX_RRSBA_CTRL, 0},
    {SPEC_CTRL_PSFD, 0, CPUID_7_2_EDX_PSFD, CPUID_80000008_EBX_PSFD},
    {SPEC_CTRL_DDPD_U, 0, CPUID_7_2_EDX_DDPD_U, 0},
    {SPEC_CTRL_BHI_DIS_S, 0, CPUID_7_2_EDX_BHI_CTRL, 0},
};

uint32_t speculation_policy_subleaf(uint32_t edx)
{
    return edx & (uint32_t)(CPUID_7_2_EDX_PSFD | CPUID_7_2_EDX_IPRED_CTRL |
                            CPUID_7_2_EDX_RRSBA_CTRL | CPUID_7_2_EDX_DDPD_U |
                            CPUID_7_2_EDX_BHI_CTRL | CPUID_7_2_EDX_MCDT_NO);
}

uint64_t speculation_policy_spec_ctrl(uint32_t edx, uint32_t subleaf_edx, uint32_t ebx)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (((edx & rows[i].edx) | (subleaf_edx & rows[i].subleaf_edx) |
             (ebx & rows[i].ebx)) != 0)
            bits |= rows[i].bits;
    }
    return bits;
}

uint64_t speculation_policy_capabilities(uint64_t processors)
{
    return processors & CAPABILITIES;
}
