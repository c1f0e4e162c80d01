/*
 * selftest=entries: lets the processor judge the rules of VM entry. The good VMCS of the
 * trial's guest is changed so that each rule applies, which must succeed, and then so
 * that the rule is violated, which must fail as predicted: see perturbation.h.
 *
 * Ways are skipped that need features which the processor lacks, or an entry that
 * succeeds with another host state, which the exit would load.
 */
#include "perturbation.h"
#include "selftest.h"

#include "lib/log.h"
#include "platform/machine.h"
#include "virt/backend.h"
#include "virt/segment.h"
#include "vmx/entry_report.h"
#include "vmx/rules.h"
#include "x86/msr.h"
#include "x86/paging.h"

/* Ticks of the preemption timer until a guest that does not exit is left. */
#define TIMEOUT_TICKS 50000

/* The part of the scratch page with an entry of MSR areas: SYSENTER_CS is 0. */
#define MSR_AREA_OFFSET    UINT64_C(0x800)
#define VIRTUAL_TPR_OFFSET 0x80

static struct entry_snapshot base, wanted;
static uint8_t *scratch;
static bool has_timer;

/* The outcome of an entry: both 0 if it succeeded. */
struct outcome {
    uint32_t error, reason;
    uint64_t qualification;
};

static struct {
    size_t checks, enforced;    /* rules with each of their values */
    size_t satisfied, accepted; /* good states */
    size_t not_applicable;      /* ways that need another processor */
} count;

/* ---- Entries */

static struct outcome last;

static enum run_next stop(struct vcpu_run *run)
{
    uint64_t reason = vmcs_get(VMCS_EXIT_REASON);

    (void)run;
    if ((reason & EXIT_REASON_ENTRY_FAILURE) != 0)
        last = (struct outcome){.reason        = (uint32_t)reason,
                                .qualification = vmcs_get(VMCS_EXIT_QUALIFICATION)};
    return RUN_STOP;
}

static bool is_writable(uint32_t value)
{
    uint32_t field = vmx_entry_field_of_value(value);
    return (field >> 10 & 3) != VMCS_INFORMATION;
}

/* Writes all fields, because an exit has changed those of the guest. */
static void write_fields(const struct entry_snapshot *snapshot)
{
    for (uint32_t value = 1; vmx_entry_value_is_field(value); value++) {
        if (entry_snapshot_has(&base, value) && is_writable(value) &&
            !vmwrite(vmx_entry_field_of_value(value), snapshot->value[value]))
            entry_snapshot_remove(&base, value); /* reading it is all that is allowed */
    }
    scratch[VIRTUAL_TPR_OFFSET] = (uint8_t)snapshot->value[VALUE_VIRTUAL_TPR];
}

static struct outcome enter(const struct entry_snapshot *snapshot, bool is_launched)
{
    struct vcpu_run run = {.on_exit = stop, .is_launched = is_launched};

    last = (struct outcome){0};
    write_fields(snapshot);
    if (vmx_run(&run) != VMX_SUCCEED)
        last.error = vmcs_instruction_error();
    return last;
}

/* ---- Prediction */

static struct {
    const struct perturbation *perturbation; /* NULL: none yet */
    bool has_violation;                      /* of its rule and value */
    uint64_t phases;
    size_t violations, unknown;
    uint64_t qualification; /* of the last */
} prediction;
static size_t base_unknown;

static void note_violation(void *context, const struct entry_finding *finding)
{
    (void)context;
    if (finding->verdict != ENTRY_VIOLATED)
        return;
    prediction.has_violation |=
        prediction.perturbation != NULL &&
        finding->rule == prediction.perturbation->rule &&
        finding->value == finding->rule->value + prediction.perturbation->instance;
    prediction.phases |= BIT(finding->section->phase);
    prediction.violations++;
    prediction.qualification = finding->rule->qualification;
}

static void predict(const struct perturbation *perturbation,
                    struct entry_snapshot *snapshot)
{
    prediction.perturbation  = perturbation;
    prediction.has_violation = false;
    prediction.phases        = 0;
    prediction.violations    = 0;
    prediction.unknown =
        entry_judge(&vmx_entry_rules, snapshot, ENTRY_ALL_PHASES, note_violation, NULL)
            .verdicts[ENTRY_UNKNOWN];
}

/* Controls and host state are checked in any order, before the guest's. */
static bool is_predicted(const struct outcome *outcome)
{
    uint64_t early = BIT(ENTRY_CONTROLS) | BIT(ENTRY_HOST_STATE);

    if ((prediction.phases & early) != 0)
        return (outcome->error == VMX_ERROR_INVALID_CONTROLS &&
                (prediction.phases & BIT(ENTRY_CONTROLS)) != 0) ||
               (outcome->error == VMX_ERROR_INVALID_HOST_STATE &&
                (prediction.phases & BIT(ENTRY_HOST_STATE)) != 0);
    if (prediction.violations == 0)
        return outcome->error == 0 && outcome->reason == 0;
    return outcome->reason ==
               (EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_INVALID_GUEST_STATE) &&
           (prediction.violations > 1 ||
            outcome->qualification == prediction.qualification);
}

static void report(const struct perturbation *perturbation, const struct outcome *outcome)
{
    uint32_t value = perturbation->rule->value + perturbation->instance;

    if (outcome->error == 0 && outcome->reason == 0)
        log_plain("selftest: entries: %s: not enforced for %s = 0x%lx",
                  perturbation->rule->name, vmx_entry_value_names[value],
                  wanted.value[value]);
    else
        log_plain("selftest: entries: %s: %s = 0x%lx: not predicted: error %u, reason "
                  "0x%x, qualification 0x%lx",
                  perturbation->rule->name, vmx_entry_value_names[value],
                  wanted.value[value], outcome->error, outcome->reason,
                  outcome->qualification);
}

/* ---- States that can be tried on this processor */

static bool is_changed(uint32_t value)
{
    return wanted.value[value] != base.value[value] ||
           entry_snapshot_has(&wanted, value) != entry_snapshot_has(&base, value);
}

/* Returns whether the VMCS can be given the wanted state, and the rest is as it is. */
static bool is_realizable(void)
{
    for (uint32_t value = 1; value < VMX_ENTRY_VALUES; value++) {
        bool is_settable = vmx_entry_value_is_field(value)
                               ? entry_snapshot_has(&base, value) && is_writable(value)
                               : value == VALUE_VIRTUAL_TPR || value >= VALUE_SECONDARY;
        if (is_changed(value) && !is_settable)
            return false;
    }
    return true;
}

/* Returns whether a guest that starts in another state than active is left in time. */
static bool is_left(void)
{
    return wanted.value[VALUE_GUEST_ACTIVITY_STATE] == ACTIVITY_ACTIVE ||
           (has_timer && (wanted.value[VALUE_PIN_BASED_CONTROLS] &
                          PIN_BASED_ACTIVATE_PREEMPTION_TIMER) != 0);
}

/* Returns whether the exit after a successful entry leads back here. */
static bool is_safe(void)
{
    for (uint32_t value = 1; vmx_entry_value_is_field(value); value++) {
        bool is_host = (vmx_entry_field_of_value(value) >> 10 & 3) == VMCS_HOST;
        if (is_host && is_changed(value))
            return false;
    }
    return (wanted.value[VALUE_EXIT_CONTROLS] & VM_EXIT_HOST_ADDRESS_SPACE_SIZE) != 0 &&
           wanted.value[VALUE_GUEST_ACTIVITY_STATE] != ACTIVITY_WAIT_FOR_SIPI &&
           is_left();
}

/* Tries the state in which the rule is just satisfied, if that is safe. */
static void try_satisfied(const struct perturbation *perturbation)
{
    if (!is_safe())
        return;
    struct outcome outcome = enter(&wanted, true);
    count.satisfied++;
    if (is_predicted(&outcome))
        count.accepted++;
    else
        report(perturbation, &outcome);
}

/* Tries a way. Returns false if there is none; *agrees is left if it cannot be tried. */
static bool try_way(const struct perturbation *perturbation, bool *is_tried, bool *agrees)
{
    wanted = base;
    if (!perturbation_prepare(perturbation, &wanted))
        return false;
    predict(perturbation, &wanted);
    if (prediction.violations > 0 || prediction.unknown > base_unknown ||
        !is_realizable()) {
        count.not_applicable++;
        return true;
    }
    try_satisfied(perturbation);
    perturbation_apply(perturbation, &wanted);
    predict(perturbation, &wanted);
    if (!prediction.has_violation || !is_realizable() || !is_left()) {
        count.not_applicable++;
        return true;
    }
    struct outcome outcome = enter(&wanted, true);
    *is_tried              = true;
    if (outcome.error != 0 || outcome.reason != 0)
        log_debug("selftest: entries: failed with %s", perturbation->rule->name);
    if (!is_predicted(&outcome)) {
        *agrees = false;
        report(perturbation, &outcome);
    }
    return true;
}

/* entry.asm sets HOST_RIP, and the launch state is no field. */
static bool can_be_tried(const struct entry_section *section,
                         const struct entry_rule *rule)
{
    return section->phase != ENTRY_INSTRUCTION && section->phase != ENTRY_MSR_LOADING &&
           rule->value != VALUE_HOST_RIP;
}

static void try_rule(const struct entry_rule *rule)
{
    for (uint32_t i = 0; i < entry_rule_value_count(rule); i++) {
        struct perturbation perturbation = {.rule = rule, .instance = i};
        bool is_tried = false, agrees = true;

        while (try_way(&perturbation, &is_tried, &agrees))
            perturbation.way++;
        count.checks += is_tried ? 1 : 0;
        count.enforced += is_tried && agrees ? 1 : 0;
    }
}

/* ---- The good VMCS */

/* Points the address fields that exist to the scratch page. */
static void write_addresses(void)
{
    static const enum vmcs_field pages[] = {VMCS_IO_BITMAP_A,
                                            VMCS_IO_BITMAP_B,
                                            VMCS_MSR_BITMAP,
                                            VMCS_PML_ADDRESS,
                                            VMCS_VIRTUAL_APIC_ADDRESS,
                                            VMCS_APIC_ACCESS_ADDRESS,
                                            VMCS_EPTP_LIST_ADDRESS,
                                            VMCS_VMREAD_BITMAP,
                                            VMCS_VMWRITE_BITMAP,
                                            VMCS_VE_INFORMATION_ADDRESS,
                                            VMCS_POSTED_INTERRUPT_DESCRIPTOR};
    static const enum vmcs_field areas[] = {VMCS_EXIT_MSR_STORE_ADDRESS,
                                            VMCS_EXIT_MSR_LOAD_ADDRESS,
                                            VMCS_ENTRY_MSR_LOAD_ADDRESS};
    uint64_t page                        = hpa_of(scratch).value;

    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        (void)!vmwrite(pages[i], page);
    for (size_t i = 0; i < ARRAY_SIZE(areas); i++)
        (void)!vmwrite(areas[i], page + MSR_AREA_OFFSET);
    *(uint32_t *)(void *)(scratch + MSR_AREA_OFFSET) = MSR_IA32_SYSENTER_CS;
}

/* Adds the controls that the processor allows. */
static void add_controls(const struct vmx_capabilities *capabilities)
{
    static const struct {
        enum vmcs_field field;
        enum vmx_capability_group group;
        uint64_t controls;
    } added_controls[] = {
        {VMCS_PIN_BASED_CONTROLS, GROUP_PIN_BASED,
         PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_VIRTUAL_NMIS |
             PIN_BASED_ACTIVATE_PREEMPTION_TIMER},
        {VMCS_PRIMARY_CONTROLS, GROUP_PRIMARY,
         PRIMARY_USE_TPR_SHADOW | PRIMARY_ACTIVATE_SECONDARY_CONTROLS},
        {VMCS_SECONDARY_CONTROLS, GROUP_SECONDARY, SECONDARY_UNRESTRICTED_GUEST},
        {VMCS_EXIT_CONTROLS, GROUP_VM_EXIT,
         VM_EXIT_ACKNOWLEDGE_INTERRUPT | VM_EXIT_LOAD_IA32_EFER | VM_EXIT_LOAD_IA32_PAT},
        {VMCS_ENTRY_CONTROLS, GROUP_VM_ENTRY,
         VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_PAT},
    };

    for (size_t i = 0; i < ARRAY_SIZE(added_controls); i++) {
        uint64_t value = 0;
        uint64_t may =
            vmx_capability_bits(capabilities, added_controls[i].group).may_be_1;
        if (vmread(added_controls[i].field, &value))
            (void)!vmwrite(added_controls[i].field,
                           value | (added_controls[i].controls & may));
    }
    has_timer =
        (vmcs_get(VMCS_PIN_BASED_CONTROLS) & PIN_BASED_ACTIVATE_PREEMPTION_TIMER) != 0;
}

/* Makes ES, SS, DS, FS, GS and LDTR usable. */
static void write_segments(void)
{
    for (uint32_t i = SEGMENT_ES; i <= SEGMENT_LDTR; i++) {
        bool is_ldtr = i == SEGMENT_LDTR;
        if (i == SEGMENT_CS)
            continue;
        vmcs_set(VMCS_GUEST_ES_LIMIT + 2 * i, is_ldtr ? 0x17 : UINT32_MAX);
        vmcs_set(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i,
                 is_ldtr ? TYPE_LDT | SEGMENT_PRESENT
                         : ACCESS_RIGHTS_OF(DATA_DESCRIPTOR_32));
    }
}

/* Lets as many rules as possible apply. */
static void complete_vmcs(const struct entry_attempt *attempt)
{
    static const struct vmcs_row completed_fields[] = {
        {VMCS_VPID, 1},
        {VMCS_GUEST_PREEMPTION_TIMER, TIMEOUT_TICKS},
        {VMCS_TPR_THRESHOLD, 0},
        {VMCS_GUEST_IA32_EFER, EFER_LMA | EFER_LME},
        {VMCS_GUEST_IA32_PAT, PAT_AFTER_RESET},
    };

    write_addresses();
    add_controls(attempt->capabilities);
    write_segments();
    for (size_t i = 0; i < ARRAY_SIZE(completed_fields); i++)
        (void)!vmwrite(completed_fields[i].field, completed_fields[i].value);
    (void)!vmwrite(VMCS_HOST_IA32_EFER, rdmsr(MSR_IA32_EFER));
    (void)!vmwrite(VMCS_HOST_IA32_PAT, rdmsr(MSR_IA32_PAT));
}

static void try_all(void)
{
    for (size_t i = 0; i < vmx_entry_rules.section_count; i++) {
        const struct entry_section *section = vmx_entry_rules.sections[i];
        for (size_t j = 0; j < section->count; j++) {
            if (can_be_tried(section, &section->rules[j]))
                try_rule(&section->rules[j]);
        }
    }
    log_plain("selftest: entries: checks that this machine enforces: %zu of %zu; good "
              "states that it accepts: %zu of %zu; not applicable: %zu",
              count.enforced, count.checks, count.accepted, count.satisfied,
              count.not_applicable);
}

void selftest_try_entries(const struct entry_attempt *attempt)
{
    void *page;
    uint64_t vmcs = 0;
    static struct entry_snapshot trial;

    if (machine_allocate(PAGE_SIZE, &page) != STATUS_OK)
        return;
    scratch = page;
    entry_snapshot_read(attempt);
    trial = *attempt->snapshot;
    complete_vmcs(attempt);
    entry_snapshot_read(attempt);
    base = *attempt->snapshot;
    entry_snapshot_set(&base, VALUE_VIRTUAL_TPR, 0);
    predict(NULL, &base);
    base_unknown        = prediction.unknown;
    struct outcome good = enter(&base, false);
    if (good.error != 0 || good.reason != 0)
        log_error("selftest: entries: the good VMCS fails: error %u, reason 0x%x",
                  good.error, good.reason);
    else
        try_all();
    /* The trial continues with a clear VMCS. */
    if (vmptrst_try(&vmcs).fault == FAULT_NONE && vmclear(hpa(vmcs)) == VMX_SUCCEED &&
        vmptrld(hpa(vmcs)) == VMX_SUCCEED)
        write_fields(&trial);
}
