/*
 * The bits of CR0 and CR4 that VMX operation fixes.
 *
 * SDM 3C, "Restrictions on VMX Operation"; SDM 3D, "VMX-Fixed Bits in CR0", "VMX-Fixed
 * Bits in CR4". A bit that is 1 in FIXED0 must be 1, a bit that is 0 in FIXED1 must be 0.
 * Pure.
 */
#ifndef HYMIR_VMX_FIXED_BITS_H
#define HYMIR_VMX_FIXED_BITS_H

#include "vmx/record.h"
#include "x86/vmx_capabilities.h"

/* A control register with bits that VMX operation fixes. */
struct fixed_bits {
    const char *name; /* "CR0" or "CR4" */
    enum vmx_capability_group group;
    enum vmx_msr fixed0; /* FIXED1 is the next */
    uint64_t settable;   /* bits with which Hymir can run */
    uint64_t needed;     /* bits without which it cannot */
};

extern const struct fixed_bits fixed_bits_cr0;
extern const struct fixed_bits fixed_bits_cr4;

enum fixed_bits_outcome {
    FIXED_BITS_OK,
    FIXED_BITS_CONTRADICTION, /* FIXED0 requires a bit that FIXED1 forbids */
    FIXED_BITS_UNKNOWN,       /* FIXED0 requires a bit that Hymir cannot set */
    FIXED_BITS_FORBIDDEN,     /* FIXED1 forbids a bit that Hymir needs */
};

struct fixed_bits_result {
    enum fixed_bits_outcome outcome;
    uint64_t value;   /* for VMX operation; the present one unless FIXED_BITS_OK */
    unsigned int bit; /* the lowest that is refused */
};

/* Computes the value for VMX operation, all 64 bits, from the register's present one. */
struct fixed_bits_result fixed_bits_fit(const struct fixed_bits *which, uint64_t value,
                                        uint64_t fixed0, uint64_t fixed1);

/* The same with FIXED0 and FIXED1 of a processor. */
struct fixed_bits_result
fixed_bits_fit_processor(const struct fixed_bits *which, uint64_t value,
                         const struct vmx_capabilities *capabilities);

/* Return CR0 and CR4 of a record for VMX operation; only if the checks of both pass. */
uint64_t vmx_operation_cr0(const struct cpu_record *record);
uint64_t vmx_operation_cr4(const struct cpu_record *record);

#endif
