/* See screen.h. Owns the framebuffer. */
#include "console/screen.h"

#include "lib/log.h"
#include "mm/address_space.h"
#include "terminal/terminal.h"

#define FONT_WIDTH  8
#define FONT_HEIGHT 16

/* The glyphs of code page 437, from font.asm; bit 7 is the leftmost pixel. */
extern const uint8_t font_glyphs[256][FONT_HEIGHT];

static struct framebuffer screen;
static volatile uint8_t *origin; /* of the first character */
static size_t scale;
static size_t bytes_per_pixel;

static bool field_fits(struct color_field field, uint8_t bits)
{
    return field.size >= 1 && field.size <= 16 && field.position + field.size <= bits;
}

/* Pixels of 15 bits are in 2 bytes. */
static size_t pixel_size(const struct framebuffer *framebuffer)
{
    return (framebuffer->bits_per_pixel + 7U) / 8;
}

static bool is_usable(const struct framebuffer *framebuffer)
{
    uint8_t bits = framebuffer->bits_per_pixel;

    return framebuffer->type == FRAMEBUFFER_RGB && (bits == 15 || bits % 8 == 0) &&
           bits >= 15 && bits <= 32 && framebuffer->width >= SHEET_COLUMNS * FONT_WIDTH &&
           framebuffer->height >= SHEET_ROWS * FONT_HEIGHT &&
           framebuffer->pitch / pixel_size(framebuffer) >= framebuffer->width &&
           field_fits(framebuffer->red, bits) && field_fits(framebuffer->green, bits) &&
           field_fits(framebuffer->blue, bits);
}

/* Writes one pixel, of 4 bytes with a single write, because writes are slow. */
static inline void put_pixel(volatile uint8_t *at, uint32_t pixel)
{
    if (bytes_per_pixel == 4) {
        *(volatile uint32_t *)at = pixel;
        return;
    }
    for (size_t i = 0; i < bytes_per_pixel; i++)
        at[i] = (uint8_t)(pixel >> (8 * i));
}

/* Fills a rectangle whose top left pixel is at target. */
static void fill_rectangle(volatile uint8_t *target, size_t width, size_t height,
                           uint32_t pixel)
{
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++)
            put_pixel(target + y * screen.pitch + x * bytes_per_pixel, pixel);
    }
}

bool framebuffer_text_init(const struct framebuffer *framebuffer)
{
    if (!is_usable(framebuffer)) {
        log_warning("screen: unsupported framebuffer %ux%u, %u bits, pitch %u; needs at "
                    "least 640x400 with 15, 16, 24 or 32 bits",
                    framebuffer->width, framebuffer->height, framebuffer->bits_per_pixel,
                    framebuffer->pitch);
        return false;
    }
    uint64_t size            = (uint64_t)framebuffer->pitch * framebuffer->height;
    volatile uint8_t *memory = address_space_map_screen(framebuffer->address, size);
    if (memory == NULL) {
        log_warning("screen: cannot map framebuffer at 0x%lx, %lu bytes",
                    framebuffer->address, size);
        return false;
    }
    screen          = *framebuffer;
    bytes_per_pixel = pixel_size(framebuffer);
    size_t across   = screen.width / (SHEET_COLUMNS * FONT_WIDTH);
    size_t down     = screen.height / (SHEET_ROWS * FONT_HEIGHT);
    scale           = across < down ? across : down;
    size_t left     = (screen.width - scale * FONT_WIDTH * SHEET_COLUMNS) / 2;
    size_t top      = (screen.height - scale * FONT_HEIGHT * SHEET_ROWS) / 2;
    origin          = memory + top * screen.pitch + left * bytes_per_pixel;
    fill_rectangle(memory, screen.width, screen.height, 0);
    return true;
}

/* Converts an 8-bit colour component to its field of a pixel. */
static uint32_t field_value(uint8_t value, struct color_field field)
{
    uint32_t scaled = field.size >= 8 ? (uint32_t)value << (field.size - 8)
                                      : (uint32_t)value >> (8 - field.size);
    return scaled << field.position;
}

/* Converts a VGA colour to a pixel. */
static uint32_t color_pixel(uint8_t color)
{
    const struct terminal_color *shown = &terminal_palette[terminal_vga_color(color)];

    return field_value(shown->red, screen.red) | field_value(shown->green, screen.green) |
           field_value(shown->blue, screen.blue);
}

void framebuffer_text_draw(size_t row, size_t column, struct screen_cell cell)
{
    const uint8_t *glyph     = font_glyphs[cell.character];
    uint32_t foreground      = color_pixel(cell.attribute & 0xF);
    uint32_t background      = color_pixel(cell.attribute >> 4);
    volatile uint8_t *corner = origin + row * FONT_HEIGHT * scale * screen.pitch +
                               column * FONT_WIDTH * scale * bytes_per_pixel;

    for (size_t y = 0; y < FONT_HEIGHT; y++) {
        for (size_t x = 0; x < FONT_WIDTH; x++) {
            bool is_set = (glyph[y] & (0x80U >> x)) != 0;
            fill_rectangle(corner + y * scale * screen.pitch +
                               x * scale * bytes_per_pixel,
                           scale, scale, is_set ? foreground : background);
        }
    }
}
