/* src/svm/exit_description.c and the rows of exits in src/svm/exit.h. */
#include "unit.h"

#include "svm/exit.h"

static const char *described(uint64_t code, uint64_t detail, uint64_t address)
{
    static char buffer[256];
    struct text words               = {.buffer = buffer, .size = sizeof(buffer)};
    const struct exit_record record = {
        .reason = code, .detail = detail, .address = address};

    buffer[0] = '\0';
    svm_exit_describe(&record, &words);
    return buffer;
}

static const char *name_of(uint64_t code)
{
    return svm_exit_name(svm_exit_row_index(code));
}

/* Every code has a row of its own below the last one, which all others share. */
static void test_rows(void **state)
{
    (void)state;
    assert_int_equal(SVM_EXIT_ROWS, 0xA7 + 4 + 1);
    for (uint32_t code = 0; code < 0xA7; code++)
        assert_int_equal(svm_exit_row_index(code), code);
    for (uint32_t code = 0x400; code < 0x404; code++)
        assert_int_equal(svm_exit_row_index(code), 0xA7 + code - 0x400);
    static const uint64_t others[] = {0xA7,        0xFF,       0x3FF,         0x404,
                                      0x405,       0xFFFFFFFF, 0xF0000000,    0x100000000,
                                      0x100000072, UINT64_MAX, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(svm_exit_row_index(others[i]), SVM_EXIT_ROWS - 1);
}

/* Each row has a name that no other has. APM 2, "SVM Intercept Exit Codes". */
static void test_names(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < SVM_EXIT_ROWS; row++) {
        if (row != SVM_EXIT_OTHER && strcmp(svm_exit_name(row), "unknown") == 0)
            fail_msg("row 0x%x has no name", row);
        for (uint32_t other = 0; other < row; other++)
            assert_string_not_equal(svm_exit_name(row), svm_exit_name(other));
    }
    assert_string_equal(svm_exit_name(SVM_EXIT_OTHER), "unknown");
    static const struct {
        uint64_t code;
        const char *name;
    } names[] = {
        {0x00, "read of CR0"},
        {0x08, "read of CR8"},
        {0x0F, "read of CR15"},
        {0x10, "write of CR0"},
        {0x14, "write of CR4"},
        {0x1F, "write of CR15"},
        {0x20, "read of DR0"},
        {0x2F, "read of DR15"},
        {0x37, "write of DR7"},
        {0x3F, "write of DR15"},
        {0x40, "exception 0"},
        {0x49, "exception 9"},
        {0x4E, "exception 14"},
        {0x54, "exception 20"},
        {0x5B, "exception 27"},
        {0x5C, "exception 28"},
        {0x5F, "exception 31"},
        {0x60, "external interrupt"},
        {0x64, "interrupt window"},
        {0x72, "CPUID"},
        {0x78, "HLT"},
        {0x7F, "shutdown"},
        {0x81, "VMMCALL"},
        {0x8F, "EFER write trap"},
        {0x90, "write trap of CR0"},
        {0x94, "write trap of CR4"},
        {0x9F, "write trap of CR15"},
        {0xA0, "INVLPGB"},
        {0xA5, "bus lock"},
        {0xA6, "idle HLT"},
        {0xA7, "unknown"},
        {0x3FF, "unknown"},
        {0x400, "nested page fault"},
        {0x403, "VMGEXIT"},
        {0x404, "unknown"},
        {0x100000072, "unknown"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_string_equal(name_of(names[i].code), names[i].name);
}

/* The bits are literals from the APM, not the macros of the code under test. */
static void test_io(void **state)
{
    (void)state;
    assert_string_equal(described(0x7B, 0x03F80210, 0),
                        "I/O instruction: OUT of 1 byte, port 0x3f8");
    assert_string_equal(described(0x7B, 0x00600211, 0),
                        "I/O instruction: IN of 1 byte, port 0x60");
    assert_string_equal(described(0x7B, 0x00700120, 0),
                        "I/O instruction: OUT of 2 bytes, port 0x70");
    assert_string_equal(described(0x7B, 0x0CFC0241, 0),
                        "I/O instruction: IN of 4 bytes, port 0xcfc");
    assert_string_equal(described(0x7B, 0x0080022D, 0),
                        "I/O instruction: REP INS of 2 bytes, port 0x80");
    assert_string_equal(described(0x7B, 0xFFFF0214, 0),
                        "I/O instruction: OUTS of 1 byte, port 0xffff");
}

static void test_registers(void **state)
{
    (void)state;
    assert_string_equal(described(0x7C, 0xC0000080, 0), "RDMSR or WRMSR of 0xc0000080");
    assert_string_equal(described(0x14, 0x406F0, 0), "write of CR4: 0x406f0");
    assert_string_equal(described(0x04, 0x406F0, 0), "read of CR4");
    assert_string_equal(described(0x10, 0x406F0, 0), "write of CR0");
}

static void test_nested_page_fault(void **state)
{
    (void)state;
    assert_string_equal(described(0x400, 0x100000004, 0x1000),
                        "nested page fault: read at guest-physical 0x1000");
    assert_string_equal(described(0x400, 0x100000006, 0xFEE00000),
                        "nested page fault: write at guest-physical 0xfee00000");
    assert_string_equal(described(0x400, 0x100000014, 0x2000),
                        "nested page fault: fetch at guest-physical 0x2000");
    assert_string_equal(described(0x400, 0x200000006, 0x3000),
                        "nested page fault: write at guest-physical 0x3000 by the "
                        "guest's page walk");
    assert_string_equal(described(0x401, 6, 0x3000), "incomplete AVIC IPI");
}

/* VMEXIT_INVALID is -1, of which some emulators store 32 bits. */
static void test_invalid(void **state)
{
    (void)state;
    assert_string_equal(described(UINT64_MAX, 1, 2), "failed entry: VMEXIT_INVALID");
    assert_string_equal(described(UINT32_MAX, 1, 2), "failed entry: VMEXIT_INVALID");
    assert_string_equal(described(0x7FFFFFFF, 1, 2), "unknown");
}

/* Any value that a CPU may store is described. */
static void test_any_bits(void **state)
{
    (void)state;
    for (uint64_t code = 0; code < 0x10000; code++)
        assert_true(strlen(described(code, UINT64_MAX, UINT64_MAX)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_io),
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_nested_page_fault),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_any_bits),
    };
    return cmocka_run_group_tests_name("svm_exit_description", tests, NULL, NULL);
}
