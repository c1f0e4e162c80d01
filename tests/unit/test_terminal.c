/*
 * src/terminal/terminal.c, screen.c and sequence.c: each control and sequence, on small
 * screens. Colours: test_terminal_pen.c; streams of bytes: test_terminal_streams.c.
 */
#include "terminal.h"

#include "lib/bits.h"

/* Starts a terminal of ten columns and four rows. */
static int screen_start(void **state)
{
    (void)state;
    start_terminal(10, 4);
    return 0;
}

/* Fills each row with one letter, with the cursor in row 2, column 3. */
static int screen_start_full(void **state)
{
    screen_start(state);
    WRITE("aaaaaaaaaa\r\nbbbbbbbbbb\r\ncccccccccc\r\ndddddddddd\033[2;3H");
    assert_screen("aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd|");
    assert_cursor(2, 3);
    return 0;
}

static void screen_restart_full(void)
{
    screen_start_full(NULL);
}

static void test_init(void **state)
{
    (void)state;
    assert_screen("||||");
    assert_cursor(1, 1);
    assert_true(terminal.is_cursor_visible);
    assert_colors(4, 10, 7, 0);
    assert_int_equal(terminal_cells[40].character, 0xEEEE); /* beyond the screen */
}

static void test_controls(void **state)
{
    (void)state;
    WRITE("ab\a\0c\b\bX\r\nlower\nlf\rY\vZ\f");
    assert_screen("lower|Y    lf| Z||");
    WRITE("\177\001\037"); /* not shown by any terminal */
    assert_cursor(4, 3);
}

static void test_tabs(void **state)
{
    (void)state;
    WRITE("\tx\r\n1234567\t8\r\n\t\t\t>\r\n");
    assert_screen("        x|1234567 8|         >||");
}

static void test_tab_stops(void **state)
{
    (void)state;
    WRITE("\033[4G\033H\r\tx\ty\r\n"); /* HTS */
    assert_screen("   x    y||||");
    WRITE("\033[9G\033[g\r\tx\ty\r\n"); /* TBC, one stop */
    assert_screen("   x    y|   x     y|||");
    WRITE("\033[3g\tz"); /* all stops */
    assert_screen("   x    y|   x     y|         z||");
    WRITE("\033c\033[2I>\033[2Z2\033[I1\033[Z0"); /* CHT and CBT, after RIS */
    assert_screen("2       0>||||");
}

static void test_wrap(void **state)
{
    (void)state;
    WRITE("0123456789");
    assert_cursor(1, 10); /* wrapping waits for the next character */
    WRITE("\r\nA");
    assert_screen("0123456789|A|||");
    WRITE("\033[2;1H0123456789B");
    assert_screen("0123456789|0123456789|B||");
    WRITE("\033[1;1H0123456789\bX"); /* moving ends it */
    assert_screen("01234567X9|0123456789|B||");
    WRITE("\033[1;1H0123456789\033[mY"); /* SGR does not */
    assert_screen("0123456789|Y123456789|B||");
    WRITE("\033[1;1H0123456789\033[KZ"); /* erasing does */
    assert_screen("012345678Z|Y123456789|B||");
    WRITE("\033[4;1H0123456789ABC"); /* wraps and scrolls */
    assert_screen("Y123456789|B|0123456789|ABC|");
}

static void test_no_wrap(void **state)
{
    (void)state;
    WRITE("\033[?7l0123456789ABC");
    assert_screen("012345678C||||");
    WRITE("\033[?7h\rabcdefghijk");
    assert_screen("abcdefghij|k|||");
}

static void test_scroll(void **state)
{
    (void)state;
    WRITE("1\r\n2\r\n3\r\n4\r\n5\r\n6");
    assert_screen("3|4|5|6|");
    WRITE("\033[H\033M"); /* RI */
    assert_screen("|3|4|5|");
    WRITE("\033[2S"); /* SU */
    assert_screen("4|5|||");
    WRITE("\033[T"); /* SD */
    assert_screen("|4|5||");
    WRITE("\033[S");
    assert_screen("4|5|||");
    WRITE("\033[9999S");
    assert_screen("||||");
}

static void test_escapes(void **state)
{
    (void)state;
    WRITE("a\033Db\033Ec\033Md"); /* IND, NEL, RI */
    assert_screen("a| d|c||");
    WRITE("\033[4;5Hx\033Dy\033Ez");
    assert_screen("c|    x|     y|z|");
}

static void test_cursor_moves(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint16_t row, column;
    } moves[] = {
        {"\033[A", 1, 3},    {"\033[0A", 1, 3},      {"\033[9A", 1, 3},
        {"\033[B", 3, 3},    {"\033[9B", 4, 3},      {"\033[e", 3, 3},
        {"\033[C", 2, 4},    {"\033[99C", 2, 10},    {"\033[a", 2, 4},
        {"\033[2a", 2, 5},   {"\033[D", 2, 2},       {"\033[9999D", 2, 1},
        {"\033[E", 3, 1},    {"\033[9E", 4, 1},      {"\033[F", 1, 1},
        {"\033[G", 2, 1},    {"\033[5G", 2, 5},      {"\033[999G", 2, 10},
        {"\033[5`", 2, 5},   {"\033[`", 2, 1},       {"\033[d", 1, 3},
        {"\033[3d", 3, 3},   {"\033[77d", 4, 3},     {"\033[H", 1, 1},
        {"\033[3H", 3, 1},   {"\033[3;4H", 3, 4},    {"\033[;4H", 1, 4},
        {"\033[0;0H", 1, 1}, {"\033[99;99H", 4, 10}, {"\033[3;4f", 3, 4},
        {"\033[f", 1, 1},    {"\r", 2, 1},           {"\b", 2, 2},
        {"\033[\rC", 2, 2}, /* a control inside a sequence is executed */
    };

    for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
        WRITE("\033[2;3H");
        terminal_write(&terminal, moves[i].bytes, strlen(moves[i].bytes));
        assert_cursor(moves[i].row, moves[i].column);
    }
}

static void test_region(void **state)
{
    (void)state;
    WRITE("\033[2;3r");
    assert_cursor(1, 1);
    WRITE("\033[3;1H\n"); /* scrolls only at the end of the region */
    assert_screen("aaaaaaaaaa|cccccccccc||dddddddddd|");
    WRITE("\033[4;1H\nx");
    assert_screen("aaaaaaaaaa|cccccccccc||xddddddddd|");
    WRITE("\033[2;1H\033M");
    assert_screen("aaaaaaaaaa||cccccccccc|xddddddddd|");
    WRITE("\033[H\033My");
    assert_screen("yaaaaaaaaa||cccccccccc|xddddddddd|");
    WRITE("\033[2;5H\033[9A"); /* the cursor stops at the edges of the region */
    assert_cursor(2, 5);
    WRITE("\033[9B");
    assert_cursor(3, 5);
    WRITE("\033[4;5H\033[9A");
    assert_cursor(2, 5);
    WRITE("\033[4;5H\033[9B\033[A\033[4d\033[e");
    assert_cursor(4, 5);
    WRITE("\033[1;5H\033[A");
    assert_cursor(1, 5);
    WRITE("\033[9B");
    assert_cursor(3, 5);
    WRITE("\033[9A");
    WRITE("\033[3;3r"); /* a region of one row is refused */
    assert_cursor(2, 5);
    WRITE("\033[r\033[4;1H\n");
    assert_screen("|cccccccccc|xddddddddd||");
}

static void test_origin(void **state)
{
    (void)state;
    WRITE("\033[2;3r\033[?6h");
    assert_cursor(2, 1);
    WRITE("\033[2;4Hx\033[9;9Hy\033[1dz\033[6n");
    assert_screen("aaaaaaaaaa|bbbbbbbbbz|cccxccccyc|dddddddddd|");
    assert_string_equal(answers, "\033[1;10R");
    WRITE("\033[?6l");
    assert_cursor(1, 1);
    /* A cursor saved with another region is moved into the current one. */
    WRITE("\033[1;2r\033[?6h\0337\033[3;4r\0338");
    assert_cursor(3, 1);
}

static void test_erase_screen(void **state)
{
    (void)state;
    WRITE("\033[J");
    assert_screen("aaaaaaaaaa|bb|||");
    assert_cursor(2, 3);
    screen_restart_full();
    WRITE("\033[1J");
    assert_screen("|   bbbbbbb|cccccccccc|dddddddddd|");
    WRITE("\033[2J");
    assert_screen("||||");
    assert_cursor(2, 3);
    screen_restart_full();
    WRITE("\033[3J\033[4J");
    assert_screen("aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd|");
}

static void test_erase_row(void **state)
{
    (void)state;
    WRITE("\033[K\033[3;3H\033[1K\033[4;3H\033[2K");
    assert_screen("aaaaaaaaaa|bb|   ccccccc||");
    WRITE("\033[1;9H\033[9X\033[1;2H\033[2X\033[1;5H\033[X"); /* ECH */
    assert_screen("a  a aaa|bb|   ccccccc||");
}

static void test_rows(void **state)
{
    (void)state;
    WRITE("\033[L");
    assert_screen("aaaaaaaaaa||bbbbbbbbbb|cccccccccc|");
    WRITE("\033[M");
    assert_screen("aaaaaaaaaa|bbbbbbbbbb|cccccccccc||");
    WRITE("\033[2M");
    assert_screen("aaaaaaaaaa||||");
    screen_restart_full();
    WRITE("\033[2;3r\033[2;3H\033[L"); /* in the region; other rows are unchanged */
    assert_screen("aaaaaaaaaa||bbbbbbbbbb|dddddddddd|");
    WRITE("\033[B\033[M");
    assert_screen("aaaaaaaaaa|||dddddddddd|");
    WRITE("\033[4;1H\033[L\033[M"); /* outside it */
    assert_screen("aaaaaaaaaa|||dddddddddd|");
}

static void test_characters(void **state)
{
    (void)state;
    WRITE("\033[H0123456789\033[1;4H\033[2@"); /* ICH */
    assert_screen("012  34567|bbbbbbbbbb|cccccccccc|dddddddddd|");
    WRITE("\033[3P\033[P"); /* DCH */
    assert_screen("012567|bbbbbbbbbb|cccccccccc|dddddddddd|");
    WRITE("\033[9999@\033[2;1H\033[9999P");
    assert_screen("012||cccccccccc|dddddddddd|");
    WRITE("\033[1;2H\033[4hxyz\033[4lw"); /* IRM */
    assert_screen("0xyzw2||cccccccccc|dddddddddd|");
}

static void test_repeat(void **state)
{
    (void)state;
    WRITE("\033[3b-\033[2b\033[b");
    assert_screen("----||||");
    WRITE("\r\n+\033[9999b"); /* at most one row */
    assert_screen("----|++++++++++|+||");
}

static void test_save_cursor(void **state)
{
    (void)state;
    WRITE("\033[3;4H\033[1;31m\033(0\0337\033[H\033[m\033(Bq\0338q");
    assert_screen("q||   \xE2\x94\x80||");
    assert_colors(3, 4, 9, 0);
    WRITE("\033(B\033[2;2H\033[s\033[4;4H\033[ux");
    assert_screen("q| x|   \xE2\x94\x80||");
    WRITE("\033[H0123456789\0337\033[4;1H\0338X"); /* with a pending wrap */
    assert_screen("0123456789|Xx|   \xE2\x94\x80||");
    WRITE("\033[4;4H\033[?1048h\033[1;2r\033[?1048l"); /* outside the region too */
    assert_cursor(4, 4);
}

static void test_alternative(void **state)
{
    (void)state;
    WRITE("\033[?1049l"); /* not in use */
    assert_screen("aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd|");
    WRITE("\033[?1049h");
    assert_screen("||||");
    WRITE("\0338x"); /* it has its own saved cursor, not saved yet */
    assert_screen("x||||");
    assert_colors(1, 1, 7, 0);
    WRITE("\033[4;4Hvi\0337\033[?1049h");
    assert_screen("x|||   vi|");
    WRITE("\033[?1049l");
    assert_screen("||||");
    assert_cursor(2, 3);
    WRITE("x\033[?47h");
    assert_screen("||||");
    assert_cursor(2, 4);
    WRITE("\033[4;4H\033[?1047l"); /* without the cursor */
    assert_screen("||||");
    assert_cursor(4, 4);
}

static void test_modes(void **state)
{
    (void)state;
    WRITE("\033[?25;1l\033[?1h");
    assert_false(terminal.is_cursor_visible);
    assert_true(terminal.is_cursor_key_application);
    WRITE("\033[?7;25h\033[?1l\033[25l");
    assert_true(terminal.is_cursor_visible);
    assert_false(terminal.is_cursor_key_application);
}

static void test_graphics(void **state)
{
    (void)state;
    WRITE("\033(0lqk~_x\033(Bx"); /* G0 */
    assert_screen("\xE2\x94\x8C\xE2\x94\x80\xE2\x94\x90\xC2\xB7 \xE2\x94\x82x||||");
    WRITE("\r\n\033)0q\016qA\017q"); /* G1: as in terminfo's vt100 and linux */
    assert_string_equal(strchr(screen_text(&terminal), '|') + 1, "q\xE2\x94\x80"
                                                                 "Aq|||");
}

static void test_answers(void **state)
{
    (void)state;
    WRITE("\033[5n\033[3;7H\033[6n\033[c\033[0c\033Z");
    assert_string_equal(answers, "\033[0n\033[3;7R\033[?6c\033[?6c\033[?6c");
    answers_length = 0;
    WRITE("\033[?6n\033[>c\033[1c\033[n\033[0n\033[?1c");
    assert_int_equal(answers_length, 0);
    terminal_set_answer(&terminal, NULL, NULL);
    WRITE("\033[6n\033[c");
}

static void test_changed_rows(void **state)
{
    (void)state;
    for (uint16_t row = 0; row < 4; row++) {
        assert_true(terminal_test_and_clear_row_changed(&terminal, row));
        assert_false(terminal_test_and_clear_row_changed(&terminal, row));
    }
    WRITE("\033[4;2H\033[31m\033[?25l\033]0;x\a");
    for (uint16_t row = 0; row < 4; row++)
        assert_false(terminal_test_and_clear_row_changed(&terminal, row));
    WRITE("x\033[2;3r\033[3;1H\n");
    assert_false(terminal_test_and_clear_row_changed(&terminal, 0));
    assert_true(terminal_test_and_clear_row_changed(&terminal, 1));
    assert_true(terminal_test_and_clear_row_changed(&terminal, 2));
    assert_true(terminal_test_and_clear_row_changed(&terminal, 3));
}

#define TEST(name)      cmocka_unit_test_setup(name, screen_start)
#define TEST_FULL(name) cmocka_unit_test_setup(name, screen_start_full)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_init),
        TEST(test_controls),
        TEST(test_tabs),
        TEST(test_tab_stops),
        TEST(test_wrap),
        TEST(test_no_wrap),
        TEST(test_scroll),
        TEST(test_escapes),
        TEST_FULL(test_cursor_moves),
        TEST_FULL(test_region),
        TEST_FULL(test_origin),
        TEST_FULL(test_erase_screen),
        TEST_FULL(test_erase_row),
        TEST_FULL(test_rows),
        TEST_FULL(test_characters),
        TEST(test_repeat),
        TEST(test_save_cursor),
        TEST_FULL(test_alternative),
        TEST(test_modes),
        TEST(test_graphics),
        TEST(test_answers),
        TEST_FULL(test_changed_rows),
    };
    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
