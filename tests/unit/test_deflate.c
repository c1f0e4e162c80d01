/*
 * src/lib/deflate.c: what it compresses is decompressed by zlib, an independent
 * implementation of RFC 1950 and 1951.
 */
#include "unit.h"

#include "lib/deflate.h"
#include "random.h"

#include <zlib.h>

#define SIZE_MOST 200000

static uint8_t input[SIZE_MOST], output[2 * SIZE_MOST], result[SIZE_MOST + 1];
static struct deflate_workspace workspace;

/* Compresses the first bytes of the input; returns the size of the stream. */
static size_t assert_survives(size_t size)
{
    struct deflate_output stream = {output, sizeof(output), 0};
    uLongf length                = sizeof(result);
    uint8_t *copy                = malloc(size); /* AddressSanitizer knows its end */

    memcpy(copy, input, size);
    memset(&workspace, 0xA5, sizeof(workspace));
    deflate_compress(copy, size, &workspace, &stream);
    free(copy);
    assert_true(stream.size <= stream.capacity);
    assert_int_equal(uncompress(result, &length, output, stream.size), Z_OK);
    assert_int_equal(length, size);
    assert_memory_equal(result, input, size);
    return stream.size;
}

static void test_short(void **state)
{
    (void)state;
    for (size_t size = 0; size < 600; size++) {
        memset(input, 'a', size);
        assert_true(assert_survives(size) < 32);
        for (size_t i = 0; i < size; i++)
            input[i] = (uint8_t)(i * 7);
        assert_survives(size);
    }
}

/* Each length of a match and each distance up to the window, and beyond it. */
static void test_matches(void **state)
{
    (void)state;
    for (size_t distance = 1; distance < 2 * DEFLATE_WINDOW;
         distance += 1 + distance / 8) {
        for (size_t i = 0; i < distance; i++)
            input[i] = (uint8_t)random_number();
        for (size_t i = distance; i < distance + 300; i++)
            input[i] = input[i - distance];
        size_t size = assert_survives(distance + 300);
        if (distance > 300 && distance <= DEFLATE_WINDOW)
            assert_true(size < distance * 9 / 8 + 64); /* the copy costs nearly nothing */
    }
    for (size_t length = 1; length < 300; length++) {
        memset(input, 0, 1000);
        for (size_t i = 0; i < length; i++)
            input[i] = input[500 + i] = (uint8_t)(1 + random_number() % 255);
        assert_survives(1000);
    }
}

static void test_random(void **state)
{
    (void)state;
    for (unsigned int round = 0; round < 100; round++) {
        size_t size      = random_number() % SIZE_MOST;
        unsigned letters = 1 + (unsigned)(random_number() % (round < 50 ? 4 : 256));
        for (size_t i = 0; i < size; i++)
            input[i] = (uint8_t)(random_number() % letters);
        assert_survives(size);
    }
}

/* Output that does not fit is not written, and its size is known. */
static void test_capacity(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++)
        input[i] = (uint8_t)random_number();
    size_t size = assert_survives(100);
    for (size_t capacity = 0; capacity < size; capacity++) {
        uint8_t *bytes               = malloc(capacity);
        struct deflate_output stream = {bytes, capacity, 0};
        deflate_compress(input, 100, &workspace, &stream);
        assert_int_equal(stream.size, size);
        assert_memory_equal(bytes, output, capacity);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_capacity),
    };
    return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
