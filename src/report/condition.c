/* See condition.h. */
#include "report/condition.h"

#include "check/comparison.h"
#include "x86/msr.h"
#include "x86/vmx_capabilities.h"
#include "x86/vt_d.h"

/* ---- Readings ---------------------------------------------------------------------- */

/* Returns the bits of a capability group that the condition is about. */
static uint64_t capability_value(const struct hypervisor_question *question,
                                 const struct condition *condition)
{
    const struct capability_bits *group = question->usable.group;

    if (condition->reading == READ_MUST_BE_1 || condition->reading == READ_VCPU_ZEROS)
        return group[condition->where].must_be_1;
    if (condition->reading != READ_PAIR)
        return group[condition->where].may_be_1;
    bool has_entry = (group[GROUP_VM_ENTRY].may_be_1 & condition->mask) != 0;
    bool has_exit  = (group[GROUP_VM_EXIT].may_be_1 & condition->where) != 0;
    return has_entry == has_exit ? condition->mask : 0;
}

void hypervisor_question_prepare(const struct report_facts *facts,
                                 struct hypervisor_question *question)
{
    *question = (struct hypervisor_question){.facts = facts};
    question->has_capabilities =
        comparison_usable(facts->records, facts->count, &question->usable);
    question->has_unseen = facts->unseen != NULL;
    for (size_t i = 0; i < facts->count; i++)
        question->has_unseen |= facts->records[i].answer != CPU_ANSWERED;
}

/* Reads whether a CPU has what Hymir's guests need; its trial tells if it ended. */
static struct msr_reading guests_reading(const struct cpu_record *record)
{
    TEXT_DECLARE(missing, 256);

    if (record->judgement.word != VERDICT_READY)
        return (struct msr_reading){.state = MSR_NOT_READ};
    return (struct msr_reading){
        .value = record->virtualization->find_missing(record, &missing) == STATUS_OK,
        .state = MSR_READ};
}

/* Reads CPUID, an MSR, the verdict or the abilities of a CPU. */
static struct msr_reading plain_reading(const struct cpu_record *record,
                                        const struct condition *condition)
{
    const char *cpuid = (const char *)&record->cpuid;

    if (condition->reading == READ_MSR)
        return record_msr(record, condition->where);
    if (condition->reading == READ_GUESTS)
        return guests_reading(record);
    uint64_t value = condition->reading == READ_WORD
                         ? BIT(record->judgement.word)
                         : *(const uint32_t *)(cpuid + condition->where);
    return (struct msr_reading){.value = value, .state = MSR_READ};
}

static bool holds_for(const struct condition *condition, uint64_t field)
{
    return field - condition->first <= condition->last - condition->first;
}

/* Returns whether the low half of a VMX MSR reports controls that must be 1. */
static bool is_msr_of_controls(uint32_t msr)
{
    return (msr >= MSR_IA32_VMX_PINBASED_CTLS && msr <= MSR_IA32_VMX_ENTRY_CTLS) ||
           msr == MSR_IA32_VMX_PROCBASED_CTLS2;
}

/* Returns the bits of a VMX MSR that software uses on a CPU: READ_IN_USE. */
static uint64_t bits_in_use(const struct cpu_record *record,
                            const struct condition *condition)
{
    const uint64_t value    = record_msr(record, condition->where).value;
    const struct drop *drop = condition->drops;
    uint64_t used           = value & condition->mask;

    if (is_msr_of_controls(condition->where))
        used = (value >> 32 & condition->mask) | (value & UINT32_MAX);
    for (; drop != NULL && drop->msr != 0; drop++) {
        uint64_t field = plain_reading(record, &drop->unless).value & drop->unless.mask;
        if (drop->msr == condition->where && !holds_for(&drop->unless, field))
            used &= ~drop->bits;
    }
    return used;
}

/* Reads what a condition tests on a CPU, masked. */
static struct msr_reading cpu_reading(const struct cpu_record *record,
                                      const struct condition *condition)
{
    bool is_used               = condition->reading == READ_IN_USE;
    struct msr_reading reading = is_used ? record_msr(record, MSR_IA32_VMX_BASIC)
                                         : plain_reading(record, condition);

    reading.value =
        is_used ? bits_in_use(record, condition) : reading.value & condition->mask;
    return reading;
}

/* ---- Conditions -------------------------------------------------------------------- */

/* Adds a value that is masked already. */
static void tally_add(struct tally *tally, bool is_known, uint64_t field)
{
    const struct condition *condition = tally->condition;

    if (is_known && !tally->has_first)
        tally->first = field;
    tally->has_first |= is_known;
    bool holds = holds_for(condition, field);
    if (condition->agreement == AGREEMENT_SAME)
        holds = holds && field == tally->first;
    if (condition->agreement == AGREEMENT_AS_FIRST)
        holds = holds && (tally->first & ~field) == 0;
    tally->has_unknown |= !is_known;
    tally->has_passed |= holds;
    tally->has_failed |= is_known && !holds;
}

/*
 * Adds each CPU that answered and, to its verdict, each that did not finish. The other
 * CPUs count as unknown, where CPUs are compared and for their verdicts.
 */
static void tally_add_cpus(struct tally *tally,
                           const struct hypervisor_question *question)
{
    const struct condition *condition = tally->condition;
    const struct report_facts *facts  = question->facts;
    bool is_word                      = condition->reading == READ_WORD;

    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        if (record->answer != CPU_ANSWERED &&
            !(is_word && record->answer == CPU_DID_NOT_FINISH))
            continue;
        struct msr_reading reading = cpu_reading(record, condition);
        if (reading.state == MSR_READ)
            tally_add(tally, true, reading.value);
        else
            tally->has_unknown = true;
    }
    tally->has_unknown |=
        (is_word || condition->agreement != AGREEMENT_NONE) && question->has_unseen;
}

/* Adds each unit of VT-d or AMD-Vi; without ACPI there may be others. */
static void tally_add_units(struct tally *tally, const struct report_facts *facts)
{
    enum reading reading = tally->condition->reading;
    bool is_answer       = reading == READ_UNIT_ANSWERS || reading == READ_AMD_VI_ANSWERS;
    const struct iommu_table *table =
        reading >= READ_AMD_VI_UNIT ? &facts->iommus->amd_vi : &facts->iommus->vt_d;

    tally->has_unknown =
        table->is_broken || table->dropped > 0 || (is_answer && !facts->has_acpi);
    for (size_t i = 0; i < table->count; i++) {
        const struct iommu_unit *unit = &table->unit[i];
        const char *member            = (const char *)unit + tally->condition->where;
        uint64_t widths = unit->capability & (VT_D_CAP_39_BITS | VT_D_CAP_48_BITS);
        uint64_t value =
            reading == READ_UNIT_WIDTH ? widths & -widths : *(const uint64_t *)member;
        tally_add(tally, is_answer || unit->answers,
                  (is_answer ? unit->answers : value) & tally->condition->mask);
    }
    if (is_answer && table->count == 0)
        tally_add(tally, !tally->has_unknown, 0);
}

/* Adds the only value of a reading of the whole machine. */
static void tally_add_machine(struct tally *tally,
                              const struct hypervisor_question *question)
{
    const struct report_facts *facts = question->facts;
    enum reading reading             = tally->condition->reading;
    bool are_enough_cpus             = facts->count >= tally->condition->first;
    const struct {
        uint64_t value;
        bool is_known;
    } values[] = {
        [READ_NOTHING] = {0, false},
        [READ_CPUS]    = {facts->count, facts->unseen == NULL || are_enough_cpus},
        [READ_RAM]     = {facts->ram_bytes, facts->ram_bytes != 0},
        [READ_DMAR]    = {facts->iommus->vt_d.exists, true},
        [READ_IVRS]    = {facts->iommus->amd_vi.exists, true},
    };

    tally_add(tally, values[reading].is_known,
              values[reading].value & tally->condition->mask);
}

struct tally condition_tally(const struct condition *condition,
                             const struct hypervisor_question *question)
{
    struct tally tally = {.condition = condition};

    if (condition->reading >= READ_MAY_BE_1)
        tally_add(&tally, question->has_capabilities,
                  capability_value(question, condition) & condition->mask);
    else if (condition->reading >= READ_UNIT)
        tally_add_units(&tally, question->facts);
    else if (condition->reading >= READ_CPUID)
        tally_add_cpus(&tally, question);
    else
        tally_add_machine(&tally, question);
    if (condition->agreement == AGREEMENT_ANY && tally.has_passed)
        tally.has_failed = tally.has_unknown = false;
    return tally;
}
