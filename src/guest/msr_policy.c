/* See msr_policy.h. */
#include "guest/msr_policy.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/apic.h"
#include "x86/msr.h"

static const struct msr_row rows[] = {
    /* The APIC of the boot CPU, disabled. */
    {MSR_IA32_APIC_BASE, MSR_WRITABLE_CONSTANT, APIC_BASE_AFTER_RESET | APIC_BASE_BSP, 0},
    {MSR_IA32_DEBUGCTL, MSR_SHADOW, 0, 0}, /* no bit is writable */
    {MSR_IA32_MPERF, MSR_SHADOW, 0, UINT64_MAX},
    {MSR_IA32_APERF, MSR_SHADOW, 0, UINT64_MAX},
};
_Static_assert(ARRAY_SIZE(rows) == ARCHITECTURAL_MSRS, "the vendor's rows follow");

void msr_policy_reset(struct guest_msrs *msrs, const struct vendor_msrs *vendor)
{
    memcpy(msrs->row, rows, sizeof(rows));
    memcpy(msrs->row + ARCHITECTURAL_MSRS, vendor->row, sizeof(vendor->row));
}

/* Returns the index of the MSR's row, or MSR_ROWS. */
static size_t find_row(const struct guest_msrs *msrs, uint32_t msr)
{
    for (size_t i = 0; i < MSR_ROWS; i++) {
        if (msrs->row[i].msr == msr)
            return i;
    }
    return MSR_ROWS;
}

bool msr_policy_read(const struct guest_msrs *msrs, uint32_t msr, uint64_t *value)
{
    size_t i = find_row(msrs, msr);

    if (i == MSR_ROWS)
        return false;
    *value = msrs->row[i].value;
    return true;
}

bool msr_policy_write(struct guest_msrs *msrs, uint32_t msr, uint64_t value)
{
    size_t i = find_row(msrs, msr);

    if (i == MSR_ROWS || msrs->row[i].kind == MSR_CONSTANT)
        return false;
    if (msrs->row[i].kind == MSR_WRITABLE_CONSTANT)
        return true;
    if ((value & ~msrs->row[i].mask) != 0)
        return false;
    msrs->row[i].value = value;
    return true;
}
