/* See control_register_rules.h. */
#include "virt/control_register_rules.h"

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
