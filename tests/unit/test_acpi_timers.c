/* src/firmware/acpi_timers.c, on valid and malformed tables. */
#include "acpi.h"

#define HPET 0x6000

static struct acpi_timers timers_of(const char *fadt, const char *hpet)
{
    const uint64_t entries[] = {FADT, HPET};
    struct acpi_timers timers;
    memory_clear(NULL);
    if (fadt != NULL)
        memory_put_file(FADT, fadt);
    if (hpet != NULL)
        memory_put_file(HPET, hpet);
    struct acpi acpi = open_all(entries, 2);
    memset(&timers, 0xA5, sizeof(timers));
    acpi_find_timers(&acpi, &timers);
    return timers;
}

static void test_timers(void **state)
{
    (void)state;
    struct acpi_timers timers = timers_of("fadt.aml", "hpet.aml");
    assert_int_equal(timers.pm_timer.space, REGISTER_IO);
    assert_int_equal(timers.pm_timer.address, 0x1808);
    assert_true(timers.is_pm_timer_32_bit);
    assert_int_equal(timers.hpet, 0xFED00000);
}

static void test_absent(void **state)
{
    (void)state;
    struct acpi_timers timers = timers_of("fadt-reduced.aml", NULL);
    assert_int_equal(timers.pm_timer.space, REGISTER_NONE);
    assert_false(timers.is_pm_timer_32_bit);
    assert_int_equal(timers.hpet, 0);
    timers = timers_of(NULL, NULL);
    assert_int_equal(timers.pm_timer.space, REGISTER_NONE);
    assert_int_equal(timers.hpet, 0);
}

/* A table that is too short, and registers where none can be. */
static void test_broken_hpet(void **state)
{
    (void)state;
    static const struct {
        uint64_t address;
        uint32_t length;
        uint8_t space;
    } broken[] = {{0xFED00000, 0x33, 0}, {0xFED00000, 0x38, 1}, {0xF000, 0x38, 0}};
    const uint64_t entries[] = {HPET};
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        struct acpi_timers timers;
        memory_clear(NULL);
        uint8_t *table = memory_put_file(HPET, "hpet.aml");
        table[40]      = broken[i].space;
        write_u32(table + 4, broken[i].length);
        write_u64(table + 44, broken[i].address);
        fix_checksum(table, broken[i].length, 9);
        struct acpi acpi = open_all(entries, 1);
        acpi_find_timers(&acpi, &timers);
        assert_int_equal(timers.hpet, 0);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, memory_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_timers),
        TEST(test_absent),
        TEST(test_broken_hpet),
    };
    return cmocka_run_group_tests_name("acpi_timers", tests, NULL, NULL);
}
