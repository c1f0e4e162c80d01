/* See verdict.h. */
#include "check/verdict.h"

#include "check/outer_hypervisor.h"

const char *verdict_name(enum verdict_word word)
{
    static const char *const names[] = {
        [VERDICT_NONE]                 = "FAILED",
        [VERDICT_READY]                = "READY",
        [VERDICT_NOT_INTEL]            = "NOT-INTEL",
        [VERDICT_NO_VMX]               = "NO-VMX",
        [VERDICT_HIDDEN_BY_HYPERVISOR] = "HIDDEN-BY-HYPERVISOR",
        [VERDICT_LOCKED_OFF]           = "LOCKED-OFF",
        [VERDICT_TXT_ONLY]             = "TXT-ONLY",
        [VERDICT_UNLOCKED]             = "UNLOCKED",
        [VERDICT_MIXED]                = "MIXED",
        [VERDICT_FAILED]               = "FAILED",
    };
    _Static_assert(ARRAY_SIZE(names) == VERDICT_WORDS, "one name for each word");
    return names[word];
}

/* Returns the check that a record failed, or NULL if it passed all. */
static const struct check_row *failed_check(const struct cpu_record *record)
{
    const struct virtualization *virtualization = record->virtualization;
    size_t failed                               = record->judgement.failed_check;

    return failed < virtualization->check_count ? &virtualization->checks[failed] : NULL;
}

void verdict_judge_cpu(struct cpu_record *record)
{
    const struct virtualization *virtualization = record->virtualization;
    size_t i                                    = 0;
    TEXT_DECLARE(detail, 256);

    record->judgement = (struct cpu_judgement){VERDICT_FAILED, 0};
    if (record->answer != CPU_ANSWERED)
        return;
    while (i < virtualization->check_count &&
           virtualization->checks[i].passes(record, &detail))
        i++;
    record->judgement.failed_check = i;
    const struct check_row *failed = failed_check(record);
    if (failed == NULL)
        record->judgement.word = VERDICT_READY;
    else if (failed->word != NULL)
        record->judgement.word = failed->word(record);
}

/* Appends what is wrong with a CPU that is not READY. */
static void append_finding(const struct cpu_record *record, struct text *text)
{
    static const char *const answers[] = {
        [CPU_NO_ANSWER]      = "no answer to INIT-SIPI-SIPI",
        [CPU_NOT_ADDRESSED]  = "not reachable: its APIC ID needs x2APIC mode",
        [CPU_DID_NOT_FINISH] = "started, but did not finish the check",
    };

    if (record->answer != CPU_ANSWERED) {
        text_append(text, "%s", answers[record->answer]);
        return;
    }
    const struct check_row *check = failed_check(record);
    if (check == NULL)
        return;
    if (check->is_value)
        text_append(text, "%s = ", check->name);
    (void)check->passes(record, text);
    if (check->append_state != NULL)
        check->append_state(record, text);
}

void verdict_describe_cpu(const struct cpu_record *record, struct text *text)
{
    if (verdict_is_ready(record)) {
        text_append(text, "ok");
        return;
    }
    text_append(text, "%s: ", verdict_name(record->judgement.word));
    append_finding(record, text);
}

/* Returns what to do after a step failed that works on a correct machine. */
static const char *advice_after_failure(const struct cpu_record *record)
{
    if (record->answer == CPU_ANSWERED) {
        const struct check_row *check = failed_check(record);
        const char *advice =
            check != NULL && check->advice != NULL ? check->advice(record) : NULL;
        if (advice != NULL)
            return advice;
        if (cpuid_has_hypervisor(&record->cpuid))
            return "the outer hypervisor's nesting is incomplete; update it, or boot "
                   "Hymir on the bare machine";
    }
    return "update the firmware; if that does not help, report this with the whole log";
}

/* Appends what to do about a lock that firmware, real or virtual, set. */
static void append_firmware_advice(const struct cpu_record *record, const char *machine,
                                   const char *setting, struct text *text)
{
    if (cpuid_has_hypervisor(&record->cpuid))
        outer_hypervisor_advise(record, machine, "locks", text);
    else
        text_append(text,
                    "%s in the firmware setup, save and power off fully: a warm reboot "
                    "is not enough",
                    setting);
}

static void append_vendor_advice(const struct cpu_record *record, struct text *text)
{
    char vendor[CPUID_VENDOR_SIZE];

    cpuid_vendor(&record->cpuid, vendor);
    text_append(text,
                "%s processors have AMD-V, not VT-x; use an Intel machine, or a "
                "hypervisor for AMD-V",
                vendor);
    if (cpuid_has_hypervisor(&record->cpuid))
        text_append(text, "; this is a virtual machine: on an Intel host give it the "
                          "host's CPU model");
}

static void append_advice(const struct cpu_record *record, const char *machine,
                          struct text *text)
{
    const struct virtualization *virtualization = record->virtualization;

    switch (record->judgement.word) {
    case VERDICT_NOT_INTEL:
        append_vendor_advice(record, text);
        break;
    case VERDICT_NO_VMX:
        text_append(text,
                    "this processor has no %s, or firmware hides it; %s in the firmware "
                    "setup (in a virtual machine: nested virtualization) or use another "
                    "machine",
                    virtualization->name, virtualization->setting);
        break;
    case VERDICT_HIDDEN_BY_HYPERVISOR:
        outer_hypervisor_advise(record, machine, "hides", text);
        break;
    case VERDICT_LOCKED_OFF:
        append_firmware_advice(record, machine, virtualization->setting, text);
        break;
    case VERDICT_TXT_ONLY:
        append_firmware_advice(record, machine,
                               "VT-x works only after a TXT launch; enable VT-x outside "
                               "TXT, or switch TXT off,",
                               text);
        break;
    case VERDICT_UNLOCKED:
        text_append(text,
                    "%s is present but not enabled, and nolock prevents Hymir from "
                    "enabling it; boot without nolock",
                    virtualization->name);
        break;
    case VERDICT_NONE:
    case VERDICT_READY:
    case VERDICT_MIXED:
    case VERDICT_FAILED:
    case VERDICT_WORDS:
        text_append(text, "%s", advice_after_failure(record));
        break;
    }
}

static size_t count_word(const struct cpu_record *records, size_t count,
                         enum verdict_word word)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += records[i].judgement.word == word ? 1 : 0;
    return found;
}

static void append_scope(const struct verdict_scope *scope, struct text *text)
{
    if (scope->nosmp)
        text_append(text, "; nosmp: only the boot CPU was checked");
    else if (scope->no_cpu_list)
        text_append(text, "; no MADT: only the boot CPU was checked");
    else if (scope->broken_cpu_list)
        text_append(text,
                    "; malformed MADT entry: CPUs listed after it were not checked");
    else if (scope->no_start)
        text_append(text, "; the other CPUs could not be started: only the boot CPU was "
                          "checked");
    if (scope->dropped > 0)
        text_append(text,
                    "; %zu more CPUs are beyond what Hymir supports or has memory for, "
                    "and were not checked",
                    scope->dropped);
}

const char *verdict_unseen_cpus(const struct verdict_scope *scope)
{
    if (scope->nosmp)
        return "others were not looked for (nosmp)";
    if (scope->no_cpu_list)
        return "ACPI lists no CPUs";
    if (scope->broken_cpu_list)
        return "ACPI's list of CPUs is malformed";
    if (scope->no_start)
        return "others could not be started";
    return scope->dropped > 0 ? "there are more than Hymir supports" : NULL;
}

/* Appends how many CPUs are READY, and of a mixed machine what is wrong with the first
 * other one. */
static void append_ready(const struct cpu_record *records, size_t count,
                         const char *machine, struct text *text)
{
    size_t ready = count_word(records, count, VERDICT_READY);
    size_t other = 0;

    text_append(text, "%s on %zu of %zu CPUs", records[0].virtualization->success, ready,
                count);
    if (ready == count)
        return;
    while (verdict_is_ready(&records[other]))
        other++;
    text_append(text, "; cpu %zu (apic %u): ", other, records[other].apic_id);
    verdict_describe_cpu(&records[other], text);
    text_append(text, "; ");
    append_advice(&records[other], machine, text);
}

enum verdict_word verdict_decide(struct cpu_record *records, size_t count,
                                 const struct verdict_scope *scope, struct text *text)
{
    for (size_t i = 0; i < count; i++)
        verdict_judge_cpu(&records[i]);
    enum verdict_word word = records[0].judgement.word;
    if (count_word(records, count, word) != count)
        word = VERDICT_MIXED;
    if (word == VERDICT_MIXED || word == VERDICT_READY) {
        append_ready(records, count, scope->machine, text);
    } else {
        append_finding(&records[0], text);
        text_append(text, "; ");
        append_advice(&records[0], scope->machine, text);
    }
    records[0].virtualization->append_changes(records, count, text);
    append_scope(scope, text);
    return word;
}
