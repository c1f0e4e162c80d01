/*
 * See string.h. The build stops the compiler from turning a loop into a call of memcpy:
 * memcpy would recurse.
 *
 * Long ranges use REP MOVSQ and REP STOSQ. Processors handle many elements of any size at
 * a time (SDM 1, "Fast-String Operation"), with or without ERMS, and an emulator that
 * executes element by element needs an eighth of the steps of REP MOVSB. Starting them
 * costs tens of cycles, so short ranges use a loop.
 */
#include "lib/string.h"

#include "lib/instructions.h"

#define REP_MIN_SIZE 128 /* bytes */

/* A quadword at any address, of an object of any type. */
typedef uint64_t __attribute__((aligned(1), may_alias)) quadword_t;
#define QUADWORD sizeof(quadword_t)

/* Copies in ascending order, for ranges that do not overlap or to a lower address. */
static void copy_up(uint8_t *to, const uint8_t *from, size_t size)
{
    size_t at = 0;

    if (size >= REP_MIN_SIZE) {
        copy_quadwords(to, from, size / QUADWORD);
        at = size - size % QUADWORD;
    }
    for (; size - at >= QUADWORD; at += QUADWORD)
        *(quadword_t *)(to + at) = *(const quadword_t *)(from + at);
    for (; at < size; at++)
        to[at] = from[at];
}

/* Copies in descending order; REP is slow in that direction. */
static void copy_down(uint8_t *to, const uint8_t *from, size_t size)
{
    for (; size >= QUADWORD; size -= QUADWORD)
        *(quadword_t *)(to + size - QUADWORD) =
            *(const quadword_t *)(from + size - QUADWORD);
    for (; size > 0; size--)
        to[size - 1] = from[size - 1];
}

void *memcpy(void *restrict destination, const void *restrict source, size_t size)
{
    copy_up(destination, source, size);
    return destination;
}

void *memmove(void *destination, const void *source, size_t size)
{
    if ((uintptr_t)destination - (uintptr_t)source < size)
        copy_down(destination, source, size);
    else
        copy_up(destination, source, size);
    return destination;
}

void *memset(void *destination, int byte, size_t size)
{
    uint8_t *to    = destination;
    uint64_t value = (uint8_t)byte * (UINT64_MAX / UINT8_MAX); /* in each byte */
    size_t at      = 0;

    if (size >= REP_MIN_SIZE) {
        fill_quadwords(to, value, size / QUADWORD);
        at = size - size % QUADWORD;
    }
    for (; size - at >= QUADWORD; at += QUADWORD)
        *(quadword_t *)(to + at) = value;
    for (; at < size; at++)
        to[at] = (uint8_t)byte;
    return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

int strcmp(const char *left, const char *right)
{
    for (; *left != '\0' && *left == *right; left++)
        right++;
    return (uint8_t)*left - (uint8_t)*right;
}

bool string_starts_with(const char *text, const char *prefix)
{
    while (*prefix != '\0') {
        if (*text++ != *prefix++)
            return false;
    }
    return true;
}

/* Returns the value of a hexadecimal digit, or 16 for any other character. */
static unsigned int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned int)(digit - '0');
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned int)(lower - 'a') + 10 : 16;
}

bool number_parse(const char *text, uint64_t *number)
{
    uint64_t value    = 0;
    unsigned int base = 10;

    if (string_starts_with(text, "0x")) {
        base = 16;
        text += 2;
    }
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned int digit = digit_value(*text);
        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *number = value;
    return true;
}
