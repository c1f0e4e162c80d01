/* See vga_text.h. */
#include "console/vga_text.h"

#include "cpu/instructions.h"
#include "lib/bits.h"

#define VGA_MEMORY_START 0xA0000
#define VGA_MEMORY_END   0xC0000
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

static uint64_t address = VGA_TEXT_ADDRESS;
static size_t columns   = SHEET_COLUMNS;

bool vga_text_init(const struct framebuffer *framebuffer)
{
    if (framebuffer->type == FRAMEBUFFER_TEXT) {
        uint64_t size = (uint64_t)framebuffer->width * SHEET_ROWS * sizeof(uint16_t);
        if (framebuffer->width < SHEET_COLUMNS || framebuffer->height < SHEET_ROWS ||
            framebuffer->address < VGA_MEMORY_START ||
            range_end(framebuffer->address, size) > VGA_MEMORY_END)
            return false;
        address = framebuffer->address;
        columns = framebuffer->width;
    }
    io_out8(CRTC_INDEX, CRTC_CURSOR);
    io_out8(CRTC_DATA, CURSOR_OFF);
    return true;
}

void vga_text_draw(size_t row, size_t column, char character, enum emphasis emphasis)
{
    volatile uint16_t *cells      = (volatile uint16_t *)address;
    uint16_t attribute            = attributes[emphasis];
    cells[row * columns + column] = (uint16_t)(attribute << 8 | (uint8_t)character);
}
