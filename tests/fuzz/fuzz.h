/*
 * Shared by the fuzz targets. Each target passes untrusted bytes to one parser, under
 * AddressSanitizer and UBSan. tests/fuzz/replay.c runs a target on the inputs in
 * tests/fuzz/corpus without a fuzzer.
 */
#ifndef HYMIR_TESTS_FUZZ_H
#define HYMIR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is the physical memory of the machine, from address 0. */
static const uint8_t *fuzz_memory;
static size_t fuzz_memory_size;

static inline const void *fuzz_map(uint64_t address, uint64_t size)
{
    if (address > fuzz_memory_size || size > fuzz_memory_size - address)
        return NULL;
    return fuzz_memory + address;
}

/* Aborts if a property that must hold for any input does not. */
#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

#endif
