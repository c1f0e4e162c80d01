/* src/mm/memory_map.c. */
#include "unit.h"

#include "mm/memory_map.h"
#include "random.h"

static struct memory_entries entries;
static struct memory_map map;

static void entries_start(uint64_t limit)
{
    memset(&entries, 0, sizeof(entries));
    memset(&map, 0, sizeof(map));
    entries.limit = limit;
}

static void assert_region(size_t index, uint64_t from, uint64_t to, enum memory_type type)
{
    assert_true(index < map.count);
    assert_int_equal(map.region[index].start, from);
    assert_int_equal(map.region[index].end, to);
    assert_int_equal(map.region[index].type, type);
}

static void test_sorts_and_joins(void **state)
{
    (void)state;
    entries_start(BIT(40));
    memory_entries_add(&entries, 0x100000, 0x1000, MEMORY_USABLE);
    memory_entries_add(&entries, 0, 0x9FC00, MEMORY_USABLE);
    memory_entries_add(&entries, 0x101000, 0x1000, MEMORY_USABLE);
    memory_entries_add(&entries, 0x9FC00, 0x400, MEMORY_RESERVED);
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
    assert_int_equal(map.count, 3);
    assert_region(0, 0, 0x9FC00, MEMORY_USABLE);
    assert_region(1, 0x9FC00, 0xA0000, MEMORY_RESERVED);
    assert_region(2, 0x100000, 0x102000, MEMORY_USABLE);
    assert_int_equal(memory_map_size(&map, MEMORY_USABLE), 0x9FC00 + 0x2000);
}

static void test_overlaps(void **state)
{
    (void)state;
    entries_start(BIT(40));
    memory_entries_add(&entries, 0x1000, 0x1000, MEMORY_USABLE);
    memory_entries_add(&entries, 0x2000, 0x1000, MEMORY_RESERVED);
    memory_entries_add(&entries, 0x5000, 0x1000, MEMORY_USABLE);
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
    assert_false(memory_map_overlaps(&map, MEMORY_USABLE, 0, 0x1000));
    assert_true(memory_map_overlaps(&map, MEMORY_USABLE, 0, 0x1001));
    assert_true(memory_map_overlaps(&map, MEMORY_USABLE, 0x1FFF, 0x5000));
    assert_false(memory_map_overlaps(&map, MEMORY_USABLE, 0x2000, 0x5000));
    assert_true(memory_map_overlaps(&map, MEMORY_RESERVED, 0x2000, 0x5000));
    assert_true(memory_map_overlaps(&map, MEMORY_USABLE, 0x3000, 0x7000));
    assert_false(memory_map_overlaps(&map, MEMORY_USABLE, 0x6000, UINT64_MAX));
}

static void test_the_worse_wins(void **state)
{
    (void)state;
    entries_start(BIT(40));
    memory_entries_add(&entries, 0x1000, 0x9000, MEMORY_USABLE);
    memory_entries_add(&entries, 0x2000, 0x3000, MEMORY_RESERVED);
    memory_entries_add(&entries, 0x3000, 0x1000, MEMORY_USABLE);
    memory_entries_add(&entries, 0x4000, 0x4000, MEMORY_ACPI_NVS);
    memory_entries_add(&entries, 0x7000, 0x1000, MEMORY_BAD);
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
    assert_int_equal(map.count, 5);
    assert_region(0, 0x1000, 0x2000, MEMORY_USABLE);
    assert_region(1, 0x2000, 0x5000, MEMORY_RESERVED);
    assert_region(2, 0x5000, 0x7000, MEMORY_ACPI_NVS);
    assert_region(3, 0x7000, 0x8000, MEMORY_BAD);
    assert_region(4, 0x8000, 0xA000, MEMORY_USABLE);
}

static void test_absurd_entries(void **state)
{
    (void)state;
    entries_start(BIT(36));
    memory_entries_add(&entries, 0x1000, 0, MEMORY_USABLE);
    memory_entries_add(&entries, BIT(36), 0x1000, MEMORY_USABLE);
    memory_entries_add(&entries, UINT64_MAX, UINT64_MAX, MEMORY_RESERVED);
    assert_int_equal(entries.count, 0);
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
    assert_int_equal(map.count, 0);

    memory_entries_add(&entries, 0x100000, UINT64_MAX, MEMORY_USABLE);
    memory_entries_add(&entries, BIT(36) - 0x1000, 0x5000, MEMORY_RESERVED);
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
    assert_int_equal(map.count, 2);
    assert_region(0, 0x100000, BIT(36) - 0x1000, MEMORY_USABLE);
    assert_region(1, BIT(36) - 0x1000, BIT(36), MEMORY_RESERVED);
}

static void test_too_many_usable(void **state)
{
    (void)state;
    entries_start(BIT(40));
    for (uint64_t i = 0; i < MEMORY_MAP_ENTRIES + 10; i++)
        memory_entries_add(&entries, i * 0x2000, 0x1000, MEMORY_USABLE);
    assert_int_equal(entries.dropped_usable, 10);
    /* A reserved entry replaces a usable one if the table is full. */
    memory_entries_add(&entries, 0x4000, 0x1000, MEMORY_RESERVED);
    assert_int_equal(entries.dropped_usable, 11);
    assert_int_equal(entries.dropped_reserved, 0);
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
    assert_int_equal(memory_map_size(&map, MEMORY_RESERVED), 0x1000);
}

static void test_too_many_reserved(void **state)
{
    (void)state;
    entries_start(BIT(40));
    for (uint64_t i = 0; i < MEMORY_MAP_ENTRIES + 1; i++)
        memory_entries_add(&entries, i * 0x2000, 0x1000, MEMORY_RESERVED);
    assert_int_equal(entries.dropped_reserved, 1);
    map.count = 42;
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OUT_OF_RANGE);
    assert_int_equal(map.count, 42);
}

/* A full table of alternating types makes the largest possible number of regions. */
static void test_most_regions(void **state)
{
    (void)state;
    entries_start(BIT(40));
    memory_entries_add(&entries, 0, BIT(39), MEMORY_USABLE);
    for (uint64_t i = 1; i < MEMORY_MAP_ENTRIES; i++)
        memory_entries_add(&entries, i * 0x2000, 0x1000, MEMORY_RESERVED);
    assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
    assert_int_equal(map.count, 2 * MEMORY_MAP_ENTRIES - 1);
}

/*
 * Compared with the definition: each unit of memory has the most restrictive type of its
 * entries.
 */
static void test_random_maps(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        int expected[256];
        memset(expected, 0xFF, sizeof(expected));
        entries_start(200);
        uint64_t count = 1 + random_below(20);
        for (uint64_t i = 0; i < count; i++) {
            uint64_t from         = random_below(256);
            uint64_t size         = random_below(80);
            enum memory_type type = (enum memory_type)random_below(MEMORY_BAD + 1);
            memory_entries_add(&entries, from, size, type);
            for (uint64_t at = from; at < from + size && at < 200; at++)
                expected[at] = (int)type > expected[at] ? (int)type : expected[at];
        }
        assert_int_equal(memory_map_build(&entries, &map), STATUS_OK);
        int found[256];
        memset(found, 0xFF, sizeof(found));
        for (size_t i = 0; i < map.count; i++) {
            const struct memory_region *region = &map.region[i];
            assert_true(region->start < region->end);
            if (i > 0)
                assert_true(map.region[i - 1].end <= region->start);
            if (i > 0 && map.region[i - 1].end == region->start)
                assert_int_not_equal(map.region[i - 1].type, region->type);
            for (uint64_t at = region->start; at < region->end; at++)
                found[at] = (int)region->type;
        }
        assert_memory_equal(found, expected, sizeof(expected));
    }
}

static void test_names(void **state)
{
    (void)state;
    for (int type = MEMORY_USABLE; type <= MEMORY_BAD; type++)
        assert_non_null(memory_type_names[type]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorts_and_joins), cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_the_worse_wins),  cmocka_unit_test(test_absurd_entries),
        cmocka_unit_test(test_too_many_usable), cmocka_unit_test(test_too_many_reserved),
        cmocka_unit_test(test_most_regions),    cmocka_unit_test(test_random_maps),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("memory_map", tests, NULL, NULL);
}
