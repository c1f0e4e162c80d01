/* The rules for the VM-execution controls of APIC virtualization: see rules.h. */
#include "vmx/rules.h"

/* The virtual TPR's upper 4 bits are compared; its page is memory. */
static enum entry_verdict test_tpr_threshold(struct entry_query *query)
{
    uint64_t threshold = entry_read_own(query) & 0xF;
    uint64_t priority  = BITS_GET(entry_read(query, VALUE_VIRTUAL_TPR), 7, 4);

    return threshold <= priority
               ? ENTRY_HOLDS
               : entry_require(query,
                               (entry_read_own(query) & ~UINT64_C(0xF)) | priority);
}

/* The last entry of the table too is within the physical-address width. */
static enum entry_verdict test_pid_pointer_table(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    if (!is_aligned(value, 8))
        return entry_require(query, align_down(value, 8));
    uint64_t size = (entry_read(query, VALUE_LAST_PID_POINTER_INDEX) + 1) * 8;
    uint64_t end  = BIT(entry_read(query, VALUE_PHYSICAL_WIDTH) & 63);
    return range_end(value, size) <= end ? ENTRY_HOLDS
                                         : entry_require(query, (end - size) & (end - 1));
}

static enum entry_verdict test_timer_vector(struct entry_query *query)
{
    uint64_t vector = entry_read_own(query);

    return entry_require(query, vector < 16 ? vector | 16 : vector & UINT8_MAX);
}

static const struct entry_rule rows[] = {
    {"virtual-apic-address",
     "With the TPR shadow, the virtual-APIC address is a multiple of 4096 within the "
     "physical-address width.",
     "the page was not allocated, or the address is virtual",
     ALIGNED_ADDRESS(VIRTUAL_APIC_ADDRESS, PAGE_SIZE),
     .when = {ON(PRIMARY_CONTROLS, PRIMARY_USE_TPR_SHADOW)}},
    {"tpr-threshold-reserved",
     "With the TPR shadow and without virtual-interrupt delivery, bits 31:4 of the TPR "
     "threshold are 0.",
     "a TPR of 8 bits was written instead of its upper 4 bits",
     MUST_CLEAR(TPR_THRESHOLD, BITS_MASK(31, 4)),
     .when = {ON(PRIMARY_CONTROLS, PRIMARY_USE_TPR_SHADOW),
              OFF(SECONDARY, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)}},
    {"tpr-threshold-above-tpr",
     "With the TPR shadow, without virtualized APIC accesses and virtual-interrupt "
     "delivery, the TPR threshold is at most bits 7:4 of the virtual TPR.",
     "the guest lowered its TPR and the threshold was not updated", test_tpr_threshold,
     .value = VALUE_TPR_THRESHOLD,
     .when  = {ON(PRIMARY_CONTROLS, PRIMARY_USE_TPR_SHADOW),
               OFF(SECONDARY, SECONDARY_VIRTUALIZE_APIC_ACCESSES),
               OFF(SECONDARY, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)}},
    {"apic-virtualization-needs-tpr-shadow",
     "Without the TPR shadow, x2APIC mode and APIC registers are not virtualized, and "
     "virtual interrupts not delivered.",
     "the secondary controls were set regardless of the primary ones",
     MUST_CLEAR(SECONDARY_CONTROLS, SECONDARY_VIRTUALIZE_X2APIC_MODE |
                                        SECONDARY_APIC_REGISTER_VIRTUALIZATION |
                                        SECONDARY_VIRTUAL_INTERRUPT_DELIVERY),
     .when = {OFF(PRIMARY_CONTROLS, PRIMARY_USE_TPR_SHADOW),
              ON(PRIMARY_CONTROLS, PRIMARY_ACTIVATE_SECONDARY_CONTROLS)}},
    {"ipi-virtualization-needs-tpr-shadow",
     "Without the TPR shadow, IPIs are not virtualized.", NULL,
     MUST_CLEAR(TERTIARY_CONTROLS, TERTIARY_IPI_VIRTUALIZATION),
     .when = {OFF(PRIMARY_CONTROLS, PRIMARY_USE_TPR_SHADOW),
              ON(PRIMARY_CONTROLS, PRIMARY_ACTIVATE_TERTIARY_CONTROLS)}},
    {"apic-access-address",
     "With virtualized APIC accesses, the APIC-access address is a multiple of 4096 "
     "within the physical-address width.",
     "the page was not allocated, or the address is virtual",
     ALIGNED_ADDRESS(APIC_ACCESS_ADDRESS, PAGE_SIZE),
     .when = {ON(SECONDARY, SECONDARY_VIRTUALIZE_APIC_ACCESSES)}},
    {"x2apic-or-apic-accesses",
     "Virtualized x2APIC mode excludes virtualized APIC accesses.",
     "the guest switched to x2APIC mode and the other control was not cleared",
     MUST_CLEAR(SECONDARY_CONTROLS, SECONDARY_VIRTUALIZE_APIC_ACCESSES),
     .when = {ON(SECONDARY, SECONDARY_VIRTUALIZE_X2APIC_MODE)}},
    {"virtual-interrupts-need-external",
     "With virtual-interrupt delivery, external-interrupt exiting is on.",
     "interrupts of the host were to reach the guest",
     MUST_SET(PIN_BASED_CONTROLS, PIN_BASED_EXTERNAL_INTERRUPT_EXITING),
     .when = {ON(SECONDARY, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)}},
    {"posted-interrupts-need-delivery",
     "Posted interrupts need virtual-interrupt delivery.",
     "posted interrupts were switched on where APIC virtualization is off",
     MUST_SET(SECONDARY_CONTROLS, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY),
     .when = {ON(PIN_BASED_CONTROLS, PIN_BASED_PROCESS_POSTED_INTERRUPTS)}},
    {"posted-interrupts-need-acknowledge",
     "Posted interrupts require that VM exits acknowledge interrupts.",
     "the VM-exit control was forgotten",
     MUST_SET(EXIT_CONTROLS, VM_EXIT_ACKNOWLEDGE_INTERRUPT),
     .when = {ON(PIN_BASED_CONTROLS, PIN_BASED_PROCESS_POSTED_INTERRUPTS)}},
    {"posted-interrupt-vector",
     "The posted-interrupt notification vector is at most 255.", NULL,
     MUST_CLEAR(POSTED_INTERRUPT_VECTOR, BITS_MASK(15, 8)),
     .when = {ON(PIN_BASED_CONTROLS, PIN_BASED_PROCESS_POSTED_INTERRUPTS)}},
    {"posted-interrupt-descriptor",
     "The posted-interrupt descriptor is at a multiple of 64 within the physical-address "
     "width.",
     "the descriptor is part of a structure that is not aligned",
     ALIGNED_ADDRESS(POSTED_INTERRUPT_DESCRIPTOR, 64),
     .when = {ON(PIN_BASED_CONTROLS, PIN_BASED_PROCESS_POSTED_INTERRUPTS)}},
    {"pid-pointer-table",
     "With IPI virtualization, the PID-pointer table is at a multiple of 8, and its last "
     "entry within the physical-address width.",
     NULL, test_pid_pointer_table, .value = VALUE_PID_POINTER_TABLE,
     .when = {ON(TERTIARY, TERTIARY_IPI_VIRTUALIZATION)}},
    {"apic-timer-needs-delivery",
     "APIC-timer virtualization needs virtual-interrupt delivery.", NULL,
     MUST_SET(SECONDARY_CONTROLS, SECONDARY_VIRTUAL_INTERRUPT_DELIVERY),
     .when = {ON(TERTIARY, TERTIARY_APIC_TIMER_VIRTUALIZATION)}},
    {"virtual-timer-vector",
     "With APIC-timer virtualization, the virtual timer's vector is 16 to 255.", NULL,
     test_timer_vector, .value = VALUE_VIRTUAL_TIMER_VECTOR,
     .when = {ON(TERTIARY, TERTIARY_APIC_TIMER_VIRTUALIZATION)}},
};

VMX_SECTION(vmx_rules_execution_apic,
            "\"Checks on VMX Controls\", \"VM-Execution Control Fields\"", ENTRY_CONTROLS,
            rows);
