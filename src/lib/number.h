/* Numbers out of text. Pure. */
#ifndef HYMIR_LIB_NUMBER_H
#define HYMIR_LIB_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads the whole of text as one number, decimal or, behind 0x, hexadecimal, into
 * *number. False, and *number untouched, if anything else is in text, if it is empty or
 * beyond 2^64 - 1.
 */
bool number_parse(const char *text, uint64_t *number);

#endif
