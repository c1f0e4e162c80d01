/* src/firmware/multiboot2.c: the symbols, and malformed structures. */
#include "multiboot2.h"

#include "random.h"

#include <elf.h>

static void put_sections(const Elf64_Shdr *sections, uint32_t count, uint32_t claimed)
{
    put_tag(9, 12 + count * (uint32_t)sizeof(*sections));
    put_u32(claimed);
    put_u32(sizeof(*sections));
    put_u32(0);
    put_bytes(sections, count * sizeof(*sections));
}

static void test_symbols(void **state)
{
    (void)state;
    struct multiboot2_symbols symbols = {0};
    Elf64_Shdr sections[3]            = {
                   [1] = {.sh_type = SHT_SYMTAB, .sh_addr = 0x200000, .sh_size = 240, .sh_link = 2},
                   [2] = {.sh_type = SHT_STRTAB, .sh_addr = 0x300000, .sh_size = 100},
    };
    put_sections(sections, 3, 3);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(multiboot2_find_symbols(&information, &symbols), STATUS_OK);
    assert_int_equal(symbols.symbols, 0x200000);
    assert_int_equal(symbols.symbols_size, 240);
    assert_int_equal(symbols.names, 0x300000);
    assert_int_equal(symbols.names_size, 100);
}

static void test_broken_symbols(void **state)
{
    (void)state;
    struct multiboot2_symbols symbols;
    static const Elf64_Shdr broken[][2] = {
        {{.sh_type = SHT_SYMTAB, .sh_addr = 0x1000, .sh_size = 24, .sh_link = 2},
         {.sh_type = SHT_STRTAB, .sh_addr = 0x2000, .sh_size = 8}},
        {{.sh_type = SHT_SYMTAB, .sh_addr = 0, .sh_size = 24, .sh_link = 1},
         {.sh_type = SHT_STRTAB, .sh_addr = 0x2000, .sh_size = 8}},
        {{.sh_type = SHT_SYMTAB, .sh_addr = 0x1000, .sh_size = UINT64_MAX, .sh_link = 1},
         {.sh_type = SHT_STRTAB, .sh_addr = 0x2000, .sh_size = 8}},
        {{.sh_type = SHT_SYMTAB, .sh_addr = 0x1000, .sh_size = 24, .sh_link = 1},
         {.sh_type = SHT_STRTAB, .sh_addr = 0xFFFFF000, .sh_size = 0x2000}},
        {{.sh_type = SHT_STRTAB}, {.sh_type = SHT_STRTAB}},
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        structure_start(NULL);
        put_sections(broken[i], 2, 2);
        assert_int_equal(structure_parse(), STATUS_OK);
        assert_int_equal(multiboot2_find_symbols(&information, &symbols),
                         STATUS_NOT_FOUND);
    }
    structure_start(NULL);
    put_sections(broken[4], 2, 0x4000003); /* times 64 overflows 32 bits */
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_logged("Multiboot2 ELF sections: invalid, 67108867 entries of 64 bytes in 128 "
                  "bytes; ignored");
    assert_int_equal(multiboot2_find_symbols(&information, &symbols), STATUS_NOT_FOUND);
}

static void test_broken_header(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 7, 1000000, MULTIBOOT2_MAX_SIZE + 1, UINT32_MAX};
    information.size              = 42;
    for (size_t i = 0; i < 5; i++) {
        memcpy(buffer, &sizes[i], 4);
        assert_int_equal(multiboot2_parse(buffer, sizeof(buffer), &information),
                         STATUS_MALFORMED);
    }
    uint32_t size = 16;
    memcpy(buffer, &size, 4);
    assert_int_equal(multiboot2_parse(buffer, 7, &information), STATUS_MALFORMED);
    assert_int_equal(multiboot2_parse(buffer, 15, &information), STATUS_MALFORMED);
    assert_int_equal(multiboot2_parse(buffer + 4, 64, &information), STATUS_MALFORMED);
    assert_int_equal(information.size, 42);
}

static void test_broken_tags(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 7, 0x10000, UINT32_MAX, UINT32_MAX - 6};
    for (size_t i = 0; i < 6; i++) {
        structure_start(NULL);
        put_string_tag(1, "nosmp");
        put_tag(2, 8);
        memcpy(buffer + used - 4, &sizes[i], 4);
        put_u64(0);
        assert_int_equal(structure_parse(), STATUS_OK);
        assert_string_equal(information.command_line, "nosmp");
        assert_logged("Multiboot2 tag type 2: invalid size ");
    }
    structure_start(NULL);
    put_string_tag(1, "nosmp");
    uint32_t size = (uint32_t)used; /* without an end tag */
    memcpy(buffer, &size, 4);
    assert_int_equal(multiboot2_parse(buffer, size, &information), STATUS_OK);
    assert_string_equal(information.command_line, "nosmp");
    assert_logged("Multiboot2 information: no end tag");
}

/*
 * A complete structure, truncated and modified at each byte: nothing is read beyond its
 * end.
 */
static void test_cut_and_changed(void **state)
{
    (void)state;
    static struct memory_map map;
    struct multiboot2_symbols symbols;
    const Elf64_Shdr sections[2] = {
        {.sh_type = SHT_SYMTAB, .sh_addr = 0x200000, .sh_size = 240, .sh_link = 1},
        {.sh_type = SHT_STRTAB, .sh_addr = 0x300000, .sh_size = 100}};
    put_string_tag(1, "log=debug");
    put_module(0x1000, 0x2000, "m");
    put_tag(6, 8 + 24);
    put_u32(24);
    put_u32(0);
    put_memory(0, 0x1000, 1, 0);
    put_sections(sections, 2, 2);
    assert_int_equal(structure_parse(), STATUS_OK);
    memory_map_init(&map, BIT(40));

    for (uint32_t size = 8; size < used; size++) {
        uint8_t *cut = aligned_alloc(8, (size + 7) & ~7u);
        memcpy(cut, buffer, size);
        memcpy(cut, &size, 4);
        assert_int_equal(multiboot2_parse(cut, size, &information), STATUS_OK);
        (void)!multiboot2_memory_map(&information, &map);
        (void)!multiboot2_find_symbols(&information, &symbols);
        free(cut);
    }
    uint8_t *copy = aligned_alloc(8, used);
    for (size_t at = 8; at < used; at++) {
        memcpy(copy, buffer, used);
        for (int value = 0; value < 256; value += 15) {
            copy[at] = (uint8_t)value;
            memory_map_init(&map, BIT(40));
            assert_int_equal(multiboot2_parse(copy, used, &information), STATUS_OK);
            (void)!multiboot2_memory_map(&information, &map);
            (void)!multiboot2_find_symbols(&information, &symbols);
        }
    }
    free(copy);
}

#define TEST(name) cmocka_unit_test_setup(name, structure_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_symbols),     TEST(test_broken_symbols),  TEST(test_broken_header),
        TEST(test_broken_tags), TEST(test_cut_and_changed),
    };
    return cmocka_run_group_tests_name("multiboot2_broken", tests, NULL, NULL);
}
