/* src/cpu/thunks.c, on code of the test's own, which is not executed. */
#include "unit.h"

/*
 * Two retpolines and the jumps that replace them; then code: a return, a jump elsewhere,
 * a call of the return thunk, a byte 0xE9, and a return at the end.
 */
__asm__(".data\n"
        ".globl indirect_thunks, indirect_jumps, indirect_jumps_end\n"
        ".globl image_text_start, image_text_end, __x86_return_thunk\n"
        "indirect_thunks: .fill 192, 1, 0xAA\n"
        "indirect_jumps: .byte 1, 2, 3, 4, 5, 6, 7, 8\n"
        "indirect_jumps_end:\n"
        "image_text_start:\n"
        ".byte 0xE9\n .long __x86_return_thunk - . - 4\n"
        ".byte 0xE9\n .long image_text_start - . - 4\n"
        ".byte 0xE8\n .long __x86_return_thunk - . - 4\n"
        ".byte 0xE9\n"
        ".byte 0xE9\n .long __x86_return_thunk - . - 4\n"
        "image_text_end: .byte 0xE9\n"
        "__x86_return_thunk: .byte 0xC3\n"
        ".text\n");

#include "../../src/cpu/thunks.c"

static void replaces_each_retpoline(void **state)
{
    (void)state;
    thunks_replace_retpolines();
    assert_memory_equal(indirect_thunks[0] + 15, ((uint8_t[]){0xAA, 1, 2, 3, 4, 0xAA}),
                        6);
    assert_memory_equal(indirect_thunks[1] + 15, ((uint8_t[]){0xAA, 5, 6, 7, 8, 0xAA}),
                        6);
    assert_int_equal(indirect_thunks[2][16], 0xAA);
}

static void replaces_each_return(void **state)
{
    static const uint8_t ret[] = {0xC3, 0xCC, 0xCC, 0xCC, 0xCC};
    uint8_t expected[21];

    (void)state;
    assert_int_equal(image_text_end - image_text_start, sizeof(expected));
    memcpy(expected, image_text_start, sizeof(expected));
    memcpy(expected, ret, sizeof(ret));
    memcpy(expected + 16, ret, sizeof(ret));
    thunks_replace_returns();
    assert_memory_equal(image_text_start, expected, sizeof(expected));
    assert_int_equal(*image_text_end, 0xE9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_each_retpoline),
        cmocka_unit_test(replaces_each_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
