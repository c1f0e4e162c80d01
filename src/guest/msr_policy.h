/*
 * What a guest's MSRs are: a table of rows, each passed through, kept for the guest, or a
 * constant. What has no row gives the guest #GP; never does it see the machine's own.
 * Pure. SDM 4, "Model-Specific Registers (MSRs)".
 */
#ifndef HYMIR_GUEST_MSR_POLICY_H
#define HYMIR_GUEST_MSR_POLICY_H

#include "virt/backend.h"

#include <stdbool.h>
#include <stdint.h>

#define MSR_SHADOWS 9

/* The registers that are kept for a guest. */
struct msr_shadows {
    uint64_t value[MSR_SHADOWS];
};

/* Those that a guest reaches without an exit, because the CPU keeps them for it. */
extern const struct msr_range msr_passed[];
extern const size_t msr_passed_count;

/* The shadows after reset. */
void msr_policy_reset(struct msr_shadows *shadows);

/* Read or write a register that exits; false: #GP. */
bool msr_policy_read(const struct msr_shadows *shadows, uint32_t msr, uint64_t *value);
bool msr_policy_write(struct msr_shadows *shadows, uint32_t msr, uint64_t value);

#endif
