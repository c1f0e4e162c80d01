/*
 * src/terminal/terminal.c and sequence.c: UTF-8, malformed sequences, and streams of
 * bytes: recorded, split and hostile.
 */
#include "terminal.h"

#include "lib/bits.h"
#include "random.h"

static int screen_start(void **state)
{
    (void)state;
    start_terminal(10, 4);
    return 0;
}

static void test_utf8(void **state)
{
    (void)state;
    WRITE("\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBD\xED\x9F\xBF\xC2\xA0z");
    assert_screen("\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBD\xED\x9F\xBF\xC2\xA0z||||");
    static const uint16_t edges[] = {0xBF, 0x7FF, 0x800, 0xD000, 0xFFFF, ' '};
    WRITE("\r\n\xC2\xBF\xDF\xBF\xE0\xA0\x80\xED\x80\x80\xEF\xBF\xBF");
    for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
        assert_int_equal(terminal_row(&terminal, 1)[i].character, edges[i]);
    WRITE("\r\n\xF0\x9F\x98\x80\xF4\x8F\xBF\xBFz"); /* beyond U+FFFF */
    assert_int_equal(terminal_row(&terminal, 2)[0].character, TERMINAL_REPLACEMENT);
    assert_cursor(3, 4);
    WRITE("\r\n\xC2\x9B"
          "31mx"); /* C1 controls are not executed */
    assert_int_equal(terminal_row(&terminal, 3)[0].character, '3');
}

/* Invalid UTF-8, and the number of replacement characters. */
static void test_utf8_broken(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint16_t replaced;
    } broken[] = {
        {"\x80", 1},         {"\xBF\xBF", 2},         {"\xC0\x80", 2},
        {"\xC3", 1},         {"\xC3\xC3", 2},         {"\xE2\x82", 1},
        {"\xE0\x80\x80", 3}, {"\xED\xA0\x80", 3},     {"\xF0\x8F\xBF\xBF", 4},
        {"\xF0\x9F\x98", 1}, {"\xF4\x90\x80\x80", 4}, {"\xF5\xFF\xFE", 3},
        {"\xE2\xE2\x82", 2}, {"\xF0\x9F\xC3", 2},
    };

    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        WRITE("\033[2J\033[H");
        terminal_write(&terminal, broken[i].bytes, strlen(broken[i].bytes));
        WRITE("z");
        assert_int_equal(terminal.cursor.column, broken[i].replaced + 1);
        for (uint16_t column = 0; column < broken[i].replaced; column++)
            assert_int_equal(terminal_cells[column].character, TERMINAL_REPLACEMENT);
        assert_int_equal(terminal_cells[broken[i].replaced].character, 'z');
    }
    WRITE("\033[2J\033[H\xE2\x82\033[31mx"); /* a sequence interrupts a character */
    assert_screen("\xEF\xBF\xBDx||||");
    assert_colors(1, 2, 1, 0);
}

/* Asserts that the bytes are not shown, and the text after them is. */
static void assert_swallowed(const char *bytes)
{
    start_terminal(10, 4);
    WRITE("\033[3;3H");
    terminal_write(&terminal, bytes, strlen(bytes));
    WRITE("z");
    assert_screen("||  z||");
    assert_colors(3, 3, 7, 0);
    assert_int_equal(answers_length, 0);
}

static void test_strings(void **state)
{
    (void)state;
    assert_swallowed("\033]0;title\a");
    assert_swallowed("\033]0;title\033\\");
    assert_swallowed("\033]2;\xC3\xA9\x9C\r\n\b\a");
    assert_swallowed("\033P1;2qstuff\033\\");
    assert_swallowed("\033_apc\033\\\033^pm\033\\\033Xsos\033\\");
    assert_swallowed("\033]never ended\030");
    assert_swallowed("\033]never ended\032");
    assert_swallowed("\033]0;a\033[m");
    assert_swallowed("\033]R\033]P0123456"); /* Linux's own have no terminator */
    assert_swallowed("\033]Pfff\a");
    assert_swallowed("\033]\a\033]\xC3\xA9\a");
    start_terminal(10, 4);
    WRITE("\033]0;");
    for (int i = 0; i < 100000; i++)
        WRITE("never ending");
    WRITE("\az");
    assert_screen("z||||");
}

static void test_malformed(void **state)
{
    (void)state;
    assert_swallowed("\033[3\030");
    assert_swallowed("\033\032");
    assert_swallowed("\033[31:2m");
    assert_swallowed("\033[4:3m\033[38:5:1m");
    assert_swallowed("\033[3?1m\033[??1h\033[1>m\033[;?J");
    assert_swallowed("\033[>4;2m\033[>c\033[?1c\033[?J\033[=1K");
    assert_swallowed("\033[1 q\033[!p\033[1$x\033[2 2J");
    assert_swallowed("\033[t\033[y\033[~\033[p\033[\177t");
    assert_swallowed("\033[8;50;100t\033[2i\033[5y");
    assert_swallowed("\033%G\033#3\033 F\033=\033>\033(A\033*0\033((0");
    assert_swallowed("\033[\033[m\033\033\033[m");
    assert_swallowed("\033[99999999999999999999999999;5;5;5;5x");
    assert_swallowed("\033[;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;m");
}

/* A byte above 0x7F ends a sequence, and is text. */
static void test_interrupted(void **state)
{
    (void)state;
    WRITE("\033[3\xC3\xA9"
          "1m\033\xC3\xA9");
    assert_screen("\xC3\xA9"
                  "1m\xC3\xA9||||");
}

static void test_parameters(void **state)
{
    (void)state;
    WRITE("\033[4294967298;4294967298H"); /* 2^32 + 2 is a large number */
    assert_cursor(4, 10);
    WRITE("\033[65537;65537H");
    assert_cursor(4, 10);
    WRITE("\033[003;0000000000000004H");
    assert_cursor(3, 4);
    WRITE("\033[2;2;9;9;9;9;9;9;9;9;9;9;9;9;9;9;9;9;9;9H");
    assert_cursor(2, 2);
}

static void test_reset(void **state)
{
    (void)state;
    WRITE("\033[2;3r\033[?6h\033[?7l\033[4h\033[?25l\033[?1h\033[31;7m\033(0\033[3gq");
    WRITE("\033[?1049h\033cx\tq0123\033[6n\0338\033Dw");
    assert_screen("x       q0|w23|||");
    assert_colors(2, 1, 7, 0);
    assert_true(terminal.is_cursor_visible);
    assert_false(terminal.is_cursor_key_application);
    assert_string_equal(answers, "\033[2;4R");
}

/* busybox vi of 40x8 on TERM=linux: j, j, w, i1, ESC, O// One. */
#define VI_ENTERS                                                                       \
    "\033[?1049h\033[H\033[J\033[1;1Hint main(void)\033[2;1H{\033[3;9Hreturn 0;"        \
    "\033[4;1H}\033[5;1H~\033[6;1H~\033[7;1H~\033[1;1H\033[8;1H\033[K- small.c 1/4 25%" \
    "\033[1;1H\033[2;1H\033[8;1H\033[K- small.c 2/4 50%\033[2;1H\033[3;8H\033[8;1H"     \
    "\033[K- small.c 3/4 75%\033[3;8H\033[8;1H\033[KI small.c 3/4 75%\033[3;8H"         \
    "\033[3;9H1return 0;\033[3;9H\033[8;1H\033[K- small.c [Modified] 3/4 75%\033[3;9H"  \
    "\033[8;1H\033[KI small.c [Modified] 3/5 60%\033[3;9H\033[3;1H// One.           "   \
    "\033[4;1H        1return 0;\033[5;1H}\033[3;7H\033[8;1H\033[K"                     \
    "- small.c [Modified] 3/5 60%\033[3;7H"
#define VI_SCREEN                                   \
    "int main(void)|{|// One.|        1return 0;|}" \
    "|~|~|- small.c [Modified] 3/5 60%|"

static void test_vi(void **state)
{
    (void)state;
    start_terminal(40, 8);
    WRITE("$ vi small.c\r\n" VI_ENTERS);
    assert_screen(VI_SCREEN);
    assert_cursor(3, 7);
    WRITE("\033[8;1H\033[K\033[?1049l$ ");
    assert_screen("|$|||||||");
}

/* busybox top of 50x4, two turns. */
static void test_top(void **state)
{
    (void)state;
    start_terminal(50, 4);
    WRITE("\033[H\033[JMem: 834368K used, 23849716K free, 8872K shrd, 77\r\n"
          "Load average: 1.04 0.50 0.40 3/96 5535\r\n"
          "\033[7m  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND\033[m\r\n"
          " 5339  5312 root     D     7844   0%   0% find / -\r"
          "\033[H\033[JMem: 838156K used, 23845928K free, 8872K shrd, 80\r\n"
          "Load average: 1.04 0.50 0.40 1/95 5535\r\n"
          "\033[7m  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND\033[m\r\n"
          "    1     0 root     S<   45884   0%   0% {process\r");
    assert_screen("Mem: 838156K used, 23845928K free, 8872K shrd, 80|"
                  "Load average: 1.04 0.50 0.40 1/95 5535|"
                  "  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND|"
                  "    1     0 root     S<   45884   0%   0% {process|");
    assert_colors(3, 1, 0, 7);
    assert_colors(3, 50, 7, 0);
    assert_colors(4, 1, 7, 0);
    assert_cursor(4, 1);
}

/* bash, TERM=linux, 10 columns: a line that wraps and is edited in its first row. */
static void test_line_editing(void **state)
{
    (void)state;
    WRITE("$ 12345678");
    WRITE("9 \b0\b\b"); /* readline writes a blank to force the wrap */
    assert_screen("$ 12345678|90|||");
    assert_cursor(2, 1);
    WRITE("\033[A\033[C\033[C\033[1@x\r\n\033[1@8\b\033[A\033[C\033[C\033[C");
    assert_screen("$ x1234567|890|||");
    assert_cursor(1, 4);
}

/* The input of the other tests in one stream. */
static const char many[] = VI_ENTERS
    "\033[?1049l\xE2\x82\xAC\xC3\xA9\xF0\x9F\x98\x80\xE2\x82\033]0;x\a\033(0lqk"
    "\033(B\033)0\016x\017\t\033[31;1;48;5;196mred\033[38;2;1;2;3mdark\033[0m"
    "\033[2;6r\033[?6h\033[2;2H\033M\033[3L\033[2P\033[4@\033[5X\0337\033[4hins"
    "\033[4l\0338\033[?6l\033[r\033[5n\033[6n\033[c\033[>4;2m\033[1 q\033Pq\033\\"
    "\033[K\033[1J\033[10;10Hx\033[40b\r\n\n\n\033[S\033[2T\033[31\030m\xFF";

static void test_splits(void **state)
{
    (void)state;
    static struct terminal_cell whole_cells[40 * 8];
    char whole_answers[sizeof(answers)];

    start_terminal(40, 8);
    WRITE(many);
    struct terminal whole = terminal;
    memcpy(whole_cells, terminal_cells, sizeof(whole_cells));
    memcpy(whole_answers, answers, sizeof(answers));
    assert_true(answers_length > 0);
    for (size_t i = 0; i < sizeof(many); i++) {
        start_terminal(40, 8);
        terminal_write(&terminal, many, i);
        terminal_write(&terminal, many + i, sizeof(many) - 1 - i);
        assert_memory_equal(terminal_cells, whole_cells, sizeof(whole_cells));
        assert_memory_equal(&terminal, &whole, sizeof(whole));
        assert_string_equal(answers, whole_answers);
    }
    start_terminal(40, 8);
    for (size_t i = 0; i < sizeof(many) - 1; i++)
        terminal_write(&terminal, many + i, 1);
    assert_memory_equal(terminal_cells, whole_cells, sizeof(whole_cells));
    assert_memory_equal(&terminal, &whole, sizeof(whole));
}

static void assert_invariants(void)
{
    const struct terminal *t = &terminal;

    assert_true(t->cursor.row < t->rows && t->cursor.column < t->columns);
    assert_true(t->top <= t->bottom && t->bottom < t->rows);
    assert_true(!t->cursor.is_origin_in_region ||
                (t->cursor.row >= t->top && t->cursor.row <= t->bottom));
    assert_true(!t->cursor.is_wrap_pending || t->cursor.column + 1 == t->columns);
    assert_true(t->cursor.character_set < 2 && t->decoder.missing < 4);
    assert_true(t->sequence.count <= TERMINAL_MAX_PARAMETERS + 1);
}

/* Asserts that no cell has a control character or an invalid colour. */
static void assert_cells(const struct terminal_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t character = cells[i].character;
        if (character < 0x20 || (character >= 0x7F && character < 0xA0) ||
            cells[i].foreground > 15 || cells[i].background > 15)
            fail_msg("cell %zu: U+%04X, colours %u and %u", i, character,
                     cells[i].foreground, cells[i].background);
    }
}

/* Generates random bytes, more than half of which form sequences. */
static size_t make_hostile(char *bytes, size_t room)
{
    static const char last[]   = "@ABCDEFGHIJKLMPSTXZ`abcdefghlmnrsu";
    static const char *words[] = {"\033[", "\033[?", "\033]", "\033P",      "\033",
                                  "\0337", "\0338",  "\033M", "\033D",      "\033c",
                                  "\r\n",  "\n\n",   "\t",    "\b",         "\xE2\x94",
                                  "\x80",  "\xF0",   ";",     "\033[?1049", "\033(0",
                                  "9999",  "\030",   "\a",    "\033[4h",    "\033[?6h"};
    switch (random_below(4)) {
    case 0:
        return (size_t)snprintf(bytes, room, "%s",
                                words[random_below(ARRAY_SIZE(words))]);
    case 1:
        return (size_t)snprintf(bytes, room, "\033[%d;%d%c", (int)random_below(300) - 1,
                                (int)random_below(300),
                                last[random_below(sizeof(last) - 1)]);
    case 2:
        return (size_t)snprintf(bytes, room, "\033[?%d%c",
                                (int)random_below(2) == 0 ? (int)random_below(8) : 1049,
                                "hl"[random_below(2)]);
    default:
        for (size_t i = 0; i < room; i++)
            bytes[i] = (char)random_number();
        return 1 + (size_t)random_below(room);
    }
}

static void run_hostile(uint16_t columns, uint16_t rows)
{
    size_t count = (size_t)columns * rows;
    char bytes[32];

    /* On the heap, where AddressSanitizer checks both ends. */
    struct terminal_cell *cells = malloc(count * sizeof(*cells));
    assert_non_null(cells);
    answers_length = 0;
    terminal_init(&terminal, cells, columns, rows);
    terminal_set_answer(&terminal, note_answer, answers);
    for (int i = 0; i < 40000; i++) {
        terminal_write(&terminal, bytes, make_hostile(bytes, sizeof(bytes)));
        assert_invariants();
        if (i % 1000 == 0)
            assert_cells(cells, count);
    }
    assert_ptr_equal(terminal.cells, cells);
    assert_int_equal(terminal.columns, columns);
    assert_int_equal(terminal.rows, rows);
    assert_cells(cells, count);
    free(cells);
}

static void test_hostile(void **state)
{
    (void)state;
    run_hostile(1, 1);
    run_hostile(2, 1);
    run_hostile(1, TERMINAL_MAX_ROWS);
    run_hostile(80, 25);
    run_hostile(TERMINAL_MAX_COLUMNS, 1);
    run_hostile(TERMINAL_MAX_COLUMNS, TERMINAL_MAX_ROWS);
}

/* The smallest screen. */
static void test_single_cell(void **state)
{
    (void)state;
    start_terminal(1, 1);
    WRITE("abc");
    assert_screen("c|");
    WRITE("\033[r\033[9;9H\t\b\033[L\033[@");
    assert_screen("|");
    WRITE("x\033M");
    assert_screen("|");
    assert_cursor(1, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, screen_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_utf8),         TEST(test_utf8_broken), TEST(test_strings),
        TEST(test_malformed),    TEST(test_interrupted), TEST(test_parameters),
        TEST(test_reset),        TEST(test_vi),          TEST(test_top),
        TEST(test_line_editing), TEST(test_splits),      TEST(test_single_cell),
        TEST(test_hostile),
    };
    return cmocka_run_group_tests_name("terminal streams", tests, NULL, NULL);
}
