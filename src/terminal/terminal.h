/*
 * A terminal: takes the bytes that a guest's program sends to its serial line, and keeps
 * the screen that they make, as rows of characters with colours.
 *
 * It is what TERM=linux, vt100 and vt220 describe, and the part of xterm that programs
 * use without asking. Sources: ECMA-48, "Control sequences" (5.4), "Control strings"
 * (5.6) and "Definition of control functions" (8.3); DEC VT100 user guide, "Control
 * Characters" and "Control Sequences"; console_codes(4) for what is Linux's own; UTF-8
 * after Unicode, "UTF-8 Encoding Form" (3.9).
 *
 * The bytes are hostile: whatever they are, the cursor stays on the screen, nothing
 * outside the cells is touched, and a byte costs at most a few passes over the screen.
 * Sequences that are malformed or not known change nothing.
 *
 * Not modelled: blinking, faint and concealed text; the alternative screen has no cells
 * of its own (entering and leaving it clears the screen, leaving it brings back the
 * cursor); characters that are two cells wide or combine take a cell each; 8-bit C1
 * controls, smooth scrolling, 132 columns, double width and height, the mouse.
 *
 * Pure; the caller owns the terminal and its cells, and keeps it to one CPU at a time.
 */
#ifndef HYMIR_TERMINAL_TERMINAL_H
#define HYMIR_TERMINAL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMINAL_MAX_COLUMNS    240
#define TERMINAL_MAX_ROWS       68
#define TERMINAL_MAX_PARAMETERS 16   /* of a control sequence; the rest is dropped */
#define TERMINAL_MAX_NUMBER     9999 /* a larger parameter is taken for this one */
#define TERMINAL_COLORS         16

/* What is shown for bytes that are not UTF-8, and for characters beyond U+FFFF. */
#define TERMINAL_REPLACEMENT 0xFFFD

/*
 * Colours are 0 to 15 in the order of ECMA-48, "SGR - Select graphic rendition"
 * (8.3.117): black, red, green, yellow, blue, magenta, cyan, white, and the same bright.
 * They are final: bold, underlined and reversed text is in its colours already.
 */
struct terminal_cell {
    uint16_t character; /* a code point, never a control character */
    uint8_t foreground, background;
};

/* The sixteen colours as VGA shows them, 0 to 255. */
struct terminal_color {
    uint8_t red, green, blue;
};
extern const struct terminal_color terminal_palette[TERMINAL_COLORS];

/* The same colour in the order of VGA's attributes: black, blue, green, cyan, red... */
static inline uint8_t terminal_vga_color(uint8_t color)
{
    return (uint8_t)((color & 0xA) | (color & 1) << 2 | (color >> 2 & 1));
}

/* Takes what the terminal answers to a question of the program's, for its input. */
typedef void terminal_answer(void *context, const char *bytes, size_t size);

/* How text is written: SGR. */
struct terminal_pen {
    uint8_t foreground, background; /* 0 to 15 */
    bool is_bold, is_underlined, is_reversed;
};

/* The cursor, with what is saved and restored with it (DECSC, DECRC). */
struct terminal_cursor {
    uint16_t row, column;     /* from 0; below rows and columns */
    bool is_wrap_pending;     /* the last column is written; the next character wraps */
    bool is_origin_in_region; /* rows are counted from the scroll region: DECOM */
    bool is_graphics[2];      /* G0 and G1 are line drawing: SCS */
    uint8_t character_set;    /* the one in use, G0 or G1: SI, SO */
    struct terminal_pen pen;
};

/* A sequence as far as it has come. */
struct terminal_sequence {
    uint8_t marker;       /* one of < = > ? at its start, or 0 */
    uint8_t intermediate; /* the first of its intermediate bytes, or 0 */
    bool is_ignored;      /* it is malformed, or has what no known one has */
    uint8_t count;        /* of the parameters begun, at most one above the maximum */
    uint16_t parameters[TERMINAL_MAX_PARAMETERS]; /* those not given are 0 */
};

/* What the next byte belongs to. */
enum terminal_state {
    TERMINAL_TEXT,
    TERMINAL_ESCAPE,           /* behind ESC */
    TERMINAL_CONTROL_SEQUENCE, /* behind ESC [ */
    /* From here on bytes are swallowed. */
    TERMINAL_STRING_START, /* behind ESC ] */
    TERMINAL_STRING,       /* in the text of a control string */
    TERMINAL_PALETTE,      /* behind ESC ] P, in the seven digits of a colour */
};

/* A character of UTF-8 as far as it has come. */
struct terminal_decoder {
    uint32_t code_point;
    uint8_t missing;         /* bytes; 0: none is begun */
    uint8_t lowest, highest; /* what the next byte may be */
};

struct terminal {
    /* For the drawer, to read. */
    struct terminal_cell *cells; /* rows * columns, row by row */
    uint16_t columns, rows;
    struct terminal_cursor cursor;
    bool is_cursor_visible;
    bool is_row_changed[TERMINAL_MAX_ROWS];

    /* For the keyboard: the arrow keys send ESC O A, not ESC [ A (DECCKM). */
    bool is_cursor_key_application;

    /* Of the terminal's own. */
    bool is_wrapping;                /* DECAWM */
    bool is_inserting;               /* IRM */
    bool is_alternative;             /* the alternative screen is in use */
    uint16_t top, bottom;            /* first and last row of the scroll region */
    struct terminal_cursor saved[2]; /* by is_alternative */
    uint64_t tab_stops[(TERMINAL_MAX_COLUMNS + 63) / 64]; /* a bit for each column */
    uint16_t last_character;                              /* for REP; 0: none */
    enum terminal_state state;
    struct terminal_sequence sequence;
    uint8_t palette_digits; /* that are still to come */
    struct terminal_decoder decoder;
    terminal_answer *answer;
    void *answer_context;
};

/*
 * Starts with an empty screen of columns times rows cells, from 1x1 to the maximum; all
 * rows count as changed. It answers nothing before terminal_set_answer.
 */
void terminal_init(struct terminal *terminal, struct terminal_cell *cells,
                   uint16_t columns, uint16_t rows);

/*
 * Has answers (cursor position, status, device attributes) taken by answer, which may be
 * NULL and is called from terminal_write, at most once for two bytes written. It must
 * not call terminal_write.
 */
void terminal_set_answer(struct terminal *terminal, terminal_answer *answer,
                         void *context);

/*
 * Takes size bytes from the program. Sequences and characters may be split anywhere
 * between two calls.
 */
void terminal_write(struct terminal *terminal, const void *bytes, size_t size);

/*
 * Whether a cell of the row, below rows, was written since this was last asked. The
 * cursor is no part of it: the drawer compares cursor.row, cursor.column and
 * is_cursor_visible with what it drew last.
 */
bool terminal_test_and_clear_row_changed(struct terminal *terminal, uint16_t row);

/* The cells of a row, which is below rows. */
static inline const struct terminal_cell *terminal_row(const struct terminal *terminal,
                                                       uint16_t row)
{
    return terminal->cells + (size_t)row * terminal->columns;
}

#endif
