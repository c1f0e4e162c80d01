/* See control_register_rules.h. */
#include "virt/control_register_rules.h"

#include "cpu/cpuid.h"

#define PDPTE_PRESENT  BIT(0)
#define PDPTE_RESERVED UINT64_C(0x1E6) /* bits 8:5 and 2:1: SDM 3A, "PDPTE Registers" */

enum paging_switch paging_switch_effect(const struct paging_state *state, bool is_on)
{
    bool is_code_64 = (state->cs_access_rights & CODE_SEGMENT_L) != 0;
    bool has_pae    = (state->cr4 & CR4_PAE) != 0;

    if (!is_on) {
        bool is_64_bit = is_code_64 && (state->efer & EFER_LMA) != 0;
        return is_64_bit || (state->cr4 & CR4_PCIDE) != 0 ? PAGING_SWITCH_FAULTS
                                                          : PAGING_SWITCH_IS_PLAIN;
    }
    if ((state->efer & EFER_LME) != 0) {
        bool is_tss_16 = BITS_GET(state->tr_access_rights, 3, 0) == TSS_16_BIT_BUSY;
        return has_pae && !is_code_64 && !is_tss_16 ? PAGING_SWITCH_TO_LONG_MODE
                                                    : PAGING_SWITCH_FAULTS;
    }
    return PAGING_SWITCH_IS_PLAIN;
}

bool pdptes_are_valid(const uint64_t entries[4], unsigned int physical_width)
{
    const uint64_t reserved = UINT64_MAX << physical_width | PDPTE_RESERVED;

    for (size_t i = 0; i < 4; i++) {
        if ((entries[i] & PDPTE_PRESENT) != 0 && (entries[i] & reserved) != 0)
            return false;
    }
    return true;
}

uint64_t efer_supported_bits(struct cpuid_result (*read)(uint32_t leaf, uint32_t subleaf))
{
    uint64_t bits = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;

    if ((cpuid_read_existing(CPUID_LEAF_EXTENDED_FEATURES_2, 0, read).eax &
         CPUID_80000021_EAX_AUTOMATIC_IBRS) != 0)
        bits |= EFER_AIBRSE;
    return bits;
}

uint64_t cr4_supported_bits(struct cpuid_result (*read)(uint32_t leaf, uint32_t subleaf))
{
    static const struct {
        uint64_t cr4;
        uint32_t ebx, ecx, edx; /* of leaf 1 or 7, one bit */
        uint32_t leaf;
    } rows[] = {
        {CR4_VME | CR4_PVI, .edx = CPUID_1_EDX_VME, .leaf = CPUID_LEAF_FEATURES},
        {CR4_TSD, .edx = CPUID_1_EDX_TSC, .leaf = CPUID_LEAF_FEATURES},
        {CR4_DE, .edx = CPUID_1_EDX_DE, .leaf = CPUID_LEAF_FEATURES},
        {CR4_PSE, .edx = CPUID_1_EDX_PSE, .leaf = CPUID_LEAF_FEATURES},
        {CR4_PAE, .edx = CPUID_1_EDX_PAE, .leaf = CPUID_LEAF_FEATURES},
        {CR4_PGE, .edx = CPUID_1_EDX_PGE, .leaf = CPUID_LEAF_FEATURES},
        {CR4_OSFXSR, .edx = CPUID_1_EDX_FXSR, .leaf = CPUID_LEAF_FEATURES},
        {CR4_OSXMMEXCPT, .edx = CPUID_1_EDX_SSE, .leaf = CPUID_LEAF_FEATURES},
        {CR4_PCIDE, .ecx = CPUID_1_ECX_PCID, .leaf = CPUID_LEAF_FEATURES},
        {CR4_OSXSAVE, .ecx = CPUID_1_ECX_XSAVE, .leaf = CPUID_LEAF_FEATURES},
        {CR4_FSGSBASE, .ebx = CPUID_7_EBX_FSGSBASE,
         .leaf = CPUID_LEAF_STRUCTURED_FEATURES},
        {CR4_SMEP, .ebx = CPUID_7_EBX_SMEP, .leaf = CPUID_LEAF_STRUCTURED_FEATURES},
        {CR4_SMAP, .ebx = CPUID_7_EBX_SMAP, .leaf = CPUID_LEAF_STRUCTURED_FEATURES},
        {CR4_UMIP, .ecx = CPUID_7_ECX_UMIP, .leaf = CPUID_LEAF_STRUCTURED_FEATURES},
        {CR4_PKE, .ecx = CPUID_7_ECX_PKU, .leaf = CPUID_LEAF_STRUCTURED_FEATURES},
    };
    uint64_t bits      = CR4_PCE; /* every processor with long mode has it */
    uint32_t last_leaf = read(CPUID_LEAF_BASIC, 0).eax;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cpuid_result leaf = read(rows[i].leaf, 0);
        if (rows[i].leaf <= last_leaf &&
            ((leaf.ebx & rows[i].ebx) | (leaf.ecx & rows[i].ecx) |
             (leaf.edx & rows[i].edx)) != 0)
            bits |= rows[i].cr4;
    }
    return bits;
}
