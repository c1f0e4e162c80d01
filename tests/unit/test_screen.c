/*
 * src/console/screen.c, on a simulated screen, and the order of the built-in font's
 * glyphs.
 */
#include "unit.h"

#include "console/screen.h"
#include "random.h"

static char shown[SHEET_ROWS][SHEET_COLUMNS + 1];
static uint8_t shown_attribute[SHEET_ROWS][SHEET_COLUMNS];
static size_t drawn;

static void draw_cell(size_t row, size_t column, struct screen_cell cell)
{
    assert_true(row < SHEET_ROWS && column < SHEET_COLUMNS);
    shown[row][column]           = (char)cell.character;
    shown_attribute[row][column] = cell.attribute;
    drawn++;
}

static int screen_start(void **state)
{
    (void)state;
    memset(shown, 0, sizeof(shown));
    screen_init(draw_cell);
    drawn = 0;
    return 0;
}

static void write_text(const char *text)
{
    screen_write(text, strlen(text));
}

static void assert_row(size_t row, const char *text)
{
    char expected[SHEET_COLUMNS + 1];
    snprintf(expected, sizeof(expected), "%-80s", text);
    assert_string_equal(shown[row], expected);
}

static void test_before_init(void **state)
{
    (void)state;
    struct sheet sheet = {.rows = 1};
    write_text("nowhere");
    screen_show(&sheet);
    assert_int_equal(drawn, 0);
}

static void test_lines(void **state)
{
    (void)state;
    write_text("one\ntwo\n\nfo");
    write_text("ur\n");
    assert_row(0, "one");
    assert_row(1, "two");
    assert_row(2, "");
    assert_row(3, "four");
    assert_row(24, "");
}

static void test_long_line(void **state)
{
    (void)state;
    char text[1024];
    memset(text, 'x', 85);
    strcpy(text + 85, "\n");
    write_text(text);
    text[80] = '\0';
    assert_row(0, text);
    assert_row(1, "xxxxx");
    screen_start(NULL);
    write_text(text); /* exactly a row: no empty row follows */
    write_text("\nnext\n");
    assert_row(1, "next");
    screen_start(NULL);
    snprintf(text, sizeof(text), "%078d words are not broken\n", 0);
    write_text(text);
    assert_row(1, "words are not broken");
    screen_start(NULL);
    memset(text, 'y', sizeof(text) - 1); /* an unterminated line is shown too */
    text[sizeof(text) - 1] = '\0';
    write_text(text);
    text[80] = '\0';
    assert_row(5, text);
}

static void test_scroll(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        char line[20];
        snprintf(line, sizeof(line), "line %d\n", i);
        write_text(line);
    }
    assert_row(0, "line 5");
    assert_row(24, "line 29");
}

static void test_show(void **state)
{
    (void)state;
    static struct sheet sheet;
    sheet = (struct sheet){0};
    for (int i = 0; i < 40; i++)
        write_text("something old\n");
    sheet_add(&sheet, EMPHASIS_TITLE, "title");
    sheet_add(&sheet, EMPHASIS_BAD, "%s", "");
    sheet_add(&sheet, EMPHASIS_GOOD, "%080d", 7);
    screen_show(&sheet);
    assert_row(0, "title");
    assert_row(1, "");
    assert_int_equal(shown[2][79], '7');
    assert_row(3, "");
    assert_row(24, "");
    assert_int_equal(shown_attribute[0][0], 0x0F);  /* white */
    assert_int_equal(shown_attribute[2][79], 0x0A); /* light green */
    write_text("after it\n");                       /* appears below, without scrolling */
    assert_row(3, "after it");
    assert_row(0, "title");
}

/* Only changed cells are drawn. */
static void test_economy(void **state)
{
    (void)state;
    static struct sheet sheet;
    sheet = (struct sheet){0};
    sheet_add(&sheet, EMPHASIS_NORMAL, "abc");
    screen_show(&sheet);
    assert_int_equal(drawn, 3);
    screen_show(&sheet);
    assert_int_equal(drawn, 3);
}

static void test_random_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char byte = (char)random_number();
        screen_write(&byte, 1);
    }
}

/*
 * font.asm takes the first 256 glyphs as code page 437; the font's Unicode table must
 * agree for ASCII.
 */
static void test_font_order(void **state)
{
    (void)state;
    static uint8_t font[65536];
    FILE *file = fopen(FONT, "rb");
    assert_non_null(file);
    size_t size = fread(font, 1, sizeof(font), file);
    fclose(file);
    const uint8_t *table = font + 4 + 512 * 16;
    unsigned int glyph   = 0;
    bool is_named        = false;
    for (; table + 2 <= font + size; table += 2) {
        unsigned int code = table[0] | (unsigned int)table[1] << 8;
        if (code == 0xFFFF) {
            if (glyph >= 0x20 && glyph <= 0x7E)
                assert_true(is_named);
            glyph++;
            is_named = false;
        } else if (code == glyph) {
            is_named = true;
        }
    }
    assert_int_equal(glyph, 512);
}

static char answered[32];

static void note_answer(void *context, const char *bytes, size_t size)
{
    (void)context;
    strncat(answered, bytes, size);
}

static void pass_bytes(const char *bytes)
{
    screen_pass(bytes, strlen(bytes));
    screen_update();
}

/*
 * A guest's terminal: below the text, with colours, a cursor and a receiver of answers.
 */
static void test_terminal(void **state)
{
    (void)state;
    write_text("verdict\n");
    screen_start_terminal(note_answer);
    assert_row(0, "verdict");
    assert_int_equal(shown_attribute[1][0], 0x70); /* the cursor */
    pass_bytes("\033[31mred\033[0m");
    assert_row(1, "red");
    assert_int_equal(shown_attribute[1][0], 0x04);
    assert_int_equal(shown_attribute[1][3], 0x70);
    pass_bytes("\033[6n");
    assert_string_equal(answered, "\033[2;4R");
    pass_bytes("\033[?25l\033[25;80Hx\xE2\x94\x80");
    assert_int_equal((uint8_t)shown[24][0], 0xC4); /* wrapped and scrolled */
    assert_row(0, "red");
    write_text("hymir\n");
    pass_bytes("\033c");
    for (size_t row = 0; row < SHEET_ROWS; row++)
        assert_row(row, "");
}

#define TEST(name) cmocka_unit_test_setup(name, screen_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_init),
        TEST(test_lines),
        TEST(test_long_line),
        TEST(test_scroll),
        TEST(test_show),
        TEST(test_economy),
        TEST(test_random_bytes),
        TEST(test_terminal),
        cmocka_unit_test(test_font_order),
    };
    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
