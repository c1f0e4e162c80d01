/*
 * A bzImage for the tests of src/guest/load/linux.c, and the guest after loading it, with
 * the structures of Linux's own <asm/bootparam.h>.
 */
#ifndef HYMIR_TESTS_LINUX_IMAGE_H
#define HYMIR_TESTS_LINUX_IMAGE_H

#include "guest.h"

#include "guest/load/image.h"
#include "lib/bits.h"

#include <asm/bootparam.h>

#define MIB           UINT64_C(0x100000)
#define HEADER_AT     offsetof(struct boot_params, hdr)
#define SECTOR        512U
#define CODE_SIZE     0x1230U
#define TABLES_SIZE   (6 * PAGE_SIZE)
#define VERSION_SIZES 0x20A /* has pref_address and init_size */
#define VERSION_64    0x20C /* has xloadflags */

static uint8_t file[256 * SECTOR + CODE_SIZE];
static size_t file_size;
static struct setup_header *const header = (struct setup_header *)(file + HEADER_AT);
static struct image_parts parts;
static struct vcpu_start start_state;
static char problem_text[512];
static const char *kind;
static struct boot_params zero_page; /* as file_load() left it in the guest */

/* Returns the file offset of the end of a version's header: boot.rst, "Protocol". */
static inline uint32_t header_end(uint16_t version)
{
    static const struct {
        uint16_t version;
        uint32_t end;
    } ends[] = {{0x20F, 0x26C}, {0x20B, 0x268}, {0x20A, 0x264}, {0x209, 0x258},
                {0x208, 0x250}, {0x207, 0x248}, {0, 0x23C}};
    size_t i = 0;
    while (version < ends[i].version)
        i++;
    return ends[i].end;
}

/* Returns the file offset of the 32-bit code. */
static inline size_t code_offset(void)
{
    return (header->setup_sects == 0 ? 5U : header->setup_sects + 1U) * SECTOR;
}

static inline uint8_t code_byte(size_t at)
{
    return (uint8_t)(at * 7 % 251 + 1);
}

/* Places the code after that many sectors. */
static inline void put_code(uint8_t sectors)
{
    header->setup_sects = sectors;
    for (size_t i = 0; i < CODE_SIZE; i++)
        file[code_offset() + i] = code_byte(i);
    file_size = code_offset() + CODE_SIZE;
}

/*
 * Makes a valid image; everything but header and code is 0xA5, including the bytes of
 * later headers.
 */
static inline void make_linux(uint16_t version)
{
    uint32_t end = header_end(version);

    memset(file, 0xA5, sizeof(file));
    *header = (struct setup_header){
        .root_flags       = 1,
        .syssize          = CODE_SIZE / 16,
        .vid_mode         = 0xFFFF,
        .root_dev         = 0x801,
        .boot_flag        = 0xAA55,
        .jump             = (uint16_t)(0xEB | (end - 0x202) << 8),
        .header           = 0x53726448,
        .version          = version,
        .start_sys_seg    = 0x1000,
        .kernel_version   = 0x42C0,
        .loadflags        = LOADED_HIGH,
        .setup_move_size  = 0x8000,
        .code32_start     = 0x100000,
        .heap_end_ptr     = 0x5BE0,
        .initrd_addr_max  = 0x37FFFFFF,
        .kernel_alignment = 0x200000,
        .cmdline_size     = 255,
        .payload_offset   = 0x2CC,
        .payload_length   = 0xF00,
        .pref_address     = 2 * MIB,
        .init_size        = 0x8000,
        .handover_offset  = 0x190,
    };
    if (version >= VERSION_SIZES)
        header->min_alignment = 21;
    memset(file + end, 0xA5, HEADER_AT + sizeof(*header) - end);
    put_code(3);
}

static inline int start_linux(void **state)
{
    parts = (struct image_parts){.command_line = "quiet"};
    return start_guest(state);
}

#define LINUX_TEST(name) cmocka_unit_test_setup_teardown(name, start_linux, end_guest)

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
    free(copy);
    assert_int_equal(is_loaded, problem_text[0] == '\0');
    assert_null(strchr(problem_text, '\n'));
    assert_true(strlen(problem_text) < sizeof(problem_text) - 1);
    if (is_loaded && strcmp(kind, "Linux") == 0)
        assert_true(guest_memory_read(&test_vm.memory, gpa(start_state.rsi), &zero_page,
                                      sizeof(zero_page)));
    return is_loaded;
}

static inline void assert_loaded(void)
{
    if (!file_load())
        fail_msg("refused: %s", problem_text);
    assert_string_equal(kind, "Linux");
}

static inline void refused(const char *words)
{
    assert_false(file_load());
    if (strstr(problem_text, words) == NULL)
        fail_msg("\"%s\" has no \"%s\"", problem_text, words);
}

static inline void assert_guest_zero(uint64_t address, uint64_t size)
{
    static const uint8_t zeros[PAGE_SIZE];
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        uint64_t rest = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;
        uint8_t bytes[PAGE_SIZE];
        assert_true(guest_memory_read(&test_vm.memory, gpa(address + done), bytes, rest));
        assert_memory_equal(bytes, zeros, rest);
    }
}

/* Asserts that the image is rejected before anything is written. */
static inline void refused_untouched(const char *words)
{
    refused(words);
    assert_guest_zero(0, test_vm.memory.size);
}

static inline bool starts_in_64_bits(void)
{
    return start_state.efer != 0;
}

/*
 * Asserts that all parts are between 1 MiB and the end of RAM, each on pages of its own,
 * and that the kernel has the space that it requires.
 */
static inline void assert_parts_apart(void)
{
    const struct setup_header *loaded = &zero_page.hdr;
    uint64_t kernel_size              = file_size - code_offset();
    if (loaded->version >= VERSION_SIZES && loaded->init_size > kernel_size)
        kernel_size = loaded->init_size;
    const struct {
        uint64_t start, size;
    } part[] = {{loaded->code32_start, kernel_size},
                {loaded->ramdisk_image, loaded->ramdisk_size},
                {loaded->cmd_line_ptr, strlen(parts.command_line) + 1},
                {start_state.rsi, sizeof(zero_page)},
                {start_state.gdt.base, start_state.gdt.limit + 1},
                {start_state.cr3, starts_in_64_bits() ? TABLES_SIZE : 0}};

    for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
        if (part[i].size == 0) {
            assert_int_equal(part[i].start, 0);
            continue;
        }
        assert_true(i == 0 || is_aligned(part[i].start, PAGE_SIZE));
        assert_true(part[i].start >= MIB && part[i].start <= test_vm.memory.size);
        assert_true(part[i].size <= test_vm.memory.size - part[i].start);
        for (size_t j = 0; j < i; j++)
            assert_true(part[i].start + part[i].size <= part[j].start ||
                        part[j].start + part[j].size <= part[i].start);
    }
}

#endif
