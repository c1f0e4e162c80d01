/* See explanation.h. */
#include "explanation.h"

#include "dump.h"
#include "lib/string.h"
#include "svm/entry_rules.h"
#include "svm/exit.h"
#include "vmx/entry_rules.h"
#include "vmx/vmcs.h"

#define MSR_ENTRIES_MAX 64
#define MISSING_NAMED   12 /* values that are named as missing */

/* ---- The dump that is being read */

struct explainer {
    struct facts *facts;
    uint64_t failure; /* reported outside the dumps, or 0 */
    entry_print *print;
    void *context;
    enum explanation_status status;

    enum dump_kind kind;
    size_t line, value_count;
    uint32_t domain, vcpu;
    bool has_domain, has_vcpu, has_exit_code;
    uint64_t exit_code;
    struct entry_snapshot snapshot;
    uint64_t msr_value[MSR_ENTRIES_MAX];
    uint32_t msr_number[MSR_ENTRIES_MAX];
    size_t msr_count;
    uint64_t failed_msr[2]; /* the entry that was not loaded: its number and value */
    bool has_failed_msr;

    /* While it is judged. */
    const struct entry_rules *rules;
    struct vmx_entry_failure entry_failure; /* zero: any failure */
    uint16_t missing[ENTRY_VALUES_MAX];     /* rules that lack each value */
    struct entry_count count;
};

static void __attribute__((format(printf, 2, 3)))
say(struct explainer *explainer, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(line, sizeof(line), format, arguments);
    va_end(arguments);
    explainer->print(explainer->context, line);
}

/* ---- Judging */

static void visit(void *context, const struct entry_finding *finding)
{
    struct explainer *explainer = context;
    bool is_possible = entry_finding_explains(finding, explainer->entry_failure.error);

    if (!is_possible)
        return;
    explainer->count.verdicts[finding->verdict]++;
    if (finding->verdict == ENTRY_UNKNOWN)
        explainer->missing[finding->missing]++;
    if (finding->verdict != ENTRY_VIOLATED)
        return;
    explainer->status = EXPLANATION_VIOLATIONS;
    explainer->print(explainer->context, "");
    entry_describe(explainer->rules, &explainer->snapshot, finding, explainer->print,
                   explainer->context);
}

/* Returns the value that most rules lack, once; ENTRY_VALUE_NONE after the last. */
static uint32_t next_missing(struct explainer *explainer)
{
    uint32_t most = ENTRY_VALUE_NONE;

    for (uint32_t i = 1; i < ENTRY_VALUES_MAX; i++) {
        if (explainer->missing[i] >
            (most == ENTRY_VALUE_NONE ? 0 : explainer->missing[most]))
            most = i;
    }
    if (most != ENTRY_VALUE_NONE)
        explainer->missing[most] = 0;
    return most;
}

static void print_missing(struct explainer *explainer)
{
    if (explainer->missing[ENTRY_VALUE_NONE] > 0)
        say(explainer, "  - what processors differ in");
    for (int i = 0; i < MISSING_NAMED; i++) {
        uint32_t value = next_missing(explainer);
        if (value == ENTRY_VALUE_NONE)
            return;
        say(explainer, "  - %s", explainer->rules->value_names[value]);
    }
    if (next_missing(explainer) != ENTRY_VALUE_NONE)
        say(explainer, "  - and others");
}

static void print_count(struct explainer *explainer)
{
    const size_t *verdicts = explainer->count.verdicts;

    explainer->print(explainer->context, "");
    say(explainer, "%zu violated, %zu hold, %zu do not apply, %zu cannot be judged%s",
        verdicts[ENTRY_VIOLATED], verdicts[ENTRY_HOLDS], verdicts[ENTRY_NOT_APPLICABLE],
        verdicts[ENTRY_UNKNOWN], verdicts[ENTRY_UNKNOWN] > 0 ? " without:" : "");
    print_missing(explainer);
}

static void judge(struct explainer *explainer, const struct entry_rules *rules,
                  uint64_t phases)
{
    explainer->rules = rules;
    (void)entry_judge(rules, &explainer->snapshot, phases, visit, explainer);
}

/* ---- VMCSs */

#define ENTRY_FAILURE(reason) (((reason)&EXIT_REASON_ENTRY_FAILURE) != 0)

/* Names what the exit qualification says of invalid guest state. */
static const char *qualification_words(uint32_t reason, uint64_t qualification)
{
    static const char *const words[] = {
        [ENTRY_FAILURE_PDPTE]        = " (PDPTEs)",
        [ENTRY_FAILURE_NMI]          = " (NMI while STI blocks events)",
        [ENTRY_FAILURE_LINK_POINTER] = " (VMCS link pointer)",
    };

    if (EXIT_REASON_BASIC(reason) != EXIT_REASON_INVALID_GUEST_STATE ||
        qualification >= ARRAY_SIZE(words) || words[qualification] == NULL)
        return "";
    return words[qualification];
}

/* Says how the entry ended; returns the phases whose rules that can mean. */
static uint64_t describe_entry(struct explainer *explainer)
{
    struct vmx_entry_failure *failure = &explainer->entry_failure;
    const struct entry_snapshot *dump = &explainer->snapshot;
    uint32_t reason                   = (uint32_t)dump->value[VALUE_EXIT_REASON];
    uint64_t qualification            = dump->value[VALUE_EXIT_QUALIFICATION];
    bool has_reason                   = entry_snapshot_has(dump, VALUE_EXIT_REASON);

    if (!has_reason && ENTRY_FAILURE(explainer->failure))
        reason = (uint32_t)explainer->failure;
    if (ENTRY_FAILURE(reason)) {
        failure->reason = reason;
        say(explainer, "The entry failed: exit reason 0x%x (%s), qualification 0x%lx%s.",
            reason, exit_reason_name(EXIT_REASON_BASIC(reason)), qualification,
            qualification_words(reason, qualification));
        return vmx_entry_phases(failure);
    }
    if (explainer->failure != 0 && !ENTRY_FAILURE(explainer->failure)) {
        failure->error = (uint32_t)explainer->failure;
        say(explainer, "The entry failed: VM-instruction error %u (%s).", failure->error,
            vmx_error_name(failure->error));
        return vmx_entry_phases(failure);
    }
    if (!has_reason) {
        say(explainer, "The dump does not say how the entry ended.");
        return ENTRY_ALL_PHASES & ~BIT(ENTRY_INSTRUCTION);
    }
    say(explainer, "The entry did not fail: it ended with a VM exit, reason %u (%s),",
        reason, exit_reason_name(EXIT_REASON_BASIC(reason)));
    say(explainer,
        "qualification 0x%lx. A VM-instruction error does not change the reason: if "
        "there",
        qualification);
    say(explainer, "was one later, controls or the host state caused it.");
    return BIT(ENTRY_CONTROLS) | BIT(ENTRY_HOST_STATE);
}

static void judge_msr_entry(struct explainer *explainer, uint64_t number, uint64_t value)
{
    if (explainer->entry_failure.reason != 0)
        say(explainer, "MSR 0x%lx was not loaded with 0x%lx.", number, value);
    entry_snapshot_set(&explainer->snapshot, VALUE_MSR_NUMBER, number);
    entry_snapshot_set(&explainer->snapshot, VALUE_MSR_VALUE, value);
    judge(explainer, &vmx_entry_rules, BIT(ENTRY_MSR_LOADING));
}

/* Judges the entries of the MSR-load area, or the one that a failure names. */
static void judge_msr_entries(struct explainer *explainer)
{
    bool is_named  = explainer->entry_failure.reason != 0;
    uint64_t named = explainer->snapshot.value[VALUE_EXIT_QUALIFICATION];

    if (is_named && explainer->has_failed_msr) {
        judge_msr_entry(explainer, explainer->failed_msr[0], explainer->failed_msr[1]);
        return;
    }
    for (size_t i = 0; i < explainer->msr_count; i++) {
        if (!is_named || named == i + 1)
            judge_msr_entry(explainer, explainer->msr_number[i], explainer->msr_value[i]);
    }
}

static void explain_vmcs(struct explainer *explainer)
{
    uint64_t phases = describe_entry(explainer);
    uint64_t msrs   = phases & BIT(ENTRY_MSR_LOADING);

    if (phases == 0) {
        say(explainer, "No rule of VM entry leads to that.");
        return;
    }
    vmx_entry_set_implied(&explainer->snapshot, explainer->entry_failure.error);
    bool has_msrs = explainer->msr_count > 0 || explainer->has_failed_msr;
    judge(explainer, &vmx_entry_rules, has_msrs ? phases & ~msrs : phases);
    if (msrs != 0)
        judge_msr_entries(explainer);
    print_count(explainer);
}

/* ---- VMCBs */

static void explain_vmcb(struct explainer *explainer)
{
    uint64_t code = explainer->exit_code;

    if (!explainer->has_exit_code && SVM_EXIT_IS_INVALID(explainer->failure)) {
        code                     = explainer->failure;
        explainer->has_exit_code = true;
    }
    if (!explainer->has_exit_code) {
        say(explainer, "The dump does not say how VMRUN ended.");
    } else if (SVM_EXIT_IS_INVALID(code)) {
        say(explainer, "VMRUN failed: exit code 0x%lx (VMEXIT_INVALID).", code);
    } else {
        say(explainer, "VMRUN did not fail: it ended with exit code 0x%lx (%s).", code,
            svm_exit_name(svm_exit_row_index(code)));
        return;
    }
    judge(explainer, &svm_entry_rules, ENTRY_ALL_PHASES);
    print_count(explainer);
}

/* ---- Dumps */

/* Explains the dump that has been read, if there is one. */
static void end_dump(struct explainer *explainer)
{
    TEXT_DECLARE(place, 80);

    if (explainer->kind == DUMP_NO_KIND || explainer->value_count == 0)
        return;
    if (explainer->status == EXPLANATION_NO_DUMP)
        explainer->status = EXPLANATION_NOTHING_VIOLATED;
    else
        explainer->print(explainer->context, "");
    if (explainer->has_domain)
        text_append(&place, ", domain %u", explainer->domain);
    if (explainer->has_vcpu)
        text_append(&place, ", vCPU %u", explainer->vcpu);
    say(explainer, "%s of line %zu%s: %zu values",
        explainer->kind == DUMP_VMCS ? "VMCS" : "VMCB", explainer->line, place.buffer,
        explainer->value_count);
    if (explainer->kind == DUMP_VMCS)
        explain_vmcs(explainer);
    else
        explain_vmcb(explainer);
}

static void begin_dump(struct explainer *explainer, const struct dump_item *item)
{
    end_dump(explainer);
    explainer->kind           = (enum dump_kind)item->number;
    explainer->line           = item->line;
    explainer->value_count    = 0;
    explainer->msr_count      = 0;
    explainer->has_failed_msr = false;
    explainer->has_exit_code  = false;
    explainer->entry_failure  = (struct vmx_entry_failure){0};
    explainer->count          = (struct entry_count){0};
    explainer->snapshot =
        explainer->kind == DUMP_VMCS ? explainer->facts->vmcs : explainer->facts->vmcb;
    memset(explainer->missing, 0, sizeof(explainer->missing));
}

static void add_value(struct explainer *explainer, const struct dump_item *item)
{
    uint64_t others = explainer->snapshot.value[item->number] & ~item->mask;

    entry_snapshot_set(&explainer->snapshot, item->number, others | item->content);
    explainer->value_count++;
}

static void add_msr_entry(struct explainer *explainer, const struct dump_item *item)
{
    if (explainer->msr_count == MSR_ENTRIES_MAX)
        return;
    explainer->msr_number[explainer->msr_count]  = item->number;
    explainer->msr_value[explainer->msr_count++] = item->content;
}

/* The numbers of Xen's come before the dump that they are of. */
static void set_label(struct explainer *explainer, const struct dump_item *item)
{
    end_dump(explainer);
    explainer->kind = DUMP_NO_KIND;
    if (item->kind == DUMP_DOMAIN) {
        explainer->domain     = item->number;
        explainer->has_domain = true;
    } else {
        explainer->vcpu     = item->number;
        explainer->has_vcpu = true;
    }
}

static void receive(void *context, const struct dump_item *item)
{
    struct explainer *explainer = context;

    switch (item->kind) {
    case DUMP_BEGINS:
        begin_dump(explainer, item);
        break;
    case DUMP_VALUE:
        add_value(explainer, item);
        break;
    case DUMP_EXIT_CODE:
        explainer->exit_code     = item->content;
        explainer->has_exit_code = true;
        break;
    case DUMP_MSR_ENTRY:
        add_msr_entry(explainer, item);
        break;
    case DUMP_FAILED_MSR:
        explainer->failed_msr[0]  = item->mask | item->number;
        explainer->failed_msr[1]  = item->content;
        explainer->has_failed_msr = true;
        break;
    case DUMP_DOMAIN:
    case DUMP_VCPU:
        set_label(explainer, item);
        break;
    case DUMP_FAILURE: /* note_fact has read them before */
    case DUMP_CAPABILITY:
        break;
    }
}

/* Notes what applies to all dumps of a text, wherever it is. */
static void note_fact(void *context, const struct dump_item *item)
{
    struct explainer *explainer = context;

    if (item->kind == DUMP_FAILURE)
        explainer->failure = item->content;
    else if (item->kind == DUMP_CAPABILITY)
        facts_set_capability(explainer->facts, item->number, item->content);
}

static void print_no_dump(struct explainer *explainer)
{
    uint32_t failure = (uint32_t)explainer->failure;

    say(explainer, "There is no dump of a VMCS or VMCB.");
    if (ENTRY_FAILURE(failure) && !SVM_EXIT_IS_INVALID(failure))
        say(explainer, "Exit reason 0x%x: %s.", failure,
            exit_reason_name(EXIT_REASON_BASIC(failure)));
    else if (failure != 0 && !ENTRY_FAILURE(failure))
        say(explainer, "VM-instruction error %u: %s.", failure, vmx_error_name(failure));
    say(explainer, "Linux prints one with kvm_intel.dump_invalid_vmcs=1 or "
                   "kvm_amd.dump_invalid_vmcb=1.");
}

enum explanation_status explanation_print(const char *text, size_t length,
                                          struct facts *facts, entry_print *print,
                                          void *context)
{
    static struct explainer explainer; /* large */

    explainer = (struct explainer){.facts   = facts,
                                   .print   = print,
                                   .context = context,
                                   .status  = EXPLANATION_NO_DUMP};
    dump_read(text, length, note_fact, &explainer);
    dump_read(text, length, receive, &explainer);
    end_dump(&explainer);
    if (explainer.status == EXPLANATION_NO_DUMP)
        print_no_dump(&explainer);
    return explainer.status;
}
