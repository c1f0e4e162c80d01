/*
 * selftest=entries on AMD-V: each rule of VMRUN is violated, and just satisfied, in an
 * otherwise good VMCB, and the processor's answer compared with that of the rules. A
 * guest that is entered exits at once, at its first HLT or exception.
 */
#include "selftest.h"

#include "cpu/msr.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "svm/entry_rules.h"
#include "svm/vcpu.h"
#include "x86/msr.h"

#define HLT              0xF4
#define BOCHS_DEBUG_PORT 0xE9 /* which reads as its number */

/* The pages of the test, which are allocated. */
struct pages {
    struct vmcb guest, host;
    uint8_t code[PAGE_SIZE];
    struct entry_snapshot snapshot;
};

/* What was counted: violations that the processor refused, of all. */
struct count {
    uint32_t entries, disagreements, violated, enforced;
};

/* A function of its own: tests/style/faults compares the names of functions. */
static struct cpuid_result read_cpuid_of_processor(uint32_t leaf, uint32_t subleaf)
{
    return cpuid(leaf, subleaf);
}

/* ---- The good VMCB */

static void make_vmcb(struct pages *pages)
{
    struct vmcb *vmcb             = &pages->guest;
    const struct vcpu_start start = {
        .rip  = hpa_of(pages->code).value,
        .cr0  = read_cr0(),
        .cr3  = read_cr3(),
        .cr4  = read_cr4(),
        .efer = rdmsr(MSR_IA32_EFER),
        .code = {SELECTOR_CODE, UINT32_MAX, ACCESS_RIGHTS_CODE_64, 0},
        .data = {SELECTOR_DATA, UINT32_MAX, ACCESS_RIGHTS_OF(DATA_DESCRIPTOR_32), 0},
    };

    memset(vmcb, 0, sizeof(*vmcb));
    memset(pages->code, HLT, sizeof(pages->code));
    vmcb->intercept_1 =
        (uint32_t)(INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_HLT | INTERCEPT_SHUTDOWN);
    vmcb->intercept_2          = INTERCEPT_VMRUN;
    vmcb->intercept_exceptions = UINT32_MAX;
    vmcb->asid                 = 1;
    vmcb->tlb_control          = TLB_CONTROL_FLUSH_ALL;
    vmcb->nested_cr3           = vmcb->cr3;
    svm_registers_write(vmcb, &start);
}

static void take_snapshot(struct pages *pages)
{
    struct entry_snapshot *snapshot = &pages->snapshot;

    make_vmcb(pages);
    memset(snapshot, 0, sizeof(*snapshot));
    svm_entry_set_controls(snapshot, &pages->guest);
    svm_entry_set_state(snapshot, &pages->guest);
    svm_entry_set_cpuid(snapshot, read_cpuid_of_processor);
    entry_snapshot_set(snapshot, SVM_VALUE_HOST_CR0, read_cr0());
    entry_snapshot_set(snapshot, SVM_VALUE_U_CET, 0);
}

static void write_fields(struct vmcb *vmcb, const struct entry_snapshot *snapshot)
{
#define WRITE_FIELD(constant, member, ...) \
    memcpy(&vmcb->member, &snapshot->value[SVM_VALUE_##constant], sizeof(vmcb->member));
    SVM_ENTRY_CONTROLS(WRITE_FIELD)
    SVM_ENTRY_STATE(WRITE_FIELD)
#undef WRITE_FIELD
}

/* ---- Perturbations */

static void set_bits(struct entry_snapshot *snapshot, uint32_t value, uint64_t mask,
                     uint64_t content)
{
    entry_snapshot_set(snapshot, value, (snapshot->value[value] & ~mask) | content);
}

/* Meets the conditions of a rule; returns false if the processor decides one. */
static bool meet_conditions(const struct entry_rule *rule,
                            struct entry_snapshot *snapshot)
{
    for (size_t i = 0; i < ENTRY_CONDITIONS; i++) {
        const struct entry_condition *condition = &rule->when[i];
        uint64_t bit                            = BIT(condition->bit);
        bool is_field = condition->value < SVM_VALUE_PHYSICAL_WIDTH;

        if (condition->value == ENTRY_VALUE_NONE)
            break;
        if (is_field)
            set_bits(snapshot, condition->value, bit, condition->is_set ? bit : 0);
        else if (condition->value != SVM_VALUE_LACKING &&
                 ((snapshot->value[condition->value] & bit) != 0) != condition->is_set)
            return false;
    }
    return true;
}

/* What violates the rules with a test of their own. */
static const struct {
    const char *rule;
    uint64_t content;
} ways[] = {
    {"event-type", EVENT_VALID | UINT64_C(1) << 8 | 2},
    {"event-vector", EVENT_VALID | EVENT_EXCEPTION | 2},
    {"event-bound", EVENT_VALID | EVENT_EXCEPTION | 5},
    {"s-cet-reserved", BIT(4)},
    {"g-pat-types", 2},
};

static void violate(const struct entry_rule *rule, uint32_t value,
                    struct entry_snapshot *snapshot)
{
    uint64_t width = snapshot->value[SVM_VALUE_PHYSICAL_WIDTH];
    uint64_t low   = rule->mask & -rule->mask;

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        if (strcmp(ways[i].rule, rule->name) == 0)
            set_bits(snapshot, value, UINT64_MAX, ways[i].content);
    }
    if (rule->test == entry_test_equal)
        set_bits(snapshot, value, low, low & ~rule->expected);
    else if (rule->test == entry_test_not_zero)
        set_bits(snapshot, value, rule->mask, 0);
    else if (rule->test == entry_test_below)
        set_bits(snapshot, value, rule->mask, rule->expected + 1);
    else if (rule->test == entry_test_address)
        set_bits(snapshot, value, 0, BIT(width));
    else if (strcmp(rule->name, "asid-supported") == 0)
        set_bits(snapshot, value, UINT64_MAX, snapshot->value[rule->other]);
    else if (rule->expected != 0) /* the size of a table */
        set_bits(snapshot, value, UINT64_MAX, BIT(width) - rule->expected + PAGE_SIZE);
}

/* ---- The processor's answer */

static enum run_next stop_at_exit(struct vcpu_run *run)
{
    (void)run;
    return RUN_STOP;
}

/* Returns whether the processor enters the guest. */
static bool enter(struct pages *pages)
{
    struct vcpu_run run = {.on_exit = stop_at_exit};

    make_vmcb(pages);
    write_fields(&pages->guest, &pages->snapshot);
    svm_run(&run, &pages->guest, &pages->host);
    return !SVM_EXIT_IS_INVALID(pages->guest.exit_code);
}

/* Lets the rules and the processor judge. */
static void compare(struct pages *pages, const char *what, const char *name,
                    struct count *count)
{
    bool is_violated =
        entry_judge(&svm_entry_rules, &pages->snapshot, ENTRY_ALL_PHASES, NULL, NULL)
            .verdicts[ENTRY_VIOLATED] > 0;
    bool is_entered = enter(pages);

    count->entries++;
    count->violated += is_violated ? 1U : 0U;
    count->enforced += is_violated && !is_entered ? 1U : 0U;
    if (is_violated != is_entered)
        return;
    count->disagreements++;
    log_plain("selftest: entries: %s %s: %s", name, what,
              is_entered ? "a violation, but the guest was entered"
                         : "no violation, but VMRUN failed");
}

/* Returns whether Bochs would end: with a panic because CR0.PE is 0 in long mode. */
static bool ends_bochs(const struct entry_rule *rule)
{
    return strcmp(rule->name, "long-mode-pe") == 0 &&
           io_in8(BOCHS_DEBUG_PORT) == BOCHS_DEBUG_PORT;
}

static void try_rule(struct pages *pages, const struct entry_rule *rule,
                     uint32_t instance, struct count *count)
{
    struct entry_snapshot *snapshot = &pages->snapshot;
    uint32_t value                  = rule->value + instance;
    bool is_of_feature              = rule->when[0].value == value;

    take_snapshot(pages);
    if (value >= SVM_VALUE_PHYSICAL_WIDTH || ends_bochs(rule) ||
        !meet_conditions(rule, snapshot))
        return;
    if (!is_of_feature)
        compare(pages, "satisfied", rule->name, count);
    violate(rule, value, snapshot);
    compare(pages, "violated", rule->name, count);
}

static void try_rules(struct pages *pages)
{
    struct count count = {0};

    for (size_t i = 0; i < svm_entry_rules.section_count; i++) {
        const struct entry_section *section = svm_entry_rules.sections[i];
        for (size_t j = 0; j < section->count; j++) {
            const struct entry_rule *rule = &section->rules[j];
            for (uint32_t k = 0; k < entry_rule_value_count(rule); k++)
                try_rule(pages, rule, k, &count);
        }
    }
    log_plain("selftest: entries: %u entries, %u disagreements; checks that this machine "
              "enforces: %u of %u",
              count.entries, count.disagreements, count.enforced, count.violated);
}

void selftest_try_vmrun_rules(void)
{
    static const struct frame_zone anywhere = {.start = 0, .end = UINT64_MAX};
    uint64_t size                           = sizeof(struct pages);
    void *pages;

    if (memory_allocate(align_up(size, PAGE_SIZE) / PAGE_SIZE, anywhere, &pages) !=
        STATUS_OK)
        return;
    try_rules(pages);
}
