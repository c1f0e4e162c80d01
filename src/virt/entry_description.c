/* The words for a violated rule and for a failed entry: see entry_rules.h. */
#include "virt/entry_rules.h"

#include "lib/log.h"
#include "lib/string.h"

#define LINE_WIDTH      78U
#define LINE_INDENT     2U
#define PARAGRAPH_LIMIT 480U

/* Returns the names of a value's bits, or NULL. */
static const struct entry_bit_names *names_of(const struct entry_rules *rules,
                                              uint32_t value)
{
    for (size_t i = 0; i < rules->bit_names_count; i++) {
        if (value >= rules->bit_names[i].first && value <= rules->bit_names[i].last)
            return &rules->bit_names[i];
    }
    return NULL;
}

/* Returns the row that contains a bit, or NULL. */
static const struct capability_row *row_of_bit(const struct entry_bit_names *names,
                                               uint64_t bit)
{
    for (size_t i = 0; names != NULL && i < names->table->row_count; i++) {
        const struct capability_row *row = &names->table->rows[i];
        if (row->group == names->group && (row->mask & bit) != 0)
            return row;
    }
    return NULL;
}

static void append_mask(uint64_t mask, struct text *text)
{
    unsigned int low  = (unsigned int)__builtin_ctzll(mask);
    unsigned int high = 63 - (unsigned int)__builtin_clzll(mask);

    if (low == high)
        text_append(text, "bit %u", low);
    else
        text_append(text, "bits %u:%u", high, low);
}

/* Returns the lowest bits that have one name, or the lowest adjacent ones without. */
static uint64_t lowest_run(const struct entry_bit_names *names, uint64_t bits,
                           const struct capability_row **row)
{
    uint64_t run = bits & -bits;

    *row = row_of_bit(names, run);
    if (*row != NULL)
        return bits & (*row)->mask;
    for (uint64_t next = run << 1; (bits & next) != 0 && row_of_bit(names, next) == NULL;
         next <<= 1)
        run |= next;
    return run;
}

void entry_append_bits(const struct entry_rules *rules, uint32_t value, uint64_t bits,
                       struct text *text)
{
    const struct entry_bit_names *names = names_of(rules, value);
    const char *separator               = "";

    while (bits != 0) {
        const struct capability_row *row;
        uint64_t run = lowest_run(names, bits, &row);

        text_append(text, "%s", separator);
        append_mask(row != NULL ? row->mask : run, text);
        if (row != NULL)
            text_append(text, " (%s)", row->name);
        separator = ", ";
        bits &= ~run;
    }
}

/* Returns the length of the first line of a text: up to a blank, if it must be broken. */
static size_t line_length(const char *text, size_t limit)
{
    size_t length = strlen(text);

    if (length <= limit)
        return length;
    for (size_t i = limit; i > 0; i--) {
        if (text[i] == ' ')
            return i;
    }
    return limit;
}

static __attribute__((noinline)) void print_line(const char *text, size_t indent,
                                                 size_t length, entry_print *print,
                                                 void *context)
{
    TEXT_DECLARE(line, LINE_WIDTH + 1);

    text_append(&line, "%*s%.*s", (int)indent, "", (int)length, text);
    print(context, line.buffer);
}

/* Prints a paragraph: its first line with that indent, the others with LINE_INDENT. */
static void print_paragraph(const char *text, size_t indent, entry_print *print,
                            void *context)
{
    while (*text != '\0') {
        size_t length = line_length(text, LINE_WIDTH - indent);

        print_line(text, indent, length, print, context);
        text += length;
        text += *text == ' ' ? 1 : 0;
        indent = LINE_INDENT;
    }
}

/* Appends the other values that decided: "Here A = 0x1, B = 0x2." */
static void append_reasons(const struct entry_rules *rules,
                           const struct entry_snapshot *snapshot,
                           const struct entry_finding *finding, struct text *text)
{
    for (size_t i = 0; i < ENTRY_READS && finding->read[i] != ENTRY_VALUE_NONE; i++)
        text_append(text, "%s%s = 0x%lx", i == 0 ? " Here " : ", ",
                    rules->value_names[finding->read[i]],
                    snapshot->value[finding->read[i]]);
    text_append(text, "%s", finding->read[0] != ENTRY_VALUE_NONE ? "." : "");
}

void entry_describe(const struct entry_rules *rules,
                    const struct entry_snapshot *snapshot,
                    const struct entry_finding *finding, entry_print *print,
                    void *context)
{
    const struct entry_rule *rule = finding->rule;
    TEXT_DECLARE(text, PARAGRAPH_LIMIT);

    text_append(&text, "%s = 0x%lx: ", rules->value_names[finding->value],
                snapshot->value[finding->value]);
    entry_append_bits(rules, finding->value, finding->bits, &text);
    text_append(&text, "; nearest valid value 0x%lx", finding->nearest);
    if (finding->is_consequence)
        text_append(&text, " (a consequence of %s)", rule->root);
    print_paragraph(text.buffer, 0, print, context);
    text.length = 0;
    text_append(&text, "%s: %s", rule->name, rule->sentence);
    append_reasons(rules, snapshot, finding, &text);
    text_append(&text, " %s.", finding->section->title);
    print_paragraph(text.buffer, LINE_INDENT, print, context);
    if (rule->cause == NULL)
        return;
    text.length = 0;
    text_append(&text, "Usual cause: %s.", rule->cause);
    print_paragraph(text.buffer, LINE_INDENT, print, context);
}

struct explanation {
    const struct entry_rules *rules;
    const struct entry_snapshot *snapshot;
    uint32_t error;
    struct entry_summary *summary;
    size_t unknown;
};

/* The first line of a violation is an error, the others explain it. */
static void log_line(void *context, const char *line)
{
    (void)context;
    if (line[0] != ' ')
        log_error("%s", line);
    else
        log_info("%s", line);
}

static void add_violation(const struct explanation *of,
                          const struct entry_finding *finding)
{
    struct entry_summary *summary = of->summary;
    size_t i                      = summary->count++;

    summary->rules = of->rules;
    if (i < ENTRY_SUMMARY_MAX) {
        summary->first[i]   = *finding;
        summary->content[i] = of->snapshot->value[finding->value];
    }
}

static void explain(void *context, const struct entry_finding *finding)
{
    struct explanation *of = context;

    if (!entry_finding_explains(finding, of->error))
        return;
    of->unknown += finding->verdict == ENTRY_UNKNOWN ? 1 : 0;
    if (finding->verdict != ENTRY_VIOLATED)
        return;
    entry_describe(of->rules, of->snapshot, finding, log_line, NULL);
    add_violation(of, finding);
}

void entry_explain(const struct entry_rules *rules, struct entry_snapshot *snapshot,
                   uint64_t phases, uint32_t error, struct entry_summary *summary)
{
    struct explanation explanation = {rules, snapshot, error, summary, 0};

    (void)entry_judge(rules, snapshot, phases, explain, &explanation);
    if (summary->count == 0)
        log_error("no violated rule is known; %zu could not be judged",
                  explanation.unknown);
}

void entry_check(const struct entry_rules *rules, struct entry_snapshot *snapshot)
{
    struct entry_summary summary = {0};

    if (entry_judge(rules, snapshot, ENTRY_ALL_PHASES, NULL, NULL)
            .verdicts[ENTRY_VIOLATED] == 0)
        return;
    log_error("the first VM entry will fail:");
    entry_explain(rules, snapshot, ENTRY_ALL_PHASES, 0, &summary);
}

void entry_summary_append(const struct entry_summary *summary, struct text *text)
{
    const struct entry_finding *finding = &summary->first[0];

    if (summary->count == 0)
        return;
    text_append(text,
                "; %s = 0x%lx violates %s: ", summary->rules->value_names[finding->value],
                summary->content[0], finding->rule->name);
    entry_append_bits(summary->rules, finding->value, finding->bits, text);
    if (summary->count > 1)
        text_append(text, "; %zu more", summary->count - 1);
}
