/* See pages.h. */
#include "report/pages.h"

#include "check/comparison.h"
#include "check/tsc_synchrony.h"
#include "check/verdict.h"
#include "lib/log.h"
#include "report/code_page.h"
#include "report/hypervisor_page.h"
#include "report/isolation_page.h"
#include "report/verdict_sheet.h"

#define COLUMN 40 /* width of one of two */

#define TEXT_SIZE 400 /* several rows */

/* ---- Capabilities ------------------------------------------------------------------ */

/* Appends a capability and its state, which is short so that two fit in a row. */
static void append_capability(const struct capability_table *table,
                              const struct capability_row *row,
                              const struct capability_bits *bits, struct text *text)
{
    static const char *const words[CAPABILITY_STATES] = {
        [CAPABILITY_NO] = "no",        [CAPABILITY_YES] = "yes",
        [CAPABILITY_FIXED_0] = "0",    [CAPABILITY_FIXED_1] = "1",
        [CAPABILITY_OPTIONAL] = "opt", [CAPABILITY_DIFFERS] = "!=",
    };
    enum capability_state state = capability_state_of(table, row, bits);

    if (state == CAPABILITY_NUMBER)
        text_append(text, "%-3lu %s", capability_number(row, bits), row->name);
    else
        text_append(text, "%-3s %s", words[state], row->name);
}

static void add_unnamed_bits(struct pager *pager, const struct capability_table *table,
                             uint32_t group, const struct capability_bits *bits)
{
    uint64_t unnamed  = capability_unnamed_bits(table, group, bits);
    uint64_t reserved = unnamed & bits->must_be_1;
    TEXT_DECLARE(text, TEXT_SIZE);

    text_append(&text, "1   unnamed bits:");
    for (uint64_t rest = reserved; rest != 0; rest &= rest - 1)
        text_append(&text, " %d", __builtin_ctzll(rest));
    if (reserved != 0)
        pager_add_wrapped(pager, EMPHASIS_FAINT, 4, text.buffer);
    for (uint64_t rest = unnamed & ~reserved; rest != 0; rest &= rest - 1)
        pager_add(pager, EMPHASIS_CAUTION, "%s bit %d (unnamed)",
                  table->groups[group].has_settings ? "opt" : "yes",
                  __builtin_ctzll(rest));
}

/* Adds the capabilities of a group, two to a row of the screen. */
static void add_group(struct pager *pager, const struct capability_table *table,
                      uint32_t group, const struct capability_bits *bits)
{
    char left[COLUMN] = "";

    pager_add(pager, EMPHASIS_TITLE, "%s (%s)", table->groups[group].name, bits->source);
    for (size_t i = 0; i < table->row_count; i++) {
        TEXT_DECLARE(item, COLUMN);
        if (table->rows[i].group != group)
            continue;
        append_capability(table, &table->rows[i], bits, &item);
        if (left[0] != '\0')
            pager_add(pager, EMPHASIS_NORMAL, "%-*s%s", COLUMN, left, item.buffer);
        format_text(left, COLUMN, "%s", left[0] == '\0' ? item.buffer : "");
    }
    if (left[0] != '\0')
        pager_add(pager, EMPHASIS_NORMAL, "%s", left);
    add_unnamed_bits(pager, table, group, bits);
}

static void add_capabilities(struct pager *pager, const struct report_facts *facts)
{
    static struct capability_set usable; /* one CPU composes pages */
    const struct capability_table *table =
        facts->records[0].virtualization->capability_table;
    bool has_settings = false;

    if (!comparison_usable(facts->records, facts->count, &usable)) {
        pager_add(pager, EMPHASIS_BAD, "No CPU reported capabilities; see the verdict.");
        return;
    }
    for (uint32_t group = 0; group < table->group_count; group++)
        has_settings |= table->groups[group].has_settings;
    pager_add(pager, EMPHASIS_FAINT, "Common to all CPUs with %s. %s!=: none.",
              facts->records[0].virtualization->name,
              has_settings ? "opt: may be 0 or 1; 0, 1: fixed; " : "");
    for (uint32_t group = 0; group < table->group_count; group++) {
        if (usable.group[group].exists)
            add_group(pager, table, group, &usable.group[group]);
    }
}

/* ---- CPUs -------------------------------------------------------------------------- */

static void add_value(const char *value, const char *cpus, void *context)
{
    static char buffer[COMPARISON_CPUS_SIZE + COMPARISON_VALUE_SIZE + 16];
    struct text text = {.buffer = buffer, .size = sizeof(buffer)};
    text_append(&text, "    %s on cpu %s", value, cpus);
    pager_add_wrapped(context, EMPHASIS_CAUTION, 8, text.buffer);
}

static void add_differences(struct pager *pager, const struct report_facts *facts)
{
    const struct virtualization *virtualization = facts->records[0].virtualization;
    size_t registers                            = comparison_count(virtualization);
    size_t answers = 0, differences = 0;

    for (size_t i = 0; i < facts->count; i++)
        answers += facts->records[i].answer == CPU_ANSWERED ? 1 : 0;
    for (size_t row = 0; row < registers; row++) {
        if (!comparison_differs(row, facts->records, facts->count))
            continue;
        pager_add(pager, EMPHASIS_CAUTION, "%s:", comparison_name(virtualization, row));
        comparison_visit_values(row, facts->records, facts->count, add_value, pager);
        differences++;
    }
    if (answers < 2)
        pager_add(pager, EMPHASIS_NORMAL, "CPUs that responded: %zu; nothing to compare.",
                  answers);
    else if (differences == 0)
        pager_add(pager, EMPHASIS_GOOD,
                  "The %zu CPUs that responded agree in all %zu registers.", answers,
                  registers);
    else
        pager_add(pager, EMPHASIS_CAUTION, "%zu of %zu registers differ.", differences,
                  registers);
}

/* Adds how far the time-stamp counters agree, if there are several. */
static void add_synchrony(struct pager *pager, const struct report_facts *facts)
{
    TEXT_DECLARE(text, TEXT_SIZE);
    struct tsc_synchrony_summary summary =
        tsc_synchrony_summarize(facts->records, facts->count);

    if (summary.compared == 0 && summary.missing == 0)
        return;
    tsc_synchrony_describe(&summary, facts->records, &text);
    text_append(&text, ".");
    pager_add_wrapped(pager,
                      tsc_synchrony_is_bad(&summary) ? EMPHASIS_CAUTION : EMPHASIS_GOOD,
                      4, text.buffer);
}

static void add_each_cpu(struct pager *pager, const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        TEXT_DECLARE(text, TEXT_SIZE);
        text_append(&text, "cpu %zu: apic %u: ", i, record->apic_id);
        if (cpuid_core_type(&record->cpuid) != 0)
            text_append(&text, "%s core: ", cpuid_core_type_name(&record->cpuid));
        verdict_describe_cpu(record, &text);
        tsc_synchrony_describe_cpu(record, &text);
        pager_add_wrapped(pager, verdict_is_ready(record) ? EMPHASIS_GOOD : EMPHASIS_BAD,
                          4, text.buffer);
    }
}

/* Adds the registers of the first CPU of each set of identical CPUs. */
static void add_registers(struct pager *pager, const struct report_facts *facts)
{
    const struct virtualization *virtualization = facts->records[0].virtualization;

    for (size_t i = 0; i < facts->count; i++) {
        if (facts->records[i].answer != CPU_ANSWERED ||
            comparison_first_alike(facts->records, i) != i)
            continue;
        pager_add(pager, EMPHASIS_TITLE, "Registers of cpu %zu", i);
        for (size_t row = 0; row < comparison_count(virtualization); row++) {
            TEXT_DECLARE(value, COMPARISON_VALUE_SIZE);
            comparison_append_value(row, &facts->records[i], &value);
            pager_add(pager, EMPHASIS_NORMAL, "%-32s %s",
                      comparison_name(virtualization, row), value.buffer);
        }
    }
}

static void add_cpus(struct pager *pager, const struct report_facts *facts)
{
    add_differences(pager, facts);
    add_synchrony(pager, facts);
    add_each_cpu(pager, facts);
    isolation_page_add(pager, facts);
    add_registers(pager, facts);
}

/* ---- Timings ----------------------------------------------------------------------- */

/* Adds a row of the table, unless the CPU did not measure it. */
static void add_timing(struct pager *pager, const struct cpu_record *record, size_t row,
                       uint64_t tsc_hz)
{
    const struct statistics *statistics = &record->timings.row[row];
    TEXT_DECLARE(time, 32);

    if (statistics->count == 0)
        return;
    if (tsc_hz > 0)
        text_append(&time, "%lu ns", statistics->median * UINT64_C(1000000000) / tsc_hz);
    pager_add(pager, EMPHASIS_NORMAL, "%-20s %9u %9u %9u %7u   %s",
              record->virtualization->timings[row].name, statistics->median,
              statistics->low, statistics->high, statistics->count, time.buffer);
}

/* Adds the frequency of the TSC, and how certain it is. */
static void add_frequency(struct pager *pager, const struct report_facts *facts)
{
    TEXT_DECLARE(text, TEXT_SIZE);

    text_append(&text, "TSC ticks");
    if (facts->tsc_hz != 0)
        text_append(&text, " at %lu kHz", facts->tsc_hz / 1000);
    if (facts->tsc_ppm == 0)
        text_append(&text, ", exactly");
    else if (facts->tsc_ppm != FACTS_NO_PPM)
        text_append(&text, ", within %u ppm", facts->tsc_ppm);
    text_append(&text, " (%s).", facts->tsc_source);
    pager_add_wrapped(pager, facts->tsc_hz == 0 ? EMPHASIS_CAUTION : EMPHASIS_FAINT, 0,
                      text.buffer);
}

static void add_timings(struct pager *pager, const struct report_facts *facts)
{
    bool is_timed = false;

    add_frequency(pager, facts);
    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        if (!timings_exist(&record->timings))
            continue;
        is_timed = true;
        pager_add(pager, EMPHASIS_TITLE, "cpu %zu, %s core", i,
                  cpuid_core_type_name(&record->cpuid));
        pager_add(pager, EMPHASIS_FAINT, "%-20s %9s %9s %9s %7s", "", "median", "5 %",
                  "95 %", "rounds");
        for (size_t row = 0; row < record->virtualization->timing_count; row++)
            add_timing(pager, record, row, facts->tsc_hz);
    }
    if (!is_timed)
        pager_add(pager, EMPHASIS_BAD, "No timings: no guest ran.");
}

/* ---- Log --------------------------------------------------------------------------- */

/* log_replay passes no context. One CPU composes pages. */
static struct pager *log_pager;
static char log_line[LOG_LINE_SIZE + 1];
static size_t log_length;

static void end_log_line(void)
{
    log_line[log_length] = '\0';
    log_length           = 0;
    pager_add_wrapped(log_pager, EMPHASIS_NORMAL, 4, log_line);
}

static void add_log_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\n')
            log_line[log_length++] = text[i];
        if (text[i] == '\n' || log_length == LOG_LINE_SIZE)
            end_log_line();
    }
}

static void add_log(struct pager *pager, const struct report_facts *facts)
{
    (void)facts;
    log_pager = pager;
    log_replay(add_log_text);
    if (log_length > 0)
        end_log_line();
}

/* ---- Sections ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*compose)(const struct report_facts *facts, struct sheet *sheet); /* one page */
    void (*add)(struct pager *pager, const struct report_facts *facts);     /* or rows */
} sections[REPORT_SECTIONS] = {
    [REPORT_VERDICT]      = {"Verdict", .compose = verdict_sheet_compose},
    [REPORT_CAPABILITIES] = {"Capabilities", .add = add_capabilities},
    [REPORT_CPUS]         = {"CPUs", .add = add_cpus},
    [REPORT_HYPERVISORS]  = {"Hypervisors", .add = hypervisor_page_add},
    [REPORT_TIMINGS]      = {"Timings", .add = add_timings},
    [REPORT_LOG]          = {"Log", .add = add_log},
    [REPORT_CODE]         = {"Code", .compose = code_page_compose},
};

const char *report_section_name(enum report_section section)
{
    return sections[section].name;
}

size_t report_page_count(enum report_section section, const struct report_facts *facts)
{
    struct pager pager;

    pager_start(&pager, NULL, 0);
    if (sections[section].add != NULL)
        sections[section].add(&pager, facts);
    return pager_pages(&pager);
}

void report_compose_page(enum report_section section, size_t page,
                         const struct report_facts *facts, struct sheet *sheet)
{
    struct pager pager;

    if (sections[section].compose != NULL) {
        sections[section].compose(facts, sheet);
        return;
    }
    pager_start(&pager, sheet, page);
    sheet_add(sheet, EMPHASIS_TITLE, "%s, page %zu of %zu", sections[section].name,
              page + 1, report_page_count(section, facts));
    sections[section].add(&pager, facts);
}

void report_visit_rows(enum report_section section, const struct report_facts *facts,
                       row_visitor *visit, void *context)
{
    static struct sheet sheet;
    struct pager pager;

    if (sections[section].compose != NULL) {
        sections[section].compose(facts, &sheet);
        for (size_t i = 0; i < sheet.rows; i++)
            visit(&sheet.row[i], context);
        return;
    }
    pager_start_visit(&pager, &sheet, visit, context);
    sections[section].add(&pager, facts);
}
