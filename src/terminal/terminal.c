/* See terminal.h. Parses bytes into characters, controls and sequences. */
#include "terminal/terminal.h"

#include "lib/bits.h"
#include "terminal/screen.h"

#define BEL 0x07
#define CAN 0x18
#define SUB 0x1A
#define ESC 0x1B
#define DEL 0x7F

#define GRAPHICS_FIRST 0x5F
#define PALETTE_DIGITS 7

/* DEC VT100 user guide, "SCS - Select Character Set": special graphics, from 0x5F. */
static const uint16_t graphics[] = {
    ' ',    0x25C6, 0x2592, 0x2409, 0x240C, 0x240D, 0x240A, 0x00B0, /* _`abcdef */
    0x00B1, 0x2424, 0x240B, 0x2518, 0x2510, 0x250C, 0x2514, 0x253C, /* ghijklmn */
    0x23BA, 0x23BB, 0x2500, 0x23BC, 0x23BD, 0x251C, 0x2524, 0x2534, /* opqrstuv */
    0x252C, 0x2502, 0x2264, 0x2265, 0x03C0, 0x2260, 0x00A3, 0x00B7, /* wxyz{|}~ */
};
_Static_assert(GRAPHICS_FIRST + ARRAY_SIZE(graphics) == DEL,
               "a character for each code up to DEL");

void terminal_init(struct terminal *terminal, struct terminal_cell *cells,
                   uint16_t columns, uint16_t rows)
{
    *terminal = (struct terminal){.cells = cells, .columns = columns, .rows = rows};
    terminal_reset(terminal);
}

void terminal_set_answer(struct terminal *terminal, terminal_answer *answer,
                         void *context)
{
    terminal->answer         = answer;
    terminal->answer_context = context;
}

bool terminal_test_and_clear_row_changed(struct terminal *terminal, uint16_t row)
{
    bool is_changed               = terminal->is_row_changed[row];
    terminal->is_row_changed[row] = false;
    return is_changed;
}

/* Writes an ASCII character in the active character set. */
static void put_ascii(struct terminal *terminal, uint8_t byte)
{
    const struct terminal_cursor *cursor = &terminal->cursor;
    bool is_graphics                     = cursor->is_graphics[cursor->character_set];

    terminal_put_character(terminal, is_graphics && byte >= GRAPHICS_FIRST
                                         ? graphics[byte - GRAPHICS_FIRST]
                                         : byte);
}

/* Writes a non-ASCII character; C1 controls are ignored. */
static void put_code_point(struct terminal *terminal, uint32_t code_point)
{
    if (code_point > UINT16_MAX)
        code_point = TERMINAL_REPLACEMENT;
    if (code_point >= 0xA0)
        terminal_put_character(terminal, (uint16_t)code_point);
}

/*
 * Handles the first byte of a non-ASCII character: Unicode, "Well-Formed UTF-8 Byte
 * Sequences" (table 3-7), which excludes overlong forms, surrogates and anything above
 * U+10FFFF.
 */
static void start_character(struct terminal *terminal, uint8_t byte)
{
    static const struct {
        uint8_t first, last, missing, lowest, highest;
    } rows[] = {
        {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF},
        {0xE1, 0xEC, 2, 0x80, 0xBF}, {0xED, 0xED, 2, 0x80, 0x9F},
        {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
        {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (byte < rows[i].first || byte > rows[i].last)
            continue;
        terminal->decoder =
            (struct terminal_decoder){byte & (0x3FU >> rows[i].missing), rows[i].missing,
                                      rows[i].lowest, rows[i].highest};
        return;
    }
    put_code_point(terminal, TERMINAL_REPLACEMENT);
}

/*
 * Adds a byte to the current character. Returns false if it does not continue the
 * character, which is then replaced; the byte starts something else.
 */
static bool continue_character(struct terminal *terminal, uint8_t byte)
{
    struct terminal_decoder *decoder = &terminal->decoder;

    if (byte < decoder->lowest || byte > decoder->highest) {
        decoder->missing = 0;
        put_code_point(terminal, TERMINAL_REPLACEMENT);
        return false;
    }
    decoder->code_point = decoder->code_point << 6 | (byte & 0x3F);
    decoder->lowest     = 0x80;
    decoder->highest    = 0xBF;
    if (--decoder->missing == 0)
        put_code_point(terminal, decoder->code_point);
    return true;
}

/*
 * Handles a byte below 0x20. A control inside a sequence is executed without ending the
 * sequence, except for CAN, SUB and ESC. A string ignores controls and ends at BEL.
 */
static void handle_control(struct terminal *terminal, uint8_t byte)
{
    bool is_in_string = terminal->state >= TERMINAL_STRING_START;

    if (byte == ESC) {
        terminal->state    = TERMINAL_ESCAPE;
        terminal->sequence = (struct terminal_sequence){0};
    } else if (byte == CAN || byte == SUB || (is_in_string && byte == BEL)) {
        terminal->state = TERMINAL_TEXT;
    } else if (!is_in_string) {
        terminal_execute(terminal, TERMINAL_AFTER_NOTHING, byte, 0);
    }
}

/* Handles a byte after ESC: intermediate bytes, 0x20 to 0x2F, then the final byte. */
static void handle_escape(struct terminal *terminal, uint8_t byte)
{
    struct terminal_sequence *sequence = &terminal->sequence;

    if (byte < 0x30) {
        sequence->is_ignored   = sequence->intermediate != 0;
        sequence->intermediate = byte;
        return;
    }
    terminal->state = TERMINAL_TEXT;
    if (sequence->intermediate == 0)
        terminal_execute(terminal, TERMINAL_AFTER_ESC, byte, 0);
    else if (!sequence->is_ignored && (sequence->intermediate & ~1U) == '(') /* SCS */
        terminal->cursor.is_graphics[sequence->intermediate - '('] = byte == '0';
}

/* Handles a digit or semicolon of a control sequence. */
static void add_parameter_byte(struct terminal_sequence *sequence, uint8_t byte)
{
    if (sequence->count == 0)
        sequence->count = 1;
    if (sequence->count > TERMINAL_MAX_PARAMETERS)
        return;
    if (byte == ';') {
        sequence->count++;
        return;
    }
    uint16_t *parameter = &sequence->parameters[sequence->count - 1];
    uint32_t number     = *parameter * 10U + byte - '0';
    *parameter = (uint16_t)(number > TERMINAL_MAX_NUMBER ? TERMINAL_MAX_NUMBER : number);
}

/*
 * Handles a byte of a control sequence. A sequence with sub-parameters or intermediate
 * bytes is ignored.
 */
static void handle_sequence(struct terminal *terminal, uint8_t byte)
{
    struct terminal_sequence *sequence = &terminal->sequence;

    if (byte >= 0x40) {
        terminal->state = TERMINAL_TEXT;
        sequence->last  = byte;
        if (!sequence->is_ignored)
            terminal_execute(terminal, sequence->marker, byte, sequence->parameters[0]);
    } else if ((byte >= '0' && byte <= '9') || byte == ';') {
        add_parameter_byte(sequence, byte);
    } else if (byte >= '<' && sequence->count == 0 && sequence->marker == 0) {
        sequence->marker = byte;
    } else {
        sequence->is_ignored = true;
    }
}

/*
 * Handles the first byte of an operating system command. Two commands of the Linux
 * console have no terminator: ESC ] R, which TERM=linux sends at a reset, and ESC ] P
 * with seven digits; console_codes(4), "Linux Console Private CSI Sequences".
 */
static void handle_string_start(struct terminal *terminal, uint8_t byte)
{
    terminal->palette_digits = PALETTE_DIGITS;
    if (byte == 'R')
        terminal->state = TERMINAL_TEXT;
    else
        terminal->state = byte == 'P' ? TERMINAL_PALETTE : TERMINAL_STRING;
}

/* Handles a byte that is not a control and does not continue a character. */
static void handle_printable(struct terminal *terminal, uint8_t byte)
{
    switch (terminal->state) {
    case TERMINAL_TEXT:
        if (byte < 0x80)
            put_ascii(terminal, byte);
        else
            start_character(terminal, byte);
        break;
    case TERMINAL_ESCAPE:
        handle_escape(terminal, byte);
        break;
    case TERMINAL_CONTROL_SEQUENCE:
        handle_sequence(terminal, byte);
        break;
    case TERMINAL_STRING_START:
        handle_string_start(terminal, byte);
        break;
    case TERMINAL_PALETTE:
        if (--terminal->palette_digits == 0)
            terminal->state = TERMINAL_TEXT;
        break;
    case TERMINAL_STRING:
        break;
    }
}

static void handle_byte(struct terminal *terminal, uint8_t byte)
{
    if (terminal->decoder.missing > 0 && continue_character(terminal, byte))
        return;
    /* A non-ASCII byte aborts a sequence and is handled as text. */
    if (byte >= 0x80 && terminal->state < TERMINAL_STRING_START)
        terminal->state = TERMINAL_TEXT;
    if (byte < 0x20)
        handle_control(terminal, byte);
    else if (byte != DEL)
        handle_printable(terminal, byte);
}

void terminal_write(struct terminal *terminal, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++)
        handle_byte(terminal, byte[i]);
}
