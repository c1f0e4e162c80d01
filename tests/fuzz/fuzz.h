/*
 * What the fuzz targets share. Each target gives foreign bytes to one parser;
 * AddressSanitizer and UBSan see what it does with them. tests/fuzz/replay.c runs a
 * target on the kept inputs without a fuzzer.
 */
#ifndef HYMIR_TESTS_FUZZ_H
#define HYMIR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A machine whose physical memory is the input, from address 0 on. */
static const uint8_t *fuzz_memory;
static size_t fuzz_memory_size;

static inline const void *fuzz_map(uint64_t address, uint64_t size)
{
    if (address > fuzz_memory_size || size > fuzz_memory_size - address)
        return NULL;
    return fuzz_memory + address;
}

/* A property that must hold whatever the input. */
#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

#endif
