/* See dump.h. */
#include "dump.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "patterns.h"
#include "x86/vmx_capabilities.h"

/* A text that is being read, and the dump at the position. */
struct reader {
    struct text_view view;
    size_t position, line, counted; /* lines are counted up to counted */
    dump_receiver *receive;
    void *context;
    enum dump_kind kind;
    enum dump_section section;
    bool has_values;    /* of the current dump */
    bool is_entry_list; /* of MSRs */
};

static void report(struct reader *reader, enum dump_item_kind kind, uint32_t number,
                   uint64_t content, uint64_t mask)
{
    for (; reader->counted < reader->position; reader->counted++)
        reader->line += view_at(&reader->view, reader->counted) == '\n';
    reader->receive(reader->context, &(const struct dump_item){.kind    = kind,
                                                               .number  = number,
                                                               .content = content,
                                                               .mask    = mask,
                                                               .line    = reader->line});
}

/* Begins a dump, unless one has just begun that has no values yet. */
static void begin(struct reader *reader, enum dump_kind kind)
{
    if (reader->kind != kind || reader->has_values)
        report(reader, DUMP_BEGINS, (uint32_t)kind, 0, 0);
    reader->kind          = kind;
    reader->section       = IN_ANY;
    reader->has_values    = false;
    reader->is_entry_list = false;
}

static void report_value(struct reader *reader, uint16_t spec, uint64_t number)
{
    uint32_t value = spec & 0xFFF;

    switch ((enum number_use)(spec >> 12)) {
    case USE_WHOLE:
        report(reader, DUMP_VALUE, value, number, UINT64_MAX);
        break;
    case USE_LOW:
        report(reader, DUMP_VALUE, value, (uint32_t)number, UINT32_MAX);
        break;
    case USE_HIGH:
        report(reader, DUMP_VALUE, value, number << 32, ~(uint64_t)UINT32_MAX);
        break;
    case USE_SPLIT:
        report(reader, DUMP_VALUE, value, (uint32_t)number, UINT64_MAX);
        report(reader, DUMP_VALUE, value + 1, number >> 32, UINT64_MAX);
        break;
    case USE_NOT:
        break;
    }
}

/* Reports the numbers of a row that matched. */
static void report_row(struct reader *reader, const struct dump_row *row,
                       const struct match *match)
{
    reader->has_values = true;
    if (row->section != IN_ANY)
        reader->section = row->section;
    for (size_t i = 0; i < match->count; i++) {
        if (row->is_exit_code)
            report(reader, DUMP_EXIT_CODE, 0, match->number[i], UINT64_MAX);
        else
            report_value(reader, row->values[i], match->number[i]);
    }
}

/* Matches a pattern, which begins with a letter, at the position. */
static bool match_here(const struct reader *reader, const char *pattern,
                       struct match *match)
{
    return reader->view.text[reader->position] == pattern[0] &&
           pattern_match(&reader->view, reader->position, pattern, match);
}

/* Returns whether a row is one of the dump and section at the position, or distinct. */
static bool row_is_possible(const struct reader *reader, const struct dump_row *row,
                            enum dump_kind kind)
{
    if (row->is_distinct)
        return true;
    return reader->kind == kind &&
           (row->section == IN_ANY || row->section == reader->section);
}

/* Finds a field of a dump of that kind; returns whether there is one. */
static bool read_field(struct reader *reader, enum dump_kind kind)
{
    const struct dump_table *table = kind == DUMP_VMCS ? &vmcs_table : &vmcb_table;
    char first                     = reader->view.text[reader->position];
    struct match match;

    for (size_t i = 0; i < table->count; i++) {
        const struct dump_row *row = &table->rows[i];

        if (row->pattern[0] != first || !row_is_possible(reader, row, kind) ||
            !match_here(reader, row->pattern, &match))
            continue;
        if (reader->kind != kind)
            begin(reader, kind);
        report_row(reader, row, &match);
        reader->position = match.end;
        return true;
    }
    return false;
}

/* ---- What is not a field */

static void begin_vmcs(struct reader *reader, const struct match *match)
{
    (void)match;
    begin(reader, DUMP_VMCS);
}

static void begin_guest_state(struct reader *reader, const struct match *match)
{
    (void)match;
    begin(reader, DUMP_VMCS);
    reader->section = IN_GUEST;
}

static void begin_host_state(struct reader *reader, const struct match *match)
{
    (void)match;
    if (reader->kind != DUMP_VMCS)
        begin(reader, DUMP_VMCS);
    reader->section       = IN_HOST;
    reader->is_entry_list = false;
}

static void begin_controls(struct reader *reader, const struct match *match)
{
    begin_host_state(reader, match);
    reader->section = IN_ANY;
}

static void begin_vmcb(struct reader *reader, const struct match *match)
{
    (void)match;
    begin(reader, DUMP_VMCB);
}

static void begin_save_area(struct reader *reader, const struct match *match)
{
    (void)match;
    if (reader->kind != DUMP_VMCB)
        begin(reader, DUMP_VMCB);
}

static void begin_entry_list(struct reader *reader, const struct match *match)
{
    (void)match;
    reader->is_entry_list = reader->kind == DUMP_VMCS;
}

static void end_entry_list(struct reader *reader, const struct match *match)
{
    (void)match;
    reader->is_entry_list = false;
}

static void read_entry(struct reader *reader, const struct match *match)
{
    if (reader->is_entry_list)
        report(reader, DUMP_MSR_ENTRY, (uint32_t)match->number[0], match->number[1],
               UINT64_MAX);
}

static void read_domain(struct reader *reader, const struct match *match)
{
    reader->kind = DUMP_NO_KIND;
    report(reader, DUMP_DOMAIN, (uint32_t)match->number[0], 0, 0);
}

static void read_vcpu(struct reader *reader, const struct match *match)
{
    reader->kind = DUMP_NO_KIND;
    report(reader, DUMP_VCPU, (uint32_t)match->number[0], 0, 0);
}

/* Xen's line before a dump. */
static void read_failed_dump(struct reader *reader, const struct match *match)
{
    begin(reader, DUMP_VMCS);
    report(reader, DUMP_FAILURE, 0, match->number[0], UINT64_MAX);
}

/* Xen's line on the MSR that was not loaded. */
static void read_failed_entry(struct reader *reader, const struct match *match)
{
    if (reader->kind == DUMP_VMCS)
        report(reader, DUMP_FAILED_MSR, (uint32_t)match->number[0], match->number[1],
               match->number[2] << 32);
}

static void read_failure(struct reader *reader, const struct match *match)
{
    report(reader, DUMP_FAILURE, 0, match->number[0], UINT64_MAX);
}

static void read_capability(struct reader *reader, const struct match *match)
{
    uint64_t number = match->number[0];

    if (number >= MSR_IA32_VMX_BASIC && number < MSR_IA32_VMX_BASIC + 32)
        report(reader, DUMP_CAPABILITY, (uint32_t)number, match->number[1], UINT64_MAX);
}

static const struct {
    const char *pattern;
    void (*read)(struct reader *reader, const struct match *match);
} marks[] = {
    {"last attempted VM-entry on CPU", begin_vmcs},
    {"Guest State ***", begin_guest_state},
    {"Host State ***", begin_host_state},
    {"Control State ***", begin_controls},
    {"last attempted VMRUN on CPU", begin_vmcb},
    {"VMCB Control Area:", begin_vmcb},
    {"Dumping guest's current state", begin_vmcb},
    {"VMCB State Save Area:", begin_save_area},
    {"MSR guest autoload:", begin_entry_list},
    {"MSR guest autostore:", end_entry_list},
    {"MSR autostore:", end_entry_list},
    {"MSR host autoload:", end_entry_list},
    {"msr=% value=%", read_entry},
    {"Domain # <<<", read_domain},
    {"VCPU # ", read_vcpu},
    {"hardware error %", read_failure}, /* QEMU's */
    {"unhandled exit %", read_failure}, /* of old QEMU */
    {"vm entry failed with error %", read_failure},
    {"entry (exit reason %)", read_failure}, /* Xen's, as are the next */
    {"vmentry failure (reason %)", read_failed_dump},
    {"msr % val % (mbz %)", read_failed_entry},
    {"VMLAUNCH error: %", read_failure},
    {"VMRESUME error: %", read_failure},
    {"instruction error %", read_failure}, /* VirtualBox's */
    {"Instruction error %", read_failure},
    {"MSR % = %", read_capability},
    {"MSR %: %", read_capability},
    {"msr % = %", read_capability},
    {"msr %: %", read_capability},
};

static bool read_mark(struct reader *reader)
{
    struct match match;

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        if (!match_here(reader, marks[i].pattern, &match))
            continue;
        marks[i].read(reader, &match);
        reader->position = match.end;
        return true;
    }
    return false;
}

/*
 * Finds a capability MSR by its name: NAME = VALUE, NAME: VALUE, "NAME": "VALUE". The
 * names in VirtualBox's log begin with MSR_.
 */
static bool read_named_capability(struct reader *reader)
{
    static const struct {
        const char *name;
        uint32_t number;
    } names[] = {
#define CAPABILITY_NAME(name, number) {"IA32_VMX_" #name, number},
        VMX_MSRS(CAPABILITY_NAME)};
    static const char *const values[] = {" = %", ": %", "\": \"%", "_INFO = %"};
    struct match match, value;
    size_t start = reader->position;

    if (reader->view.text[start] != 'I' && reader->view.text[start] != 'M')
        return false;
    if (match_here(reader, "MSR_", &match))
        start = match.end;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!pattern_match(&reader->view, start, names[i].name, &match))
            continue;
        for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
            if (!pattern_match(&reader->view, match.end, values[j], &value))
                continue;
            report(reader, DUMP_CAPABILITY, names[i].number, value.number[0], UINT64_MAX);
            reader->position = value.end;
            return true;
        }
    }
    return false;
}

/* Reads a field. Outside a dump, one that is distinct begins a dump. */
static bool read_any_field(struct reader *reader)
{
    if (reader->kind != DUMP_NO_KIND)
        return read_field(reader, reader->kind);
    return read_field(reader, DUMP_VMCS) || read_field(reader, DUMP_VMCB);
}

/* Reads what begins at the position, if anything does; otherwise goes on to the next. */
static void read_word(struct reader *reader)
{
    if (!view_is_start(&reader->view, reader->position) ||
        !(read_mark(reader) || read_any_field(reader) || read_named_capability(reader)))
        reader->position++;
}

/* ---- Quoted-printable */

/* Returns whether the words are at a position. */
static bool has_words(const char *text, size_t length, size_t position, const char *words)
{
    size_t count = strlen(words);
    return length - position >= count && memcmp(text + position, words, count) == 0;
}

/* Returns the end of an escape at a position, and its character, or the position. */
static size_t read_escape(const char *text, size_t length, size_t position, char *c)
{
    static const struct {
        const char *words;
        char c;
    } escapes[] = {{"=3D", '='}, {"=20", ' '},  {"=C2", ' '},
                   {"=A0", ' '}, {"=\n", '\0'}, {"=\r\n", '\0'}};

    for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
        if (has_words(text, length, position, escapes[i].words)) {
            *c = escapes[i].c;
            return position + strlen(escapes[i].words);
        }
    }
    return position;
}

size_t dump_decode(char *text, size_t length)
{
    size_t to       = 0;
    bool is_encoded = false;

    for (size_t i = 0; i < length && !is_encoded; i++)
        is_encoded = has_words(text, length, i, "=3D0x");
    for (size_t i = 0; is_encoded && i < length;) {
        char c     = text[i];
        size_t end = read_escape(text, length, i, &c);
        if (end == i || c != '\0')
            text[to++] = c;
        i = end == i ? i + 1 : end;
    }
    return is_encoded ? to : length;
}

void dump_read(const char *text, size_t length, dump_receiver *receive, void *context)
{
    struct reader reader = {
        .view = {text, length}, .line = 1, .receive = receive, .context = context};

    while (reader.position < length)
        read_word(&reader);
}
