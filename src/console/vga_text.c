/* See screen.h. Owns the address of the text memory. */
#include "console/screen.h"

#include "cpu/instructions.h"
#include "lib/bits.h"
#include "lib/log.h"
#include "x86/pc_memory.h"

#define CRTC_INDEX  0x3D4
#define CRTC_DATA   0x3D5
#define CRTC_CURSOR 0x0A
#define CURSOR_OFF  0x20

static uint64_t address = PC_TEXT_START;
static size_t columns   = SHEET_COLUMNS;

bool vga_text_init(const struct framebuffer *framebuffer)
{
    if (framebuffer->type == FRAMEBUFFER_TEXT) {
        uint64_t size = (uint64_t)framebuffer->width * SHEET_ROWS * sizeof(uint16_t);
        if (framebuffer->width < SHEET_COLUMNS || framebuffer->height < SHEET_ROWS ||
            framebuffer->address < PC_VIDEO_START ||
            range_end(framebuffer->address, size) > PC_ROM_START) {
            log_warning(
                "screen: unsupported text mode %ux%u at 0x%lx; 80x25 is the minimum",
                framebuffer->width, framebuffer->height, framebuffer->address);
            return false;
        }
        address = framebuffer->address;
        columns = framebuffer->width;
    }
    io_out8(CRTC_INDEX, CRTC_CURSOR);
    io_out8(CRTC_DATA, CURSOR_OFF);
    return true;
}

void vga_text_draw(size_t row, size_t column, struct screen_cell cell)
{
    volatile uint16_t *memory      = (volatile uint16_t *)address;
    memory[row * columns + column] = (uint16_t)(cell.attribute << 8 | cell.character);
}
