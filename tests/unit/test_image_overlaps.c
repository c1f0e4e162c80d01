/*
 * ELF kernels whose segments overlap, so that each byte of a large file would be read or
 * written many times: src/guest/load/elf.c and pvh.c.
 */
#include "guest.h"

#include "lib/bits.h"
#include "random.h"

#include <elf.h>

#define NOTES_START 0x1800
#define NOTES       100

static uint8_t file[0x2000];
static Elf64_Ehdr *const header   = (Elf64_Ehdr *)file;
static Elf64_Phdr *const segments = (Elf64_Phdr *)(file + sizeof(*header));

static int file_start(void **state)
{
    memset(file, 0, sizeof(file)); /* also empty notes */
    *header = (Elf64_Ehdr){.e_ident   = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                           .e_machine = EM_X86_64,
                           .e_phoff   = sizeof(*header),
                           .e_phentsize = sizeof(*segments)};
    return start_guest(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, file_start, end_guest)

static void add_segment(uint32_t type, uint64_t address, uint64_t size)
{
    segments[header->e_phnum++] = (Elf64_Phdr){.p_type   = type,
                                               .p_offset = NOTES_START,
                                               .p_paddr  = address,
                                               .p_filesz = type == PT_NOTE ? size : 0,
                                               .p_memsz  = size};
}

/* Loads the file; asserts the reason for a refusal, or "" if it must be loaded. */
static void assert_problem(const char *problem)
{
    struct image_parts parts = {.kernel = {file, sizeof(file)}, .command_line = ""};
    struct vcpu_start start;
    const char *kind;
    TEXT_DECLARE(words, 256);

    bool is_loaded = image_load(&parts, &test_vm.memory, &start, &kind, &words);
    assert_same_when_planned(&parts, is_loaded, words.buffer);
    assert_int_equal(is_loaded, problem[0] == '\0');
    if (strncmp(words.buffer, problem, strlen(problem)) != 0)
        fail_msg("\"%s\" is not \"%s\"", words.buffer, problem);
}

/* Notes are searched if they have no more bytes in all than the file. */
static void test_notes(void **state)
{
    (void)state;
    for (size_t i = 0; i < NOTES; i++)
        add_segment(PT_NOTE, 0, sizeof(file) / NOTES);
    add_segment(PT_NOTE, 0, sizeof(file) % NOTES);
    assert_problem("unknown image format"); /* none is PVH's */
    segments[NOTES].p_filesz++;
    assert_problem("notes overlap: 0x2001 bytes in all, in a file of 0x2000");
    segments[NOTES].p_filesz = sizeof(file); /* is not within the file: not searched */
    assert_problem("unknown image format");
    segments[NOTES].p_filesz = UINT64_MAX;
    assert_problem("unknown image format");
}

/* Segments are loaded if they have no more bytes in all than the guest's RAM. */
static void test_loads(void **state)
{
    (void)state;
    static const uint32_t note[] = {4, 4, 18, 0x006E6558, 0x100000};

    memcpy(file + NOTES_START, note, sizeof(note));
    add_segment(PT_NOTE, 0, sizeof(note));
    add_segment(PT_LOAD, 0x100000, GUEST_SIZE - 0x200000);
    add_segment(PT_LOAD, 0x180000, 0x100000);
    add_segment(PT_LOAD, 0x180000, 0x100000);
    assert_problem("");
    segments[3].p_memsz++;
    assert_problem("segments 1 to 4 of 4 overlap: 0x400001 bytes in all, more than the "
                   "guest's 4 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_notes), TEST(test_loads)};
    return cmocka_run_group_tests_name("image_overlaps", tests, NULL, NULL);
}
