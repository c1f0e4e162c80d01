/*
 * A terminal emulator: interprets the bytes that a guest sends to its serial line and
 * maintains the resulting screen, as rows of characters with colours.
 *
 * Emulates TERM=linux, vt100 and vt220, and the xterm extensions that programs use
 * unconditionally. Sources: ECMA-48, "Control sequences" (5.4), "Control strings" (5.6)
 * and "Definition of control functions" (8.3); DEC VT100 user guide, "Control Characters"
 * and "Control Sequences"; console_codes(4) for Linux extensions; Unicode, "UTF-8
 * Encoding Form" (3.9).
 *
 * The input is untrusted: for any bytes the cursor stays on the screen, only the cells
 * are written, and a byte costs at most a few passes over the screen. Malformed and
 * unknown sequences are ignored.
 *
 * Not supported: blinking, faint and concealed text; 8-bit C1 controls, smooth scrolling,
 * 132 columns, double width and height, the mouse. The alternate screen shares the cells
 * of the main one: entering and leaving clears the screen. Wide and combining characters
 * take one cell each.
 *
 * Pure; the caller owns the terminal and its cells, and serializes access to them.
 */
#ifndef HYMIR_TERMINAL_TERMINAL_H
#define HYMIR_TERMINAL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMINAL_MAX_COLUMNS    240
#define TERMINAL_MAX_ROWS       68
#define TERMINAL_MAX_PARAMETERS 16   /* per control sequence; the rest is ignored */
#define TERMINAL_MAX_NUMBER     9999 /* larger parameters are limited to this */
#define TERMINAL_COLORS         16

/* The replacement for invalid UTF-8 and for characters above U+FFFF. */
#define TERMINAL_REPLACEMENT 0xFFFD

/*
 * Colours are 0 to 15 in the order of ECMA-48, "SGR - Select graphic rendition"
 * (8.3.117): black, red, green, yellow, blue, magenta, cyan, white, then bright versions.
 * They already reflect bold, underlined and reversed text.
 */
struct terminal_cell {
    uint16_t character; /* a code point, never a control character */
    uint8_t foreground, background;
};

/* The sixteen colours of VGA, components 0 to 255. */
struct terminal_color {
    uint8_t red, green, blue;
};
extern const struct terminal_color terminal_palette[TERMINAL_COLORS];

/* Converts a colour to or from the order of VGA attributes: black, blue, green... */
static inline uint8_t terminal_vga_color(uint8_t color)
{
    return (uint8_t)((color & 0xA) | (color & 1) << 2 | (color >> 2 & 1));
}

/* Receives the terminal's reply to a query, to be sent to the program as input. */
typedef void terminal_answer(void *context, const char *bytes, size_t size);

/* The graphic rendition of new text: SGR. */
struct terminal_pen {
    uint8_t foreground, background; /* 0 to 15 */
    bool is_bold, is_underlined, is_reversed;
};

/* The cursor, and the state saved and restored with it (DECSC, DECRC). */
struct terminal_cursor {
    uint16_t row, column;     /* from 0; below rows and columns */
    bool is_wrap_pending;     /* the last column is written; the next character wraps */
    bool is_origin_in_region; /* rows count from the top of the scroll region: DECOM */
    bool is_graphics[2];      /* G0 and G1 are line drawing: SCS */
    uint8_t character_set;    /* the active set, 0 (G0) or 1 (G1): SI, SO */
    struct terminal_pen pen;
};

/* The sequence being parsed. */
struct terminal_sequence {
    uint8_t marker;       /* a leading < = > or ?, or 0 */
    uint8_t intermediate; /* the first intermediate byte, or 0 */
    uint8_t last;         /* the final byte */
    bool is_ignored;      /* malformed or unsupported */
    uint8_t count;        /* of parameters started, at most one above the maximum */
    uint16_t parameters[TERMINAL_MAX_PARAMETERS]; /* 0 if absent */
};

/* The state of the parser. */
enum terminal_state {
    TERMINAL_TEXT,
    TERMINAL_ESCAPE,           /* after ESC */
    TERMINAL_CONTROL_SEQUENCE, /* after ESC [ */
    /* The states below discard their bytes. */
    TERMINAL_STRING_START, /* after ESC ] */
    TERMINAL_STRING,       /* in the text of a control string */
    TERMINAL_PALETTE,      /* after ESC ] P, in the seven digits of a colour */
};

/* The UTF-8 character being decoded. */
struct terminal_decoder {
    uint32_t code_point;
    uint8_t missing;         /* bytes to come; 0 if none is being decoded */
    uint8_t lowest, highest; /* the valid range of the next byte */
};

struct terminal {
    /* For the renderer, to read. */
    struct terminal_cell *cells; /* rows * columns, row by row */
    uint16_t columns, rows;
    struct terminal_cursor cursor;
    bool is_cursor_visible;
    bool is_row_changed[TERMINAL_MAX_ROWS];

    /* For the keyboard: the arrow keys send ESC O A, not ESC [ A (DECCKM). */
    bool is_cursor_key_application;

    /* Private. */
    bool is_wrapping;                /* DECAWM */
    bool is_inserting;               /* IRM */
    bool is_alternative;             /* the alternate screen is active */
    uint16_t top, bottom;            /* first and last row of the scroll region */
    struct terminal_cursor saved[2]; /* by is_alternative */
    bool tab_stops[TERMINAL_MAX_COLUMNS];
    uint16_t last_character; /* for REP; 0: none */
    enum terminal_state state;
    struct terminal_sequence sequence;
    uint8_t palette_digits; /* to come */
    struct terminal_decoder decoder;
    terminal_answer *answer;
    void *answer_context;
};

/*
 * Initializes an empty screen of columns by rows cells, 1x1 up to the maximum, with all
 * rows marked changed and no answer function.
 */
void terminal_init(struct terminal *terminal, struct terminal_cell *cells,
                   uint16_t columns, uint16_t rows);

/*
 * Sets the function that receives replies (cursor position, status, device attributes),
 * or NULL. terminal_write calls it, at most once for two bytes written; it must not call
 * terminal_write.
 */
void terminal_set_answer(struct terminal *terminal, terminal_answer *answer,
                         void *context);

/* Processes size bytes of output. Sequences and characters may be split between calls. */
void terminal_write(struct terminal *terminal, const void *bytes, size_t size);

/*
 * Returns whether a cell of the row (below rows) was written since the last call. Does
 * not cover the cursor: the renderer compares cursor.row, cursor.column and
 * is_cursor_visible with the cursor it drew last.
 */
bool terminal_test_and_clear_row_changed(struct terminal *terminal, uint16_t row);

/* Returns the cells of a row, which is below rows. */
static inline const struct terminal_cell *terminal_row(const struct terminal *terminal,
                                                       uint16_t row)
{
    return terminal->cells + (size_t)row * terminal->columns;
}

#endif
