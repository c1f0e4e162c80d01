/* See navigation.h. */
#include "report/navigation.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"
#include "report/code_page.h"

#define ESCAPE 0x1BU

void navigation_start(struct navigation *navigation, const struct report_facts *facts)
{
    *navigation = (struct navigation){.facts = facts};
}

static enum navigation_outcome go_to(struct navigation *navigation,
                                     enum report_section section, size_t page)
{
    bool is_same = navigation->section == section && navigation->page == page;

    navigation->section = section;
    navigation->page    = page;
    return is_same ? NAVIGATION_SAME : NAVIGATION_CHANGED;
}

static enum navigation_outcome go_forward(struct navigation *navigation)
{
    enum report_section section = navigation->section;

    if (navigation->page + 1 < report_page_count(section, navigation->facts))
        return go_to(navigation, section, navigation->page + 1);
    return section + 1 < REPORT_SECTIONS ? go_to(navigation, section + 1, 0)
                                         : NAVIGATION_SAME;
}

static enum navigation_outcome go_back(struct navigation *navigation)
{
    enum report_section section = navigation->section;

    if (navigation->page > 0)
        return go_to(navigation, section, navigation->page - 1);
    return section > REPORT_VERDICT
               ? go_to(navigation, section - 1,
                       report_page_count(section - 1, navigation->facts) - 1)
               : NAVIGATION_SAME;
}

void navigation_select(struct navigation *navigation, enum report_section section)
{
    (void)go_to(navigation, section, 0);
}

void navigation_turn(struct navigation *navigation, bool stays_in_section)
{
    enum report_section section = navigation->section;
    bool is_last = navigation->page + 1 >= report_page_count(section, navigation->facts);

    if (!is_last)
        navigation->page++;
    else
        navigation_select(navigation,
                          stays_in_section ? section : (section + 1) % REPORT_SECTIONS);
}

/* Handles a key in the exit menu; any other key returns to the pages. */
static enum navigation_outcome choose_exit(struct navigation *navigation, uint8_t key)
{
    navigation->is_leaving = false;
    switch (key | ('a' - 'A')) { /* in lower case */
    case 'p':
        return NAVIGATION_POWER_OFF;
    case 'r':
        return NAVIGATION_REBOOT;
    case 'n':
        return NAVIGATION_BOOT_NEXT;
    default:
        return NAVIGATION_CHANGED;
    }
}

static enum navigation_outcome handle_key(struct navigation *navigation, uint8_t key)
{
    if (navigation->is_leaving)
        return choose_exit(navigation, key);
    if (key == 'q' || key == 'Q') {
        navigation->is_leaving = true;
        navigation->refusal    = NULL;
        return NAVIGATION_CHANGED;
    }
    if (key >= '1' && key < '1' + REPORT_SECTIONS)
        return go_to(navigation, (enum report_section)(key - '1'), 0);
    if (key == ' ' || key == '\r')
        return go_forward(navigation);
    return key == '\b' || key == 0x7F ? go_back(navigation) : NAVIGATION_SAME;
}

/*
 * The keys equivalent to the sequences of a VT220, by their final byte and, if that is
 * '~', by their number: arrows, Home, End, Page Up and Page Down.
 */
static const uint8_t keys_by_final[UINT8_MAX + 1] = {
    ['A'] = '\b', ['B'] = ' ', ['C'] = ' ', ['D'] = '\b', ['F'] = '7', ['H'] = '1'};
static const uint8_t keys_by_number[UINT8_MAX + 1] = {
    [1] = '1', [4] = '7', [5] = '\b', [6] = ' ', [7] = '1', [8] = '7'};
_Static_assert(REPORT_SECTIONS == 7, "'7' is the last page");

/* Handles a byte after ESC [ or ESC O. */
static enum navigation_outcome continue_sequence(struct navigation *navigation,
                                                 uint8_t byte)
{
    bool is_digit    = byte >= '0' && byte <= '9';
    bool is_modified = navigation->state == KEY_MODIFIED;

    if (is_digit && !is_modified)
        navigation->number = (uint8_t)(navigation->number * 10 + byte - '0');
    if (byte == ';')
        navigation->state = KEY_MODIFIED;
    if (is_digit || byte == ';')
        return NAVIGATION_SAME;
    navigation->state = byte == '[' && !is_modified ? KEY_FUNCTION : KEY_PLAIN;
    if (navigation->is_swallowed)
        return NAVIGATION_SAME;
    return handle_key(navigation, byte == '~' ? keys_by_number[navigation->number]
                                              : keys_by_final[byte]);
}

enum navigation_outcome navigation_handle_byte(struct navigation *navigation,
                                               uint8_t byte)
{
    switch (navigation->state) {
    case KEY_SEQUENCE:
    case KEY_MODIFIED:
        return continue_sequence(navigation, byte);
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
    if (byte != ESCAPE)
        return handle_key(navigation, byte);
    navigation->state        = KEY_ESCAPE;
    navigation->is_swallowed = navigation->is_leaving;
    navigation->is_leaving   = false;
    return navigation->is_swallowed ? NAVIGATION_CHANGED : NAVIGATION_SAME;
}

void navigation_refuse(struct navigation *navigation, const char *refusal)
{
    navigation->is_leaving = true;
    navigation->refusal    = refusal;
}

/* Adds empty rows up to the last. */
static void add_empty_rows(struct sheet *sheet)
{
    while (sheet->rows < SHEET_ROWS - 1)
        sheet_add(sheet, EMPHASIS_NORMAL, "%s", "");
}

static void compose_exit_menu(const struct navigation *navigation, struct sheet *sheet)
{
    static const char *const rows[] = {"", "p   power off", "r   reboot",
                                       "n   boot the firmware's next entry (UEFI)", ""};

    memset(sheet, 0, sizeof(*sheet));
    sheet_add(sheet, EMPHASIS_TITLE, "Leave Hymir");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        sheet_add(sheet, EMPHASIS_NORMAL, "%s", rows[i]);
    if (navigation->refusal != NULL)
        sheet_add_wrapped(sheet, EMPHASIS_CAUTION, 3, 0, navigation->refusal);
    add_empty_rows(sheet);
    sheet_add(sheet, EMPHASIS_FAINT, "any other key: return to the pages");
}

/* Appends the row that explains the keys. */
static void append_keys(const struct navigation *navigation, struct text *text)
{
    const struct key_hint *hint = &navigation->hint;

    if (navigation->section == REPORT_CODE) {
        text_append(text, "%*s%s", CODE_PAGE_TEXT_COLUMN, "",
                    hint->brief[0] != '\0' ? hint->brief : "1 to 7: sections, q: exit");
        return;
    }
    if (hint->row[0] != '\0') {
        text_append(text, "%s", hint->row);
        return;
    }
    for (enum report_section i = REPORT_VERDICT; i < REPORT_SECTIONS; i++)
        text_append(text, "%u %s ", i + 1U, report_section_name(i));
    text_append(text, " q exit");
}

/* The column of the keys in the title of a full verdict. */
#define FULL_SHEET_COLUMN 58
_Static_assert(FULL_SHEET_COLUMN + KEY_HINT_BRIEF_SIZE - 1 == SHEET_COLUMNS, "fits");

/* Appends words to a row at a column, unless its text reaches beyond that. */
static void append_at(char row[SHEET_COLUMNS + 1], size_t column, const char *words)
{
    size_t length = strlen(row);
    if (length <= column)
        format_text(row + length, SHEET_COLUMNS + 1 - length, "%*s%s",
                    (int)(column - length), "", words);
}

void navigation_compose(const struct navigation *navigation, struct sheet *sheet)
{
    enum report_section section = navigation->section;
    const char *brief           = navigation->hint.brief;
    TEXT_DECLARE(keys, SHEET_COLUMNS + 1);

    if (navigation->is_leaving) {
        compose_exit_menu(navigation, sheet);
        return;
    }
    report_compose_page(section, navigation->page, navigation->facts, sheet);
    append_keys(navigation, &keys);
    add_empty_rows(sheet);
    if (sheet->rows < SHEET_ROWS)
        sheet_add(sheet, EMPHASIS_FAINT, "%s", keys.buffer);
    else if (section == REPORT_VERDICT)
        append_at(sheet->row[0].text, FULL_SHEET_COLUMN,
                  brief[0] != '\0' ? brief : "1 to 7: pages, q: exit");
    else if (section == REPORT_CODE)
        append_at(sheet->row[SHEET_ROWS - 1].text, CODE_PAGE_TEXT_COLUMN,
                  keys.buffer + CODE_PAGE_TEXT_COLUMN);
}
