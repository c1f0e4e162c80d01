/* src/guest/memory.c. */
#include "guest.h"

static void test_pieces(void **state)
{
    (void)state;
    const struct guest_memory *memory = &test_vm.memory;
    uint8_t bytes[16] = "0123456789abcde", back[16] = "";
    assert_int_equal(memory->size, GUEST_SIZE);
    /* Across the end of a piece. */
    put_guest(GUEST_SIZE / 2 - 7, bytes, 16);
    assert_true(guest_memory_read(memory, gpa(GUEST_SIZE / 2 - 7), back, 16));
    assert_memory_equal(bytes, back, 16);
    assert_int_equal(*(uint8_t *)guest_memory_pointer(memory, gpa(GUEST_SIZE / 2), 1),
                     '7');
    assert_null(guest_memory_pointer(memory, gpa(GUEST_SIZE / 2 - 7), 16));
    assert_non_null(guest_memory_pointer(memory, gpa(0), GUEST_SIZE / 2));
    assert_true(guest_memory_clear(memory, gpa(GUEST_SIZE / 2 - 7), 16));
    assert_true(guest_memory_read(memory, gpa(GUEST_SIZE / 2 - 7), back, 16));
    assert_int_equal(back[8], 0);
}

static void test_ends(void **state)
{
    (void)state;
    const struct guest_memory *memory = &test_vm.memory;
    uint8_t bytes[16]                 = "untouched";
    static const struct {
        uint64_t address, size;
        bool is_ram;
    } cases[] = {{0, 16, true},          {GUEST_SIZE - 16, 16, true},
                 {GUEST_SIZE, 0, true},  {GUEST_SIZE - 15, 16, false},
                 {GUEST_SIZE, 1, false}, {GUEST_SIZE + 1, 0, false},
                 {UINT64_MAX, 1, false}, {UINT64_MAX - 7, 16, false},
                 {1, UINT64_MAX, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gpa_t address = gpa(cases[i].address);
        assert_int_equal(guest_memory_is_ram(memory, address, cases[i].size),
                         cases[i].is_ram);
        if (!cases[i].is_ram) {
            assert_false(guest_memory_read(memory, address, bytes, cases[i].size));
            assert_false(guest_memory_write(memory, address, bytes, cases[i].size));
            assert_false(guest_memory_clear(memory, address, cases[i].size));
            assert_null(guest_memory_pointer(memory, address, cases[i].size));
        }
    }
    assert_string_equal((char *)bytes, "untouched");
}

static void test_too_many(void **state)
{
    (void)state;
    static struct guest_memory memory;
    for (int i = 0; i < GUEST_MEMORY_PIECES; i++)
        assert_int_equal(guest_memory_add(&memory, hpa(0), 4096), STATUS_OK);
    assert_int_equal(guest_memory_add(&memory, hpa(0), 4096), STATUS_NO_MEMORY);
    assert_int_equal(memory.size, 4096 * GUEST_MEMORY_PIECES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {GUEST_TEST(test_pieces), GUEST_TEST(test_ends),
                                       cmocka_unit_test(test_too_many)};
    return cmocka_run_group_tests_name("guest_memory", tests, NULL, NULL);
}
