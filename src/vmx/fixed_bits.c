/* See fixed_bits.h. */
#include "vmx/fixed_bits.h"

#include "lib/bits.h"
#include "x86/control_registers.h"

#include <stddef.h>

const struct fixed_bits fixed_bits_cr0 = {
    .name     = "CR0",
    .group    = GROUP_CR0,
    .fixed0   = MSR_IA32_VMX_CR0_FIXED0,
    .settable = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG,
    .needed   = CR0_PE | CR0_NE | CR0_WP | CR0_PG,
};

const struct fixed_bits fixed_bits_cr4 = {
    .name     = "CR4",
    .group    = GROUP_CR4,
    .fixed0   = MSR_IA32_VMX_CR4_FIXED0,
    .settable = CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR |
                CR4_OSXMMEXCPT | CR4_VMXE,
    .needed = CR4_PAE | CR4_VMXE,
};

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

struct fixed_bits_result
fixed_bits_fit_processor(const struct fixed_bits *which, uint64_t value,
                         const struct vmx_capabilities *capabilities)
{
    return fixed_bits_fit(which, value, vmx_capability_value(capabilities, which->fixed0),
                          vmx_capability_value(capabilities, which->fixed0 + 1));
}

uint64_t vmx_operation_cr0(const struct cpu_record *record)
{
    return fixed_bits_fit_processor(&fixed_bits_cr0, record->cr0,
                                    &vmx_record(record)->capabilities)
        .value;
}

uint64_t vmx_operation_cr4(const struct cpu_record *record)
{
    return fixed_bits_fit_processor(&fixed_bits_cr4, record->cr4 | CR4_VMXE,
                                    &vmx_record(record)->capabilities)
        .value;
}
