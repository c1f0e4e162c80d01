/*
 * src/guest/load/multiboot2.c and multiboot2_header.c, on valid and malformed kernels.
 * What a guest gets is read by Hymir's own parser of what GRUB passes to it.
 */
#include "guest.h"

#include "firmware/multiboot2.h"
#include "guest/acpi_tables.h"
#include "lib/bits.h"

#include <elf.h>
#include <stdarg.h>

#define MIB          0x100000U
#define HEADER_AT    0x40U
#define CODE_SIZE    0x1000U
#define LINKED       MIB
#define IMAGE_SIZE   0x2000U /* with the BSS */
#define TAG_OPTIONAL 1U

static uint8_t file[0x9000];
static size_t file_size, header_at, header_end;
static char problem_text[512];
static struct vcpu_start start_state;
static const char *kind;
static struct image_parts parts;

static int file_start(void **state)
{
    parts = (struct image_parts){.command_line = "quiet"};
    return start_guest(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, file_start, end_guest)

/* ---- A kernel with a header */

static void put_word(size_t at, uint32_t word)
{
    memcpy(file + at, &word, sizeof(word));
}

/* Ends the header with an end tag and completes its fixed part. */
static void end_header(void)
{
    uint32_t size = (uint32_t)(header_end + 8 - header_at);

    put_word(header_end, 0);
    put_word(header_end + 4, 8);
    put_word(header_at, 0xE85250D6);
    put_word(header_at + 4, 0);
    put_word(header_at + 8, size);
    put_word(header_at + 12, -(0xE85250D6 + size));
}

/* Adds a tag with count words after its own two. */
static void add_tag(uint16_t type, uint16_t flags, size_t count, ...)
{
    va_list words;

    put_word(header_end, type | (uint32_t)flags << 16);
    put_word(header_end + 4, (uint32_t)(8 + 4 * count));
    va_start(words, count);
    for (size_t i = 0; i < count; i++)
        put_word(header_end + 8 + 4 * i, va_arg(words, uint32_t));
    va_end(words);
    header_end += align_up(8 + 4 * count, 8);
    end_header();
}

static void start_header(size_t at)
{
    memset(file, 0x90, sizeof(file));
    header_at  = at;
    header_end = at + 16;
    file_size  = at + CODE_SIZE;
    end_header();
}

/* A flat kernel of CODE_SIZE bytes and as many of BSS. */
static void make_flat(void)
{
    start_header(HEADER_AT);
    file_size = CODE_SIZE;
    add_tag(2, 0, 4, LINKED + HEADER_AT, LINKED, 0U, LINKED + IMAGE_SIZE);
    add_tag(3, 0, 1, LINKED + 0x200);
}

static bool file_load(void)
{
    struct text problem = {.buffer = problem_text, .size = sizeof(problem_text)};
    uint8_t *copy       = malloc(file_size); /* exact size, for AddressSanitizer */
    memcpy(copy, file, file_size);
    problem_text[0] = '\0';
    kind            = NULL;
    parts.kernel    = (struct image_bytes){.bytes = copy, .size = file_size};
    bool is_loaded  = image_load(&parts, &test_vm.memory, &start_state, &kind, &problem);
    assert_same_when_planned(&parts, is_loaded, problem_text);
    assert_int_equal(is_loaded, problem_text[0] == '\0');
    free(copy);
    return is_loaded;
}

static void refused(const char *words)
{
    assert_false(file_load());
    if (strstr(problem_text, words) == NULL)
        fail_msg("\"%s\" has no \"%s\"", problem_text, words);
}

/* ---- What the guest gets */

static uint64_t information_bytes[0x1000];
static struct multiboot2_information information;

static uint32_t guest_u32(uint64_t address)
{
    uint32_t value;
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), &value, 4));
    return value;
}

static void assert_loaded(void)
{
    if (!file_load())
        fail_msg("refused: %s", problem_text);
    assert_string_equal(kind, "Multiboot2");
    assert_int_equal(start_state.rax, 0x36D76289);
    assert_int_equal(start_state.cr0, 0x11);
    assert_int_equal(start_state.rbx % 8, 0);
    uint32_t size = guest_u32(start_state.rbx);
    assert_true(size <= sizeof(information_bytes));
    assert_true(guest_memory_read(&test_vm.memory, gpa(start_state.rbx),
                                  information_bytes, size));
    assert_int_equal(multiboot2_parse(information_bytes, size, &information), STATUS_OK);
    assert_int_equal(information.tags_end, size - 8); /* there, the end tag */
    assert_string_equal(information.command_line, parts.command_line);
    assert_string_equal(information.loader_name, "Hymir");
}

/* Returns the offset of the first tag of a type in information_bytes, or 0. */
static size_t find_tag(uint32_t type)
{
    const uint8_t *bytes = (const uint8_t *)information_bytes;

    for (size_t at = 8; at < information.tags_end;) {
        const uint32_t *tag = (const uint32_t *)(bytes + at);
        if (tag[0] == type)
            return at;
        at += align_up(tag[1], 8);
    }
    return 0;
}

static uint32_t information_u32(size_t at)
{
    return ((const uint32_t *)information_bytes)[at / 4];
}

static void test_flat(void **state)
{
    (void)state;
    static const uint8_t initrd[] = "initrd", module[5000] = {1, 2, 3, [4999] = 4};
    uint8_t read[sizeof(module)];

    acpi_tables_write(&test_vm.memory, (const uint32_t[]){0}, 1, 1);
    make_flat();
    set_initrd(&parts, initrd, sizeof(initrd));
    parts.module[1]    = (struct image_module){{module, sizeof(module)}, "its string"};
    parts.module_count = 2;
    assert_loaded();
    assert_nothing_logged();
    assert_int_equal(start_state.rip, LINKED + 0x200);
    assert_int_equal(guest_u32(LINKED + HEADER_AT), 0xE85250D6);
    assert_int_equal(guest_u32(LINKED + CODE_SIZE - 4), 0x90909090);
    assert_int_equal(guest_u32(LINKED + CODE_SIZE), 0);
    assert_int_equal(information.module_count, 2);
    assert_string_equal(information.module[0].command_line, "");
    assert_string_equal(information.module[1].command_line, "its string");
    assert_int_equal(information.module[1].start % PAGE_SIZE, 0);
    assert_int_equal(information.module[1].end - information.module[1].start,
                     sizeof(module));
    assert_true(guest_memory_read(&test_vm.memory, gpa(information.module[1].start), read,
                                  sizeof(read)));
    assert_memory_equal(read, module, sizeof(module));
    size_t basic = find_tag(4);
    assert_int_equal(information_u32(basic + 8), 639);
    assert_int_equal(information_u32(basic + 12), (GUEST_SIZE >> 10) - 1024);
    size_t map = find_tag(6);
    assert_int_equal(information_u32(map + 4), 16 + 3 * 24);
    assert_int_equal(information_u32(map + 16 + 24 + 16), 2);
    assert_int_equal(information_u32(map + 16 + 48), MIB);
    assert_int_equal(information_u32(map + 16 + 48 + 8), GUEST_SIZE - MIB);
    assert_int_equal(information_u32(map + 16 + 48 + 16), 1);
    assert_int_equal(information.rsdp_size, 36);
    assert_memory_equal(information.rsdp, "RSD PTR ", 8);
    assert_int_equal(byte_sum(information.rsdp, 36), 0);
    assert_int_equal(information.elf_section_count, 0);
    assert_int_equal(find_tag(8), 0);
    assert_int_equal(find_tag(21), 0);
}

/* The RSDP is the firmware's even if the kernel is loaded over it. */
static void test_low(void **state)
{
    (void)state;
    acpi_tables_write(&test_vm.memory, (const uint32_t[]){0}, 1, 1);
    start_header(HEADER_AT);
    file_size = CODE_SIZE;
    add_tag(2, 0, 4, 0xE0000 + HEADER_AT, 0xFFFFFFFFU, 0U, 0U); /* all of the file */
    add_tag(3, 0, 1, 0xE0000);
    assert_loaded();
    assert_int_equal(guest_u32(0xE0000 + HEADER_AT), 0xE85250D6);
    assert_memory_equal(information.rsdp, "RSD PTR ", 8);
}

/* ---- ELF files */

static Elf64_Phdr *segment_64;
static Elf64_Shdr *sections_64;

/* A 64-bit ELF file, linked high, with the header in its code, and a symbol table. */
static void make_elf_64(void)
{
    Elf64_Ehdr *elf = (Elf64_Ehdr *)file;

    start_header(0x1000);
    memset(file, 0, 0x1000);
    *elf = (Elf64_Ehdr){.e_ident     = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                        .e_machine   = EM_X86_64,
                        .e_entry     = 0xFFFFFFFF80000200,
                        .e_phoff     = sizeof(*elf),
                        .e_phentsize = sizeof(Elf64_Phdr),
                        .e_phnum     = 1,
                        .e_shoff     = 0x200,
                        .e_shentsize = sizeof(Elf64_Shdr),
                        .e_shnum     = 4,
                        .e_shstrndx  = 3};
    segment_64     = (Elf64_Phdr *)(file + sizeof(*elf));
    segment_64[0]  = (Elf64_Phdr){.p_type   = PT_LOAD,
                                  .p_offset = 0x1000,
                                  .p_vaddr  = 0xFFFFFFFF80000000,
                                  .p_paddr  = LINKED,
                                  .p_filesz = CODE_SIZE,
                                  .p_memsz  = IMAGE_SIZE};
    sections_64    = (Elf64_Shdr *)(file + 0x200);
    sections_64[1] = (Elf64_Shdr){
        .sh_type = SHT_PROGBITS, .sh_addr = 0xFFFFFFFF80000000, .sh_size = CODE_SIZE};
    sections_64[2] = (Elf64_Shdr){.sh_type   = SHT_SYMTAB,
                                  .sh_offset = 0x800,
                                  .sh_size   = sizeof(Elf64_Sym),
                                  .sh_link   = 3};
    sections_64[3] =
        (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = 0x900, .sh_size = 5};
    memset(file + 0x800, 0x5A, sizeof(Elf64_Sym));
    memcpy(file + 0x900, "name", 5);
}

static void assert_symbols(void)
{
    struct multiboot2_symbols symbols;

    assert_int_equal(information.elf_section_count, 4);
    assert_int_equal(information_u32(find_tag(9) + 16), 3); /* the names' section */
    assert_int_equal(multiboot2_find_symbols(&information, &symbols), STATUS_OK);
    assert_int_equal(symbols.symbols_size, sizeof(Elf64_Sym));
    assert_int_equal(guest_u32(symbols.symbols), 0x5A5A5A5A);
    assert_int_equal(symbols.names_size, 5);
    assert_int_equal(guest_u32(symbols.names), 0x656D616E); /* "name" */
}

static void test_elf_64(void **state)
{
    (void)state;
    make_elf_64();
    assert_loaded();
    assert_nothing_logged();
    assert_int_equal(start_state.rip, LINKED + 0x200);
    assert_int_equal(guest_u32(LINKED), 0xE85250D6);
    assert_symbols();
    /* An entry tag overrides the file's. */
    add_tag(3, 0, 1, LINKED + 0x300);
    assert_loaded();
    assert_int_equal(start_state.rip, LINKED + 0x300);
    /* Without usable section headers there are no symbols. */
    ((Elf64_Ehdr *)file)->e_shnum = 0xFFFF;
    assert_loaded();
    assert_int_equal(information.elf_section_count, 0);
    /* A table outside the file is not added. */
    make_elf_64();
    sections_64[2].sh_size = UINT64_MAX;
    assert_loaded();
    assert_int_equal(guest_u32(start_state.rbx + find_tag(9) + 20 + 2 * 64 + 16), 0);
}

static void test_elf_32(void **state)
{
    (void)state;
    Elf32_Ehdr *elf         = (Elf32_Ehdr *)file;
    Elf32_Phdr *segment     = (Elf32_Phdr *)(file + sizeof(*elf));
    Elf32_Shdr *sections_32 = (Elf32_Shdr *)(file + 0x200);

    start_header(0x1000);
    memset(file, 0, 0x1000);
    *elf     = (Elf32_Ehdr){.e_ident     = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
                            .e_machine   = EM_386,
                            .e_entry     = 0xC0000100,
                            .e_phoff     = sizeof(*elf),
                            .e_phentsize = sizeof(Elf32_Phdr),
                            .e_phnum     = 1,
                            .e_shoff     = 0x200,
                            .e_shentsize = sizeof(Elf32_Shdr),
                            .e_shnum     = 2};
    *segment = (Elf32_Phdr){.p_type   = PT_LOAD,
                            .p_offset = 0x1000,
                            .p_vaddr  = 0xC0000000,
                            .p_paddr  = LINKED,
                            .p_filesz = CODE_SIZE,
                            .p_memsz  = IMAGE_SIZE};
    sections_32[1] =
        (Elf32_Shdr){.sh_type = SHT_STRTAB, .sh_offset = 0x900, .sh_size = 5};
    memcpy(file + 0x900, "name", 5);
    assert_loaded();
    assert_int_equal(start_state.rip, LINKED + 0x100);
    size_t sections = find_tag(9);
    assert_int_equal(information_u32(sections + 8), 2);
    assert_int_equal(information_u32(sections + 12), sizeof(Elf32_Shdr));
    assert_int_equal(guest_u32(information_u32(sections + 20 + 40 + 12)), 0x656D616E);
}

/* ---- Relocation */

static void make_relocatable(uint32_t lowest, uint32_t highest, uint32_t alignment,
                             uint32_t preference)
{
    make_flat();
    add_tag(10, 0, 4, lowest, highest, alignment, preference);
}

static void test_relocation(void **state)
{
    (void)state;
    static const struct {
        uint32_t lowest, highest, alignment, preference, address;
    } cases[] = {
        {0, UINT32_MAX, PAGE_SIZE, 0, LINKED},
        {0, UINT32_MAX, PAGE_SIZE, 1, MIB},
        {0, UINT32_MAX, 0, 2, GUEST_SIZE - IMAGE_SIZE},
        {0, UINT32_MAX, 2 * MIB, 2, 2 * MIB},
        {0, UINT32_MAX, 2 * MIB, 0, 2 * MIB}, /* LINKED is not aligned */
        {0, UINT32_MAX, 2 * MIB, 1, 2 * MIB},
        {0x200001, UINT32_MAX, PAGE_SIZE, 0, 0x201000},
        {0x200000, 0x202FFF, PAGE_SIZE, 2, 0x201000},
        {0x200000, 0x201FFF, PAGE_SIZE, 2, 0x200000},
        {0, UINT32_MAX, PAGE_SIZE, 99, LINKED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make_relocatable(cases[i].lowest, cases[i].highest, cases[i].alignment,
                         cases[i].preference);
        assert_loaded();
        assert_int_equal(start_state.rip, cases[i].address + 0x200);
        assert_int_equal(guest_u32(cases[i].address + HEADER_AT), 0xE85250D6);
        assert_int_equal(information_u32(find_tag(21) + 8), cases[i].address);
        bool is_above = start_state.rbx >= cases[i].address + IMAGE_SIZE;
        bool is_below = start_state.rbx + PAGE_SIZE <= cases[i].address;
        assert_true(is_above || is_below);
        assert_true(guest_memory_clear(&test_vm.memory, gpa(0), GUEST_SIZE));
    }
    make_relocatable(0x200000, 0x201FFE, PAGE_SIZE, 0);
    refused("no room for the kernel of 8192 bytes, aligned to 0x1000, from 0x200000 to "
            "0x201fff; increase memory=");
    make_relocatable(4 * MIB, UINT32_MAX, PAGE_SIZE, 2);
    refused("no room for the kernel of 8192 bytes");
    make_relocatable(0, UINT32_MAX, BIT(31), 0);
    refused("no room for the kernel of 8192 bytes");
    make_relocatable(0, UINT32_MAX, 0x3000, 0);
    refused("alignment 0x3000 is not a power of two");
}

static void test_elf_relocation(void **state)
{
    (void)state;
    make_elf_64();
    add_tag(10, 0, 4, 0x200000U, UINT32_MAX, 0x1000U, 1U);
    assert_loaded();
    assert_int_equal(start_state.rip, 0x200200);
    assert_int_equal(guest_u32(0x200000), 0xE85250D6);
    assert_int_equal(guest_u32(LINKED), 0);
    assert_int_equal(information_u32(find_tag(21) + 8), 0x200000);
    assert_symbols();
    segment_64[0].p_memsz = UINT64_MAX;
    refused("no room for the kernel of");
    segment_64[0].p_memsz = 0;
    refused("neither an ELF file with segments nor load addresses");
}

/* ---- Other tags, and errors */

static void test_tags(void **state)
{
    (void)state;
    make_flat();
    add_tag(1, 0, 8, 1U, 2U, 3U, 4U, 6U, 8U, 9U, 15U);
    add_tag(1, TAG_OPTIONAL, 2, 13U, 1000U);
    add_tag(4, TAG_OPTIONAL, 1, 1U);
    add_tag(4, 0, 1, 2U);
    add_tag(5, 0, 3, 0U, 0U, 0U);
    add_tag(6, 0, 0);
    add_tag(7, 0, 0);
    add_tag(8, 0, 1, 0U);
    add_tag(9, 0, 1, 0U);
    add_tag(200, TAG_OPTIONAL, 0);
    assert_loaded();

    make_flat();
    add_tag(1, 0, 2, 1U, 13U);
    refused(
        "the Multiboot2 header requires boot information of type 13, which Hymir does "
        "not provide");
    make_flat();
    add_tag(1, 0, 1, UINT32_MAX);
    refused("boot information of type 4294967295");
    make_flat();
    add_tag(4, 0, 1, 3U);
    refused("the Multiboot2 header requires a screen; guests have a serial port only");
    make_flat();
    add_tag(200, 0, 0);
    refused("Multiboot2 header: unsupported tag type 200 required");
}

static void test_refusals(void **state)
{
    (void)state;
    start_header(HEADER_AT);
    refused(
        "neither an ELF file with segments nor load addresses in its Multiboot2 header");
    add_tag(2, 0, 4, LINKED + HEADER_AT, LINKED, 0U, 0U);
    refused("load addresses, but no entry address");
    make_flat();
    put_word(HEADER_AT + 20, 20);
    refused("Multiboot2 header: tag type 2: invalid size 20");
    make_flat();
    put_word(HEADER_AT + 20, 7);
    refused("tag type 2: invalid size 7");
    make_flat();
    put_word(HEADER_AT + 20, 0xFFFFFFF9);
    refused("tag type 2: invalid size 4294967289");
    make_flat();
    put_word(header_end, 200 | TAG_OPTIONAL << 16); /* instead of the end tag */
    refused("Multiboot2 header: no end tag in its 64 bytes");
    make_flat();
    put_word(HEADER_AT + 8, 0x7FFFFFFF);
    put_word(HEADER_AT + 12, -(0xE85250D6 + 0x7FFFFFFF));
    refused("Multiboot2 header: 2147483647 bytes at 0x40 are not within the file");
    make_flat();
    put_word(HEADER_AT + 28, LINKED + 0x41);
    refused("load range starts before the file");
    make_flat();
    put_word(HEADER_AT + 32, LINKED + 0x1001);
    refused("is larger than the file");
    make_flat();
    put_word(HEADER_AT + 24, HEADER_AT - 1);
    put_word(HEADER_AT + 28, UINT32_MAX);
    refused("address 0x3f is less than its offset in the file, 0x40");
    make_flat();
    put_word(HEADER_AT + 36, GUEST_SIZE + 1);
    refused("the kernel ends at 0x400001, beyond the guest's 4 MiB");
    make_flat();
    put_word(HEADER_AT + 48, GUEST_SIZE);
    refused("entry point 0x400000 is beyond the guest's 4 MiB");
}

/* The header, of 64 bytes, is within the first 32 KiB, and aligned to 8. */
static void make_header_at(size_t at)
{
    start_header(at);
    add_tag(2, 0, 4, LINKED + (uint32_t)at, LINKED, 0U, 0U);
    add_tag(3, 0, 1, LINKED);
    file_size = sizeof(file);
}

static void test_place_of_header(void **state)
{
    (void)state;
    make_header_at(0x8000 - 64);
    assert_loaded();
    make_header_at(0x8000 - 56);
    refused("Multiboot2 header: 64 bytes at 0x7fc8 are not within the file and its first "
            "32 KiB");
    make_header_at(0x8000 - 8);
    refused("unknown image format");
    make_header_at(HEADER_AT + 4);
    refused("unknown image format");
}

/* Truncated at every byte, and with every byte of the headers modified. */
static void test_broken(void **state)
{
    (void)state;
    for (size_t size = 0; size < 0x120; size++) {
        make_relocatable(0, UINT32_MAX, PAGE_SIZE, 2);
        file_size = size;
        (void)file_load();
    }
    for (size_t at = HEADER_AT; at < HEADER_AT + 0x70; at++) {
        for (int value = 0; value < 256; value += 3) {
            make_relocatable(0, UINT32_MAX, PAGE_SIZE, 2);
            file[at] = (uint8_t)value;
            (void)file_load();
        }
    }
    for (size_t at = 0; at < 0x300; at = at == 0x80 ? 0x200 : at + 1) {
        for (int value = 0; value < 256; value += 15) {
            make_elf_64();
            add_tag(10, 0, 4, 0x200000U, UINT32_MAX, 0x1000U, 1U);
            file[at] = (uint8_t)value;
            (void)file_load();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_flat),       TEST(test_low),
        TEST(test_elf_64),     TEST(test_elf_32),
        TEST(test_relocation), TEST(test_elf_relocation),
        TEST(test_tags),       TEST(test_refusals),
        TEST(test_broken),     TEST(test_place_of_header),
    };
    return cmocka_run_group_tests_name("image_multiboot2", tests, NULL, NULL);
}
