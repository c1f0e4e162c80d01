/*
 * Finds the names of code addresses in the symbol table of Hymir's own ELF file.
 *
 * The table comes from the boot loader: its contents are not trusted. Owns its location.
 */
#ifndef HYMIR_LIB_SYMBOLS_H
#define HYMIR_LIB_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The symbol and string sections; either may be NULL with size 0. */
struct symbol_table {
    const void *symbols;
    size_t symbols_size; /* bytes */
    const char *names;
    size_t names_size; /* bytes */
};

/* Sets the symbol table, which must not change afterwards. */
void symbols_set(const struct symbol_table *table);

/*
 * Finds the function that contains address: its NUL-terminated *name and the *offset of
 * address from its start. Returns false, leaving both untouched, if there is none.
 */
bool symbols_find(uint64_t address, const char **name, uint64_t *offset);

#endif
