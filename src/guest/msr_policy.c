/* See msr_policy.h. */
#include "guest/msr_policy.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/msr.h"

static const struct msr_row rows[] = {
    {MSR_IA32_MPERF, MSR_SHADOW, 0, UINT64_MAX},
    {MSR_IA32_APERF, MSR_SHADOW, 0, UINT64_MAX},
};
_Static_assert(ARRAY_SIZE(rows) == ARCHITECTURAL_MSRS, "the vendor's rows follow");

void msr_policy_reset(struct guest_msrs *msrs, const struct vendor_msrs *vendor)
{
    memcpy(msrs->row, rows, sizeof(rows));
    memcpy(msrs->row + ARCHITECTURAL_MSRS, vendor->row,
           vendor->count * sizeof(vendor->row[0]));
    msrs->end = msrs->row + ARCHITECTURAL_MSRS + vendor->count;
}
