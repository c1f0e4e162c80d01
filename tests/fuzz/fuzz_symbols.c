/*
 * A symbol table from the boot loader: src/lib/symbols.c. The first two bytes of the
 * input are the size of the symbols; the names follow the symbols.
 */
#include "fuzz.h"

#include "lib/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *name;
    uint64_t offset;

    if (size < 2)
        return 0;
    size_t rest         = size - 2;
    size_t symbols_size = (size_t)(data[0] | data[1] << 8) % (rest + 1);
    uint8_t *symbols    = malloc(symbols_size);
    char *names         = malloc(rest - symbols_size);
    memcpy(symbols, data + 2, symbols_size);
    memcpy(names, data + 2 + symbols_size, rest - symbols_size);
    symbols_set(&(struct symbol_table){.symbols      = symbols,
                                       .symbols_size = symbols_size,
                                       .names        = names,
                                       .names_size   = rest - symbols_size});
    static const uint64_t addresses[] = {0, 0x100000, 0x101234, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        if (symbols_find(addresses[i], &name, &offset))
            REQUIRE(strlen(name) < rest && offset <= addresses[i]);
    }
    free(symbols);
    free(names);
    return 0;
}
