/* See memory.h. */
#include "guest/memory.h"

#include "lib/clamp.h"
#include "lib/string.h"

enum status guest_memory_add(struct guest_memory *memory, hpa_t host, uint64_t size)
{
    if (memory->piece_count == GUEST_MEMORY_PIECES)
        return STATUS_NO_MEMORY;
    memory->piece[memory->piece_count++] =
        (struct guest_memory_piece){.start = memory->size, .size = size, .host = host};
    memory->size += size;
    return STATUS_OK;
}

/* Returns the rest of a piece, at most limit bytes; *size is 0 outside RAM. */
static uint8_t *rest_of_piece(const struct guest_memory *memory, uint64_t address,
                              uint64_t limit, uint64_t *size)
{
    for (size_t i = 0; i < memory->piece_count; i++) {
        const struct guest_memory_piece *piece = &memory->piece[i];
        if (address < piece->start || address - piece->start >= piece->size)
            continue;
        uint64_t offset = address - piece->start;
        uint64_t rest   = piece->size - offset;
        *size           = rest < limit ? rest : limit;
        return (uint8_t *)hpa_pointer(piece->host) + clamp_index(offset, piece->size);
    }
    *size = 0;
    return NULL;
}

void *guest_memory_pointer(const struct guest_memory *memory, gpa_t address,
                           uint64_t size)
{
    uint64_t found;
    void *pointer = rest_of_piece(memory, address.value, size, &found);
    return size > 0 && found == size ? pointer : NULL;
}

bool guest_memory_has_host(const struct guest_memory *memory, hpa_t address)
{
    for (size_t i = 0; i < memory->piece_count; i++) {
        const struct guest_memory_piece *piece = &memory->piece[i];
        if (address.value - piece->host.value < piece->size)
            return true;
    }
    return false;
}

bool guest_memory_is_ram(const struct guest_memory *memory, gpa_t address, uint64_t size)
{
    return address.value <= memory->size && size <= memory->size - address.value;
}

/* Copies from RAM to *to, or from *from to RAM, or clears RAM if both are NULL. */
static bool transfer_bytes(const struct guest_memory *memory, gpa_t address, uint8_t *to,
                           const uint8_t *from, uint64_t size)
{
    uint64_t done;

    if (!guest_memory_is_ram(memory, address, size))
        return false;
    for (uint64_t at = 0; at < size; at += done) {
        uint8_t *ram = rest_of_piece(memory, address.value + at, size - at, &done);
        if (ram == NULL)
            return false;
        if (to != NULL)
            memcpy(to + at, ram, done);
        else if (from != NULL)
            memcpy(ram, from + at, done);
        else
            memset(ram, 0, done);
    }
    return true;
}

bool guest_memory_write(const struct guest_memory *memory, gpa_t address,
                        const void *source, uint64_t size)
{
    if (memory->piece_count == 0)
        return guest_memory_is_ram(memory, address, size);
    return transfer_bytes(memory, address, NULL, source, size);
}

bool guest_memory_read(const struct guest_memory *memory, gpa_t address,
                       void *destination, uint64_t size)
{
    return transfer_bytes(memory, address, destination, NULL, size);
}

bool guest_memory_clear(const struct guest_memory *memory, gpa_t address, uint64_t size)
{
    return transfer_bytes(memory, address, NULL, NULL, size);
}
