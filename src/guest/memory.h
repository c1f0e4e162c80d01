/*
 * A guest's RAM: guest-physical addresses from 0 up, in pieces of the machine's memory.
 *
 * Pure; the caller allocates the pieces. Every access is checked to be within the RAM.
 * With a size and no pieces, writes are checked and have no other effect.
 */
#ifndef HYMIR_GUEST_MEMORY_H
#define HYMIR_GUEST_MEMORY_H

#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_MEMORY_PIECES 32

/* The guest's RAM ends below the addresses of a PC's devices. */
#define GUEST_MEMORY_MAX (UINT64_C(3) << 30)
#define GUEST_MEMORY_MIN BIT(21)

struct guest_memory {
    uint64_t size; /* bytes, a multiple of 2 MiB */
    size_t piece_count;
    struct guest_memory_piece {
        uint64_t start, size; /* guest-physical */
        hpa_t host;
    } piece[GUEST_MEMORY_PIECES];
};

/* Appends a piece. STATUS_NO_MEMORY if there are GUEST_MEMORY_PIECES already. */
enum status MUST_CHECK guest_memory_add(struct guest_memory *memory, hpa_t host,
                                        uint64_t size);

/* Returns whether all of size bytes at a guest-physical address is RAM. */
bool guest_memory_is_ram(const struct guest_memory *memory, gpa_t address, uint64_t size);

/* Returns whether an address of the machine's memory is in the guest's. */
bool guest_memory_has_host(const struct guest_memory *memory, hpa_t address);

/* Returns Hymir's pointer to size bytes of RAM, or NULL if they are not in one piece. */
void *guest_memory_pointer(const struct guest_memory *memory, gpa_t address,
                           uint64_t size);

/*
 * Write, read and clear the guest's RAM, across pieces too. Return false, without an
 * effect, if not all of it is RAM. Source and destination must not overlap.
 */
bool guest_memory_write(const struct guest_memory *memory, gpa_t address,
                        const void *source, uint64_t size);
bool guest_memory_read(const struct guest_memory *memory, gpa_t address,
                       void *destination, uint64_t size);
bool guest_memory_clear(const struct guest_memory *memory, gpa_t address, uint64_t size);

#endif
