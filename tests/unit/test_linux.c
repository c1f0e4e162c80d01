/*
 * src/guest/load/linux.c on valid images: Linux, Documentation/arch/x86/boot.rst and
 * zero-page.rst. Page tables: test_linux_paging.c; malformed images: test_linux_broken.c.
 */
#include "linux_image.h"

static const uint16_t versions[] = {0x206, 0x208, 0x20A, 0x20C, 0x20F};

static const uint8_t initrd[0x40000] = {1, 2, 3, [4999] = 4};

static void assert_code_at(uint64_t address)
{
    uint8_t bytes[CODE_SIZE];
    assert_int_equal(zero_page.hdr.code32_start, address);
    assert_true(guest_memory_read(&test_vm.memory, gpa(address), bytes, sizeof(bytes)));
    for (size_t i = 0; i < CODE_SIZE; i++)
        assert_int_equal(bytes[i], code_byte(i));
}

/*
 * Asserts a flat segment's descriptor; its access rights are bits 55:40 without the
 * limit's.
 */
static void assert_flat(uint64_t descriptor, uint32_t rights)
{
    assert_int_equal(descriptor & ~UINT64_C(0x00F0FF0000000000), 0x000F00000000FFFF);
    assert_int_equal(BITS_GET(descriptor, 55, 40) & 0xF0FF, rights);
}

static void assert_segments(uint32_t code_rights)
{
    uint64_t gdt[4];
    assert_int_equal(start_state.gdt.limit, sizeof(gdt) - 1);
    assert_true(
        guest_memory_read(&test_vm.memory, gpa(start_state.gdt.base), gdt, sizeof(gdt)));
    assert_int_equal(gdt[0], 0);
    assert_flat(gdt[2], code_rights);
    assert_flat(gdt[3], 0xC093);
    assert_int_equal(start_state.code.selector, 0x10); /* __BOOT_CS */
    assert_int_equal(start_state.code.limit, UINT32_MAX);
    assert_int_equal(start_state.code.access_rights, code_rights);
    assert_int_equal(start_state.data.selector, 0x18); /* __BOOT_DS */
    assert_int_equal(start_state.data.limit, UINT32_MAX);
    assert_int_equal(start_state.data.access_rights, 0xC093);
    assert_int_equal(start_state.rax, 0);
    assert_int_equal(start_state.rbx, 0);
}

/* boot.rst, "32-bit Boot Protocol". */
static void assert_starts_32(uint64_t address)
{
    assert_int_equal(start_state.rip, address);
    assert_int_equal(start_state.cr0, 0x11); /* protected, no paging */
    assert_int_equal(start_state.cr3, 0);
    assert_int_equal(start_state.cr4, 0);
    assert_int_equal(start_state.efer, 0);
    assert_segments(0xC09B); /* D, not L */
}

/* boot.rst, "64-bit Boot Protocol". */
static void assert_starts_64(uint64_t address)
{
    assert_int_equal(start_state.rip, address + 0x200);
    assert_int_equal(start_state.cr0, 0x80000011); /* paging too */
    assert_int_equal(start_state.cr4, 0x20);       /* PAE */
    assert_int_equal(start_state.efer, 0x500);     /* LME, LMA */
    assert_segments(0xA09B);                       /* L, not D */
}

/*
 * Asserts every byte: the header from the file, the fields that a loader must write, the
 * memory map, and zeros.
 */
static void assert_zero_page(uint64_t address)
{
    struct boot_params expected = {0};
    size_t size                 = 0x202U + file[0x201] - HEADER_AT;
    memcpy(&expected.hdr, header,
           size < sizeof(expected.hdr) ? size : sizeof(expected.hdr));
    expected.hdr.type_of_loader = 0xFF; /* a loader without an assigned number */
    expected.hdr.code32_start   = (uint32_t)address;
    expected.hdr.ramdisk_image  = zero_page.hdr.ramdisk_image;
    expected.hdr.ramdisk_size   = (uint32_t)parts.module[0].bytes.size;
    expected.hdr.cmd_line_ptr   = zero_page.hdr.cmd_line_ptr;
    expected.acpi_rsdp_addr     = 0xE0000;
    expected.acpi_rsdp_addr     = 0xE0000;
    expected.e820_entries       = 3;
    expected.e820_table[0]      = (struct boot_e820_entry){0, 0x9FC00, 1};
    expected.e820_table[1]      = (struct boot_e820_entry){0x9FC00, MIB - 0x9FC00, 2};
    expected.e820_table[2] = (struct boot_e820_entry){MIB, test_vm.memory.size - MIB, 1};
    for (size_t i = 0; i < sizeof(expected); i++) {
        uint8_t is = ((uint8_t *)&zero_page)[i], should = ((uint8_t *)&expected)[i];
        if (is != should)
            fail_msg("0x%zx of the zero page is 0x%x, not 0x%x", i, is, should);
    }
}

static void assert_command_line(const char *text)
{
    char read[8192];
    assert_true(strlen(text) < sizeof(read));
    assert_true(guest_memory_read(&test_vm.memory, gpa(zero_page.hdr.cmd_line_ptr), read,
                                  strlen(text) + 1));
    assert_string_equal(read, text);
}

static void assert_initrd(void)
{
    static uint8_t read[sizeof(initrd)];
    assert_int_equal(zero_page.hdr.ramdisk_size, parts.module[0].bytes.size);
    assert_true(guest_memory_read(&test_vm.memory, gpa(zero_page.hdr.ramdisk_image), read,
                                  parts.module[0].bytes.size));
    assert_memory_equal(read, parts.module[0].bytes.bytes, parts.module[0].bytes.size);
}

/* Asserts that the image is loaded at an address, with either entry point. */
static void assert_loaded_at(uint64_t address, bool is_64)
{
    assert_parts_apart();
    assert_code_at(address);
    assert_zero_page(address);
    assert_command_line(parts.command_line);
    assert_guest_zero(0, MIB);
    if (is_64)
        assert_starts_64(address);
    else
        assert_starts_32(address);
}

/* Fields that the version does not have yet are ignored. */
static void test_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        for (int variant = 0; variant < 8; variant++) {
            end_guest(NULL);
            start_linux(NULL);
            make_linux(versions[i]);
            header->relocatable_kernel = variant & 1;
            header->xloadflags = (variant & 2) != 0 ? XLF_KERNEL_64 : XLF_EFI_HANDOVER_32;
            if ((variant & 4) != 0)
                set_initrd(&parts, initrd, 5000);
            assert_loaded();
            assert_loaded_at(versions[i] < VERSION_SIZES ? MIB : 2 * MIB,
                             versions[i] >= VERSION_64 && (variant & 2) != 0);
            assert_initrd();
        }
    }
}

/*
 * pref_address counts "if nonzero" (boot.rst); otherwise the default of bzImages applies.
 */
static void test_no_preferred_address(void **state)
{
    (void)state;
    make_linux(0x20F);
    header->pref_address     = 0;
    header->kernel_alignment = 0x100000;
    assert_loaded();
    assert_loaded_at(MIB, false);
    header->relocatable_kernel = 1;
    header->kernel_alignment   = 0x200000;
    assert_loaded();
    assert_loaded_at(2 * MIB, false);
}

/* A relocatable kernel is moved to the lowest aligned address. */
static void test_relocation(void **state)
{
    (void)state;
    static const uint64_t preferred[] = {
        16 * MIB,          GUEST_SIZE, GUEST_SIZE - 0x1000, GUEST_SIZE - CODE_SIZE + 1,
        UINT64_C(1) << 32, UINT64_MAX, UINT64_MAX - 0x8000};
    static const uint32_t alignments[] = {1, 0x1000, 0x100000, 0x200000};

    for (size_t i = 0; i < ARRAY_SIZE(preferred) * ARRAY_SIZE(alignments); i++) {
        make_linux(i % 2 == 0 ? 0x20A : 0x20B);
        header->pref_address       = preferred[i / ARRAY_SIZE(alignments)];
        header->kernel_alignment   = alignments[i % ARRAY_SIZE(alignments)];
        header->relocatable_kernel = 1;
        assert_loaded();
        assert_parts_apart();
        assert_code_at(header->kernel_alignment == 0x200000 ? 2 * MIB : MIB);
    }
}

/* Impossible: below 1 MiB, and where a relocatable kernel would align itself up. */
static void test_impossible_address(void **state)
{
    (void)state;
    make_linux(0x20B);
    header->pref_address       = 0x10000;
    header->kernel_alignment   = 0x1000;
    header->relocatable_kernel = 1;
    assert_loaded();
    assert_loaded_at(MIB, false);
    header->pref_address     = 2 * MIB + 0x1000;
    header->kernel_alignment = 0x200000;
    assert_loaded();
    assert_loaded_at(2 * MIB, false);
}

/* The kernel needs init_size bytes, or the size of the file if that is larger. */
static void test_init_size(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, CODE_SIZE, CODE_SIZE + 1, 0x100000, 0x1F0000};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        make_linux(0x20F);
        header->xloadflags = XLF_KERNEL_64;
        header->init_size  = sizes[i];
        assert_loaded();
        assert_loaded_at(2 * MIB, true);
    }
    /* One byte more than the largest size that fits is refused, or moves the kernel. */
    uint32_t size = 0x1F0000;
    for (header->init_size = size; file_load(); header->init_size = ++size)
        size += size % PAGE_SIZE == 0 ? 0 : PAGE_SIZE - 1;
    assert_true(size > 0x1F0000 && size < 0x200000 && size % PAGE_SIZE == 1);
    header->init_size = size - 1;
    assert_loaded();
    assert_parts_apart();
    header->version            = 0x20B;
    header->pref_address       = 2 * MIB + 1;
    header->init_size          = 2 * MIB;
    header->relocatable_kernel = 1;
    header->kernel_alignment   = 0x1000;
    assert_loaded();
    assert_parts_apart();
    assert_code_at(MIB);
}

/*
 * As high as initrd_addr_max, the address of the last byte, allows: boot.rst, example 3.
 */
static void test_initrd_address(void **state)
{
    (void)state;
    static const struct {
        uint32_t max, size, address;
    } rows[] = {
        {0x37FFFFFF, 5000, GUEST_SIZE - 0x2000},
        {UINT32_MAX, 1, GUEST_SIZE - 0x1000},
        {0x37FFFF, 131072, 0x360000},
        {GUEST_SIZE - 1, 4096, GUEST_SIZE - 0x1000},
        {GUEST_SIZE - 2, 4096, GUEST_SIZE - 0x2000},
        {0x300000, 4096, 0x2FF000},
        {0x2FFFFF, 4096, 0x2FF000},
        {0x2FFFFE, 4096, 0x2FE000},
        {0x2FFFFF, 4097, 0x2FE000},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        make_linux(i % 2 == 0 ? 0x206 : 0x20F);
        header->initrd_addr_max = rows[i].max;
        set_initrd(&parts, initrd, rows[i].size);
        assert_loaded();
        assert_parts_apart();
        assert_initrd();
        assert_int_equal(zero_page.hdr.ramdisk_image, rows[i].address);
    }
}

/* cmdline_size does not include the final NUL. */
static void test_command_line(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 255, 2047, 4095, 4096, 6000};
    static char text[6002];

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        make_linux(versions[i % ARRAY_SIZE(versions)]);
        header->cmdline_size = sizes[i];
        memset(text, 'x', sizeof(text));
        text[sizes[i]]     = '\0';
        parts.command_line = text;
        assert_loaded();
        assert_parts_apart();
        assert_command_line(text);
        text[sizes[i]]     = 'x';
        text[sizes[i] + 1] = '\0';
        refused("the command line has");
        header->cmdline_size = UINT32_MAX;
        assert_loaded();
        assert_command_line(text);
    }
}

static void test_setup_sectors(void **state)
{
    (void)state;
    static const uint8_t sectors[] = {0, 1, 4, 39, 254, 255};

    for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
        make_linux(0x20F);
        put_code(sectors[i]);
        assert_loaded();
        assert_loaded_at(2 * MIB, false);
    }
}

/* A header longer than any known one: fields after the known ones are ignored. */
static void test_long_header(void **state)
{
    (void)state;
    make_linux(0x20F);
    file[0x201] = 0xFF;
    assert_loaded();
    assert_loaded_at(2 * MIB, false);
}

/* Code, initrd and tables in the last two pieces of the guest's RAM. */
static void test_pieces(void **state)
{
    (void)state;
    make_linux(0x20F);
    header->xloadflags      = XLF_KERNEL_64;
    header->pref_address    = 2 * MIB - 0x800;
    header->init_size       = 0;
    header->initrd_addr_max = GUEST_SIZE - 1;
    assert_loaded();
    assert_loaded_at(2 * MIB - 0x800, true);
    header->pref_address    = MIB;
    header->initrd_addr_max = 2 * MIB + 0x8FFF; /* the tables cross the boundary */
    set_initrd(&parts, initrd, 0x5000);
    assert_loaded();
    assert_loaded_at(MIB, true);
    assert_true(start_state.cr3 < 2 * MIB && start_state.cr3 + TABLES_SIZE > 2 * MIB);
}

/* The minimum memory of a guest. */
static void test_small_guest(void **state)
{
    (void)state;
    void *second               = hpa_pointer(test_vm.memory.piece[1].host);
    test_vm.memory.piece_count = 1;
    test_vm.memory.size        = GUEST_MEMORY_MIN;
    make_linux(0x20B);
    header->pref_address       = 16 * MIB;
    header->relocatable_kernel = 1;
    header->kernel_alignment   = 0x100000;
    assert_loaded();
    assert_loaded_at(MIB, false);
    /* A newer kernel always moves itself up to its preferred address. */
    make_linux(0x20F);
    header->pref_address       = 16 * MIB;
    header->relocatable_kernel = 1;
    header->kernel_alignment   = 0x100000;
    refused("increase memory=");
    free(second);
}

/* Several initrds are one, in which each begins at a multiple of 4 bytes. */
static void test_initrds(void **state)
{
    (void)state;
    static const uint8_t expected[] = {1, 2, 3, 0, 0, 0, 0, 0, 1, 2};
    uint8_t read[sizeof(expected)];

    make_linux(VERSION_64);
    set_initrd(&parts, initrd, 5);
    parts.module[1]    = (struct image_module){{initrd, 2}, ""};
    parts.initrd_count = 2;
    parts.module_count = 2;
    assert_loaded();
    assert_int_equal(zero_page.hdr.ramdisk_size, sizeof(expected));
    assert_true(guest_memory_read(&test_vm.memory, gpa(zero_page.hdr.ramdisk_image), read,
                                  sizeof(read)));
    assert_memory_equal(read, expected, sizeof(expected));
    parts.module[0].string = "words";
    refused("Linux accepts no string of an initrd; remove the words after --");
    parts.module[0].string = "";
    parts.initrd_count     = 1;
    refused("Linux accepts no module; use initrd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINUX_TEST(test_versions),     LINUX_TEST(test_no_preferred_address),
        LINUX_TEST(test_relocation),   LINUX_TEST(test_impossible_address),
        LINUX_TEST(test_init_size),    LINUX_TEST(test_initrd_address),
        LINUX_TEST(test_command_line), LINUX_TEST(test_setup_sectors),
        LINUX_TEST(test_long_header),  LINUX_TEST(test_pieces),
        LINUX_TEST(test_small_guest),  LINUX_TEST(test_initrds),
    };
    return cmocka_run_group_tests_name("linux", tests, NULL, NULL);
}
