/* The rules of VMRUN on the control area of the VMCB: see entry_rules.h. */
#include "svm/entry_rows.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

/* IOPM and MSRPM: APM 2, "I/O Intercepts", "MSR Intercepts". Bits 11:0 are ignored. */
#define IOPM_SIZE  (3 * PAGE_SIZE)
#define MSRPM_SIZE (2 * PAGE_SIZE)

/* A table of expected bytes ends within the processor's physical addresses. */
static enum entry_verdict test_table(struct entry_query *query)
{
    uint64_t base  = entry_read_own(query);
    uint64_t size  = query->rule->expected;
    uint64_t width = entry_read(query, SVM_VALUE_PHYSICAL_WIDTH);

    if (width == 0 || width > 63)
        return ENTRY_UNKNOWN;
    uint64_t last = BIT(width) - size;
    if (align_down(base, PAGE_SIZE) <= last)
        return ENTRY_HOLDS;
    uint64_t low = base & (BIT(width) - 1);
    return entry_require(query, low < last ? low : last);
}

/* APM 3, "Function 8000_000Ah: SVM Features": EBX is the number of ASIDs. */
static enum entry_verdict test_asid(struct entry_query *query)
{
    uint64_t asid  = entry_read_own(query);
    uint64_t count = entry_read(query, query->rule->other);

    return asid < count ? ENTRY_HOLDS : entry_require(query, count - (count > 0));
}

static const struct entry_rule control_rules[] = {
    EQUAL("vmrun-intercept", INTERCEPT_2, INTERCEPT_VMRUN, INTERCEPT_VMRUN,
          "The VMRUN intercept must be set.",
          "a VMCB that was cleared and filled without bit 0 of offset 010H"),
    TEST("asid-not-zero", ASID, entry_test_not_zero,
         "The guest's ASID must not be 0, which is the host's.",
         "an ASID that was never assigned", .mask = UINT32_MAX, .expected = 1),
    TEST("asid-supported", ASID, test_asid,
         "The guest's ASID must be below the number that the processor supports.",
         "ASIDs that are counted up without a limit",
         .other = SVM_VALUE_CPUID_8000000A_EBX),
    TEST("iopm-address", IOPM_BASE, test_table,
         "The I/O permission map, of 12 KiB, must be within physical memory.",
         "a linear address in place of a physical one", .expected = IOPM_SIZE),
    TEST("msrpm-address", MSRPM_BASE, test_table,
         "The MSR permission map, of 8 KiB, must be within physical memory.",
         "a linear address in place of a physical one", .expected = MSRPM_SIZE),
};
const struct entry_section svm_control_rules =
    SECTION(CONSISTENCY, ENTRY_CONTROLS, control_rules);

/* ---- Nested paging */

static const struct entry_rule nested_rules[] = {
    TEST("n-cr3-address", N_CR3, entry_test_address,
         "With nested paging, N_CR3 must be a physical address: bits from its width on "
         "must be 0.",
         "a linear address in place of a physical one", .mask = BITS_MASK(63, 52),
         .other = SVM_VALUE_PHYSICAL_WIDTH, .when = {NESTED_PAGING_IS_ON}),
    EQUAL("host-paging", HOST_CR0, CR0_PG, CR0_PG,
          "VMRUN with nested paging requires that the host uses paging.", NULL,
          NESTED_PAGING_IS_ON),
};
const struct entry_section svm_nested_rules =
    SECTION("APM 2, \"Enabling Nested Paging\", \"Nested Paging and VMRUN/#VMEXIT\"",
            ENTRY_CONTROLS, nested_rules);

/* ---- Event injection */

#define EVENT_IS_VALID IF_SET(EVENT, EVENT_VALID)
#define VECTOR_NMI     2U
#define VECTOR_BOUND   5U

/* Vectors that no exception has: those that are reserved, and that of the NMI. */
#define NO_EXCEPTIONS \
    (BIT(VECTOR_NMI) | BIT(9) | BIT(15) | BIT(20) | BITS_MASK(27, 22) | BIT(31))

/* Returns the event with the type of those that have its vector. */
static uint64_t with_usual_type(uint64_t event)
{
    uint64_t vector = EVENT_VECTOR(event);
    uint64_t type   = EVENT_INTERRUPT;

    if (vector == VECTOR_NMI)
        type = EVENT_NMI;
    else if (vector < EXCEPTION_VECTORS && (NO_EXCEPTIONS & BIT(vector)) == 0)
        type = EVENT_EXCEPTION;
    return (event & ~EVENT_TYPE) | type;
}

static enum entry_verdict test_event_type(struct entry_query *query)
{
    uint64_t event = entry_read_own(query);
    uint64_t types = BIT(EVENT_INTERRUPT >> 8) | BIT(EVENT_NMI >> 8) |
                     BIT(EVENT_EXCEPTION >> 8) | BIT(EVENT_SOFTWARE >> 8);

    if ((types & BIT((event & EVENT_TYPE) >> 8)) != 0)
        return ENTRY_HOLDS;
    return entry_violate(query, EVENT_TYPE, with_usual_type(event));
}

static enum entry_verdict test_event_vector(struct entry_query *query)
{
    uint64_t event   = entry_read_own(query);
    uint64_t nearest = with_usual_type(event);

    if ((event & EVENT_TYPE) != EVENT_EXCEPTION)
        return ENTRY_NOT_APPLICABLE;
    return nearest == event ? ENTRY_HOLDS
                            : entry_violate(query, BITS_MASK(7, 0), nearest);
}

/* BOUND does not exist in 64-bit mode. */
static enum entry_verdict test_event_bound(struct entry_query *query)
{
    uint64_t event = entry_read_own(query);

    if ((event & EVENT_TYPE) != EVENT_EXCEPTION || EVENT_VECTOR(event) != VECTOR_BOUND)
        return ENTRY_NOT_APPLICABLE;
    return entry_violate(query, BITS_MASK(7, 0), event & ~EVENT_VALID);
}

static const struct entry_rule event_rules[] = {
    TEST("event-type", EVENT, test_event_type,
         "The type of an injected event must be 0, 2, 3 or 4.",
         "an event in VT-x's format, or EXITINTINFO changed before it is reused",
         .when = {EVENT_IS_VALID}),
    TEST("event-vector", EVENT, test_event_vector,
         "The vector of an injected exception must be one that exceptions have: not 2, "
         "which is the NMI, and below 32.",
         "an NMI or an interrupt that is injected with type 3", .when = {EVENT_IS_VALID}),
    TEST("event-bound", EVENT, test_event_bound,
         "#BR cannot be injected in 64-bit mode, which has no BOUND.", NULL,
         .when = {EVENT_IS_VALID, IF_SET(EFER, EFER_LMA),
                  IF_SET(CS_ATTRIBUTES, VMCB_CODE_L)}),
};
const struct entry_section svm_event_rules =
    SECTION("APM 2, \"Event Injection\"", ENTRY_CONTROLS, event_rules);

/* ---- NMI virtualization and AVIC */

static const struct entry_rule nmi_rules[] = {
    EQUAL("virtual-nmi-intercept", INTERCEPT_1, INTERCEPT_NMI, INTERCEPT_NMI,
          "V_NMI_ENABLE requires the NMI intercept.", NULL,
          IF_SET(VIRTUAL_INTERRUPT, V_NMI_ENABLE),
          IF_CLEAR(LACKING, SVM_FEATURE_VIRTUAL_NMI)),
};
const struct entry_section svm_nmi_rules =
    SECTION("APM 2, \"NMI Virtualization\"", ENTRY_CONTROLS, nmi_rules);

#define AVIC_IS_ON \
    IF_SET(VIRTUAL_INTERRUPT, AVIC_ENABLE), IF_CLEAR(LACKING, SVM_FEATURE_AVIC)
#define X2AVIC_IS_ON \
    IF_SET(VIRTUAL_INTERRUPT, X2AVIC_ENABLE), IF_CLEAR(LACKING, SVM_FEATURE_X2AVIC)

static const struct entry_rule avic_rules[] = {
    EQUAL("x2avic-needs-avic", VIRTUAL_INTERRUPT, AVIC_ENABLE, AVIC_ENABLE,
          "x2AVIC requires AVIC.", NULL, X2AVIC_IS_ON),
    TEST("avic-addresses", AVIC_BACKING_PAGE, test_table,
         "The pages of AVIC must be within physical memory.",
         "a linear address in place of a physical one", .expected = PAGE_SIZE,
         .count = SVM_VALUE_AVIC_PHYSICAL_TABLE - SVM_VALUE_AVIC_BACKING_PAGE + 1,
         .when  = {AVIC_IS_ON}),
    TEST("avic-maximum-index", AVIC_PHYSICAL_TABLE, entry_test_below,
         "The maximum index of AVIC must be at most 255.", NULL, .mask = AVIC_MAX_INDEX,
         .expected = AVIC_MAX_INDEX_LAST,
         .when     = {AVIC_IS_ON, IF_CLEAR(VIRTUAL_INTERRUPT, X2AVIC_ENABLE)}),
    TEST("x2avic-maximum-index", AVIC_PHYSICAL_TABLE, entry_test_below,
         "The maximum index of x2AVIC must be at most 511 on a processor without "
         "x2AVIC_EXT.",
         NULL, .mask = AVIC_MAX_INDEX, .expected = X2AVIC_MAX_INDEX,
         .when = {X2AVIC_IS_ON,
                  IF_CLEAR(CPUID_8000000A_ECX, CPUID_8000000A_ECX_X2AVIC_EXT)}),
};
const struct entry_section svm_avic_rules =
    SECTION("APM 2, \"VMCB Changes in Support of AVIC\"", ENTRY_CONTROLS, avic_rules);
