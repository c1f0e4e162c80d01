/* See verdict.h. */
#include "check/verdict.h"

#include "check/outer_hypervisor.h"
#include "lib/string.h"

const char *verdict_name(enum verdict_word word)
{
    static const char *const names[] = {
        [VERDICT_NONE]                 = "FAILED",
        [VERDICT_READY]                = "READY",
        [VERDICT_NO_VIRTUALIZATION]    = "NO-VIRTUALIZATION",
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

    while (i < virtualization->check_count &&
           virtualization->checks[i].passes(record, &detail))
        i++;
    record->judgement              = (struct cpu_judgement){VERDICT_FAILED, i};
    const struct check_row *failed = failed_check(record);
    if (record->answer == CPU_ANSWERED && (failed == NULL || failed->word != NULL))
        record->judgement.word = failed == NULL ? VERDICT_READY : failed->word(record);
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
    TEXT_DECLARE(detail, 256);
    (void)check->passes(record, &detail);
    if (string_starts_with(detail.buffer, "0x"))
        text_append(text, "%s = ", check->name);
    text_append(text, "%s", detail.buffer);
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

/* Appends what to do about a step that succeeds on a working machine. */
static void append_failure_advice(const struct cpu_record *record, const char *machine,
                                  struct text *text)
{
    bool has_answered             = record->answer == CPU_ANSWERED;
    bool is_nested                = has_answered && cpuid_has_hypervisor(&record->cpuid);
    const struct check_row *check = has_answered ? failed_check(record) : NULL;
    const char *advice =
        check != NULL && check->advice != NULL ? check->advice(record) : NULL;

    if (advice != NULL)
        text_append(text, "%s", advice);
    else if (is_nested && check != NULL && check->is_withheld != NULL &&
             check->is_withheld(record))
        outer_hypervisor_advise(record, machine, "announces but withholds", text);
    else if (is_nested)
        text_append(text, "nested virtualization is incomplete; update the outer "
                          "hypervisor or boot Hymir on the physical machine");
    else
        text_append(text, "update the firmware; if it still fails, report this with the "
                          "complete log");
}

/* Appends which technology the processor offers, if any, and what to do. */
static void append_absence_advice(const struct cpu_record *record, struct text *text)
{
    bool has_vmx = (record->cpuid.leaf_1.ecx & CPUID_1_ECX_VMX) != 0;
    bool has_svm = (record->cpuid.leaf_80000001.ecx & CPUID_80000001_ECX_SVM) != 0;
    char vendor[CPUID_VENDOR_SIZE];

    cpuid_vendor(&record->cpuid, vendor);
    text_append(text, "this %s processor offers ", vendor);
    if (has_vmx || has_svm)
        text_append(text, "%s, not %s; use another machine", has_vmx ? "VT-x" : "AMD-V",
                    record->virtualization->name);
    else
        text_append(text,
                    "neither VT-x nor AMD-V; %s in the firmware setup (in a virtual "
                    "machine: nested virtualization) or use another machine",
                    record->virtualization->setting);
}

/*
 * Appends how to undo a lock of firmware. In a virtual machine that is its own firmware:
 * CPUID offers virtualization, so the outer hypervisor nests.
 */
static void append_lock_advice(const struct cpu_record *record, struct text *text)
{
    bool is_nested      = cpuid_has_hypervisor(&record->cpuid);
    const char *setting = record->judgement.word == VERDICT_LOCKED_OFF
                              ? record->virtualization->setting
                              : "enable virtualization outside TXT or disable TXT";

    text_append(text,
                "%s%s in the %s, save, and power off completely; a warm reboot is "
                "not enough",
                is_nested ? "nested virtualization is on; " : "", setting,
                is_nested ? "setup of the virtual machine's own firmware, or replace it"
                          : "firmware setup");
}

/* Appends what to do about a CPU that is not READY. */
static void append_advice(const struct cpu_record *record, const char *machine,
                          struct text *text)
{
    enum verdict_word word = record->judgement.word;

    if (word == VERDICT_HIDDEN_BY_HYPERVISOR)
        outer_hypervisor_advise(record, machine, "hides", text);
    else if (word == VERDICT_LOCKED_OFF || word == VERDICT_TXT_ONLY)
        append_lock_advice(record, text);
    else if (word == VERDICT_NO_VIRTUALIZATION)
        append_absence_advice(record, text);
    else if (word == VERDICT_UNLOCKED)
        text_append(text,
                    "%s is present but not enabled, and nolock prevents Hymir from "
                    "enabling it; boot without nolock",
                    record->virtualization->name);
    else
        append_failure_advice(record, machine, text);
}

size_t verdict_count(const struct cpu_record *records, size_t count,
                     enum verdict_word word)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += records[i].judgement.word == word ? 1 : 0;
    return found;
}

/* Why only some CPUs were checked. */
struct limit {
    const char *reason; /* for a requirement of several CPUs */
    const char *text;   /* for the verdict */
};

/* Returns what limited the check to some CPUs, or NULL. */
static const struct limit *find_limit(const struct verdict_scope *scope)
{
    static const struct limit limits[] = {
        {"other CPUs were not checked (nosmp)", "nosmp: only the boot CPU was checked"},
        {"ACPI lists no CPUs", "no MADT: only the boot CPU was checked"},
        {"ACPI's list of CPUs is malformed",
         "malformed MADT entry: CPUs listed after it were not checked"},
        {"the other CPUs could not be started",
         "the other CPUs could not be started: only the boot CPU was checked"},
    };
    const bool applies[ARRAY_SIZE(limits)] = {scope->nosmp, scope->no_cpu_list,
                                              scope->broken_cpu_list, scope->no_start};

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        if (applies[i])
            return &limits[i];
    }
    return NULL;
}

static void append_scope(const struct verdict_scope *scope, struct text *text)
{
    const struct limit *limit = find_limit(scope);

    if (limit != NULL)
        text_append(text, "; %s", limit->text);
    if (scope->dropped > 0)
        text_append(text,
                    "; %zu more CPUs exceed Hymir's limit or memory and were not checked",
                    scope->dropped);
}

const char *verdict_unseen_cpus(const struct verdict_scope *scope)
{
    const struct limit *limit = find_limit(scope);
    const char *dropped =
        scope->dropped > 0 ? "there are more than Hymir supports" : NULL;
    return limit != NULL ? limit->reason : dropped;
}

/* Appends the number of READY CPUs, and what is wrong with the first other one. */
static void append_ready(const struct cpu_record *records, size_t count,
                         const char *machine, struct text *text)
{
    size_t ready = verdict_count(records, count, VERDICT_READY);
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

/* Appends the first difference in what firmware permitted. */
static void append_difference(const struct cpu_record *records, size_t count,
                              struct text *text)
{
    const struct register_row *row = &records[0].virtualization->firmware_setting;
    struct msr_reading boot_cpu    = record_register(&records[0], row);

    for (size_t i = 1; i < count; i++) {
        struct msr_reading found = record_register(&records[i], row);
        if (boot_cpu.state != MSR_READ || found.state != MSR_READ ||
            found.value == boot_cpu.value)
            continue;
        text_append(text, "; firmware left %s = 0x%lx on cpu 0 and 0x%lx on cpu %zu",
                    row->name, boot_cpu.value, found.value, i);
        return;
    }
}

/* Appends on how many CPUs Hymir removed firmware's limit of CPUID, if on any. */
static void append_cpuid_limit(const struct cpu_record *records, size_t count,
                               struct text *text)
{
    size_t limited = 0;

    for (size_t i = 0; i < count; i++)
        limited += records[i].had_cpuid_limit ? 1 : 0;
    if (limited > 0)
        text_append(text,
                    "; firmware limits CPUID on %zu of %zu CPUs (\"Limit CPUID Maximum\" "
                    "in its setup); Hymir removed the limit",
                    limited, count);
}

enum verdict_word verdict_decide(struct cpu_record *records, size_t count,
                                 const struct verdict_scope *scope, struct text *text)
{
    for (size_t i = 0; i < count; i++)
        verdict_judge_cpu(&records[i]);
    enum verdict_word word = records[0].judgement.word;
    if (verdict_count(records, count, word) != count)
        word = VERDICT_MIXED;
    if (word == VERDICT_MIXED || word == VERDICT_READY) {
        append_ready(records, count, scope->machine, text);
    } else {
        append_finding(&records[0], text);
        text_append(text, "; ");
        append_advice(&records[0], scope->machine, text);
    }
    if (records[0].virtualization->append_changes != NULL)
        records[0].virtualization->append_changes(records, count, text);
    append_difference(records, count, text);
    append_cpuid_limit(records, count, text);
    append_scope(scope, text);
    return word;
}
