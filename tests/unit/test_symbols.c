/* src/lib/symbols.c, on this program's symbol table and on malformed ones. */
#include "unit.h"

#include "lib/elf.h"
#include "lib/symbols.h"

#include <elf.h>

/* This program's file, and its sections. */
static uint8_t *file;
static struct symbol_table table;

static int load_own_symbols(void **state)
{
    (void)state;
    FILE *stream = fopen("/proc/self/exe", "rb");
    assert_non_null(stream);
    size_t size = 64u << 20;
    file        = malloc(size);
    size        = fread(file, 1, size, stream);
    fclose(stream);
    assert_true(size > sizeof(Elf64_Ehdr));

    const Elf64_Ehdr *header   = (const Elf64_Ehdr *)file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
    for (unsigned int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const Elf64_Shdr *names = &sections[sections[i].sh_link];
        table                   = (struct symbol_table){
                              .symbols      = file + sections[i].sh_offset,
                              .symbols_size = sections[i].sh_size,
                              .names        = (const char *)file + names->sh_offset,
                              .names_size   = names->sh_size,
        };
    }
    assert_non_null(table.symbols);
    return 0;
}

static int free_symbols(void **state)
{
    (void)state;
    free(file);
    return 0;
}

static void test_own_functions(void **state)
{
    (void)state;
    const char *name;
    uint64_t offset;
    symbols_set(&table);
    assert_true(symbols_find((uintptr_t)test_own_functions + 3, &name, &offset));
    assert_string_equal(name, "test_own_functions");
    assert_int_equal(offset, 3);
    assert_true(symbols_find((uintptr_t)symbols_find, &name, &offset));
    assert_string_equal(name, "symbols_find");
    assert_int_equal(offset, 0);
}

static void test_no_table(void **state)
{
    (void)state;
    const char *name = "untouched";
    uint64_t offset  = 42;
    symbols_set(&(struct symbol_table){0});
    assert_false(symbols_find((uintptr_t)test_no_table, &name, &offset));
    assert_string_equal(name, "untouched");
    assert_int_equal(offset, 42);
}

static void test_broken_tables(void **state)
{
    (void)state;
    static const char names[]     = {'\0', 'o', 'k', '\0', 'n', 'o'}; /* not terminated */
    struct elf64_symbol symbols[] = {
        {.name = 4, .info = STT_FUNC, .section = 1, .value = 0x1000, .size = 0x100},
        {.name    = 0xFFFFFFFF,
         .info    = STT_FUNC,
         .section = 1,
         .value   = 0x1000,
         .size    = 0x100},
        {.name = 1, .info = STT_FUNC, .section = 0, .value = 0x1000, .size = 0x100},
        {.name = 1, .info = STT_NOTYPE, .section = SHN_ABS, .value = 0x1000},
        {.name = 1, .info = STT_OBJECT, .section = 1, .value = 0x1000, .size = 0x100},
        {.name = 0, .info = STT_FUNC, .section = 1, .value = 0x1000, .size = 0x100},
        {.name    = 1,
         .info    = STT_FUNC,
         .section = 1,
         .value   = UINT64_MAX - 1,
         .size    = UINT64_MAX},
    };
    struct symbol_table broken = {.symbols      = symbols,
                                  .symbols_size = sizeof(symbols) - 5, /* truncated */
                                  .names        = names,
                                  .names_size   = sizeof(names)};
    const char *name;
    uint64_t offset;
    symbols_set(&broken);
    assert_false(symbols_find(0x1010, &name, &offset));
    assert_false(symbols_find(UINT64_MAX, &name, &offset));
    broken.symbols_size = sizeof(symbols);
    symbols_set(&broken);
    assert_true(symbols_find(UINT64_MAX, &name, &offset));
    assert_string_equal(name, "ok");
    assert_int_equal(offset, 1);
}

/* An assembly label has no size; it extends to the next symbol. */
static void test_labels(void **state)
{
    (void)state;
    static const char names[]           = "\0label\0function";
    const struct elf64_symbol symbols[] = {
        {.name = 7, .info = STT_FUNC, .section = 1, .value = 0x2000, .size = 0x10},
        {.name = 1, .info = STT_NOTYPE, .section = 1, .value = 0x1000},
    };
    struct symbol_table labels = {.symbols      = symbols,
                                  .symbols_size = sizeof(symbols),
                                  .names        = names,
                                  .names_size   = sizeof(names)};
    const char *name;
    uint64_t offset;
    symbols_set(&labels);
    assert_true(symbols_find(0x1FFF, &name, &offset));
    assert_string_equal(name, "label");
    assert_int_equal(offset, 0xFFF);
    assert_true(symbols_find(0x2000, &name, &offset));
    assert_string_equal(name, "function");
    assert_false(symbols_find(0xFFF, &name, &offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_functions),
        cmocka_unit_test(test_no_table),
        cmocka_unit_test(test_broken_tables),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests_name("symbols", tests, load_own_symbols, free_symbols);
}
