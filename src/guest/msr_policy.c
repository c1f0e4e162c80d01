/* See msr_policy.h. */
#include "guest/msr_policy.h"

#include "guest/speculation_policy.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "x86/msr.h"

static const struct msr_row rows[] = {
    {MSR_IA32_MPERF, MSR_SHADOW, 0, UINT64_MAX},
    {MSR_IA32_APERF, MSR_SHADOW, 0, UINT64_MAX},
};
_Static_assert(ARRAY_SIZE(rows) + 1 == ARCHITECTURAL_MSRS, "and IA32_ARCH_CAPABILITIES");

void msr_policy_reset(struct guest_msrs *msrs, const struct vendor_msrs *vendor,
                      const uint64_t *capabilities)
{
    struct msr_row *next = msrs->row + ARRAY_SIZE(rows);

    memcpy(msrs->row, rows, sizeof(rows));
    memcpy(next, vendor->row, vendor->count * sizeof(vendor->row[0]));
    next += vendor->count;
    if (capabilities != NULL)
        *next++ = (struct msr_row){MSR_IA32_ARCH_CAPABILITIES, MSR_CONSTANT,
                                   speculation_policy_capabilities(*capabilities), 0};
    msrs->end = next;
}
