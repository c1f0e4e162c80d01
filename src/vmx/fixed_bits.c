/* See fixed_bits.h. */
#include "vmx/fixed_bits.h"

#include "cpu/registers.h"
#include "lib/bits.h"

#include <stddef.h>

const struct fixed_bits fixed_bits_cr0 = {
    .name     = "CR0",
    .settable = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG,
    .needed   = CR0_PE | CR0_NE | CR0_WP | CR0_PG,
};

const struct fixed_bits fixed_bits_cr4 = {
    .name     = "CR4",
    .settable = CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR |
                CR4_OSXMMEXCPT | CR4_VMXE,
    .needed = CR4_PAE | CR4_VMXE,
};

static const char *const cr0_names[64] = {
    [0] = "PE",  [1] = "MP",  [2] = "EM",  [3] = "TS",  [4] = "ET",  [5] = "NE",
    [16] = "WP", [18] = "AM", [29] = "NW", [30] = "CD", [31] = "PG",
};

static const char *const cr4_names[64] = {
    [0] = "VME",    [1] = "PVI",      [2] = "TSD",         [3] = "DE",
    [4] = "PSE",    [5] = "PAE",      [6] = "MCE",         [7] = "PGE",
    [8] = "PCE",    [9] = "OSFXSR",   [10] = "OSXMMEXCPT", [11] = "UMIP",
    [12] = "LA57",  [13] = "VMXE",    [14] = "SMXE",       [16] = "FSGSBASE",
    [17] = "PCIDE", [18] = "OSXSAVE", [19] = "KL",         [20] = "SMEP",
    [21] = "SMAP",  [22] = "PKE",     [23] = "CET",        [24] = "PKS",
    [25] = "UINTR", [27] = "LASS",    [28] = "LAM_SUP",
};

const char *fixed_bits_name(const struct fixed_bits *which, unsigned int bit)
{
    if (bit >= 64)
        return NULL;
    return which == &fixed_bits_cr0 ? cr0_names[bit] : cr4_names[bit];
}

struct fixed_bits_result fixed_bits_fit(const struct fixed_bits *which, uint64_t value,
                                        uint64_t fixed0, uint64_t fixed1)
{
    const struct {
        enum fixed_bits_outcome outcome;
        uint64_t reasons;
    } refusals[] = {
        {FIXED_BITS_CONTRADICTION, fixed0 & ~fixed1},
        {FIXED_BITS_UNKNOWN, fixed0 & ~value & ~which->settable},
        {FIXED_BITS_FORBIDDEN, ~fixed1 & which->needed},
    };

    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        if (refusals[i].reasons != 0)
            return (struct fixed_bits_result){
                .outcome = refusals[i].outcome,
                .value   = value,
                .bit     = (unsigned int)__builtin_ctzll(refusals[i].reasons)};
    }
    return (struct fixed_bits_result){.outcome = FIXED_BITS_OK,
                                      .value   = (value | fixed0) & fixed1};
}
