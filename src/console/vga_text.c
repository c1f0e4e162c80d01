/* See vga_text.h. */
#include "console/vga_text.h"

#include "cpu/instructions.h"

#define VGA_TEXT_ADDRESS 0xB8000
#define CRTC_INDEX       0x3D4
#define CRTC_DATA        0x3D5
#define CRTC_CURSOR      0x0A
#define CURSOR_OFF       0x20

/* Attributes: background in bits 6:4, foreground in bits 3:0. */
static const uint8_t attributes[] = {
    [EMPHASIS_NORMAL]  = 0x07, /* light grey on black */
    [EMPHASIS_TITLE]   = 0x0F, /* white */
    [EMPHASIS_GOOD]    = 0x0A, /* light green */
    [EMPHASIS_BAD]     = 0x0C, /* light red */
    [EMPHASIS_CAUTION] = 0x0E, /* yellow */
    [EMPHASIS_FAINT]   = 0x08, /* dark grey */
};

void vga_text_init(void)
{
    io_out8(CRTC_INDEX, CRTC_CURSOR);
    io_out8(CRTC_DATA, CURSOR_OFF);
}

void vga_text_draw(size_t row, size_t column, char character, enum emphasis emphasis)
{
    volatile uint16_t *cells            = (volatile uint16_t *)VGA_TEXT_ADDRESS;
    uint16_t attribute                  = attributes[emphasis];
    cells[row * SHEET_COLUMNS + column] = (uint16_t)(attribute << 8 | (uint8_t)character);
}
