/* See sequence.h. */
#include "terminal/sequence.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "terminal/pen.h"
#include "terminal/screen.h"

/* The device attributes of the Linux console: a VT102. */
#define DEVICE_ATTRIBUTES "\033[?6c"
#define STATUS_GOOD       "\033[0n"

/* Modes for SM and RM; all but the first are DEC private modes (?), xterm's from 47. */
#define MODE_INSERT                  4
#define MODE_CURSOR_KEYS             1
#define MODE_ORIGIN                  6
#define MODE_WRAP                    7
#define MODE_CURSOR_VISIBLE          25
#define MODE_ALTERNATIVE_OLD         47
#define MODE_ALTERNATIVE             1047
#define MODE_SAVED_CURSOR            1048
#define MODE_ALTERNATIVE_WITH_CURSOR 1049

/* Executes a sequence with its first parameter, at least the row's minimum. */
typedef void sequence_function(struct terminal *terminal, uint16_t number);

static size_t parameter_count(const struct terminal *terminal)
{
    size_t count = terminal->sequence.count;
    return count > TERMINAL_MAX_PARAMETERS ? TERMINAL_MAX_PARAMETERS : count;
}

static void send_answer(struct terminal *terminal, const char *bytes, size_t size)
{
    if (terminal->answer != NULL)
        terminal->answer(terminal->answer_context, bytes, size);
}

static void move_to_next_row(struct terminal *terminal, uint16_t count)
{
    terminal_move_down(terminal, count);
    terminal_set_column(terminal, 0);
}

static void move_to_previous_row(struct terminal *terminal, uint16_t count)
{
    terminal_move_up(terminal, count);
    terminal_set_column(terminal, 0);
}

static void set_column(struct terminal *terminal, uint16_t column)
{
    terminal_set_column(terminal, column - 1U);
}

static void set_row(struct terminal *terminal, uint16_t row)
{
    terminal_set_origin_row(terminal, row - 1U);
}

static void set_position(struct terminal *terminal, uint16_t row)
{
    uint16_t column = terminal->sequence.parameters[1];
    set_row(terminal, row);
    set_column(terminal, column == 0 ? 1 : column);
}

static void set_region(struct terminal *terminal, uint16_t top)
{
    uint16_t bottom = terminal->sequence.parameters[1];
    terminal_set_region(terminal, top - 1U, (bottom == 0 ? terminal->rows : bottom) - 1U);
}

static void clear_tab_stop(struct terminal *terminal, uint16_t which)
{
    if (which == 0)
        terminal_set_tab_stop(terminal, false);
    else if (which == 3)
        terminal_clear_tab_stops(terminal);
}

static void change_pen(struct terminal *terminal, uint16_t first)
{
    size_t count = parameter_count(terminal);
    if (count == 0)
        terminal_change_pen(&terminal->cursor.pen, &first, 1);
    else
        terminal_change_pen(&terminal->cursor.pen, terminal->sequence.parameters, count);
}

static void report_status(struct terminal *terminal, uint16_t request)
{
    TEXT_DECLARE(report, 16);

    if (request == 5)
        text_append(&report, STATUS_GOOD);
    else if (request == 6)
        text_append(&report, "\033[%u;%uR", terminal_origin_row(terminal) + 1U,
                    terminal->cursor.column + 1U);
    if (report.length > 0)
        send_answer(terminal, report.buffer, report.length);
}

static void report_attributes(struct terminal *terminal, uint16_t request)
{
    if (request == 0)
        send_answer(terminal, DEVICE_ATTRIBUTES, sizeof(DEVICE_ATTRIBUTES) - 1);
}

static void set_origin(struct terminal *terminal, bool is_set)
{
    terminal->cursor.is_origin_in_region = is_set;
    terminal_set_column(terminal, 0);
    terminal_set_origin_row(terminal, 0);
}

static void set_private_mode(struct terminal *terminal, uint16_t mode, bool is_set)
{
    switch (mode) {
    case MODE_CURSOR_KEYS:
        terminal->is_cursor_key_application = is_set;
        break;
    case MODE_ORIGIN:
        set_origin(terminal, is_set);
        break;
    case MODE_WRAP:
        terminal->is_wrapping = is_set;
        break;
    case MODE_CURSOR_VISIBLE:
        terminal->is_cursor_visible = is_set;
        break;
    case MODE_ALTERNATIVE_OLD:
    case MODE_ALTERNATIVE:
    case MODE_ALTERNATIVE_WITH_CURSOR:
        terminal_use_alternative(terminal, is_set, mode == MODE_ALTERNATIVE_WITH_CURSOR);
        break;
    case MODE_SAVED_CURSOR:
        if (is_set)
            terminal_save_cursor(terminal);
        else
            terminal_restore_cursor(terminal);
        break;
    default:
        break;
    }
}

/* Sets or resets each mode of the sequence. */
static void change_modes(struct terminal *terminal, uint16_t first)
{
    bool is_private = terminal->sequence.marker == '?';
    bool is_set     = terminal->sequence.last == 'h';

    (void)first;
    for (size_t i = 0; i < parameter_count(terminal); i++) {
        uint16_t mode = terminal->sequence.parameters[i];
        if (is_private)
            set_private_mode(terminal, mode, is_set);
        else if (mode == MODE_INSERT)
            terminal->is_inserting = is_set;
    }
}

static void save_cursor(struct terminal *terminal, uint16_t first)
{
    (void)first;
    terminal_save_cursor(terminal);
}

static void restore_cursor(struct terminal *terminal, uint16_t first)
{
    (void)first;
    terminal_restore_cursor(terminal);
}

/* The known control sequences by final byte, with their ECMA-48 or DEC names. */
static const struct {
    uint8_t marker;
    uint8_t last;
    uint16_t least; /* the minimum and default of the first parameter */
    sequence_function *execute;
} sequences[] = {
    {0, '@', 1, terminal_insert_characters}, /* ICH */
    {0, 'A', 1, terminal_move_up},           /* CUU */
    {0, 'B', 1, terminal_move_down},         /* CUD */
    {0, 'C', 1, terminal_move_right},        /* CUF */
    {0, 'D', 1, terminal_move_left},         /* CUB */
    {0, 'E', 1, move_to_next_row},           /* CNL */
    {0, 'F', 1, move_to_previous_row},       /* CPL */
    {0, 'G', 1, set_column},                 /* CHA */
    {0, 'H', 1, set_position},               /* CUP */
    {0, 'I', 1, terminal_move_tabs},         /* CHT */
    {0, 'J', 0, terminal_erase_screen},      /* ED */
    {0, 'K', 0, terminal_erase_row},         /* EL */
    {0, 'L', 1, terminal_insert_rows},       /* IL */
    {0, 'M', 1, terminal_delete_rows},       /* DL */
    {0, 'P', 1, terminal_delete_characters}, /* DCH */
    {0, 'S', 1, terminal_scroll_up},         /* SU */
    {0, 'T', 1, terminal_scroll_down},       /* SD */
    {0, 'X', 1, terminal_erase_characters},  /* ECH */
    {0, 'Z', 1, terminal_move_tabs_back},    /* CBT */
    {0, '`', 1, set_column},                 /* HPA */
    {0, 'a', 1, terminal_move_right},        /* HPR */
    {0, 'b', 1, terminal_repeat_character},  /* REP */
    {0, 'c', 0, report_attributes},          /* DA */
    {0, 'd', 1, set_row},                    /* VPA */
    {0, 'e', 1, terminal_move_down},         /* VPR */
    {0, 'f', 1, set_position},               /* HVP */
    {0, 'g', 0, clear_tab_stop},             /* TBC */
    {0, 'h', 0, change_modes},               /* SM */
    {'?', 'h', 0, change_modes},             /* SM, of DEC's private modes */
    {0, 'l', 0, change_modes},               /* RM */
    {'?', 'l', 0, change_modes},             /* RM, of DEC's private modes */
    {0, 'm', 0, change_pen},                 /* SGR */
    {0, 'n', 0, report_status},              /* DSR */
    {0, 'r', 1, set_region},                 /* DECSTBM */
    {0, 's', 0, save_cursor},                /* console_codes(4) */
    {0, 'u', 0, restore_cursor},             /* console_codes(4) */
};

void terminal_run_sequence(struct terminal *terminal)
{
    const struct terminal_sequence *sequence = &terminal->sequence;
    uint16_t first                           = sequence->parameters[0];

    for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
        if (sequences[i].last != sequence->last ||
            sequences[i].marker != sequence->marker)
            continue;
        uint16_t least = sequences[i].least;
        sequences[i].execute(terminal, first < least ? least : first);
        return;
    }
}

/* Executes an escape sequence without intermediate bytes. */
static void run_plain_escape(struct terminal *terminal, uint8_t last)
{
    switch (last) {
    case '7': /* DECSC */
        terminal_save_cursor(terminal);
        break;
    case '8': /* DECRC */
        terminal_restore_cursor(terminal);
        break;
    case 'D': /* IND */
        terminal_index(terminal);
        break;
    case 'E': /* NEL */
        terminal_index(terminal);
        terminal_set_column(terminal, 0);
        break;
    case 'H': /* HTS */
        terminal_set_tab_stop(terminal, true);
        break;
    case 'M': /* RI */
        terminal_reverse_index(terminal);
        break;
    case 'Z': /* DECID */
        report_attributes(terminal, 0);
        break;
    case 'c': /* RIS */
        terminal_reset(terminal);
        break;
    default:
        break;
    }
}

void terminal_run_escape(struct terminal *terminal, uint8_t last)
{
    switch (terminal->sequence.intermediate) {
    case 0:
        run_plain_escape(terminal, last);
        break;
    case '(': /* SCS: G0 */
    case ')': /* SCS: G1 */
        terminal->cursor.is_graphics[terminal->sequence.intermediate - '('] = last == '0';
        break;
    default:
        break;
    }
}
