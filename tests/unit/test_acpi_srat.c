/*
 * src/firmware/acpi_srat.c: the nodes of CPUs and memory, in valid and malformed tables.
 * ACPI 6.5, "System Resource Affinity Table (SRAT)".
 */
#include "acpi.h"

#include "firmware/acpi.h"
#include "random.h"

static struct acpi_view read_fixture(void **state)
{
    const uint64_t entries[] = {MADT};
    struct acpi_view view;

    memory_clear(state);
    memory_put_file(MADT, "srat.aml");
    struct acpi acpi = open_all(entries, 1);
    assert_int_equal(acpi_find(&acpi, "SRAT", &view), STATUS_OK);
    return view;
}

/* A table compiled by iasl. */
static void test_fixture(void **state)
{
    const struct acpi_view srat = read_fixture(state);

    assert_int_equal(acpi_node_of_cpu(&srat, 5), 0x02010003);
    assert_int_equal(acpi_node_of_cpu(&srat, 6), 0); /* disabled */
    assert_int_equal(acpi_node_of_cpu(&srat, 0x106), 9);
    assert_int_equal(acpi_node_of_cpu(&srat, 7), 0); /* not in the table */
    assert_int_equal(acpi_node_of_memory(&srat, 0), 3);
    assert_int_equal(acpi_node_of_memory(&srat, 0x7FFFFFFF), 3);
    assert_int_equal(acpi_node_of_memory(&srat, 0x80000000), 0);
    assert_int_equal(acpi_node_of_memory(&srat, 0x100000000), 9);
    assert_int_equal(acpi_node_of_memory(&srat, UINT64_MAX), 9);
}

/* In the first revision, the upper bits of a node are reserved. */
static void test_first_revision(void **state)
{
    const struct acpi_view srat = read_fixture(state);
    uint8_t copy[512];

    assert_true(srat.length <= sizeof(copy));
    memcpy(copy, srat.bytes, srat.length);
    copy[8] = 1;
    assert_int_equal(
        acpi_node_of_cpu(&(struct acpi_view){.bytes = copy, .length = srat.length}, 5),
        3);
}

/* Tables that end anywhere, with random bytes: nothing beyond their end is read. */
static void test_broken(void **state)
{
    const struct acpi_view srat = read_fixture(state);

    assert_int_equal(acpi_node_of_cpu(&(struct acpi_view){0}, 5), 0);
    assert_int_equal(acpi_node_of_memory(&(struct acpi_view){0}, 5), 0);
    for (unsigned int round = 0; round < 20000; round++) {
        size_t size   = 1 + random_below(srat.length);
        uint8_t *copy = malloc(size);
        memcpy(copy, srat.bytes, size);
        copy[random_below(size)]    = (uint8_t)random_number();
        const struct acpi_view view = {.bytes = copy, .length = size};
        (void)acpi_node_of_cpu(&view, 0x106);
        (void)acpi_node_of_memory(&view, UINT64_MAX);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fixture, start_log),
        cmocka_unit_test_setup(test_first_revision, start_log),
        cmocka_unit_test_setup(test_broken, start_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
