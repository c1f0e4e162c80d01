/*
 * src/guest/load/image.c, elf.c, pvh.c and multiboot1.c, on valid and malformed kernels.
 */
#include "guest.h"

#include "guest/load/elf.h"
#include "lib/bits.h"
#include "random.h"

#include <elf.h>

static uint8_t file[0x4000];
static size_t file_size;
static char problem_text[512];
static struct vcpu_start start_state;
static const char *kind;
static struct image_parts parts;

static int file_start(void **state)
{
    memset(file, 0, sizeof(file));
    file_size = 0;
    parts     = (struct image_parts){.command_line = "quiet"};
    return start_guest(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, file_start, end_guest)

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

static uint32_t guest_u32(uint64_t address)
{
    uint32_t value;
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), &value, 4));
    return value;
}

static void assert_guest_text(uint64_t address, const char *text)
{
    char read[64] = "";
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), read, strlen(text) + 1));
    assert_string_equal(read, text);
}

/* ---- A 64-bit ELF file with PVH's note, as ld makes one */

static Elf64_Ehdr *header;
static Elf64_Phdr *segments;

static void make_pvh(void)
{
    header   = (Elf64_Ehdr *)file;
    *header  = (Elf64_Ehdr){.e_ident   = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                            .e_type    = ET_EXEC,
                            .e_machine = EM_X86_64,
                            .e_version = 1,
                            .e_entry   = 0xFFFFFFFF81000000,
                            .e_phoff   = sizeof(*header),
                            .e_ehsize  = sizeof(*header),
                            .e_phentsize = sizeof(*segments),
                            .e_phnum     = 2};
    segments = (Elf64_Phdr *)(file + sizeof(*header));
    segments[0] = (Elf64_Phdr){.p_type   = PT_LOAD,
                               .p_offset = 0x1000,
                               .p_vaddr  = 0xFFFFFFFF81000000,
                               .p_paddr  = 0x100000,
                               .p_filesz = 0x800,
                               .p_memsz  = 0x3000};
    segments[1] = (Elf64_Phdr){
        .p_type = PT_NOTE, .p_offset = 0x1800, .p_filesz = 16 + 4 + 20, .p_memsz = 40};
    static const uint32_t notes[] = {4, 4, 1,  0x00554E47, 99,        /* "GNU" */
                                     4, 4, 18, 0x006E6558, 0x100040}; /* "Xen" */
    memcpy(file + 0x1800, notes, sizeof(notes));
    memset(file + 0x1000, 0xCC, 0x800);
    file_size = 0x2000;
}

static void test_pvh(void **state)
{
    (void)state;
    make_pvh();
    static const uint8_t initrd[5000] = {1, 2, 3};
    set_initrd(&parts, initrd, sizeof(initrd));
    assert_true(file_load());
    assert_string_equal(kind, "PVH");
    assert_int_equal(start_state.rip, 0x100040);
    assert_int_equal(start_state.cr0, 0x11);
    assert_int_equal(start_state.code.access_rights, 0xC09B);
    assert_int_equal(guest_u32(0x100000), 0xCCCCCCCC);
    assert_int_equal(guest_u32(0x1007FC), 0xCCCCCCCC);
    assert_int_equal(guest_u32(0x100800), 0);
    uint64_t info = start_state.rbx;
    assert_int_equal(guest_u32(info), 0x336EC578);
    assert_int_equal(guest_u32(info + 4), 1);
    assert_int_equal(guest_u32(info + 12), 1); /* modules */
    uint64_t module = guest_u32(info + 16);
    assert_int_equal(guest_u32(guest_u32((uint32_t)module)) & 0xFFFFFF, 0x030201);
    assert_int_equal(guest_u32(module + 8), 5000);
    assert_guest_text(guest_u32(info + 24), "quiet");
    assert_int_equal(guest_u32(info + 32), 0xE0000); /* the RSDP */
    uint64_t map = guest_u32(info + 40);
    assert_int_equal(guest_u32(info + 48), 3);
    assert_int_equal(guest_u32(map + 48), 0x100000); /* the last entry: from 1 MiB */
    assert_int_equal(guest_u32(map + 56), GUEST_SIZE - 0x100000);
    assert_int_equal(guest_u32(map + 64), 1);
}

static void test_pvh_without_initrd(void **state)
{
    (void)state;
    make_pvh();
    assert_true(file_load());
    assert_int_equal(guest_u32(start_state.rbx + 12), 0);
}

static void test_pvh_refusals(void **state)
{
    (void)state;
    make_pvh();
    segments[0].p_paddr = GUEST_SIZE - 0x2FFF;
    refused("segment 1 of 2 ends at 0x400001, beyond the guest's 4 MiB");
    make_pvh();
    segments[0].p_paddr = UINT64_MAX - 1;
    refused("beyond the guest's 4 MiB");
    make_pvh();
    segments[0].p_memsz = UINT64_MAX;
    refused("beyond the guest's 4 MiB");
    make_pvh();
    segments[0].p_offset = 0x1801;
    refused("segment 1 of 2 extends beyond the end of the file");
    make_pvh();
    segments[0].p_offset = UINT64_MAX - 0x400;
    refused("segment 1 of 2 extends beyond the end of the file");
    make_pvh();
    segments[0].p_filesz = 0x3001;
    segments[0].p_offset = 0;
    file_size            = 0x3800;
    refused("segment 1 of 2 is larger in the file than in memory");
    make_pvh();
    static uint8_t huge[GUEST_SIZE];
    set_initrd(&parts, huge, GUEST_SIZE - 0x102000);
    refused("no room for the initrd of");
    parts.module[0].bytes.size =
        GUEST_SIZE - 0x103000; /* fits, but nothing after it does */
    refused("no room for the command line");
    parts.module[0].bytes.size -= 0x1000;
    refused("no room for the start info");
    parts.module[0].bytes.size -= 0x1000;
    assert_true(file_load());
    parts.module[0].bytes.size = SIZE_MAX;
    refused("no room for the initrd");
}

/* Truncated at every byte, and with every byte of header and notes modified. */
static void test_pvh_broken(void **state)
{
    (void)state;
    make_pvh();
    for (size_t size = 0; size < 0x1900;
         size += size < 0x100 || size >= 0x17F0 ? 1 : 61) {
        make_pvh();
        file_size = size;
        (void)file_load();
    }
    for (size_t at = 0; at < 0x1830; at = at == 0xC0 ? 0x1800 : at + 1) {
        for (int value = 0; value < 256; value += 5) {
            make_pvh();
            file[at] = (uint8_t)value;
            (void)file_load();
        }
    }
    /* Notes whose sizes wrap around. */
    static const uint32_t sizes[] = {0xFFFFFFFC, 0xFFFFFFFF, 0x80000000, 5};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        make_pvh();
        memcpy(file + 0x1800, &sizes[i], 4);
        (void)file_load();
        make_pvh();
        memcpy(file + 0x1804, &sizes[i], 4);
        (void)file_load();
    }
}

static void test_elf_32(void **state)
{
    (void)state;
    Elf32_Ehdr *elf = (Elf32_Ehdr *)file;
    *elf = (Elf32_Ehdr){.e_ident     = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
                        .e_machine   = EM_386,
                        .e_phoff     = 64,
                        .e_phentsize = sizeof(Elf32_Phdr),
                        .e_phnum     = 2};
    Elf32_Phdr *load_segment = (Elf32_Phdr *)(file + 64);
    load_segment[0]          = (Elf32_Phdr){.p_type   = PT_LOAD,
                                            .p_offset = 0x200,
                                            .p_paddr  = 0x200000,
                                            .p_filesz = 16,
                                            .p_memsz  = 16};
    load_segment[1] = (Elf32_Phdr){.p_type = PT_NOTE, .p_offset = 0x180, .p_filesz = 24};
    static const uint32_t note[] = {4, 8, 18, 0x006E6558, 0x200004, 0};
    memcpy(file + 0x180, note, sizeof(note));
    file[0x200] = 0x77;
    file_size   = 0x210;
    assert_true(file_load());
    assert_int_equal(start_state.rip, 0x200004);
    assert_int_equal(guest_u32(0x200000), 0x77);
}

/* ---- Multiboot 1 */

static uint32_t *multiboot;

static void make_multiboot(uint32_t flags)
{
    memset(file, 0x90, sizeof(file));
    multiboot    = (uint32_t *)(file + 0x40);
    multiboot[0] = 0x1BADB002;
    multiboot[1] = flags;
    multiboot[2] = 0 - (0x1BADB002 + flags);
    multiboot[3] = 0x100040; /* header */
    multiboot[4] = 0x100000; /* load */
    multiboot[5] = 0x101000; /* load end */
    multiboot[6] = 0x102000; /* bss end */
    multiboot[7] = 0x100060; /* entry */
    file_size    = 0x1000;
}

static void test_multiboot(void **state)
{
    (void)state;
    make_multiboot(0x10003);
    static const uint8_t initrd[] = "initrd";
    set_initrd(&parts, initrd, sizeof(initrd));
    assert_true(file_load());
    assert_string_equal(kind, "Multiboot");
    assert_int_equal(start_state.rip, 0x100060);
    assert_int_equal(start_state.rax, 0x2BADB002);
    assert_int_equal(guest_u32(0x100040), 0x1BADB002);
    uint64_t info = start_state.rbx;
    assert_int_equal(guest_u32(info), 0x24D);
    assert_int_equal(guest_u32(info + 4), 639);
    assert_int_equal(guest_u32(info + 8), (GUEST_SIZE >> 10) - 1024);
    assert_guest_text(guest_u32(info + 16), "quiet");
    assert_int_equal(guest_u32(info + 20), 1);
    uint64_t module = guest_u32(info + 24);
    assert_guest_text(guest_u32(module), "initrd");
    assert_int_equal(guest_u32(module + 4) - guest_u32(module), sizeof(initrd));
    assert_guest_text(guest_u32(module + 8), "");
    assert_int_equal(guest_u32(info + 44), 72);
    assert_int_equal(guest_u32(guest_u32(info + 48)), 20);
    assert_guest_text(guest_u32(info + 64), "Hymir");
}

/* load_end 0 means the whole file. */
static void test_multiboot_whole_file(void **state)
{
    (void)state;
    make_multiboot(0x10000);
    multiboot[5] = 0;
    multiboot[6] = 0;
    file_size    = 0xFFF;
    assert_true(file_load());
    assert_int_equal(guest_u32(0x100FFC) & 0xFFFFFF, 0x909090);
}

/* A kernel in low memory: nothing else is placed below 1 MiB. */
static void test_multiboot_low(void **state)
{
    (void)state;
    make_multiboot(0x10003);
    for (size_t i = 3; i <= 7; i++)
        multiboot[i] -= 0x100000 - 0x8000;
    size_t size     = GUEST_SIZE - 0x100000 - 0x2000; /* command line, information */
    uint8_t *initrd = calloc(1, size + 1);
    set_initrd(&parts, initrd, size);
    assert_true(file_load());
    assert_int_equal(guest_u32(0x8040), 0x1BADB002);
    assert_int_equal(start_state.rbx, 0x100000);
    parts.module[0].bytes.size++;
    refused("no room for the boot information");
    free(initrd);
}

static void test_multiboot_refusals(void **state)
{
    (void)state;
    make_multiboot(0x10008);
    refused("unsupported flags required: 0x10008");
    make_multiboot(0x10000);
    multiboot[4] = 0x100041;
    refused("load range starts before the file");
    make_multiboot(0x10000);
    multiboot[4] = 0xFF000; /* 0x1040 before the header, which is at 0x40 */
    refused("load range starts before the file");
    make_multiboot(0x10000);
    multiboot[5] = 0x101001;
    refused("is larger than the file");
    make_multiboot(0x10000);
    multiboot[5] = 0xFFFFF;
    refused("is larger than the file");
    make_multiboot(0x10000);
    multiboot[6] = GUEST_SIZE + 1;
    refused("the kernel ends at 0x400001, beyond the guest's 4 MiB");
    make_multiboot(0x10000);
    multiboot[7] = GUEST_SIZE;
    refused("entry point 0x400000 is beyond the guest's 4 MiB");
    make_multiboot(0);
    refused("neither an ELF file nor load addresses");
    make_multiboot(0x10000);
    multiboot[2]++;
    refused("use Linux (bzImage), PVH (ELF with note 18), Multiboot 1 or 2");
}

static void test_multiboot_broken(void **state)
{
    (void)state;
    for (size_t size = 0; size < 0x80; size++) {
        make_multiboot(0x10003);
        file_size = size;
        (void)file_load();
    }
    for (int round = 0; round < 20000; round++) {
        make_multiboot(0x10000);
        for (int i = 3; i < 8; i++) {
            if (random_below(2) == 0)
                multiboot[i] = (uint32_t)random_number();
        }
        (void)file_load();
    }
}

/* A Multiboot header in an ELF file: the entry is virtual, the memory physical. */
static void test_multiboot_elf(void **state)
{
    (void)state;
    make_pvh();
    memset(file + 0x1800, 0, 64); /* no note */
    multiboot    = (uint32_t *)(file + 0x1000);
    multiboot[0] = 0x1BADB002;
    multiboot[1] = 0;
    multiboot[2] = 0 - 0x1BADB002;
    header->e_entry += 0x20;
    assert_true(file_load());
    assert_string_equal(kind, "Multiboot");
    assert_int_equal(start_state.rip, 0x100020);
}

static void test_neither(void **state)
{
    (void)state;
    file_size = 0;
    refused("unknown image format, 0 bytes; use");
    memset(file, 'x', sizeof(file));
    file_size = sizeof(file);
    refused("unknown image format, 16384 bytes; use Linux");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pvh),
        TEST(test_pvh_without_initrd),
        TEST(test_pvh_refusals),
        TEST(test_pvh_broken),
        TEST(test_elf_32),
        TEST(test_multiboot),
        TEST(test_multiboot_whole_file),
        TEST(test_multiboot_low),
        TEST(test_multiboot_refusals),
        TEST(test_multiboot_broken),
        TEST(test_multiboot_elf),
        TEST(test_neither),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
