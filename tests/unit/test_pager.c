/* src/report/pager.c: rows divided into pages. */
#include "unit.h"

#include "report/pager.h"

static struct sheet sheet;

/* Each row is on exactly one page, in order. */
static void test_pager(void **state)
{
    (void)state;
    struct pager pager;
    for (size_t page = 0; page < 5; page++) {
        pager_start(&pager, &sheet, page);
        sheet_add(&sheet, EMPHASIS_TITLE, "title");
        for (size_t i = 0; i < 100; i++)
            pager_add(&pager, EMPHASIS_NORMAL, "row %zu", i);
        assert_int_equal(pager_pages(&pager), 5);
        assert_int_equal(sheet.rows,
                         page < 4 ? 1 + PAGER_ROWS : 1 + 100 - 4 * PAGER_ROWS);
        for (size_t i = 1; i < sheet.rows; i++) {
            char expected[16];
            snprintf(expected, sizeof(expected), "row %zu", page * PAGER_ROWS + i - 1);
            assert_string_equal(sheet.row[i].text, expected);
        }
    }
    pager_start(&pager, NULL, 0);
    assert_int_equal(pager_pages(&pager), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pager),
    };
    return cmocka_run_group_tests_name("pager", tests, NULL, NULL);
}
