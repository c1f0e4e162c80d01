/* See hypervisors.h. */
#include "report/hypervisors.h"

#include "vmx/capability_rows.h"
#include "vmx/comparison.h"
#include "vmx/vcpu_controls.h"
#include "x86/msr.h"

const char *const requirement_state_names[REQUIREMENT_STATES] = {
    [REQUIREMENT_MET]     = "ok",
    [REQUIREMENT_MISSING] = "missing",
    [REQUIREMENT_UNKNOWN] = "unknown",
};

/* ---- VT-x: the only part that reads the vendor's registers ------------------------- */

void hypervisor_question_prepare(const struct report_facts *facts,
                                 struct hypervisor_question *question)
{
    *question = (struct hypervisor_question){.facts = facts};
    question->has_capabilities =
        comparison_usable(facts->records, facts->count, &question->usable);
}

static struct capability_bits usable_bits(const struct hypervisor_question *question,
                                          enum capability_group group)
{
    return capability_bits_of(&question->usable, group);
}

/* Returns the bits of a capability group that the condition is about. */
static uint64_t capability_value(const struct hypervisor_question *question,
                                 const struct condition *condition)
{
    if (condition->reading == READ_MUST_BE_1)
        return usable_bits(question, condition->where).must_be_1;
    if (condition->reading != READ_PAIR)
        return usable_bits(question, condition->where).may_be_1;
    uint64_t entry = usable_bits(question, GROUP_ENTRY).may_be_1 & condition->mask;
    uint64_t exit  = usable_bits(question, GROUP_EXIT).may_be_1 & condition->where;
    return (entry != 0) == (exit != 0) ? condition->mask : 0;
}

/* Returns the bits of the mask that are a requirement each. */
static uint64_t condition_bits(const struct condition *condition)
{
    if (condition->reading != READ_VCPU)
        return condition->mask;
    enum vmx_control kind = CONTROL_PIN_BASED;
    while (capability_group_of(kind) != condition->where)
        kind++;
    return vcpu_controls_required(kind);
}

/* Appends the names of the bits of a condition, and returns their kind. */
static const char *condition_append_names(const struct condition *condition,
                                          struct text *text)
{
    if (condition->reading == READ_PAIR) {
        text_append(text, "both or neither of \"%s\" and \"%s\"",
                    capability_name(GROUP_ENTRY, condition->mask),
                    capability_name(GROUP_EXIT, condition->where));
        return "VM-entry and VM-exit control";
    }
    if (condition->first != condition->last)
        text_append(text, "one of ");
    else if (condition->last == 0)
        text_append(text, "0 for ");
    for (uint64_t bits = condition->mask; bits != 0; bits &= bits - 1)
        text_append(text, "%s\"%s\"", bits == condition->mask ? "" : ", ",
                    capability_name(condition->where, bits & -bits));
    return capability_group_facts(condition->where)->singular;
}

/* Returns BIT(n) for each VMX MSR, VMX_MSR_FIRST + n, that is the same on all CPUs. */
static uint64_t vmx_msrs_alike(const struct report_facts *facts)
{
    uint64_t alike = 0;

    for (size_t row = 0; row < comparison_count(); row++) {
        uint32_t msr = comparison_vmx_msr(row);
        if (msr != 0 && !comparison_differs(row, facts->records, facts->count))
            alike |= BIT(msr - VMX_MSR_FIRST);
    }
    return alike;
}

static struct msr_reading cpu_reading(const struct vmx_record *record,
                                      const struct condition *condition)
{
    const struct vmx_snapshot *before = &record->before;
    const char *cpuid                 = (const char *)&before->cpuid;

    if (condition->reading == READ_MSR)
        return condition->where == MSR_IA32_FEATURE_CONTROL ? before->feature_control
                                                            : before->misc_enable;
    return (struct msr_reading){.value = *(const uint32_t *)(cpuid + condition->where),
                                .state = MSR_READ};
}

/* ---- Conditions -------------------------------------------------------------------- */

/* The outcome of a condition for the values so far. */
struct tally {
    const struct condition *condition;
    uint64_t first; /* the first value that counted, masked */
    bool has_unknown, has_passed;
    bool has_failed; /* for a known value */
};

static void tally_add(struct tally *tally, bool is_known, uint64_t value)
{
    const struct condition *condition = tally->condition;
    uint64_t field                    = value & condition->mask;

    if (!tally->has_passed && !tally->has_failed)
        tally->first = field;
    bool holds = field - condition->first <= condition->last - condition->first &&
                 (!condition->is_same || field == tally->first);
    tally->has_unknown |= !is_known;
    tally->has_passed |= holds;
    tally->has_failed |= is_known && !holds;
}

static bool are_all_cpus_seen(const struct report_facts *facts)
{
    bool are_seen = facts->unseen == NULL;

    for (size_t i = 0; i < facts->count; i++)
        are_seen &= facts->records[i].answer == CPU_ANSWERED;
    return are_seen;
}

/* Adds each CPU that answered; with is_same, the other CPUs count as unknown. */
static void tally_add_cpus(struct tally *tally, const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->records[i].answer != CPU_ANSWERED)
            continue;
        struct msr_reading reading = cpu_reading(&facts->records[i], tally->condition);
        tally_add(tally, reading.state == MSR_READ, reading.value);
    }
    tally->has_unknown |= tally->condition->is_same && !are_all_cpus_seen(facts);
}

/* Adds each VT-d unit; without ACPI there may be others. */
static void tally_add_units(struct tally *tally, const struct report_facts *facts)
{
    enum reading reading    = tally->condition->reading;
    bool is_answer          = reading == READ_UNIT_ANSWERS;
    const struct vt_d *vt_d = facts->vt_d;

    tally->has_unknown =
        vt_d->is_broken || vt_d->dropped > 0 || (is_answer && !facts->has_acpi);
    for (size_t i = 0; i < vt_d->count; i++) {
        const struct vt_d_unit *unit = &vt_d->unit[i];
        const char *member           = (const char *)unit + tally->condition->where;
        uint64_t widths = unit->capability & (VT_D_CAP_39_BITS | VT_D_CAP_48_BITS);
        uint64_t value =
            reading == READ_UNIT_WIDTH ? widths & -widths : *(const uint64_t *)member;
        tally_add(tally, is_answer || unit->answers, is_answer ? unit->answers : value);
    }
    if (is_answer && vt_d->count == 0)
        tally_add(tally, !tally->has_unknown, 0);
}

static struct tally condition_tally(const struct condition *condition,
                                    const struct hypervisor_question *question)
{
    const struct report_facts *facts = question->facts;
    struct tally tally               = {.condition = condition};

    switch (condition->reading) {
    case READ_NOTHING:
        tally_add(&tally, false, 0);
        break;
    case READ_VERDICT:
        tally_add(&tally, true, BIT(facts->verdict));
        break;
    case READ_CPUS:
        tally_add(&tally, facts->unseen == NULL || facts->count >= condition->first,
                  facts->count);
        break;
    case READ_RAM:
        tally_add(&tally, true, facts->ram_bytes);
        break;
    case READ_DMAR:
        tally_add(&tally, true, facts->vt_d->has_table);
        break;
    case READ_ALIKE:
        tally_add(&tally, question->has_capabilities, vmx_msrs_alike(facts));
        tally.has_unknown |= !are_all_cpus_seen(facts);
        break;
    case READ_CPUID:
    case READ_MSR:
        tally_add_cpus(&tally, facts);
        break;
    case READ_UNIT:
    case READ_UNIT_WIDTH:
    case READ_UNIT_ANSWERS:
        tally_add_units(&tally, facts);
        break;
    case READ_MAY_BE_1:
    case READ_MUST_BE_1:
    case READ_VCPU:
    case READ_PAIR:
        tally_add(&tally, question->has_capabilities,
                  capability_value(question, condition));
        break;
    }
    return tally;
}

static enum requirement_state tally_state(const struct tally *tally)
{
    if (tally->has_failed)
        return REQUIREMENT_MISSING;
    return tally->has_unknown || !tally->has_passed ? REQUIREMENT_UNKNOWN
                                                    : REQUIREMENT_MET;
}

/* ---- Answers ----------------------------------------------------------------------- */

void requirement_append(const struct requirement_answer *answer, struct text *text)
{
    text_append(text, "%s", answer->name);
    if (answer->kind[0] != '\0')
        text_append(text, " (%s)", answer->kind);
}

static enum requirement_state state_worse(enum requirement_state a,
                                          enum requirement_state b)
{
    return a == REQUIREMENT_MISSING || b == REQUIREMENT_MET ? a : b;
}

#define KIND_SIZE (REQUIREMENT_TEXT_SIZE - REQUIREMENT_NAME_SIZE)

static enum requirement_state
requirement_report_answer(const struct requirement *requirement,
                          const struct hypervisor_question *question,
                          requirement_visit *visit, void *context)
{
    struct tally tally           = condition_tally(&requirement->condition, question);
    enum requirement_state state = tally_state(&tally);
    const char *words = requirement->premise == NULL ? "" : requirement->premise->words;
    const char *kind  = requirement->kind;
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);
    TEXT_DECLARE(kinds, KIND_SIZE);

    if (requirement->condition.reading == READ_CPUS && state == REQUIREMENT_UNKNOWN)
        kind = question->facts->unseen;
    if (requirement->name == NULL)
        kind = condition_append_names(&requirement->condition, &name);
    else
        text_append(&name, "%s", requirement->name);
    text_append(&kinds, "%s%s%s", kind, kind[0] != '\0' && words[0] != '\0' ? ", " : "",
                words);
    if (visit != NULL)
        visit(&(struct requirement_answer){name.buffer, kinds.buffer, state}, context);
    return state;
}

/* Reports a requirement, or each of its bits. */
static enum requirement_state
requirement_report_bits(struct requirement requirement,
                        const struct hypervisor_question *question,
                        requirement_visit *visit, void *context)
{
    enum requirement_state worst = REQUIREMENT_MET;
    struct condition *condition  = &requirement.condition;
    uint64_t value               = condition->last;

    if (requirement.name != NULL || condition->first != value)
        return requirement_report_answer(&requirement, question, visit, context);
    for (uint64_t bits = condition_bits(condition); bits != 0; bits &= bits - 1) {
        condition->mask  = bits & -bits;
        condition->first = condition->last = value & condition->mask;
        worst                              = state_worse(
                                         worst, requirement_report_answer(&requirement, question, visit, context));
    }
    return worst;
}

enum requirement_state
requirement_source_visit(const struct requirement_source *source,
                         const struct hypervisor_question *question,
                         requirement_visit *visit, void *context)
{
    enum requirement_state worst = REQUIREMENT_MET;

    for (size_t i = 0; i < source->count; i++) {
        const struct premise *premise = source->requirements[i].premise;
        if (premise == NULL || condition_tally(&premise->condition, question).has_passed)
            worst = state_worse(worst, requirement_report_bits(source->requirements[i],
                                                               question, visit, context));
    }
    return worst;
}

enum requirement_state hypervisor_visit(enum hypervisor hypervisor,
                                        const struct hypervisor_question *question,
                                        requirement_visit *visit, void *context)
{
    enum requirement_state worst = REQUIREMENT_MET;

    for (size_t i = 0; i < requirement_source_count; i++) {
        const struct requirement_source *source = &requirement_sources[i];
        if (source->hypervisor == hypervisor)
            worst = state_worse(
                worst, requirement_source_visit(source, question, visit, context));
    }
    return worst;
}
