/* See verdict_sheet.h. */
#include "report/verdict_sheet.h"

#include "check/outer_hypervisor.h"
#include "check/verdict.h"
#include "lib/string.h"

/* More than fits, so that a truncated verdict ends in dots. */
#define ANSWER_SIZE ((size_t)8 * SHEET_COLUMNS)

/* The minimum for CPUs, however long the verdict is: one that failed, and the count. */
#define LEAST_CPU_ROWS 2

/* The rows that add_facts adds. */
#define FACT_ROWS 7

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void add_fact(struct sheet *sheet, const char *name, const char *fact)
{
    sheet_add(sheet, EMPHASIS_NORMAL, "%-11s %s", name, fact);
}

/* Adds an empty row between two parts if there is room. */
static void add_gap(struct sheet *sheet, bool has_room)
{
    if (has_room)
        sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
}

/* Adds the processor whose checks follow, with its number unless it is the boot CPU. */
static void add_processor(struct sheet *sheet, const struct cpu_record *record,
                          size_t index)
{
    struct cpuid_signature signature = cpuid_signature(&record->cpuid);
    char vendor[CPUID_VENDOR_SIZE], brand[CPUID_BRAND_SIZE];
    TEXT_DECLARE(details, SHEET_COLUMNS);
    TEXT_DECLARE(name, 16);

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
              facts->version, virtualization_name(record));
    add_fact(sheet, "Machine", facts->machine);
    add_fact(sheet, "Firmware", facts->firmware);
    add_processor(sheet, record, index);
    add_hypervisor(sheet, &record->cpuid, facts->machine);
    sheet_add(sheet, EMPHASIS_NORMAL, "%-11s %lu MiB; Hymir uses %lu KiB", "Memory",
              facts->ram_bytes >> 20, facts->used_bytes >> 10);
}

/* Adds a row for each check: those that passed, the one that failed, and the rest. */
static void add_checks(struct sheet *sheet, const struct cpu_record *record)
{
    const struct virtualization *virtualization = record->virtualization;
    size_t failed                               = record->judgement.failed_check;

    for (size_t i = 0; i < virtualization->check_count; i++) {
        const struct check_row *check = &virtualization->checks[i];
        const char *result            = i < failed ? "ok" : i == failed ? "missing" : "-";
        enum emphasis emphasis        = i < failed    ? EMPHASIS_GOOD
                                        : i == failed ? EMPHASIS_BAD
                                                      : EMPHASIS_FAINT;
        TEXT_DECLARE(detail, SHEET_COLUMNS);
        if (i <= failed)
            (void)check->passes(record, &detail); /* for its text */
        if (detail.length > 0)
            sheet_add(sheet, emphasis, "%-7s  %-20s  %s", result, check->name,
                      detail.buffer);
        else
            sheet_add(sheet, emphasis, "%-7s  %s", result, check->name);
    }
}

static void add_cpu(struct sheet *sheet, const struct cpu_record *record, size_t index)
{
    TEXT_DECLARE(description, SHEET_COLUMNS);

    verdict_describe_cpu(record, &description);
    sheet_add(sheet, verdict_is_ready(record) ? EMPHASIS_GOOD : EMPHASIS_BAD,
              "cpu %zu: apic %u: %s", index, record->apic_id, description.buffer);
}

/*
 * Adds the CPUs in at most rows rows: all in order or, if they do not fit, those that are
 * not ready first, and a count.
 */
static void add_cpus(struct sheet *sheet, const struct cpu_record *records, size_t count,
                     size_t rows)
{
    bool fits    = count <= rows;
    size_t left  = fits ? rows : rows - 1;
    size_t ready = verdict_count(records, count, VERDICT_READY);

    for (int pass = fits ? 1 : 0; pass < 2; pass++) {
        for (size_t i = 0; i < count && left > 0; i++) {
            if (!fits && verdict_is_ready(&records[i]) != (pass == 1))
                continue;
            add_cpu(sheet, &records[i], i);
            left--;
        }
    }
    if (!fits)
        sheet_add(sheet, EMPHASIS_NORMAL, "... of %zu CPUs: %zu ok, %zu not", count,
                  ready, count - ready);
}

void verdict_sheet_write_lines(const struct report_facts *facts, line_writer *write_line)
{
    for (size_t i = 0; i < facts->count; i++) {
        TEXT_DECLARE(description, 320);
        verdict_describe_cpu(&facts->records[i], &description);
        write_line("hymir: cpu %zu: apic %u: %s", i, facts->records[i].apic_id,
                   description.buffer);
    }
    write_line("hymir: verdict: %s: %s", verdict_name(facts->verdict),
               facts->verdict_text);
}

size_t verdict_sheet_find_cpu(const struct cpu_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i].answer == CPU_ANSWERED && !verdict_is_ready(&records[i]))
            return i;
    }
    return 0;
}

static enum emphasis word_emphasis(enum verdict_word word)
{
    if (word == VERDICT_UNLOCKED || word == VERDICT_MIXED)
        return EMPHASIS_CAUTION;
    return word == VERDICT_READY ? EMPHASIS_GOOD : EMPHASIS_BAD;
}

void verdict_sheet_compose(const struct report_facts *facts, struct sheet *sheet)
{
    const struct cpu_record *records = facts->records;
    size_t count                     = facts->count;
    TEXT_DECLARE(answer, ANSWER_SIZE);

    memset(sheet, 0, sizeof(*sheet));
    text_append(&answer, "%s: %s", verdict_name(facts->verdict), facts->verdict_text);
    const char *error  = facts->error != NULL ? facts->error : "";
    size_t room        = SHEET_ROWS - FACT_ROWS - records[0].virtualization->check_count;
    size_t least       = smaller(count, LEAST_CPU_ROWS);
    size_t answer_rows = smaller(sheet_wrapped_rows(answer.buffer), room - least);
    size_t error_rows  = smaller(sheet_wrapped_rows(error), room - least - answer_rows);
    size_t cpu_rows    = smaller(count, room - answer_rows - error_rows);
    size_t spare       = room - answer_rows - error_rows - cpu_rows;
    size_t shown       = verdict_sheet_find_cpu(records, count);

    add_facts(sheet, facts, &records[shown], shown);
    add_gap(sheet, spare >= 3);
    add_checks(sheet, &records[shown]);
    add_gap(sheet, spare >= 4);
    add_cpus(sheet, records, count, cpu_rows);
    add_gap(sheet, spare >= 2);
    sheet_add_wrapped(sheet, word_emphasis(facts->verdict), answer_rows, 0,
                      answer.buffer);
    sheet_add_wrapped(sheet, EMPHASIS_BAD, error_rows, 0, error);
}
