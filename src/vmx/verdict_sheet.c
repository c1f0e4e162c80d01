/* See verdict_sheet.h. */
#include "vmx/verdict_sheet.h"

#include "lib/string.h"
#include "vmx/outer_hypervisor.h"

/*
 * The verdict's text may take so many rows; longer ones are on the serial line in full.
 */
#define VERDICT_MAX_ROWS 5

/* The rows that add_facts adds. */
#define FACT_ROWS 7

static void add_fact(struct sheet *sheet, const char *name, const char *fact)
{
    sheet_add(sheet, EMPHASIS_NORMAL, "%-11s %s", name, fact);
}

/* An empty row between two parts, if there is room for it. */
static void add_gap(struct sheet *sheet, bool has_room)
{
    if (has_room)
        sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
}

/* The processor whose checks are shown; without its number if it is the boot CPU. */
static void add_processor(struct sheet *sheet, const struct vmx_snapshot *snapshot,
                          size_t index)
{
    struct cpuid_signature signature = cpuid_signature(&snapshot->cpuid);
    char vendor[CPUID_VENDOR_SIZE], brand[CPUID_BRAND_SIZE];
    TEXT_DECLARE(details, SHEET_COLUMNS);
    TEXT_DECLARE(name, SHEET_COLUMNS);

    text_append(&name, "CPU");
    if (index > 0)
        text_append(&name, " %zu", index);
    cpuid_vendor(&snapshot->cpuid, vendor);
    cpuid_brand(&snapshot->cpuid, brand);
    add_fact(sheet, name.buffer, brand);
    text_append(&details, "%s, family %u model 0x%x stepping %u", vendor,
                signature.family, signature.model, signature.stepping);
    if (snapshot->microcode != 0)
        text_append(&details, ", microcode 0x%x", snapshot->microcode);
    add_fact(sheet, "", details.buffer);
}

static void add_hypervisor(struct sheet *sheet, const struct cpuid_snapshot *cpuid,
                           const char *machine)
{
    TEXT_DECLARE(description, SHEET_COLUMNS);
    outer_hypervisor_describe(cpuid, machine, &description);
    add_fact(sheet, "Hypervisor", description.buffer);
}

static void add_facts(struct sheet *sheet, const struct machine_facts *facts,
                      const struct vmx_record *record, size_t index)
{
    sheet_add(sheet, EMPHASIS_TITLE, "Hymir %s: does VT-x work on this machine?",
              facts->version);
    add_fact(sheet, "Machine", facts->machine);
    add_fact(sheet, "Firmware", facts->firmware);
    add_processor(sheet, &record->before, index);
    add_hypervisor(sheet, &record->before.cpuid, facts->machine);
    sheet_add(sheet, EMPHASIS_NORMAL, "%-11s %lu MiB, of which Hymir uses %lu KiB",
              "Memory", facts->ram_bytes >> 20, facts->used_bytes >> 10);
}

/*
 * One row a check: what is in order, the one that is not, and those that were not
 * reached.
 */
static void add_checks(struct sheet *sheet, const struct vmx_record *record)
{
    bool failed = false;

    for (enum vmx_check check = CHECK_CPUID; check < CHECK_COUNT; check++) {
        TEXT_DECLARE(detail, SHEET_COLUMNS);
        const char *result     = "-";
        enum emphasis emphasis = EMPHASIS_FAINT;
        if (!failed) {
            failed   = !vmx_check_passes(check, record, &detail);
            result   = failed ? "missing" : "ok";
            emphasis = failed ? EMPHASIS_BAD : EMPHASIS_GOOD;
        }
        if (detail.length > 0)
            sheet_add(sheet, emphasis, "%-7s  %-20s  %s", result, vmx_check_name(check),
                      detail.buffer);
        else
            sheet_add(sheet, emphasis, "%-7s  %s", result, vmx_check_name(check));
    }
}

static void add_cpu(struct sheet *sheet, const struct vmx_record *record, size_t index)
{
    bool is_ready = verdict_of_cpu(record) == VERDICT_READY;
    TEXT_DECLARE(description, SHEET_COLUMNS);

    verdict_describe_cpu(record, &description);
    sheet_add(sheet, is_ready ? EMPHASIS_GOOD : EMPHASIS_BAD, "cpu %zu: apic %u: %s",
              index, record->apic_id, description.buffer);
}

/*
 * The CPUs in rows rows: all of them, or those that are not ready and how many more there
 * are.
 */
static void add_cpus(struct sheet *sheet, const struct vmx_record *records, size_t count,
                     size_t rows)
{
    size_t shown = 0;

    if (count <= rows) {
        for (size_t i = 0; i < count; i++)
            add_cpu(sheet, &records[i], i);
        return;
    }
    for (size_t i = 0; i < count && shown + 1 < rows; i++) {
        if (verdict_of_cpu(&records[i]) != VERDICT_READY) {
            add_cpu(sheet, &records[i], i);
            shown++;
        }
    }
    size_t ready = 0;
    for (size_t i = 0; i < count; i++)
        ready += verdict_of_cpu(&records[i]) == VERDICT_READY ? 1 : 0;
    sheet_add(sheet, EMPHASIS_NORMAL, "%s%zu CPUs: %zu ok, %zu not",
              shown == 0 ? "" : "... of ", count, ready, count - ready);
}

/* The CPU whose checks tell most. */
static size_t telling_cpu(const struct vmx_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i].answer == CPU_ANSWERED &&
            verdict_of_cpu(&records[i]) != VERDICT_READY)
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
        return EMPHASIS_BAD;
    }
    return EMPHASIS_BAD;
}

void verdict_sheet_compose(const struct machine_facts *facts,
                           const struct vmx_record *records, size_t count,
                           enum verdict_word word, const char *verdict,
                           struct sheet *sheet)
{
    TEXT_DECLARE(answer, VERDICT_MAX_ROWS * SHEET_COLUMNS + 64);

    memset(sheet, 0, sizeof(*sheet));
    text_append(&answer, "%s: %s", verdict_name(word), verdict);
    size_t answer_rows = sheet_wrapped_rows(answer.buffer);
    if (answer_rows > VERDICT_MAX_ROWS)
        answer_rows = VERDICT_MAX_ROWS;

    size_t room     = SHEET_ROWS - FACT_ROWS - CHECK_COUNT - answer_rows;
    size_t cpu_rows = count < room ? count : room;
    size_t spare    = room - cpu_rows;
    size_t shown    = telling_cpu(records, count);

    add_facts(sheet, facts, &records[shown], shown);
    add_gap(sheet, spare >= 2);
    add_checks(sheet, &records[shown]);
    add_gap(sheet, spare >= 3);
    add_cpus(sheet, records, count, cpu_rows);
    add_gap(sheet, spare >= 1);
    sheet_add_wrapped(sheet, emphasis_of(word), VERDICT_MAX_ROWS, 0, answer.buffer);
}
