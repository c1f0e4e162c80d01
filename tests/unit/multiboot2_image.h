/*
 * Multiboot2 kernels for the tests of src/guest/load/multiboot2.c and
 * multiboot2_header.c, and what a guest gets, which Hymir's own parser of what GRUB
 * passes to it reads.
 */
#ifndef HYMIR_TESTS_MULTIBOOT2_IMAGE_H
#define HYMIR_TESTS_MULTIBOOT2_IMAGE_H

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

static inline int file_start(void **state)
{
    parts = (struct image_parts){.command_line = "quiet"};
    return start_guest(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, file_start, end_guest)

/* ---- A kernel with a header */

static inline void put_word(size_t at, uint32_t word)
{
    memcpy(file + at, &word, sizeof(word));
}

/* Ends the header with an end tag and completes its fixed part. */
static inline void end_header(void)
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
static inline void add_tag(uint16_t type, uint16_t flags, size_t count, ...)
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

static inline void start_header(size_t at)
{
    memset(file, 0x90, sizeof(file));
    header_at  = at;
    header_end = at + 16;
    file_size  = at + CODE_SIZE;
    end_header();
}

/* A flat kernel of CODE_SIZE bytes and as many of BSS. */
static inline void make_flat(void)
{
    start_header(HEADER_AT);
    file_size = CODE_SIZE;
    add_tag(2, 0, 4, LINKED + HEADER_AT, LINKED, 0U, LINKED + IMAGE_SIZE);
    add_tag(3, 0, 1, LINKED + 0x200);
}

static inline bool file_load(void)
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

static inline void refused(const char *words)
{
    assert_false(file_load());
    if (strstr(problem_text, words) == NULL)
        fail_msg("\"%s\" has no \"%s\"", problem_text, words);
}

/* ---- What the guest gets */

static uint64_t information_bytes[0x1000];
static struct multiboot2_information information;

static inline uint32_t guest_u32(uint64_t address)
{
    uint32_t value;
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), &value, 4));
    return value;
}

static inline void assert_loaded(void)
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
static inline size_t find_tag(uint32_t type)
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

static inline uint32_t information_u32(size_t at)
{
    return ((const uint32_t *)information_bytes)[at / 4];
}

/* ---- An ELF file, and a relocatable kernel */

static Elf64_Phdr *segment_64;
static Elf64_Shdr *sections_64;

/* A 64-bit ELF file, linked high, with the header in its code, and a symbol table. */
static inline void make_elf_64(void)
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

static inline void make_relocatable(uint32_t lowest, uint32_t highest, uint32_t alignment,
                                    uint32_t preference)
{
    make_flat();
    add_tag(10, 0, 4, lowest, highest, alignment, preference);
}

#endif
