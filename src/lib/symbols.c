/* See symbols.h. */
#include "lib/symbols.h"

#include "lib/elf.h"
#include "lib/string.h"

static struct symbol_table table;

void symbols_set(const struct symbol_table *new_table)
{
    table = *new_table;
}

/* Returns the name at offset in the string table; NULL if empty or not terminated. */
static const char *name_at(uint32_t offset)
{
    for (size_t i = offset; i < table.names_size; i++) {
        if (table.names[i] == '\0')
            return i > offset ? table.names + offset : NULL;
    }
    return NULL;
}

/* Accepts functions and assembly labels, which have no type. */
static bool is_code_symbol(const struct elf64_symbol *symbol)
{
    unsigned int type = symbol->info & 0xF;
    return symbol->section != 0 && symbol->section < ELF_SECTION_RESERVED &&
           (type == ELF_SYMBOL_TYPE_FUNCTION || type == ELF_SYMBOL_TYPE_NONE);
}

/* Returns whether a symbol contains address. Labels, of size 0, have no upper bound. */
static bool symbol_contains(const struct elf64_symbol *symbol, uint64_t address)
{
    return symbol->value <= address &&
           (symbol->size == 0 || address - symbol->value < symbol->size);
}

bool symbols_find(uint64_t address, const char **name, uint64_t *offset)
{
    const uint8_t *bytes = table.symbols;
    bool is_found        = false;

    for (size_t i = 0; i < table.symbols_size / sizeof(struct elf64_symbol); i++) {
        struct elf64_symbol symbol;
        memcpy(&symbol, bytes + i * sizeof(symbol), sizeof(symbol));
        if (!is_code_symbol(&symbol) || !symbol_contains(&symbol, address))
            continue;
        const char *candidate = name_at(symbol.name);
        if (candidate == NULL || (is_found && address - symbol.value >= *offset))
            continue;
        *name    = candidate;
        *offset  = address - symbol.value;
        is_found = true;
    }
    return is_found;
}
