/*
 * The MSRs of a guest that cause VM exits: shadows, which read as written, and constants.
 *
 * The architectural ones are here, the vendor's come from the backend. Any other raises
 * #GP in the guest, which never reaches the machine's own. Pure. SDM 4, "Model-Specific
 * Registers (MSRs)".
 */
#ifndef HYMIR_GUEST_MSR_POLICY_H
#define HYMIR_GUEST_MSR_POLICY_H

#include "virt/vendor_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHITECTURAL_MSRS 3

/* The rows of a guest, each with the MSR's current value. */
struct guest_msrs {
    struct msr_row row[ARCHITECTURAL_MSRS + VENDOR_MSRS_MAX];
    const struct msr_row *end;
};

/*
 * Sets the guest's MSRs to their values after reset; *capabilities is the processor's
 * IA32_ARCH_CAPABILITIES, NULL if the guest has none.
 */
void msr_policy_reset(struct guest_msrs *msrs, const struct vendor_msrs *vendor,
                      const uint64_t *capabilities);

/* Returns an MSR's row, or NULL. Inline for VM exits. */
static inline struct msr_row *msr_policy_find(struct guest_msrs *msrs, uint32_t msr)
{
    struct msr_row *row = msrs->row;

    do {
        if (row->msr == msr)
            return row;
    } while (++row != msrs->end);
    return NULL;
}

/* Writes an MSR by its row. Returns false if that raises #GP. Inline for VM exits. */
static inline bool msr_row_write(struct msr_row *row, uint64_t value)
{
    if (row->kind != MSR_SHADOW)
        return row->kind == MSR_WRITABLE_CONSTANT;
    if ((value & ~row->mask) != 0)
        return false;
    row->value = value;
    return true;
}

#endif
