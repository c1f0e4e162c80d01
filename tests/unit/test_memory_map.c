/* src/mm/memory_map.c. */
#include "unit.h"

#include "mm/memory_map.h"
#include "random.h"

static struct memory_map map;

static void assert_region(size_t index, uint64_t from, uint64_t to, enum memory_type type)
{
    assert_true(index < map.count);
    struct memory_region region = memory_map_region(&map, index);
    assert_int_equal(region.start, from);
    assert_int_equal(region.end, to);
    assert_int_equal(region.type, type);
}

static void test_sorts_and_joins(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    memory_map_add(&map, 0x100000, 0x1000, MEMORY_USABLE);
    memory_map_add(&map, 0, 0x9FC00, MEMORY_USABLE);
    memory_map_add(&map, 0x101000, 0x1000, MEMORY_USABLE);
    memory_map_add(&map, 0x9FC00, 0x400, MEMORY_RESERVED);
    assert_int_equal(map.count, 5);
    assert_region(0, 0, 0x9FC00, MEMORY_USABLE);
    assert_region(1, 0x9FC00, 0xA0000, MEMORY_RESERVED);
    assert_region(2, 0xA0000, 0x100000, MEMORY_ABSENT);
    assert_region(3, 0x100000, 0x102000, MEMORY_USABLE);
    assert_region(4, 0x102000, BIT(40), MEMORY_ABSENT);
    assert_int_equal(memory_map_size(&map, MEMORY_USABLE), 0x9FC00 + 0x2000);
}

static void test_overlaps(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    memory_map_add(&map, 0x1000, 0x1000, MEMORY_USABLE);
    memory_map_add(&map, 0x2000, 0x1000, MEMORY_RESERVED);
    memory_map_add(&map, 0x5000, 0x1000, MEMORY_USABLE);
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
    memory_map_init(&map, BIT(40));
    memory_map_add(&map, 0x1000, 0x9000, MEMORY_USABLE);
    memory_map_add(&map, 0x2000, 0x3000, MEMORY_RESERVED);
    memory_map_add(&map, 0x3000, 0x1000, MEMORY_USABLE);
    memory_map_add(&map, 0x4000, 0x4000, MEMORY_ACPI_NVS);
    memory_map_add(&map, 0x7000, 0x1000, MEMORY_BAD);
    assert_int_equal(map.count, 7);
    assert_region(1, 0x1000, 0x2000, MEMORY_USABLE);
    assert_region(2, 0x2000, 0x5000, MEMORY_RESERVED);
    assert_region(3, 0x5000, 0x7000, MEMORY_ACPI_NVS);
    assert_region(4, 0x7000, 0x8000, MEMORY_BAD);
    assert_region(5, 0x8000, 0xA000, MEMORY_USABLE);
}

static void test_absurd_entries(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(36));
    memory_map_add(&map, 0x1000, 0, MEMORY_USABLE);
    memory_map_add(&map, BIT(36), 0x1000, MEMORY_USABLE);
    memory_map_add(&map, UINT64_MAX, UINT64_MAX, MEMORY_RESERVED);
    assert_int_equal(map.count, 1);
    assert_region(0, 0, BIT(36), MEMORY_ABSENT);

    memory_map_add(&map, 0x100000, UINT64_MAX, MEMORY_USABLE);
    memory_map_add(&map, BIT(36) - 0x1000, 0x5000, MEMORY_RESERVED);
    assert_int_equal(map.count, 3);
    assert_region(1, 0x100000, BIT(36) - 0x1000, MEMORY_USABLE);
    assert_region(2, BIT(36) - 0x1000, BIT(36), MEMORY_RESERVED);
    memory_map_add(&map, 0, UINT64_MAX, MEMORY_BAD);
    assert_int_equal(map.count, 1);
    assert_region(0, 0, BIT(36), MEMORY_BAD);
}

/* Thousands of entries need no more room than the memory that they describe. */
static void test_merged_while_adding(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    for (uint64_t i = 0; i < 10 * MEMORY_MAP_ENTRIES; i++)
        memory_map_add(&map, BIT(30) - i * 0x1000, 0x1000, MEMORY_USABLE);
    assert_int_equal(map.count, 3);
    assert_int_equal(map.dropped, 0);
    assert_int_equal(memory_map_size(&map, MEMORY_USABLE),
                     10 * MEMORY_MAP_ENTRIES * 0x1000);
}

static void test_full(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    for (uint64_t i = 1; i <= MEMORY_MAP_ENTRIES; i++)
        memory_map_add(&map, i * 0x4000, 0x2000, MEMORY_USABLE);
    assert_int_equal(map.count, MEMORY_MAP_REGIONS);
    assert_int_equal(map.dropped, 0);
    assert_int_equal(memory_map_size(&map, MEMORY_USABLE), MEMORY_MAP_ENTRIES * 0x2000);
}

/* The smallest usable regions are dropped, whatever the order. */
static void test_too_many_usable(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    for (uint64_t i = 0; i < MEMORY_MAP_ENTRIES + 10; i++)
        memory_map_add(&map, BIT(20) + i * 0x10000, i % 100 == 5 ? 0x1000 : 0x2000,
                       MEMORY_USABLE);
    assert_int_equal(map.count, MEMORY_MAP_REGIONS);
    assert_int_equal(map.dropped, 10);
    assert_int_equal(map.dropped_bytes, 10 * 0x1000);
    assert_false(memory_map_overlaps(&map, MEMORY_USABLE, BIT(20) + 5 * 0x10000,
                                     BIT(20) + 6 * 0x10000));
    assert_int_equal(memory_map_size(&map, MEMORY_USABLE),
                     (MEMORY_MAP_ENTRIES - 1) * 0x2000 + 0x1000);
    /* A reserved entry is never dropped for a usable one. */
    memory_map_add(&map, BIT(39), 0x100, MEMORY_RESERVED);
    assert_int_equal(memory_map_size(&map, MEMORY_RESERVED), 0x100);
    assert_int_equal(map.dropped_bytes, 11 * 0x1000);
}

/* With nothing but reserved regions, the smallest gaps between them are reserved too. */
static void test_too_many_reserved(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    for (uint64_t i = 0; i < 3 * MEMORY_MAP_ENTRIES; i++)
        memory_map_add(&map, i * 0x2000, 0x1000, MEMORY_RESERVED);
    assert_true(map.count <= MEMORY_MAP_REGIONS);
    assert_int_equal(map.dropped_bytes, 0);
    for (uint64_t i = 0; i < 3 * MEMORY_MAP_ENTRIES; i++)
        memory_map_add(&map, i * 0x2000, 0x1000, MEMORY_USABLE);
    assert_int_equal(memory_map_size(&map, MEMORY_USABLE), 0);
}

/* The order of a map in which each piece of RAM, of 1 page, is followed by a reserved
 * one. */
static void test_alternating(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    memory_map_add(&map, 0, BIT(39), MEMORY_USABLE);
    for (uint64_t i = 1; i < MEMORY_MAP_ENTRIES; i++)
        memory_map_add(&map, i * 0x2000, 0x1000, MEMORY_RESERVED);
    assert_int_equal(map.count, 2 * MEMORY_MAP_ENTRIES);
    assert_int_equal(map.dropped, 0);
}

/* Returns a random map with the expected type of each of 256 units of memory. */
static void add_random_entries(uint64_t count, enum memory_type expected[256],
                               uint64_t limit)
{
    for (uint64_t i = 0; i < 256; i++)
        expected[i] = MEMORY_ABSENT;
    memory_map_init(&map, limit);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t from         = random_below(256);
        uint64_t size         = random_below(80);
        enum memory_type type = (enum memory_type)random_below(MEMORY_TYPES);
        memory_map_add(&map, from, size, type);
        for (uint64_t at = from; at < from + size && at < limit; at++) {
            if (expected[at] == MEMORY_ABSENT || type > expected[at])
                expected[at] = type;
        }
    }
}

/*
 * Compared with the definition: each unit of memory has the most restrictive type of its
 * entries.
 */
static void test_random_maps(void **state)
{
    (void)state;
    enum memory_type expected[256];

    for (int round = 0; round < 300; round++) {
        add_random_entries(1 + random_below(20), expected, 200);
        uint64_t at = 0;
        for (size_t i = 0; i < map.count; i++) {
            struct memory_region region = memory_map_region(&map, i);
            assert_int_equal(region.start, at);
            assert_true(region.start < region.end);
            if (i > 0)
                assert_int_not_equal(memory_map_region(&map, i - 1).type, region.type);
            for (; at < region.end; at++)
                assert_int_equal(expected[at], region.type);
        }
        assert_int_equal(at, 200);
    }
}

/* Whatever is dropped, no memory becomes usable, and what is lost is counted. */
static void test_hostile_maps(void **state)
{
    (void)state;
    enum { UNITS = 1 << 15 };
    static uint8_t expected[UNITS];

    for (int round = 0; round < 5; round++) {
        memset(expected, MEMORY_ABSENT, sizeof(expected));
        memory_map_init(&map, UNITS);
        for (int i = 0; i < 6 * MEMORY_MAP_ENTRIES; i++) {
            uint64_t from = random_below(UNITS), size = 1 + random_below(3);
            uint8_t type = (uint8_t)random_below(MEMORY_TYPES);
            memory_map_add(&map, from, size, type);
            for (uint64_t at = from; at < from + size && at < UNITS; at++) {
                if (expected[at] == MEMORY_ABSENT || type > expected[at])
                    expected[at] = type;
            }
            assert_in_range(map.count, 1, MEMORY_MAP_REGIONS);
        }
        assert_true(map.dropped > 0);
        for (size_t i = 0; i < map.count; i++) {
            struct memory_region region = memory_map_region(&map, i);
            for (uint64_t at = region.start; at < region.end; at++)
                assert_true(region.type >= expected[at]);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    for (int type = 0; type < MEMORY_TYPES; type++)
        assert_non_null(memory_type_names[type]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorts_and_joins),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_the_worse_wins),
        cmocka_unit_test(test_absurd_entries),
        cmocka_unit_test(test_merged_while_adding),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_too_many_usable),
        cmocka_unit_test(test_too_many_reserved),
        cmocka_unit_test(test_alternating),
        cmocka_unit_test(test_random_maps),
        cmocka_unit_test(test_hostile_maps),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("memory_map", tests, NULL, NULL);
}
