/* See navigation.h. */
#include "report/navigation.h"

#include "lib/format.h"
#include "lib/string.h"
#include "report/code_page.h"

#define ESCAPE 0x1BU

void navigation_start(struct navigation *navigation, const struct report_facts *facts)
{
    *navigation = (struct navigation){.facts = facts};
}

static size_t last_page(const struct navigation *navigation, enum report_section section)
{
    return report_page_count(section, navigation->facts) - 1;
}

static enum navigation_outcome go_to(struct navigation *navigation,
                                     enum report_section section, size_t page)
{
    bool is_there = navigation->section == section && navigation->page == page;

    navigation->section = section;
    navigation->page    = page;
    return is_there ? NAVIGATION_SAME : NAVIGATION_CHANGED;
}

static enum navigation_outcome go_on(struct navigation *navigation)
{
    enum report_section section = navigation->section;

    if (navigation->page < last_page(navigation, section))
        return go_to(navigation, section, navigation->page + 1);
    if (section + 1 < REPORT_SECTIONS)
        return go_to(navigation, section + 1, 0);
    return NAVIGATION_SAME;
}

static enum navigation_outcome go_back(struct navigation *navigation)
{
    enum report_section section = navigation->section;

    if (navigation->page > 0)
        return go_to(navigation, section, navigation->page - 1);
    if (section > REPORT_VERDICT)
        return go_to(navigation, section - 1, last_page(navigation, section - 1));
    return NAVIGATION_SAME;
}

static enum navigation_outcome go_to_last(struct navigation *navigation)
{
    return go_to(navigation, REPORT_CODE, last_page(navigation, REPORT_CODE));
}

/* How it is to end; any other key is back to the pages. */
static enum navigation_outcome choose_end(struct navigation *navigation, uint8_t key)
{
    navigation->is_ending = false;
    switch (key) {
    case 'p':
    case 'P':
        return NAVIGATION_POWER_OFF;
    case 'r':
    case 'R':
        return NAVIGATION_REBOOT;
    case 'n':
    case 'N':
        return NAVIGATION_BOOT_NEXT;
    default:
        return NAVIGATION_CHANGED;
    }
}

static enum navigation_outcome take_character(struct navigation *navigation, uint8_t key)
{
    if (navigation->is_ending)
        return choose_end(navigation, key);
    if (key == 'q' || key == 'Q') {
        navigation->is_ending = true;
        navigation->refusal   = NULL;
        return NAVIGATION_CHANGED;
    }
    if (key >= '1' && key < '1' + REPORT_SECTIONS)
        return go_to(navigation, (enum report_section)(key - '1'), 0);
    if (key == ' ' || key == '\r')
        return go_on(navigation);
    if (key == 0x7F || key == '\b')
        return go_back(navigation);
    return NAVIGATION_SAME;
}

/* ESC [ number ~, as VT220 has it. */
static enum navigation_outcome take_numbered(struct navigation *navigation)
{
    switch (navigation->number) {
    case 1:
    case 7:
        return go_to(navigation, REPORT_VERDICT, 0);
    case 4:
    case 8:
        return go_to_last(navigation);
    case 5:
        return go_back(navigation);
    case 6:
        return go_on(navigation);
    default:
        return NAVIGATION_SAME;
    }
}

/* The end of a sequence. */
static enum navigation_outcome take_final(struct navigation *navigation, uint8_t final)
{
    if (navigation->is_swallowed)
        return NAVIGATION_SAME;
    switch (final) {
    case 'A': /* up, left */
    case 'D':
        return go_back(navigation);
    case 'B': /* down, right */
    case 'C':
        return go_on(navigation);
    case 'H':
        return go_to(navigation, REPORT_VERDICT, 0);
    case 'F':
        return go_to_last(navigation);
    case '~':
        return take_numbered(navigation);
    default:
        return NAVIGATION_SAME;
    }
}

static enum navigation_outcome take_in_sequence(struct navigation *navigation,
                                                uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        navigation->number = (uint8_t)(navigation->number * 10 + byte - '0');
        return NAVIGATION_SAME;
    }
    if (byte == ';') { /* what follows tells of Shift and the like */
        navigation->state = KEY_MODIFIED;
        return NAVIGATION_SAME;
    }
    navigation->state = byte == '[' ? KEY_FUNCTION : KEY_PLAIN;
    return byte == '[' ? NAVIGATION_SAME : take_final(navigation, byte);
}

enum navigation_outcome navigation_take(struct navigation *navigation, uint8_t byte)
{
    switch (navigation->state) {
    case KEY_SEQUENCE:
        return take_in_sequence(navigation, byte);
    case KEY_MODIFIED:
        if ((byte >= '0' && byte <= '9') || byte == ';')
            return NAVIGATION_SAME;
        navigation->state = KEY_PLAIN;
        return take_final(navigation, byte);
    case KEY_FUNCTION:
        navigation->state = KEY_PLAIN;
        return NAVIGATION_SAME;
    case KEY_ESCAPE:
        navigation->number = 0;
        navigation->state  = byte == '[' || byte == 'O' ? KEY_SEQUENCE : KEY_PLAIN;
        if (navigation->state == KEY_SEQUENCE)
            return NAVIGATION_SAME;
        break;
    case KEY_PLAIN:
        break;
    }
    if (byte == ESCAPE) {
        navigation->state        = KEY_ESCAPE;
        navigation->is_swallowed = navigation->is_ending;
        navigation->is_ending    = false;
        return navigation->is_swallowed ? NAVIGATION_CHANGED : NAVIGATION_SAME;
    }
    return take_character(navigation, byte);
}

void navigation_refuse(struct navigation *navigation, const char *refusal)
{
    navigation->is_ending = true;
    navigation->refusal   = refusal;
}

/* The question how it is to end. */
static void compose_end(const struct navigation *navigation, struct sheet *sheet)
{
    memset(sheet, 0, sizeof(*sheet));
    sheet_add(sheet, EMPHASIS_TITLE, "How is it to end?");
    sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
    sheet_add(sheet, EMPHASIS_NORMAL, "p   power off");
    sheet_add(sheet, EMPHASIS_NORMAL, "r   reboot");
    sheet_add(sheet, EMPHASIS_NORMAL, "n   boot what firmware boots next (UEFI)");
    sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
    if (navigation->refusal != NULL)
        sheet_add_wrapped(sheet, EMPHASIS_CAUTION, 3, 0, navigation->refusal);
    while (sheet->rows < SHEET_ROWS - 1)
        sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
    sheet_add(sheet, EMPHASIS_FAINT, "any other key: back to the pages");
}

/* The last row: what the keys do. */
static void write_keys(const struct navigation *navigation, struct text *text)
{
    if (navigation->section == REPORT_CODE) {
        text_append(text, "1 to 7: sections, q: end");
        return;
    }
    for (enum report_section i = REPORT_VERDICT; i < REPORT_SECTIONS; i++)
        text_append(text, "%u %s ", i + 1U, report_section_name(i));
    text_append(text, " q end");
}

/* Where the keys stand in the title of a sheet that has no row left. */
#define FULL_SHEET_COLUMN 58

/* Puts words into a row from a column on that lies behind its text. */
static void append_at(char row[SHEET_COLUMNS + 1], size_t column, const char *words)
{
    size_t length = strlen(row);
    if (length <= column)
        format_text(row + length, SHEET_COLUMNS + 1 - length, "%*s%s",
                    (int)(column - length), "", words);
}

void navigation_compose(const struct navigation *navigation, struct sheet *sheet)
{
    TEXT_DECLARE(keys, SHEET_COLUMNS + 1);

    if (navigation->is_ending) {
        compose_end(navigation, sheet);
        return;
    }
    report_compose_page(navigation->section, navigation->page, navigation->facts, sheet);
    write_keys(navigation, &keys);
    while (sheet->rows < SHEET_ROWS - 1)
        sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
    if (sheet->rows < SHEET_ROWS) {
        sheet_add(sheet, EMPHASIS_FAINT, "%*s%s",
                  navigation->section == REPORT_CODE ? CODE_PAGE_TEXT_COLUMN : 0, "",
                  keys.buffer);
        return;
    }
    if (navigation->section == REPORT_VERDICT)
        append_at(sheet->row[0].text, FULL_SHEET_COLUMN, "1 to 7: pages, q: end");
    if (navigation->section == REPORT_CODE)
        append_at(sheet->row[SHEET_ROWS - 1].text, CODE_PAGE_TEXT_COLUMN, keys.buffer);
}
