/*
 * The memory and string functions that C code and the compiler rely on, and a parser of
 * numbers.
 *
 * Pure; those with names of the C library behave as in ISO C11, "String handling
 * <string.h>".
 */
#ifndef HYMIR_LIB_STRING_H
#define HYMIR_LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);

/* Returns whether text begins with prefix. */
bool string_starts_with(const char *text, const char *prefix);

/*
 * Parses all of text as a decimal number, or as hexadecimal after 0x. Returns false,
 * leaving *number untouched, if text is empty, contains anything else or exceeds 64 bits.
 */
bool number_parse(const char *text, uint64_t *number);

#endif
