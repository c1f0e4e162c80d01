/* The rules for the VM-execution controls of EPT and on top of it: see rules.h. */
#include "vmx/rules.h"

#include "vmx/ept.h"

/* Returns the memory type of the EPT structures that is nearest to one. */
static uint64_t nearest_memory_type(uint64_t type, uint64_t capabilities)
{
    bool has_uncacheable = (capabilities & EPT_CAP_UNCACHEABLE) != 0;
    bool has_write_back  = (capabilities & EPT_CAP_WRITE_BACK) != 0;
    bool is_supported    = (type == 0 && has_uncacheable) ||
                        (type == VMX_MEMORY_TYPE_WRITE_BACK && has_write_back);

    if (is_supported)
        return type;
    return has_write_back ? VMX_MEMORY_TYPE_WRITE_BACK : 0;
}

static enum entry_verdict test_eptp_memory_type(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);
    uint64_t nearest =
        nearest_memory_type(value & 7, entry_read(query, VALUE_IA32_VMX_EPT_VPID_CAP));

    return entry_require(query, (value & ~UINT64_C(7)) | nearest);
}

/* The field is one less than the number of levels. */
static enum entry_verdict test_eptp_levels(struct entry_query *query)
{
    uint64_t value        = entry_read_own(query);
    uint64_t capabilities = entry_read(query, VALUE_IA32_VMX_EPT_VPID_CAP);
    uint64_t length       = EPTP_LEVELS(value);

    if ((length == 3 && (capabilities & EPT_CAP_WALK_LENGTH_4) != 0) ||
        (length == 4 && (capabilities & EPT_CAP_WALK_LENGTH_5) != 0))
        return ENTRY_HOLDS;
    return entry_require(query, (value & ~EPTP_LEVELS_MASK) | UINT64_C(3) << 3);
}

/* A flag of the EPTP, mask, that needs a capability, expected. */
static enum entry_verdict test_eptp_flag(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    if ((value & query->rule->mask) == 0)
        return ENTRY_HOLDS;
    return rule_is_on(query, VALUE_IA32_VMX_EPT_VPID_CAP, query->rule->expected)
               ? ENTRY_HOLDS
               : entry_require(query, value & ~query->rule->mask);
}

static enum entry_verdict test_hlat_prefix(struct entry_query *query)
{
    uint64_t limit = BITS_GET(entry_read(query, VALUE_IA32_VMX_EPT_VPID_CAP), 53, 48);
    uint64_t size  = entry_read_own(query);

    return size <= limit ? ENTRY_HOLDS : entry_violate(query, size, limit);
}

/* Conditions of VM functions. */
#define WHEN_VM_FUNCTIONS                            \
    {                                                \
        ON(SECONDARY, SECONDARY_ENABLE_VM_FUNCTIONS) \
    }
#define WHEN_EPTP_SWITCHING                                 \
    {                                                       \
        ON(SECONDARY, SECONDARY_ENABLE_VM_FUNCTIONS),       \
            ON(VM_FUNCTION_CONTROLS, VMFUNC_EPTP_SWITCHING) \
    }

/* A control that needs EPT. */
#define NEEDS_EPT(name, words, value, flag)                                     \
    {                                                                           \
        name, words " requires that EPT is enabled.",                           \
            "EPT was switched off, or is missing, and the other control is on", \
            MUST_SET(SECONDARY_CONTROLS, SECONDARY_ENABLE_EPT), .when = {       \
                ON(value, flag)                                                 \
            }                                                                   \
    }

static const struct entry_rule rows[] = {
    {"eptp-memory-type",
     "Bits 2:0 of the EPT pointer are a memory type that IA32_VMX_EPT_VPID_CAP reports: "
     "0 (uncacheable) or 6 (write-back).",
     "the address of the EPT PML4 table was written without the other fields",
     test_eptp_memory_type, .value = VALUE_EPT_POINTER,
     .when = {ON(SECONDARY, SECONDARY_ENABLE_EPT)}},
    {"eptp-page-walk-length",
     "Bits 5:3 of the EPT pointer are 3, or 4 if IA32_VMX_EPT_VPID_CAP reports a "
     "page-walk length of 5: one less than the levels.",
     "the number of levels was written, not one less", test_eptp_levels,
     .value = VALUE_EPT_POINTER, .when = {ON(SECONDARY, SECONDARY_ENABLE_EPT)}},
    {"eptp-accessed-flags",
     "Bit 6 of the EPT pointer is 0 unless the processor has accessed and dirty flags "
     "for EPT.",
     "the capability was not checked; nested hypervisors often lack it", test_eptp_flag,
     EPTP_ACCESSED, EPT_CAP_ACCESSED, VALUE_EPT_POINTER,
     .when = {ON(SECONDARY, SECONDARY_ENABLE_EPT)}},
    {"eptp-shadow-stack",
     "Bit 7 of the EPT pointer is 0 unless the processor has supervisor shadow-stack "
     "control in EPT.",
     NULL, test_eptp_flag, EPTP_SHADOW_STACK, EPT_CAP_SHADOW_STACK, VALUE_EPT_POINTER,
     .when = {ON(SECONDARY, SECONDARY_ENABLE_EPT)}},
    {"eptp-reserved",
     "Bits 11:8 of the EPT pointer and those from the physical-address width on are 0.",
     "a virtual address, or a table that is not page-aligned",
     ADDRESS(EPT_POINTER, BITS_MASK(11, 8)),
     .when = {ON(SECONDARY, SECONDARY_ENABLE_EPT)}},
    NEEDS_EPT("pml-needs-ept", "Page-modification logging", SECONDARY,
              SECONDARY_ENABLE_PML),
    {"pml-address",
     "With page-modification logging, the PML address is a multiple of 4096 within the "
     "physical-address width.",
     "the page was not allocated", ALIGNED_ADDRESS(PML_ADDRESS, PAGE_SIZE),
     .when = {ON(SECONDARY, SECONDARY_ENABLE_PML)}},
    NEEDS_EPT("unrestricted-guest-needs-ept", "An unrestricted guest", SECONDARY,
              SECONDARY_UNRESTRICTED_GUEST),
    NEEDS_EPT("mode-based-execute-needs-ept", "Mode-based execute control", SECONDARY,
              SECONDARY_MODE_BASED_EXECUTE),
    NEEDS_EPT("sub-page-permissions-need-ept",
              "The control \"sub-page write permissions\"", SECONDARY,
              SECONDARY_SUB_PAGE_WRITE_PERMISSIONS),
    {"sub-page-permission-pointer",
     "With sub-page write permissions, the pointer of their table is a multiple of 4096 "
     "within the physical-address width.",
     NULL, ALIGNED_ADDRESS(SUB_PAGE_PERMISSION_POINTER, PAGE_SIZE),
     .when = {ON(SECONDARY, SECONDARY_SUB_PAGE_WRITE_PERMISSIONS)}},
    {"vm-functions",
     "If VM functions are enabled, the VM-function controls have only bits that "
     "IA32_VMX_VMFUNC allows.",
     "the field was not initialized", vmx_test_allowed_1,
     .value = VALUE_VM_FUNCTION_CONTROLS, .other = VALUE_IA32_VMX_VMFUNC,
     .when = WHEN_VM_FUNCTIONS},
    {"eptp-switching-needs-ept", "EPTP switching requires that EPT is enabled.", NULL,
     MUST_SET(SECONDARY_CONTROLS, SECONDARY_ENABLE_EPT), .when = WHEN_EPTP_SWITCHING},
    {"eptp-list-address",
     "With EPTP switching, the EPTP-list address is a multiple of 4096 within the "
     "physical-address width.",
     NULL, ALIGNED_ADDRESS(EPTP_LIST_ADDRESS, PAGE_SIZE), .when = WHEN_EPTP_SWITCHING},
    {"ve-information-address",
     "With EPT-violation #VE, the virtualization-exception information address is a "
     "multiple of 4096 within the physical-address width.",
     "the page was not allocated", ALIGNED_ADDRESS(VE_INFORMATION_ADDRESS, PAGE_SIZE),
     .when = {ON(SECONDARY, SECONDARY_EPT_VIOLATION_VE)}},
    NEEDS_EPT("hlat-needs-ept", "HLAT", TERTIARY, TERTIARY_ENABLE_HLAT),
    NEEDS_EPT("paging-write-needs-ept", "EPT paging-write control", TERTIARY,
              TERTIARY_EPT_PAGING_WRITE_CONTROL),
    NEEDS_EPT("paging-verification-needs-ept", "Guest-paging verification", TERTIARY,
              TERTIARY_GUEST_PAGING_VERIFICATION),
    {"hlat-pointer",
     "With HLAT, bits 2:0 and 11:5 of the HLAT pointer and those from the "
     "physical-address width on are 0.",
     NULL, ADDRESS(HLAT_POINTER, BITS_MASK(2, 0) | BITS_MASK(11, 5)),
     .when = {ON(TERTIARY, TERTIARY_ENABLE_HLAT)}},
    {"hlat-prefix-size",
     "With HLAT, the prefix size is at most that in IA32_VMX_EPT_VPID_CAP[53:48].", NULL,
     test_hlat_prefix, .value = VALUE_HLAT_PREFIX_SIZE,
     .when = {ON(TERTIARY, TERTIARY_ENABLE_HLAT)}},
};

VMX_SECTION(vmx_rules_execution_ept,
            "\"Checks on VMX Controls\", \"VM-Execution Control Fields\"", ENTRY_CONTROLS,
            rows);
