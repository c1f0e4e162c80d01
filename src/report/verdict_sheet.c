/* See verdict_sheet.h. */
#include "report/verdict_sheet.h"

#include "check/outer_hypervisor.h"
#include "check/verdict.h"
#include "lib/string.h"

/* More of the verdict than there is room for, so that what is cut ends in dots. */
#define ANSWER_SIZE ((size_t)8 * SHEET_COLUMNS)

/* However long the verdict is: a CPU that is not ready, and the count. */
#define LEAST_CPU_ROWS 2

/* The rows that add_facts adds. */
#define FACT_ROWS 7

static size_t at_most(size_t number, size_t limit)
{
    return number < limit ? number : limit;
}

static void add_fact(struct sheet *sheet, const char *name, const char *fact)
{
    sheet_add(sheet, EMPHASIS_NORMAL, "%-11s %s", name, fact);
}

/* An empty row between two parts, if there is room for it, and one for a last word. */
static void add_gap(struct sheet *sheet, bool has_room)
{
    if (has_room)
        sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
}

/* The processor whose checks are shown; without its number if it is the boot CPU. */
static void add_processor(struct sheet *sheet, const struct cpu_record *record,
                          size_t index)
{
    struct cpuid_signature signature = cpuid_signature(&record->cpuid);
    char vendor[CPUID_VENDOR_SIZE], brand[CPUID_BRAND_SIZE];
    TEXT_DECLARE(details, SHEET_COLUMNS);
    TEXT_DECLARE(name, SHEET_COLUMNS);

    text_append(&name, "CPU");
    if (index > 0)
        text_append(&name, " %zu", index);
    cpuid_vendor(&record->cpuid, vendor);
    cpuid_brand(&record->cpuid, brand);
    add_fact(sheet, name.buffer, brand);
    text_append(&details, "%s, family %u model 0x%x stepping %u", vendor,
                signature.family, signature.model, signature.stepping);
    if (record->microcode != 0)
        text_append(&details, ", microcode 0x%x", record->microcode);
    else
        text_append(&details, ", microcode unknown");
    add_fact(sheet, "", details.buffer);
}

static void add_hypervisor(struct sheet *sheet, const struct cpuid_snapshot *cpuid,
                           const char *machine)
{
    TEXT_DECLARE(description, SHEET_COLUMNS);
    outer_hypervisor_describe(cpuid, machine, &description);
    add_fact(sheet, "Hypervisor", description.buffer);
}

static void add_facts(struct sheet *sheet, const struct report_facts *facts,
                      const struct cpu_record *record, size_t index)
{
    sheet_add(sheet, EMPHASIS_TITLE, "Hymir %s: does %s work on this machine?",
              facts->version, record->virtualization->name);
    add_fact(sheet, "Machine", facts->machine);
    add_fact(sheet, "Firmware", facts->firmware);
    add_processor(sheet, record, index);
    add_hypervisor(sheet, &record->cpuid, facts->machine);
    sheet_add(sheet, EMPHASIS_NORMAL, "%-11s %lu MiB, of which Hymir uses %lu KiB",
              "Memory", facts->ram_bytes >> 20, facts->used_bytes >> 10);
}

/*
 * One row a check: what is in order, the one that is not, and those that were not
 * reached.
 */
static void add_checks(struct sheet *sheet, const struct cpu_record *record)
{
    const struct virtualization *virtualization = record->virtualization;
    bool failed                                 = false;

    for (size_t i = 0; i < virtualization->check_count; i++) {
        const struct check_row *check = &virtualization->checks[i];
        TEXT_DECLARE(detail, SHEET_COLUMNS);
        const char *result     = "-";
        enum emphasis emphasis = EMPHASIS_FAINT;
        if (!failed) {
            failed   = !check->passes(record, &detail);
            result   = failed ? "missing" : "ok";
            emphasis = failed ? EMPHASIS_BAD : EMPHASIS_GOOD;
        }
        if (detail.length > 0)
            sheet_add(sheet, emphasis, "%-7s  %-20s  %s", result, check->name,
                      detail.buffer);
        else
            sheet_add(sheet, emphasis, "%-7s  %s", result, check->name);
    }
}

static void add_cpu(struct sheet *sheet, const struct cpu_record *record, size_t index)
{
    bool is_ready = record->judgement.word == VERDICT_READY;
    TEXT_DECLARE(description, SHEET_COLUMNS);

    verdict_describe_cpu(record, &description);
    sheet_add(sheet, is_ready ? EMPHASIS_GOOD : EMPHASIS_BAD, "cpu %zu: apic %u: %s",
              index, record->apic_id, description.buffer);
}

/* Adds CPUs that are ready or that are not, at most rows of them; returns how many. */
static size_t add_some_cpus(struct sheet *sheet, const struct cpu_record *records,
                            size_t count, bool ready, size_t rows)
{
    size_t shown = 0;
    for (size_t i = 0; i < count && shown < rows; i++) {
        if ((records[i].judgement.word == VERDICT_READY) == ready) {
            add_cpu(sheet, &records[i], i);
            shown++;
        }
    }
    return shown;
}

/*
 * The CPUs in rows rows: all of them, or, those that are not ready first, as many as
 * fit, and a count.
 */
static void add_cpus(struct sheet *sheet, const struct cpu_record *records, size_t count,
                     size_t rows)
{
    size_t ready = 0;

    if (count <= rows) {
        for (size_t i = 0; i < count; i++)
            add_cpu(sheet, &records[i], i);
        return;
    }
    size_t shown = add_some_cpus(sheet, records, count, false, rows - 1);
    (void)add_some_cpus(sheet, records, count, true, rows - 1 - shown);
    for (size_t i = 0; i < count; i++)
        ready += records[i].judgement.word == VERDICT_READY ? 1 : 0;
    sheet_add(sheet, EMPHASIS_NORMAL, "... of %zu CPUs: %zu ok, %zu not", count, ready,
              count - ready);
}

size_t verdict_sheet_telling_cpu(const struct cpu_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i].answer == CPU_ANSWERED &&
            records[i].judgement.word != VERDICT_READY)
            return i;
    }
    return 0;
}

static enum emphasis emphasis_of(enum verdict_word word)
{
    switch (word) {
    case VERDICT_READY:
        return EMPHASIS_GOOD;
    case VERDICT_UNLOCKED:
    case VERDICT_MIXED:
        return EMPHASIS_CAUTION;
    case VERDICT_NOT_INTEL:
    case VERDICT_NO_VMX:
    case VERDICT_HIDDEN_BY_HYPERVISOR:
    case VERDICT_LOCKED_OFF:
    case VERDICT_TXT_ONLY:
    case VERDICT_FAILED:
    case VERDICT_NONE:
    case VERDICT_WORDS:
        return EMPHASIS_BAD;
    }
    return EMPHASIS_BAD;
}

void verdict_sheet_compose(const struct report_facts *facts, struct sheet *sheet)
{
    const struct cpu_record *records = facts->records;
    size_t count                     = facts->count;
    TEXT_DECLARE(answer, ANSWER_SIZE);

    memset(sheet, 0, sizeof(*sheet));
    text_append(&answer, "%s: %s", verdict_name(facts->verdict), facts->verdict_text);
    size_t room        = SHEET_ROWS - FACT_ROWS - records[0].virtualization->check_count;
    size_t least       = count < LEAST_CPU_ROWS ? count : LEAST_CPU_ROWS;
    size_t answer_rows = at_most(sheet_wrapped_rows(answer.buffer), room - least);
    size_t cpu_rows    = at_most(count, room - answer_rows);
    size_t spare       = room - answer_rows - cpu_rows;
    size_t shown       = verdict_sheet_telling_cpu(records, count);

    add_facts(sheet, facts, &records[shown], shown);
    add_gap(sheet, spare >= 3);
    add_checks(sheet, &records[shown]);
    add_gap(sheet, spare >= 4);
    add_cpus(sheet, records, count, cpu_rows);
    add_gap(sheet, spare >= 2);
    sheet_add_wrapped(sheet, emphasis_of(facts->verdict), answer_rows, 0, answer.buffer);
}
