/* src/lib/byte_queue.h, also with one thread on each end. */
#include "unit.h"

#include "lib/byte_queue.h"

#include <pthread.h>

#define SIZE  16U
#define COUNT 1000000U

static uint8_t bytes[SIZE + 1];
static struct byte_queue queue;

static int queue_start(void **state)
{
    (void)state;
    memset(bytes, '#', sizeof(bytes));
    queue = (struct byte_queue){.bytes = bytes, .size = SIZE};
    return 0;
}

/* From each position, also where the totals wrap. */
static void test_fill(void **state)
{
    (void)state;
    for (unsigned int start = 0U - 3 * SIZE; start != 3 * SIZE; start++) {
        uint8_t byte  = 99;
        queue.written = queue.taken = start;
        assert_false(byte_queue_take(&queue, &byte));
        assert_int_equal(byte, 99);
        for (unsigned int i = 0; i < SIZE; i++) {
            assert_int_equal(byte_queue_length(&queue), i);
            assert_int_equal(byte_queue_room(&queue), SIZE - i);
            byte_queue_put(&queue, (uint8_t)(start + i));
        }
        assert_int_equal(byte_queue_room(&queue), 0);
        for (unsigned int i = 0; i < SIZE; i++) {
            assert_true(byte_queue_take(&queue, &byte));
            assert_int_equal(byte, (uint8_t)(start + i));
        }
        assert_false(byte_queue_take(&queue, &byte));
        assert_int_equal(bytes[SIZE], '#');
    }
}

static void test_clear(void **state)
{
    uint8_t byte;
    (void)state;
    byte_queue_put(&queue, 1);
    byte_queue_put(&queue, 2);
    byte_queue_clear(&queue);
    assert_int_equal(byte_queue_length(&queue), 0);
    byte_queue_put(&queue, 3);
    assert_true(byte_queue_take(&queue, &byte));
    assert_int_equal(byte, 3);
}

static void *put_all(void *unused)
{
    for (unsigned int i = 0; i < COUNT; i++) {
        while (byte_queue_room(&queue) == 0)
            sched_yield();
        byte_queue_put(&queue, (uint8_t)(i * 7));
    }
    return unused;
}

static void test_two_cpus(void **state)
{
    pthread_t writer;
    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, put_all, NULL), 0);
    for (unsigned int i = 0; i < COUNT; i++) {
        uint8_t byte;
        while (!byte_queue_take(&queue, &byte))
            sched_yield();
        assert_int_equal(byte, (uint8_t)(i * 7));
    }
    pthread_join(writer, NULL);
    assert_int_equal(byte_queue_length(&queue), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_fill, queue_start),
        cmocka_unit_test_setup(test_clear, queue_start),
        cmocka_unit_test_setup(test_two_cpus, queue_start),
    };
    return cmocka_run_group_tests_name("byte queue", tests, NULL, NULL);
}
