/*
 * Names for code addresses, out of the symbol table of Hymir's own ELF file.
 *
 * The table comes from the boot loader and is trusted no further than its bounds. Owns
 * where it is.
 */
#ifndef HYMIR_LIB_SYMBOLS_H
#define HYMIR_LIB_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sections that hold the symbols and their names; either may be NULL with size 0. */
struct symbol_table {
    const void *symbols;
    size_t symbols_size; /* bytes */
    const char *names;
    size_t names_size; /* bytes */
};

/* Tells where the symbols are; the memory stays as it is from then on. */
void symbols_set(const struct symbol_table *table);

/*
 * Finds the function that address lies in. *name is NUL-terminated within the table,
 * *offset the distance of address from its start. False, and both untouched, if no
 * function contains it.
 */
bool symbols_find(uint64_t address, const char **name, uint64_t *offset);

#endif
