/* src/report/qr_code.c. tests/boot/report.toml reads a code with zbarimg. */
#include "unit.h"

#include "lib/bits.h"
#include "report/qr_code.h"

static struct qr_code code;

/* Sizes at the limits of the versions: ISO/IEC 18004, "Data capacity", level L. */
static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        size_t most;
        unsigned int size;
    } versions[]   = {{25, 21}, {47, 25}, {77, 29}, {114, 33}, {154, 37}, {195, 41}};
    char text[200] = "";

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        memset(text, 'A', versions[i].most);
        assert_true(qr_code_make(text, &code));
        assert_int_equal(code.size, versions[i].size);
        text[versions[i].most] = 'Z';
        assert_int_equal(qr_code_make(text, &code), i + 1 < ARRAY_SIZE(versions));
    }
    assert_true(qr_code_make("", &code));
    assert_int_equal(code.size, 21);
    assert_false(qr_code_make("lower", &code));
    assert_false(qr_code_make("A\n", &code));
    assert_true(qr_code_make(QR_CODE_ALPHABET, &code));
}

/* Asserts a finder pattern with light modules around it. */
static void assert_finder(int top, int left)
{
    for (int y = -1; y <= 7; y++) {
        for (int x = -1; x <= 7; x++) {
            bool is_ring = x >= 0 && x <= 6 && y >= 0 && y <= 6 &&
                           (x == 0 || x == 6 || y == 0 || y == 6);
            bool is_core = x >= 2 && x <= 4 && y >= 2 && y <= 4;
            assert_int_equal(qr_code_is_dark(&code, top + y, left + x),
                             is_ring || is_core);
        }
    }
}

/* The format information of level L and each mask: table in the same standard. */
static const uint32_t formats[] = {0x77C4, 0x72F3, 0x7DAA, 0x789D,
                                   0x662F, 0x6318, 0x6C41, 0x6976};

static void test_patterns(void **state)
{
    (void)state;
    char text[196] = "";

    for (size_t length = 0; length < 195; length++) {
        text[length] = QR_CODE_ALPHABET[length * 7 % 45];
        assert_true(qr_code_make(text, &code));
        int size = (int)code.size;
        assert_finder(0, 0);
        assert_finder(0, size - 7);
        assert_finder(size - 7, 0);
        for (int i = 8; i < size - 8; i++) {
            assert_int_equal(qr_code_is_dark(&code, 6, i), i % 2 == 0);
            assert_int_equal(qr_code_is_dark(&code, i, 6), i % 2 == 0);
        }
        uint32_t first = 0, second = 0;
        for (int i = 0; i < 15; i++) {
            int down = i < 6 ? i : i < 8 ? i + 1 : size - 15 + i;
            int left = i < 8 ? size - 1 - i : i == 8 ? 7 : 14 - i;
            first |= (uint32_t)qr_code_is_dark(&code, down, 8) << i;
            second |= (uint32_t)qr_code_is_dark(&code, 8, left) << i;
        }
        assert_int_equal(first, second);
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
            is_known |= formats[i] == first;
        assert_true(is_known);
        assert_true(qr_code_is_dark(&code, size - 8, 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests_name("qr_code", tests, NULL, NULL);
}
