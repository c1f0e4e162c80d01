/*
 * The modules of kernels: src/guest/load/loader.c, and their lists in pvh.c and
 * multiboot1.c. tests/unit/test_image_multiboot2.c has those of Multiboot2, test_linux.c
 * Linux's initrd.
 */
#include "guest.h"

#include "lib/bits.h"
#include "random.h"

#include <elf.h>

static uint32_t file[0x400];
static char problem_text[512];
static struct vcpu_start start_state;
static struct image_parts parts;

static int file_start(void **state)
{
    memset(file, 0, sizeof(file));
    parts = (struct image_parts){.command_line = "quiet"};
    return start_guest(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, file_start, end_guest)

static bool file_load(void)
{
    struct text problem = {.buffer = problem_text, .size = sizeof(problem_text)};
    const char *kind;

    problem_text[0] = '\0';
    parts.kernel    = (struct image_bytes){(const uint8_t *)file, sizeof(file)};
    bool is_loaded  = image_load(&parts, &test_vm.memory, &start_state, &kind, &problem);
    assert_same_when_planned(&parts, is_loaded, problem_text);
    assert_int_equal(is_loaded, problem_text[0] == '\0');
    return is_loaded;
}

static void assert_loaded(void)
{
    if (!file_load())
        fail_msg("refused: %s", problem_text);
}

static void refused(const char *words)
{
    assert_false(file_load());
    if (strstr(problem_text, words) == NULL)
        fail_msg("\"%s\" has no \"%s\"", problem_text, words);
}

/* A 64-bit ELF file of one segment, with PVH's note or with a Multiboot header. */
static void make_elf(bool is_pvh)
{
    static const uint32_t note[]      = {4, 4, 18, 0x006E6558, 0x100040};
    static const uint32_t multiboot[] = {0x1BADB002, 0, -0x1BADB002U};
    Elf64_Ehdr *elf                   = (Elf64_Ehdr *)file;
    Elf64_Phdr *segments              = (Elf64_Phdr *)(elf + 1);

    *elf = (Elf64_Ehdr){.e_ident     = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                        .e_machine   = EM_X86_64,
                        .e_entry     = 0x100000,
                        .e_phoff     = sizeof(*elf),
                        .e_phentsize = sizeof(*segments),
                        .e_phnum     = 2};
    segments[0] = (Elf64_Phdr){.p_type   = PT_LOAD,
                               .p_offset = 0x400,
                               .p_vaddr  = 0x100000,
                               .p_paddr  = 0x100000,
                               .p_filesz = 0x400,
                               .p_memsz  = 0x400};
    segments[1] = (Elf64_Phdr){.p_type   = is_pvh ? PT_NOTE : PT_NULL,
                               .p_offset = 0x200,
                               .p_filesz = sizeof(note),
                               .p_memsz  = sizeof(note)};
    memcpy(file + 0x80, note, sizeof(note));
    if (!is_pvh)
        memcpy(file + 0x100, multiboot, sizeof(multiboot));
}

static uint32_t guest_u32(uint64_t address)
{
    uint32_t value;
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), &value, 4));
    return value;
}

static uint64_t guest_u64(uint64_t address)
{
    return guest_u32(address) | (uint64_t)guest_u32(address + 4) << 32;
}

static void add_module(const char *bytes, size_t size, const char *string)
{
    parts.module[parts.module_count++] =
        (struct image_module){{(const uint8_t *)bytes, size}, string};
}

/* Asserts that a module is on its own pages of the guest's RAM. */
static void assert_module(uint64_t start, uint64_t end, const char *bytes, size_t size)
{
    char read[256];

    assert_int_equal(start % PAGE_SIZE, 0);
    assert_int_equal(end - start, size);
    assert_true(size <= sizeof(read));
    assert_true(guest_memory_read(&test_vm.memory, gpa(start), read, size));
    assert_memory_equal(read, bytes, size);
}

static void assert_string(uint64_t address, const char *string)
{
    char read[64];

    assert_true(
        guest_memory_read(&test_vm.memory, gpa(address), read, strlen(string) + 1));
    assert_string_equal(read, string);
}

/* Three initrds of 5, 4 and 1 bytes, each of which begins at a multiple of 4. */
#define INITRDS "12345\0\0\0abcd#"

static void add_initrds_and_modules(void)
{
    add_module("12345", 5, "first");
    add_module("abcd", 4, "");
    add_module("#", 1, "");
    parts.initrd_count = 3;
    add_module("one", 3, "");
    add_module("two", 3, "a string");
}

static void test_pvh(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *string;
    } expected[] = {
        {INITRDS, sizeof(INITRDS) - 1, "first"}, {"one", 3, ""}, {"two", 3, "a string"}};

    make_elf(true);
    add_initrds_and_modules();
    assert_loaded();
    uint64_t info = start_state.rbx, list = guest_u64(info + 16);
    assert_int_equal(guest_u32(info + 12), ARRAY_SIZE(expected));
    assert_string(guest_u64(info + 24), "quiet");
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++, list += 32) {
        uint64_t start = guest_u64(list);
        assert_module(start, start + guest_u64(list + 8), expected[i].bytes,
                      expected[i].size);
        assert_string(guest_u64(list + 16), expected[i].string);
    }
}

static void test_multiboot1(void **state)
{
    (void)state;
    make_elf(false);
    add_module("one", 3, "first string");
    add_module("two", 3, "");
    assert_loaded();
    uint64_t info = start_state.rbx, list = guest_u32(info + 24);
    assert_int_equal(guest_u32(info), 0x24D);
    assert_int_equal(guest_u32(info + 20), 2);
    assert_module(guest_u32(list), guest_u32(list + 4), "one", 3);
    assert_string(guest_u32(list + 8), "first string");
    assert_module(guest_u32(list + 16), guest_u32(list + 20), "two", 3);
    assert_string(guest_u32(list + 24), "");
}

/* The section headers of an ELF file, and its symbols and strings. */
static void test_symbols(void **state)
{
    (void)state;
    make_elf(false);
    Elf64_Ehdr *elf      = (Elf64_Ehdr *)file;
    Elf64_Shdr *sections = (Elf64_Shdr *)(file + 0x200);
    elf->e_shoff         = 0x800;
    elf->e_shentsize     = sizeof(*sections);
    elf->e_shnum         = 3;
    elf->e_shstrndx      = 2;
    sections[1]          = (Elf64_Shdr){
                 .sh_type = SHT_SYMTAB, .sh_offset = 0xC00, .sh_size = 24, .sh_link = 2};
    sections[2] = (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = 0xD00, .sh_size = 5};
    file[0x300] = 0x12345678;
    memcpy(file + 0x340, "name", 5);
    assert_loaded();
    uint64_t info = start_state.rbx, table = guest_u32(info + 36);
    assert_int_equal(guest_u32(info), 0x26D);
    assert_int_equal(guest_u32(info + 28), 3);
    assert_int_equal(guest_u32(info + 32), sizeof(*sections));
    assert_int_equal(guest_u32(info + 40), 2);
    assert_int_equal(guest_u32(table + 64 + 4), SHT_SYMTAB);
    assert_int_equal(guest_u32(guest_u64(table + 64 + 16)), 0x12345678);
    assert_string(guest_u64(table + 128 + 16), "name");
    sections[2].sh_size = sizeof(file);
    assert_loaded();
    assert_int_equal(guest_u64(guest_u32(start_state.rbx + 36) + 128 + 16), 0);
}

/* As many as fit, and no room for any of the parts. */
static void test_room(void **state)
{
    (void)state;
    static char bytes[GUEST_SIZE];

    make_elf(true);
    while (parts.module_count < IMAGE_MODULES)
        add_module("one", 3, "its string");
    assert_loaded();
    assert_int_equal(guest_u32(start_state.rbx + 12), IMAGE_MODULES);
    parts.module[IMAGE_MODULES - 1].bytes.bytes = (const uint8_t *)bytes;
    parts.module[IMAGE_MODULES - 1].bytes.size  = sizeof(bytes);
    refused("no room for a module of 4194304 bytes");
    parts.initrd_count = 2;
    parts.module[0] = parts.module[1] = parts.module[IMAGE_MODULES - 1];
    parts.module[1].string            = "";
    parts.module[1].bytes.size        = SIZE_MAX;
    refused("no room for the initrd of 18446744073709551615 bytes");
}

static void test_refusals(void **state)
{
    (void)state;
    make_elf(true);
    add_module("one", 3, "");
    add_module("two", 3, "a string");
    parts.initrd_count = 2;
    refused("the words after -- of initrd 2: only the first initrd can have a string");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pvh),  TEST(test_multiboot1), TEST(test_symbols),
        TEST(test_room), TEST(test_refusals),
    };
    return cmocka_run_group_tests_name("image_modules", tests, NULL, NULL);
}
