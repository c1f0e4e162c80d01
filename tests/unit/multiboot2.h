/*
 * A builder of Multiboot2 information structures.
 */
#ifndef HYMIR_TESTS_MULTIBOOT2_H
#define HYMIR_TESTS_MULTIBOOT2_H

#include "unit.h"

#include "firmware/multiboot2.h"

/* The structure, to which tags are appended in the layout of the specification. */
static uint8_t buffer[65536] __attribute__((aligned(8)));
static size_t used;
static struct multiboot2_information information;

static inline void put_bytes(const void *bytes, size_t size)
{
    memcpy(buffer + used, bytes, size);
    used += size;
}

static inline void put_u32(uint32_t value)
{
    put_bytes(&value, sizeof(value));
}

static inline void put_u64(uint64_t value)
{
    put_bytes(&value, sizeof(value));
}

static inline int structure_start(void **state)
{
    memset(buffer, 0, sizeof(buffer));
    used = 8;
    return start_log(state);
}

static inline void put_tag(uint32_t type, uint32_t body_size)
{
    used = (used + 7) & ~(size_t)7;
    put_u32(type);
    put_u32(8 + body_size);
}

static inline enum status structure_parse(void)
{
    put_tag(0, 0);
    uint32_t size = (uint32_t)used;
    memcpy(buffer, &size, sizeof(size));
    return multiboot2_parse(buffer, used, &information);
}

static inline void put_string_tag(uint32_t type, const char *text)
{
    put_tag(type, (uint32_t)strlen(text) + 1);
    put_bytes(text, strlen(text) + 1);
}

static inline void put_module(uint32_t from, uint32_t to, const char *text)
{
    put_tag(3, 8 + (uint32_t)strlen(text) + 1);
    put_u32(from);
    put_u32(to);
    put_bytes(text, strlen(text) + 1);
}

static inline void put_memory(uint64_t from, uint64_t size, uint32_t type,
                              uint32_t padding)
{
    put_u64(from);
    put_u64(size);
    put_u32(type);
    put_u32(0);
    used += padding;
}

#endif
