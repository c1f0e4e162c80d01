/* src/dev/address_map.c */
#include "unit.h"

#include "dev/address_map.h"

static struct address_map map;

static void add(uint64_t first, uint64_t last)
{
    address_map_add(&map, (struct memory_device){.first = first, .last = last});
}

static void test_find(void **state)
{
    (void)state;
    address_map_init(&map);
    assert_null(address_map_find(&map, 0));
    add(0x1000, 0x1FFF);
    add(0x1800, 0x2FFF); /* the first owner keeps what both claim */
    add(UINT64_MAX, UINT64_MAX);
    assert_null(address_map_find(&map, 0xFFF));
    assert_ptr_equal(address_map_find(&map, 0x1000), &map.device[0]);
    assert_ptr_equal(address_map_find(&map, 0x1FFF), &map.device[0]);
    assert_ptr_equal(address_map_find(&map, 0x2000), &map.device[1]);
    assert_ptr_equal(address_map_find(&map, 0x2FFF), &map.device[1]);
    assert_null(address_map_find(&map, 0x3000));
    assert_null(address_map_find(&map, UINT64_MAX - 1));
    assert_ptr_equal(address_map_find(&map, UINT64_MAX), &map.device[2]);
}

static void test_full(void **state)
{
    (void)state;
    address_map_init(&map);
    for (uint64_t i = 0; i < MEMORY_DEVICES; i++)
        add(i, i);
    assert_false(map.is_full);
    add(100, 100);
    assert_true(map.is_full);
    assert_null(address_map_find(&map, 100));
    address_map_init(&map);
    assert_false(map.is_full);
    assert_null(address_map_find(&map, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests_name("address map", tests, NULL, NULL);
}
