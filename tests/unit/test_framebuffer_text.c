/* src/console/framebuffer_text.c: pixels of each size, on a simulated framebuffer. */
#include "unit.h"

#include "console/screen.h"
#include "lib/bits.h"
#include "mm/address_space.h"

#define WIDTH  800U
#define HEIGHT 600U
#define LEFT   ((WIDTH - 640) / 2)
#define TOP    ((HEIGHT - 400) / 2)

static uint8_t pixels[HEIGHT][WIDTH * 4 + 32];

const uint8_t font_glyphs[256][16] = {['x'] = {0x80, [15] = 0x01}};

volatile void *address_space_map_screen(uint64_t physical, uint64_t size)
{
    assert_int_equal(physical, 0xFD000000);
    assert_true(size <= sizeof(pixels));
    return pixels;
}

static const struct format {
    uint8_t bits;
    struct color_field red, green, blue;
    uint32_t white, light_red; /* VGA's colours 15 and 12 */
} formats[] = {
    {15, {10, 5}, {5, 5}, {0, 5}, 0x7FFF, 0x7D4A},
    {16, {11, 5}, {5, 6}, {0, 5}, 0xFFFF, 0xFAAA},
    {16, {10, 5}, {5, 5}, {0, 5}, 0x7FFF, 0x7D4A},
    {24, {16, 8}, {8, 8}, {0, 8}, 0xFFFFFF, 0xFF5555},
    {32, {0, 8}, {8, 8}, {16, 8}, 0xFFFFFF, 0x5555FF},
};

static struct framebuffer framebuffer_of(const struct format *format)
{
    uint32_t bytes = (format->bits + 7U) / 8;

    return (struct framebuffer){.type           = FRAMEBUFFER_RGB,
                                .address        = 0xFD000000,
                                .pitch          = WIDTH * bytes + 32,
                                .width          = WIDTH,
                                .height         = HEIGHT,
                                .bits_per_pixel = format->bits,
                                .red            = format->red,
                                .green          = format->green,
                                .blue           = format->blue};
}

static uint32_t pixel_at(const struct framebuffer *framebuffer, size_t x, size_t y)
{
    uint32_t pixel = 0, bytes = (framebuffer->bits_per_pixel + 7U) / 8;

    memcpy(&pixel, (uint8_t *)pixels + y * framebuffer->pitch + x * bytes, bytes);
    return pixel;
}

static int start(void **state)
{
    memset(pixels, 0xA5, sizeof(pixels));
    return start_log(state);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

static void test_formats(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        struct framebuffer framebuffer = framebuffer_of(&formats[i]);
        size_t x = LEFT + 3 * 8, y = TOP + 2 * 16;
        start(state);
        assert_true(framebuffer_text_init(&framebuffer));
        assert_int_equal(pixel_at(&framebuffer, 0, 0), 0);
        assert_int_equal(pixel_at(&framebuffer, WIDTH - 1, HEIGHT - 1), 0);
        assert_int_equal(pixels[0][framebuffer.pitch - 1], 0xA5); /* not a pixel */
        framebuffer_text_draw(2, 3, (struct screen_cell){'x', 0xCF});
        assert_int_equal(pixel_at(&framebuffer, x, y), formats[i].white);
        assert_int_equal(pixel_at(&framebuffer, x + 1, y), formats[i].light_red);
        assert_int_equal(pixel_at(&framebuffer, x + 7, y + 15), formats[i].white);
        assert_int_equal(pixel_at(&framebuffer, x - 1, y), 0);
        assert_int_equal(pixel_at(&framebuffer, x + 8, y + 15), 0);
        assert_nothing_logged();
    }
}

static void test_unsupported(void **state)
{
    (void)state;
    static const uint8_t bits[] = {0, 8, 14, 17, 40, 255};
    struct framebuffer framebuffer;

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        framebuffer                = framebuffer_of(&formats[0]);
        framebuffer.bits_per_pixel = bits[i];
        framebuffer.pitch          = WIDTH * 40;
        assert_false(framebuffer_text_init(&framebuffer));
        assert_logged("unsupported framebuffer 800x600");
    }
    framebuffer       = framebuffer_of(&formats[0]);
    framebuffer.pitch = 2 * WIDTH - 1;
    assert_false(framebuffer_text_init(&framebuffer));
    framebuffer              = framebuffer_of(&formats[0]);
    framebuffer.red.position = 11; /* bit 15 is unused */
    assert_false(framebuffer_text_init(&framebuffer));
    assert_logged("needs at least 640x400 with 15, 16, 24 or 32 bits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_formats), TEST(test_unsupported)};
    return cmocka_run_group_tests_name("framebuffer_text", tests, NULL, NULL);
}
