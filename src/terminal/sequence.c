/* See screen.h. The control functions. */
#include "terminal/screen.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

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
        terminal->tab_stops[terminal->cursor.column] = false;
    else if (which == 3)
        memset(terminal->tab_stops, 0, sizeof(terminal->tab_stops));
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

static void set_private_mode(struct terminal *terminal, uint16_t mode, bool is_set)
{
    switch (mode) {
    case MODE_CURSOR_KEYS:
        terminal->is_cursor_key_application = is_set;
        break;
    case MODE_ORIGIN:
        terminal->cursor.is_origin_in_region = is_set;
        terminal_set_column(terminal, 0);
        terminal_set_origin_row(terminal, 0);
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
        (is_set ? terminal_save_cursor : terminal_restore_cursor)(terminal);
        break;
    default:
        break;
    }
}

/* Sets (SM) or resets (RM) each mode of the sequence. */
static void change_modes(struct terminal *terminal)
{
    bool is_set = terminal->sequence.last == 'h';

    for (size_t i = 0; i < parameter_count(terminal); i++) {
        uint16_t mode = terminal->sequence.parameters[i];
        if (terminal->sequence.marker == '?')
            set_private_mode(terminal, mode, is_set);
        else if (mode == MODE_INSERT)
            terminal->is_inserting = is_set;
    }
}

static void start_next_line(struct terminal *terminal)
{
    terminal_index(terminal);
    terminal_set_column(terminal, 0);
}

static void set_tab_stop(struct terminal *terminal)
{
    terminal->tab_stops[terminal->cursor.column] = true;
}

static void select_character_set(struct terminal *terminal, uint16_t number)
{
    terminal->cursor.character_set = (uint8_t)number;
}

static void enter_state(struct terminal *terminal, uint16_t state)
{
    terminal->state = (enum terminal_state)state;
}

/*
 * The known control functions, with their ECMA-48 or DEC names: DEC VT100 user guide,
 * "Control Characters", "Control Sequences". A row has one of the two functions.
 */
static const struct {
    uint8_t introducer, last;
    uint16_t least; /* the minimum and default of number */
    void (*execute_number)(struct terminal *terminal, uint16_t number);
    void (*execute)(struct terminal *terminal);
} functions[] = {
    {TERMINAL_AFTER_NOTHING, '\b', 1, terminal_move_left, NULL},             /* BS */
    {TERMINAL_AFTER_NOTHING, '\t', 1, terminal_move_tabs, NULL},             /* HT */
    {TERMINAL_AFTER_NOTHING, '\n', 0, NULL, terminal_index},                 /* LF */
    {TERMINAL_AFTER_NOTHING, '\v', 0, NULL, terminal_index},                 /* VT */
    {TERMINAL_AFTER_NOTHING, '\f', 0, NULL, terminal_index},                 /* FF */
    {TERMINAL_AFTER_NOTHING, '\r', 1, set_column, NULL},                     /* CR */
    {TERMINAL_AFTER_NOTHING, 0x0E, 1, select_character_set, NULL},           /* SO */
    {TERMINAL_AFTER_NOTHING, 0x0F, 0, select_character_set, NULL},           /* SI */
    {TERMINAL_AFTER_ESC, '7', 0, NULL, terminal_save_cursor},                /* DECSC */
    {TERMINAL_AFTER_ESC, '8', 0, NULL, terminal_restore_cursor},             /* DECRC */
    {TERMINAL_AFTER_ESC, 'D', 0, NULL, terminal_index},                      /* IND */
    {TERMINAL_AFTER_ESC, 'E', 0, NULL, start_next_line},                     /* NEL */
    {TERMINAL_AFTER_ESC, 'H', 0, NULL, set_tab_stop},                        /* HTS */
    {TERMINAL_AFTER_ESC, 'M', 0, NULL, terminal_reverse_index},              /* RI */
    {TERMINAL_AFTER_ESC, 'P', TERMINAL_STRING, enter_state, NULL},           /* DCS */
    {TERMINAL_AFTER_ESC, 'X', TERMINAL_STRING, enter_state, NULL},           /* SOS */
    {TERMINAL_AFTER_ESC, 'Z', 0, report_attributes, NULL},                   /* DECID */
    {TERMINAL_AFTER_ESC, '[', TERMINAL_CONTROL_SEQUENCE, enter_state, NULL}, /* CSI */
    {TERMINAL_AFTER_ESC, ']', TERMINAL_STRING_START, enter_state, NULL},     /* OSC */
    {TERMINAL_AFTER_ESC, '^', TERMINAL_STRING, enter_state, NULL},           /* PM */
    {TERMINAL_AFTER_ESC, '_', TERMINAL_STRING, enter_state, NULL},           /* APC */
    {TERMINAL_AFTER_ESC, 'c', 0, NULL, terminal_reset},                      /* RIS */
    {TERMINAL_AFTER_CSI, '@', 1, terminal_insert_characters, NULL},          /* ICH */
    {TERMINAL_AFTER_CSI, 'A', 1, terminal_move_up, NULL},                    /* CUU */
    {TERMINAL_AFTER_CSI, 'B', 1, terminal_move_down, NULL},                  /* CUD */
    {TERMINAL_AFTER_CSI, 'C', 1, terminal_move_right, NULL},                 /* CUF */
    {TERMINAL_AFTER_CSI, 'D', 1, terminal_move_left, NULL},                  /* CUB */
    {TERMINAL_AFTER_CSI, 'E', 1, move_to_next_row, NULL},                    /* CNL */
    {TERMINAL_AFTER_CSI, 'F', 1, move_to_previous_row, NULL},                /* CPL */
    {TERMINAL_AFTER_CSI, 'G', 1, set_column, NULL},                          /* CHA */
    {TERMINAL_AFTER_CSI, 'H', 1, set_position, NULL},                        /* CUP */
    {TERMINAL_AFTER_CSI, 'I', 1, terminal_move_tabs, NULL},                  /* CHT */
    {TERMINAL_AFTER_CSI, 'J', 0, terminal_erase_screen, NULL},               /* ED */
    {TERMINAL_AFTER_CSI, 'K', 0, terminal_erase_row, NULL},                  /* EL */
    {TERMINAL_AFTER_CSI, 'L', 1, terminal_insert_rows, NULL},                /* IL */
    {TERMINAL_AFTER_CSI, 'M', 1, terminal_delete_rows, NULL},                /* DL */
    {TERMINAL_AFTER_CSI, 'P', 1, terminal_delete_characters, NULL},          /* DCH */
    {TERMINAL_AFTER_CSI, 'S', 1, terminal_scroll_up, NULL},                  /* SU */
    {TERMINAL_AFTER_CSI, 'T', 1, terminal_scroll_down, NULL},                /* SD */
    {TERMINAL_AFTER_CSI, 'X', 1, terminal_erase_characters, NULL},           /* ECH */
    {TERMINAL_AFTER_CSI, 'Z', 1, terminal_move_tabs_back, NULL},             /* CBT */
    {TERMINAL_AFTER_CSI, '`', 1, set_column, NULL},                          /* HPA */
    {TERMINAL_AFTER_CSI, 'a', 1, terminal_move_right, NULL},                 /* HPR */
    {TERMINAL_AFTER_CSI, 'b', 1, terminal_repeat_character, NULL},           /* REP */
    {TERMINAL_AFTER_CSI, 'c', 0, report_attributes, NULL},                   /* DA */
    {TERMINAL_AFTER_CSI, 'd', 1, set_row, NULL},                             /* VPA */
    {TERMINAL_AFTER_CSI, 'e', 1, terminal_move_down, NULL},                  /* VPR */
    {TERMINAL_AFTER_CSI, 'f', 1, set_position, NULL},                        /* HVP */
    {TERMINAL_AFTER_CSI, 'g', 0, clear_tab_stop, NULL},                      /* TBC */
    {TERMINAL_AFTER_CSI, 'h', 0, NULL, change_modes},                        /* SM */
    {'?', 'h', 0, NULL, change_modes},                 /* SM, of DEC's private modes */
    {TERMINAL_AFTER_CSI, 'l', 0, NULL, change_modes},  /* RM */
    {'?', 'l', 0, NULL, change_modes},                 /* RM, of DEC's private modes */
    {TERMINAL_AFTER_CSI, 'm', 0, change_pen, NULL},    /* SGR */
    {TERMINAL_AFTER_CSI, 'n', 0, report_status, NULL}, /* DSR */
    {TERMINAL_AFTER_CSI, 'r', 1, set_region, NULL},    /* DECSTBM */
    {TERMINAL_AFTER_CSI, 's', 0, NULL, terminal_save_cursor},    /* console_codes(4) */
    {TERMINAL_AFTER_CSI, 'u', 0, NULL, terminal_restore_cursor}, /* console_codes(4) */
};

void terminal_execute(struct terminal *terminal, uint8_t introducer, uint8_t last,
                      uint16_t number)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        if (functions[i].last != last || functions[i].introducer != introducer)
            continue;
        if (functions[i].execute != NULL)
            functions[i].execute(terminal);
        else
            functions[i].execute_number(
                terminal, number < functions[i].least ? functions[i].least : number);
        return;
    }
}
