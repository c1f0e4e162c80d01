/* The rules for the guest's PDPTEs, and for the MSRs that VM entry loads: see rules.h. */
#include "vmx/rules.h"
#include "x86/apic.h"
#include "x86/msr.h"

/* Reserved in a present PDPTE: SDM 3A, "PDPTE Registers". */
#define PDPTE_RESERVED (BITS_MASK(8, 5) | BITS_MASK(2, 1))

/* PAE paging without IA-32e mode; an entry that is not present is not checked. */
static enum entry_verdict test_pdpte(struct entry_query *query)
{
    if (!rule_is_on(query, VALUE_GUEST_CR0, CR0_PG) ||
        !rule_is_on(query, VALUE_GUEST_CR4, CR4_PAE))
        return ENTRY_NOT_APPLICABLE;
    uint64_t value = entry_read_own(query);
    return (value & 1) == 0 ? ENTRY_HOLDS : entry_test_address(query);
}

#define PDPTE_TEST(first) \
    test_pdpte, PDPTE_RESERVED, 0, VALUE_##first, VALUE_PHYSICAL_WIDTH

static const struct entry_rule rows[] = {
    {"guest-pdpte",
     "With EPT and PAE paging, bits 2:1, 8:5 and those from the physical-address width "
     "on of a present PDPTE field are 0.",
     "the guest's PDPTEs were not copied when it enabled paging",
     PDPTE_TEST(GUEST_PDPTE0), .count = 4, .qualification = ENTRY_FAILURE_PDPTE,
     .when = {OFF(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST),
              ON(SECONDARY, SECONDARY_ENABLE_EPT)}},
    {"memory-pdpte",
     "With PAE paging and without EPT, bits 2:1, 8:5 and those from the physical-address "
     "width on of a present PDPTE at CR3 are 0.",
     "CR3 points to tables of another paging mode", PDPTE_TEST(MEMORY_PDPTE0), .count = 4,
     .qualification = ENTRY_FAILURE_PDPTE,
     .when          = {OFF(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST),
                       OFF(SECONDARY, SECONDARY_ENABLE_EPT)}},
};

VMX_SECTION(vmx_rules_pdptes, "\"Checks on Guest Page-Directory-Pointer-Table Entries\"",
            ENTRY_GUEST_STATE, rows);

/* ---- Loading MSRs: the entry of the area that the exit qualification names */

#define MSR_NUMBER(entry) ((uint32_t)BITS_GET(entry, 31, 0))

static enum entry_verdict test_msr(struct entry_query *query)
{
    uint64_t entry = entry_read_own(query);
    uint32_t msr   = MSR_NUMBER(entry);
    bool is_bad =
        msr == MSR_IA32_FS_BASE || msr == MSR_IA32_GS_BASE ||
        msr == MSR_IA32_BIOS_UPDT_TRIG ||
        (msr == MSR_IA32_SMM_MONITOR_CTL && query->snapshot->value[VALUE_IN_SMM] == 0);

    return is_bad ? entry_violate(query, BITS_MASK(31, 0), entry & HIGH_HALF)
                  : ENTRY_HOLDS;
}

/* The registers of an x2APIC cannot be loaded; the range is the whole 8xxH. */
static enum entry_verdict test_x2apic_msr(struct entry_query *query)
{
    uint64_t entry = entry_read_own(query);

    return MSR_NUMBER(entry) >> 8 == X2APIC_MSR(0) >> 8
               ? entry_violate(query, BITS_MASK(31, 0), entry & HIGH_HALF)
               : ENTRY_HOLDS;
}

/* The values of some MSRs can be judged. */
static enum entry_verdict test_msr_value(struct entry_query *query)
{
    uint32_t msr = MSR_NUMBER(entry_read(query, VALUE_MSR_NUMBER));

    if (msr == MSR_IA32_PAT)
        return entry_test_pat(query);
    if (msr == MSR_IA32_LSTAR || msr == MSR_IA32_CSTAR ||
        msr == MSR_IA32_KERNEL_GS_BASE || msr == MSR_IA32_SYSENTER_ESP ||
        msr == MSR_IA32_SYSENTER_EIP)
        return entry_test_canonical(query);
    if (msr == MSR_IA32_EFER)
        return entry_require(query, entry_read_own(query) &
                                        (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE));
    return ENTRY_UNKNOWN;
}

static const struct entry_rule msr_rows[] = {
    {"msr-load-reserved", "Bits 63:32 of an entry of the MSR-load area are 0.",
     "the entry's layout is number, reserved, value", MUST_CLEAR(MSR_NUMBER, HIGH_HALF)},
    {"msr-load-number",
     "VM entry does not load IA32_FS_BASE and IA32_GS_BASE, which have fields, nor "
     "IA32_BIOS_UPDT_TRIG nor, outside SMM, IA32_SMM_MONITOR_CTL.",
     "the segment bases were listed as MSRs", test_msr, .value = VALUE_MSR_NUMBER},
    {"msr-load-x2apic", "VM entry does not load MSRs 800H to 8FFH, of the x2APIC.",
     "registers of the local APIC were listed", test_x2apic_msr,
     .value = VALUE_MSR_NUMBER},
    {"msr-load-value",
     "The value of an entry of the MSR-load area is one that WRMSR accepts.",
     "a guest's WRMSR was not checked, or the MSR does not exist", test_msr_value,
     .value = VALUE_MSR_VALUE, .other = VALUE_LINEAR_WIDTH},
};

VMX_SECTION(vmx_rules_msr_loading, "\"Loading MSRs\"", ENTRY_MSR_LOADING, msr_rows);
