/* src/mm/frames.c. */
#include "unit.h"

#include "mm/frames.h"
#include "random.h"

static struct frame_allocator frames;
static struct memory_map map;

static void frames_start(uint64_t from, uint64_t to)
{
    memory_map_init(&map, BIT(40));
    memory_map_add(&map, from, to - from, MEMORY_USABLE);
    frames_init(&frames, &map);
}

static const struct frame_zone anywhere = {.start = 0, .end = UINT64_MAX};

/* Returns the address of the first frame, or 1 if no such range is free. */
static uint64_t allocate(uint64_t count, uint64_t alignment, struct frame_zone zone)
{
    hpa_t first        = hpa(1);
    enum status status = frames_allocate(&frames, count, alignment, zone, &first);
    assert_int_equal(status, first.value == 1 ? STATUS_NO_MEMORY : STATUS_OK);
    return first.value;
}

static void test_whole_frames_only(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    memory_map_add(&map, 0, 0x1800, MEMORY_USABLE);
    memory_map_add(&map, 0x2001, 0x2FFE, MEMORY_USABLE);
    memory_map_add(&map, 0x5000, 0x1000, MEMORY_RESERVED);
    memory_map_add(&map, 0x7100, 0x800, MEMORY_USABLE);
    frames_init(&frames, &map);
    assert_int_equal(frames_free_size(&frames, anywhere),
                     0x1000); /* frame 0 is never free */
    assert_int_equal(allocate(1, PAGE_SIZE, anywhere), 0x3000);
    assert_int_equal(allocate(1, PAGE_SIZE, anywhere), 1);
}

/* The lowest address that the zone and the alignment allow. */
static void test_zones_and_alignment(void **state)
{
    (void)state;
    frames_start(0x1000, 0x100000000 + 0x10000);
    assert_int_equal(frames_free_size(&frames, frames_below_64_kib), 0xF000);
    assert_int_equal(frames_free_size(&frames, frames_below_1_mib), 0xF0000);
    assert_int_equal(frames_free_size(&frames, frames_above_1_mib), 0xFFF10000);
    assert_int_equal(frames_free_size(&frames, frames_below_4_gib), 0xFFF00000);
    assert_int_equal(allocate(1, PAGE_SIZE, anywhere), 0x1000);
    assert_int_equal(allocate(1, PAGE_SIZE, frames_below_64_kib), 0x2000);
    assert_int_equal(allocate(1, PAGE_SIZE, frames_below_1_mib), 0x10000);
    assert_int_equal(allocate(1, PAGE_SIZE, frames_below_4_gib), 0x100000);
    assert_int_equal(allocate(512, BIT(21), frames_below_4_gib), 0x200000);
    assert_int_equal(allocate(1, PAGE_SIZE, frames_below_4_gib), 0x101000);
    assert_int_equal(allocate(1, PAGE_SIZE, (struct frame_zone){0x5001, 0x8000}), 0x6000);
    assert_int_equal(allocate(2, PAGE_SIZE, (struct frame_zone){0x5001, 0x8000}), 1);
    assert_int_equal(allocate(1, PAGE_SIZE, (struct frame_zone){0x7000, 0x7FFF}), 1);
    assert_int_equal(allocate(1, PAGE_SIZE, (struct frame_zone){0x7000, 0x7000}), 1);
    assert_int_equal(allocate(1, PAGE_SIZE, (struct frame_zone){0, 0x1000}), 1);
    assert_int_equal(allocate(1, PAGE_SIZE, (struct frame_zone){BIT(32), UINT64_MAX}),
                     0x100000000);
    assert_int_equal(allocate(1, BIT(63), anywhere), 1);
    assert_int_equal(allocate(17, PAGE_SIZE, (struct frame_zone){BIT(32), UINT64_MAX}),
                     1);
}

static void test_refusals(void **state)
{
    (void)state;
    hpa_t first = hpa(42);
    frames_start(0x1000, 0x5000);
    assert_int_equal(frames_allocate(&frames, 0, PAGE_SIZE, anywhere, &first),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(frames_allocate(&frames, UINT64_MAX, PAGE_SIZE, anywhere, &first),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(frames_allocate(&frames, 5, PAGE_SIZE, anywhere, &first),
                     STATUS_NO_MEMORY);
    assert_int_equal(first.value, 42);
    assert_int_equal(frames_free_size(&frames, anywhere), 0x4000);
}

static void test_reserve(void **state)
{
    (void)state;
    frames_start(0x1000, 0x10000);
    frames_reserve(&frames, 0x3001, 0x4001); /* two frames */
    frames_reserve(&frames, 0x8000, 0x8000); /* none */
    frames_reserve(&frames, 0x9000, 0x8000); /* end before start */
    assert_int_equal(frames_free_size(&frames, anywhere), 0xD000);
    assert_int_equal(frames.count, 2);
    frames_reserve(&frames, 0, UINT64_MAX);
    assert_int_equal(frames.count, 0);
}

static void test_free_joins(void **state)
{
    (void)state;
    frames_start(0x1000, 0x9000);
    uint64_t run = allocate(8, PAGE_SIZE, anywhere);
    assert_int_equal(run, 0x1000);
    assert_int_equal(frames.count, 0);
    frames_free(&frames, hpa(0x3000), 1);
    frames_free(&frames, hpa(0x1000), 1);
    frames_free(&frames, hpa(0x7000), 2);
    assert_int_equal(frames.count, 3);
    frames_free(&frames, hpa(0x2000), 1);
    assert_int_equal(frames.count, 2);
    frames_free(&frames, hpa(0x4000), 3);
    assert_int_equal(frames.count, 1);
    assert_int_equal(frames_free_size(&frames, anywhere), 0x8000);
}

/* A full list loses memory, which is counted, and nothing else. */
static void test_fragmentation(void **state)
{
    (void)state;
    frames_start(0x1000, 0x1000 + 0x2000 * (FRAME_EXTENTS + 10));
    for (uint64_t i = 0; i < FRAME_EXTENTS + 10; i++)
        frames_reserve(&frames, 0x2000 + i * 0x2000, 0x3000 + i * 0x2000);
    assert_int_equal(frames.count, FRAME_EXTENTS);
    assert_int_equal(frames_free_size(&frames, anywhere) + frames.lost_bytes,
                     0x1000 * (FRAME_EXTENTS + 10));
}

/* A memory map with as many usable regions as it holds loses none of them. */
static void test_full_memory_map(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    for (uint64_t i = 0; i < MEMORY_MAP_ENTRIES; i++)
        memory_map_add(&map, 0x1000 + i * 0x2000, 0x1000, MEMORY_USABLE);
    assert_int_equal(map.dropped, 0);
    frames_init(&frames, &map);
    assert_int_equal(frames.count, MEMORY_MAP_ENTRIES);
    assert_int_equal(frames.lost_bytes, 0);
}

/* Compared with a bitmap. */
static void test_random_use(void **state)
{
    (void)state;
    enum { FRAMES = 256 };
    bool is_free[FRAMES];
    uint64_t owner_first[64] = {0}, owner_count[64] = {0};
    memset(is_free, true, sizeof(is_free));
    is_free[0] = false;
    frames_start(0, FRAMES * PAGE_SIZE);
    for (int round = 0; round < 20000; round++) {
        uint64_t slot = random_below(64);
        if (owner_count[slot] == 0) {
            uint64_t count         = 1 + random_below(12);
            uint64_t alignment     = PAGE_SIZE << random_below(4);
            struct frame_zone zone = {.start = random_below(FRAMES) * PAGE_SIZE,
                                      .end   = random_below(FRAMES + 10) * PAGE_SIZE};
            uint64_t first         = allocate(count, alignment, zone);
            if (first == 1) { /* then no such range was free */
                for (uint64_t at = 0; at + count <= FRAMES; at += alignment / PAGE_SIZE) {
                    bool fits = at * PAGE_SIZE >= zone.start &&
                                (at + count) * PAGE_SIZE <= zone.end;
                    for (uint64_t i = 0; i < count; i++)
                        fits = fits && is_free[at + i];
                    assert_false(fits);
                }
                continue;
            }
            assert_true(is_aligned(first, alignment));
            assert_true(first >= zone.start && first + count * PAGE_SIZE <= zone.end);
            for (uint64_t i = 0; i < count; i++) {
                assert_true(is_free[first / PAGE_SIZE + i]);
                is_free[first / PAGE_SIZE + i] = false;
            }
            owner_first[slot] = first;
            owner_count[slot] = count;
        } else {
            frames_free(&frames, hpa(owner_first[slot]), owner_count[slot]);
            for (uint64_t i = 0; i < owner_count[slot]; i++)
                is_free[owner_first[slot] / PAGE_SIZE + i] = true;
            owner_count[slot] = 0;
        }
        uint64_t size = 0;
        for (int i = 0; i < FRAMES; i++)
            size += is_free[i] ? PAGE_SIZE : 0;
        assert_int_equal(frames_free_size(&frames, anywhere), size);
    }
    assert_int_equal(frames.lost_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_frames_only),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_zones_and_alignment), cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_free_joins),          cmocka_unit_test(test_fragmentation),
        cmocka_unit_test(test_full_memory_map),     cmocka_unit_test(test_random_use),
    };
    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
