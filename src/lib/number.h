/* Parses numbers. Pure. */
#ifndef HYMIR_LIB_NUMBER_H
#define HYMIR_LIB_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Parses all of text as a decimal number, or as hexadecimal after 0x. Returns false,
 * leaving *number untouched, if text is empty, contains anything else or exceeds 64 bits.
 */
bool number_parse(const char *text, uint64_t *number);

#endif
