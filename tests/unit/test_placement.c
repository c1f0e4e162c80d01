/* src/runner/placement.c: which CPUs guests get, by cores, nodes and types of core. */
#include "unit.h"

#include "lib/bits.h"
#include "random.h"
#include "runner/placement.h"

#define MOST 32

static struct placement_cpu cpus[MOST];
static struct placement placement;
static struct placement_guest guests[4];

/* A machine of cores with that many threads each, the last of which is the boot CPU's. */
static void make_machine(size_t cores, size_t threads, bool is_exclusive)
{
    placement = (struct placement){cpus, cores * threads};
    assert_true(placement.count <= MOST);
    for (size_t i = 0; i < placement.count; i++) {
        size_t core = i / threads;
        cpus[i]     = (struct placement_cpu){.index        = i,
                                             .core         = (uint32_t)core,
                                             .is_exclusive = is_exclusive,
                                             .is_last      = core == cores - 1};
    }
}

/* Places guests with that many vCPUs, and checks which CPUs each has, as bits. */
static void check(const size_t vcpus[], size_t count, const uint32_t expected[])
{
    for (size_t i = 0; i < count; i++)
        guests[i] = (struct placement_guest){.cpus = vcpus[i], .node = guests[i].node};
    placement_place(&placement, guests, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t found = 0;
        for (size_t j = 0; j < placement.count; j++)
            found |= cpus[j].guest == i + 1 ? UINT32_C(1) << j : 0;
        if (found != expected[i] || guests[i].is_placed != (expected[i] != 0))
            fail_msg("guest %zu: 0x%x instead of 0x%x", i, found, expected[i]);
    }
}

static int start(void **state)
{
    (void)state;
    memset(guests, 0, sizeof(guests));
    return 0;
}

/* Without threads that share cores, guests get CPUs in order. */
static void test_in_order(void **state)
{
    (void)state;
    make_machine(4, 1, false);
    check((const size_t[]){2, 1, 1}, 3, (const uint32_t[]){0x3, 0x4, 0x8});
    check((const size_t[]){3, 2, 1}, 3, (const uint32_t[]){0x7, 0, 0x8});
}

/* Each vCPU gets a core while there are enough, whether or not guests may share cores. */
static void test_spread(void **state)
{
    (void)state;
    make_machine(4, 2, true);
    check((const size_t[]){2, 1}, 2, (const uint32_t[]){0x05, 0x10});
    make_machine(4, 2, false);
    check((const size_t[]){2, 1}, 2, (const uint32_t[]){0x05, 0x10});
    check((const size_t[]){4, 1, 3}, 3, (const uint32_t[]){0x55, 0x02, 0xA8});
}

/* If cores are too few for that, guests get them whole, and never share one. */
static void test_exclusive(void **state)
{
    (void)state;
    make_machine(4, 2, true);
    check((const size_t[]){4, 2}, 2, (const uint32_t[]){0x0F, 0x30});
    check((const size_t[]){3, 3}, 2, (const uint32_t[]){0x07, 0x70});
    check((const size_t[]){3, 3, 1}, 3, (const uint32_t[]){0x07, 0x70, 0});
    assert_int_equal(placement_room(&placement, 2), 0);
    assert_int_equal(placement_room(&placement, 0), 1);
    make_machine(4, 2, false);
    check((const size_t[]){3, 3, 1}, 3, (const uint32_t[]){0x15, 0x4A, 0x20});
    assert_true(placement_is_shared(&placement, &cpus[0]));
}

/* CPUs near a guest's memory come before others, however crowded their cores are. */
static void test_nodes(void **state)
{
    (void)state;
    make_machine(4, 2, true);
    for (size_t i = 4; i < 8; i++)
        cpus[i].node = 7;
    guests[0].node = 7;
    check((const size_t[]){2, 2}, 2, (const uint32_t[]){0x50, 0x05});
    check((const size_t[]){5}, 1, (const uint32_t[]){0xF1});
}

/* A guest gets cores of one type if it can: efficient ones only if the others are few. */
static void test_types(void **state)
{
    (void)state;
    make_machine(8, 1, false);
    for (size_t i = 2; i < 8; i++)
        cpus[i].is_efficient = true;
    check((const size_t[]){2}, 1, (const uint32_t[]){0x03});
    check((const size_t[]){4}, 1, (const uint32_t[]){0x3C});
    check((const size_t[]){7}, 1, (const uint32_t[]){0x7F});
    check((const size_t[]){1, 2}, 2, (const uint32_t[]){0x01, 0x0C});
}

/* Counts the CPUs of guests with a minimum and a maximum. */
static void check_count(const size_t ranges[][2], size_t count, const size_t expected[])
{
    for (size_t i = 0; i < count; i++)
        guests[i] = (struct placement_guest){.min = ranges[i][0], .max = ranges[i][1]};
    placement_count(&placement, guests, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(guests[i].cpus, expected[i]);
}

/* What no guest needs goes to the first that wants more; threads of others do not. */
static void test_count(void **state)
{
    (void)state;
    make_machine(4, 2, false);
    check_count((const size_t[][2]){{1, 64}, {3, 3}}, 2, (const size_t[]){5, 3});
    check_count((const size_t[][2]){{1, 3}, {1, 64}}, 2, (const size_t[]){3, 5});
    make_machine(4, 2, true);
    check_count((const size_t[][2]){{1, 64}, {3, 3}}, 2, (const size_t[]){4, 3});
    assert_true(guests[0].is_placed && guests[1].is_placed);
    check_count((const size_t[][2]){{1, 1}, {1, 3}, {0, 0}, {1, 64}}, 4,
                (const size_t[]){1, 3, 0, 2});
    check_count((const size_t[][2]){{7, 7}, {1, 64}}, 2, (const size_t[]){7, 1});
    assert_false(guests[1].is_placed);
}

/* What was counted fits, and an exclusive core has one guest. */
static void test_random(void **state)
{
    (void)state;
    for (unsigned int round = 0; round < 20000; round++) {
        size_t count = 1 + random_below(ARRAY_SIZE(guests));
        make_machine(1 + random_below(8), 1 + random_below(4), random_below(2) == 0);
        for (size_t i = 0; i < count; i++) {
            size_t min = 1 + random_below(4);
            guests[i] =
                (struct placement_guest){.min = min, .max = min + random_below(8)};
        }
        placement_count(&placement, guests, count);
        size_t fitting = 0;
        for (size_t i = 0; i < count; i++) {
            if (guests[i].is_placed)
                guests[fitting++] = guests[i];
        }
        placement_place(&placement, guests, fitting);
        for (size_t i = 0; i < fitting; i++)
            assert_true(guests[i].is_placed);
        for (size_t i = 0; i < placement.count; i++)
            assert_false(cpus[i].is_exclusive && cpus[i].guest != 0 &&
                         placement_is_shared(&placement, &cpus[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_in_order, start),
        cmocka_unit_test_setup(test_spread, start),
        cmocka_unit_test_setup(test_exclusive, start),
        cmocka_unit_test_setup(test_nodes, start),
        cmocka_unit_test_setup(test_types, start),
        cmocka_unit_test_setup(test_count, start),
        cmocka_unit_test_setup(test_random, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
