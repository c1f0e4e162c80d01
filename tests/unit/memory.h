/*
 * Pieces of a machine's physical memory for the tests of src/firmware. Addresses outside
 * them cannot be mapped. They are allocated to the byte, so that AddressSanitizer detects
 * reads beyond their ends.
 */
#ifndef HYMIR_TESTS_MEMORY_H
#define HYMIR_TESTS_MEMORY_H

#include "unit.h"

#define MEMORY_PIECES 16

static struct memory_piece {
    uint64_t address;
    uint64_t size;
    uint8_t *bytes;
} memory_pieces[MEMORY_PIECES];

/* Places a copy of size bytes at address. */
static inline uint8_t *memory_put(uint64_t address, const void *bytes, uint64_t size)
{
    for (size_t i = 0; i < MEMORY_PIECES; i++) {
        if (memory_pieces[i].bytes == NULL) {
            uint8_t *copy    = malloc(size);
            memory_pieces[i] = (struct memory_piece){address, size, copy};
            if (bytes != NULL)
                memcpy(copy, bytes, size);
            else
                memset(copy, 0, size);
            return copy;
        }
    }
    fail_msg("more than %d pieces of memory", MEMORY_PIECES);
    return NULL;
}

/* Places a compiled file of tests/fixtures at address. */
static inline uint8_t *memory_put_file(uint64_t address, const char *name)
{
    char path[256];
    static uint8_t bytes[65536];
    snprintf(path, sizeof(path), FIXTURES "/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is not there", path);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    return memory_put(address, bytes, size);
}

/* Maps size bytes of a piece, or returns NULL. A physical_map. */
static inline const void *memory_map_piece(uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < MEMORY_PIECES; i++) {
        const struct memory_piece *piece = &memory_pieces[i];
        if (piece->bytes != NULL && address >= piece->address &&
            address - piece->address <= piece->size &&
            size <= piece->size - (address - piece->address))
            return piece->bytes + (address - piece->address);
    }
    return NULL;
}

/* Removes all pieces. A cmocka teardown function. */
static inline int memory_clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < MEMORY_PIECES; i++) {
        free(memory_pieces[i].bytes);
        memory_pieces[i].bytes = NULL;
    }
    return 0;
}

/* Sets the byte at offset such that the sum of all bytes is 0. */
static inline void fix_checksum(uint8_t *bytes, size_t size, size_t offset)
{
    uint8_t sum   = 0;
    bytes[offset] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[offset] = (uint8_t)-sum;
}

#endif
