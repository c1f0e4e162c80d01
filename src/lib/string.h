/*
 * The memory and string functions that C code and the compiler rely on.
 *
 * Pure; each behaves as in ISO C11, "String handling <string.h>".
 */
#ifndef HYMIR_LIB_STRING_H
#define HYMIR_LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);

/* Returns whether text begins with prefix. */
bool string_starts_with(const char *text, const char *prefix);

#endif
