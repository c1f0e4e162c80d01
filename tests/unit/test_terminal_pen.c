/* src/terminal/pen.c: colours. */
#include "terminal.h"

static int screen_start(void **state)
{
    (void)state;
    start_terminal(10, 4);
    return 0;
}

/* Writes x with SGR parameters, and asserts its colours. */
static void assert_pen(const char *parameters, uint8_t foreground, uint8_t background)
{
    char bytes[128];
    snprintf(bytes, sizeof(bytes), "\033[m\033[H\033[%smx", parameters);
    terminal_write(&terminal, bytes, strlen(bytes));
    assert_colors(1, 1, foreground, background);
}

static void test_pen(void **state)
{
    (void)state;
    assert_pen("", 7, 0);
    assert_pen("31", 1, 0);
    assert_pen("1;31", 9, 0);
    assert_pen("1;22;32;44", 2, 4);
    assert_pen("1;30", 8, 0);
    assert_pen("97;100", 15, 8);
    assert_pen("90;107", 8, 15);
    assert_pen("1;93", 11, 0);
    assert_pen("7", 0, 7);
    assert_pen("7;1;31;42", 2, 9);
    assert_pen("7;27", 7, 0);
    assert_pen("4", 6, 0);
    assert_pen("4;24;5;2;8", 7, 0);
    assert_pen("33;45;39;49", 7, 0);
    assert_pen("33;45;0", 7, 0);
    assert_pen("33;45;", 7, 0);
    assert_pen("38;99;33", 7, 0);
    assert_pen("29;50;89;98;108;9999", 7, 0);
}

/* 30 to 37 and 90 to 97 set the foreground, 40 to 47 and 100 to 107 the background. */
static void test_plain_colors(void **state)
{
    (void)state;
    for (uint8_t color = 0; color < TERMINAL_COLORS; color++) {
        char parameters[16];
        unsigned int first = color < 8 ? 30U : 90U - 8;
        snprintf(parameters, sizeof(parameters), "36;%u", first + color);
        assert_pen(parameters, color, 0);
        snprintf(parameters, sizeof(parameters), "46;%u", first + 10 + color);
        assert_pen(parameters, 7, color);
    }
}

static void test_pen_colors(void **state)
{
    (void)state;
    assert_pen("38;5;13;48;5;4", 13, 4);
    assert_pen("38;5;16;48;5;231", 0, 15);
    assert_pen("38;5;196", 1,
               0); /* 255, 0, 0 is nearer to 170, 0, 0 than to 255, 85, 85 */
    assert_pen("38;5;21;48;5;46", 4, 2);
    assert_pen("38;5;232;48;5;255", 0, 15);
    assert_pen("38;5;240", 8, 0);
    assert_pen("38;2;170;85;0;48;2;80;80;255;1", 11, 12);
    assert_pen("38;2;250;250;250", 15, 0);
    assert_pen("38;5;256;32", 2, 0); /* no such colour; later parameters apply */
    assert_pen("38;2;1;2;999;32", 2, 0);
    assert_pen("33;38;5;257", 3, 0);
    assert_pen("33;38;2;1;2;999", 3, 0);
    assert_pen("44;48;2;1;2", 7, 4);
    assert_pen("38", 7, 0);
    assert_pen("38;5", 7, 0);
    assert_pen("38;2;1;2", 7, 0);
    assert_pen("1;1;1;1;1;1;1;1;1;1;1;1;1;1;38;5", 15, 0); /* at the last parameter */
    assert_pen("1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;32;33;34", 10, 0);
}

static void test_erased_colors(void **state)
{
    (void)state;
    WRITE("\033[1;7;31;44mx\033[K");
    assert_colors(1, 1, 4, 9);
    assert_colors(1, 2, 1, 4); /* the background, but not reversed */
    WRITE("\033[4;1H\n");
    assert_colors(4, 10, 1, 4);
    assert_colors(2, 1, 7, 0);
}

static void test_palette(void **state)
{
    (void)state;
    static const uint8_t vga[] = {0, 4, 2, 6, 1, 5, 3, 7, 8, 12, 10, 14, 9, 13, 11, 15};
    for (uint8_t i = 0; i < TERMINAL_COLORS; i++)
        assert_int_equal(terminal_vga_color(i), vga[i]);
    assert_int_equal(terminal_palette[3].green, 0x55); /* brown */
    assert_int_equal(terminal_palette[12].blue, 0xFF);
}

#define TEST(name) cmocka_unit_test_setup(name, screen_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pen),           TEST(test_plain_colors), TEST(test_pen_colors),
        TEST(test_erased_colors), TEST(test_palette),
    };
    return cmocka_run_group_tests_name("terminal pen", tests, NULL, NULL);
}
