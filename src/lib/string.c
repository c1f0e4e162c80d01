/*
 * See string.h. Plain loops, because no caller is performance-critical. The build stops
 * the compiler from turning such a loop into a call of memcpy: memcpy would recurse.
 */
#include "lib/string.h"

#include <stdint.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size)
{
    uint8_t *to         = destination;
    const uint8_t *from = source;
    for (size_t i = 0; i < size; i++)
        to[i] = from[i];
    return destination;
}

void *memmove(void *destination, const void *source, size_t size)
{
    uint8_t *to         = destination;
    const uint8_t *from = source;
    if ((uintptr_t)to <= (uintptr_t)from) {
        for (size_t i = 0; i < size; i++)
            to[i] = from[i];
    } else {
        for (size_t i = size; i > 0; i--)
            to[i - 1] = from[i - 1];
    }
    return destination;
}

void *memset(void *destination, int byte, size_t size)
{
    uint8_t *to = destination;
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)byte;
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
