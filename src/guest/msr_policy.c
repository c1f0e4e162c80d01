/* See msr_policy.h. */
#include "guest/msr_policy.h"

#include "lib/bits.h"

const struct msr_range msr_passed[] = {
    {0xE1, 0xE1},             /* IA32_UMWAIT_CONTROL: the CPU's, if it has one */
    {0x174, 0x176},           /* IA32_SYSENTER_CS, ESP, EIP: in the VMCS */
    {0x277, 0x277},           /* IA32_PAT: in the VMCS */
    {0xC0000080, 0xC0000084}, /* IA32_EFER: in the VMCS; STAR, LSTAR, CSTAR, FMASK: the
                                 CPU's, which Hymir does not use */
    {0xC0000100, 0xC0000103}, /* FS, GS: in the VMCS; KERNEL_GS_BASE, TSC_AUX */
};
const size_t msr_passed_count = ARRAY_SIZE(msr_passed);

enum msr_kind {
    MSR_SHADOW,      /* reads as written */
    MSR_CONSTANT,    /* reads as the table says; writes are #GP */
    MSR_INDIFFERENT, /* the same; writes are ignored */
};

static const struct row {
    uint32_t msr;
    enum msr_kind kind;
    uint64_t value; /* after reset, or always */
    uint64_t mask;  /* of a shadow: the bits that may be written; others are #GP */
} rows[] = {
    {0x1B, MSR_INDIFFERENT, 0xFEE00100, 0}, /* IA32_APIC_BASE: boot CPU, APIC off */
    {0x17, MSR_CONSTANT, 0, 0},             /* IA32_PLATFORM_ID */
    {0x3A, MSR_CONSTANT, 1, 0},             /* IA32_FEATURE_CONTROL: locked, no VMX */
    {0x8B, MSR_INDIFFERENT, 0, 0},          /* IA32_BIOS_SIGN_ID: no microcode */
    {0x1A0, MSR_INDIFFERENT, 0x00001801,
     0},                               /* IA32_MISC_ENABLE: fast strings; no BTS, PEBS */
    {0x1D9, MSR_SHADOW, 0, 0},         /* IA32_DEBUGCTL: no bit of it */
    {0xE7, MSR_SHADOW, 0, UINT64_MAX}, /* IA32_MPERF */
    {0xE8, MSR_SHADOW, 0, UINT64_MAX}, /* IA32_APERF */
};
_Static_assert(ARRAY_SIZE(rows) <= MSR_SHADOWS, "a shadow for each row");

/* The row's number, or -1. */
static int find(uint32_t msr)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].msr == msr)
            return (int)i;
    }
    return -1;
}

void msr_policy_reset(struct msr_shadows *shadows)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        shadows->value[i] = rows[i].value;
}

bool msr_policy_read(const struct msr_shadows *shadows, uint32_t msr, uint64_t *value)
{
    int i = find(msr);
    if (i < 0)
        return false;
    *value = shadows->value[i];
    return true;
}

bool msr_policy_write(struct msr_shadows *shadows, uint32_t msr, uint64_t value)
{
    int i = find(msr);
    if (i < 0 || rows[i].kind == MSR_CONSTANT)
        return false;
    if (rows[i].kind == MSR_INDIFFERENT)
        return true;
    if ((value & ~rows[i].mask) != 0)
        return false;
    shadows->value[i] = value;
    return true;
}
