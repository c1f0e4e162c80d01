/* src/firmware/multiboot2.c: each tag. */
#include "multiboot2.h"

static void test_empty(void **state)
{
    (void)state;
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_string_equal(information.command_line, "");
    assert_string_equal(information.loader_name, "");
    assert_null(information.memory_map);
    assert_int_equal(information.module_count, 0);
    assert_int_equal(information.rsdp_size, 0);
    assert_false(information.is_efi);
    assert_int_equal(information.framebuffer.type, FRAMEBUFFER_NONE);
    assert_nothing_logged();
}

static void test_strings(void **state)
{
    (void)state;
    put_string_tag(1, "exit=reboot log=debug");
    put_string_tag(2, "GRUB 2.06");
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_string_equal(information.command_line, "exit=reboot log=debug");
    assert_string_equal(information.loader_name, "GRUB 2.06");
}

static void test_unterminated_string(void **state)
{
    (void)state;
    put_tag(1, 4);
    put_bytes("nosm", 4);
    put_string_tag(2, "next");
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_string_equal(information.command_line, "");
    assert_string_equal(information.loader_name, "next");
    assert_logged("Multiboot2 tag type 1: unterminated string; ignored");
}

static void test_modules(void **state)
{
    (void)state;
    put_module(0x200000, 0x300000, "kernel name=a");
    put_module(0x300000, 0x2FFFFF, "backwards");
    put_module(0x400000, 0x400000, "");
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(information.module_count, 2);
    assert_int_equal(information.modules_dropped, 1);
    assert_int_equal(information.module[0].start, 0x200000);
    assert_int_equal(information.module[0].end, 0x300000);
    assert_string_equal(information.module[0].command_line, "kernel name=a");
}

static void test_too_many_modules(void **state)
{
    (void)state;
    for (int i = 0; i < MULTIBOOT2_MAX_MODULES + 3; i++)
        put_module(0x1000, 0x2000, "m");
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(information.module_count, MULTIBOOT2_MAX_MODULES);
    assert_int_equal(information.modules_dropped, 3);
}

static struct memory_map map;

static void test_memory_map(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    /* Entries of 32 bytes, which a later version of the specification may define. */
    put_tag(6, 8 + 4 * 32);
    put_u32(32);
    put_u32(0);
    put_memory(0, 0x9FC00, 1, 8);
    put_memory(0x100000, 0x1000, 3, 8);
    put_memory(0x101000, 0x1000, 4, 8);
    put_memory(0x102000, 0x1000, 77, 8);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(multiboot2_memory_map(&information, &map), STATUS_OK);
    assert_int_equal(map.count, 6);
    assert_int_equal(memory_map_region(&map, 0).type, MEMORY_USABLE);
    assert_int_equal(memory_map_region(&map, 1).type, MEMORY_ABSENT);
    assert_int_equal(memory_map_region(&map, 2).type, MEMORY_ACPI_RECLAIMABLE);
    assert_int_equal(memory_map_region(&map, 3).type, MEMORY_ACPI_NVS);
    assert_int_equal(memory_map_region(&map, 4).type, MEMORY_RESERVED);
    assert_int_equal(memory_map_region(&map, 4).start, 0x102000);
    assert_int_equal(memory_map_region(&map, 5).type, MEMORY_ABSENT);
}

static void test_no_memory_map(void **state)
{
    (void)state;
    memory_map_init(&map, BIT(40));
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(multiboot2_memory_map(&information, &map), STATUS_NOT_FOUND);
    structure_start(NULL);
    put_tag(6, 8); /* no entries */
    put_u32(24);
    put_u32(0);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(multiboot2_memory_map(&information, &map), STATUS_NOT_FOUND);
    structure_start(NULL);
    put_tag(6, 8 + 24); /* entries of size 0 would never end */
    put_u32(0);
    put_u32(0);
    put_memory(0, 0x1000, 1, 0);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(multiboot2_memory_map(&information, &map), STATUS_NOT_FOUND);
    assert_logged("memory map: entries too short, 0 bytes; ignored");
}

static void test_framebuffer(void **state)
{
    (void)state;
    put_tag(8, 30);
    put_u64(0xC0000000);
    put_u32(4096);
    put_u32(1024);
    put_u32(768);
    put_bytes("\x20\x01\0\0\x10\x08\x08\x08\0\x08", 10);
    assert_int_equal(structure_parse(), STATUS_OK);
    const struct framebuffer *framebuffer = &information.framebuffer;
    assert_int_equal(framebuffer->type, FRAMEBUFFER_RGB);
    assert_int_equal(framebuffer->address, 0xC0000000);
    assert_int_equal(framebuffer->pitch, 4096);
    assert_int_equal(framebuffer->width, 1024);
    assert_int_equal(framebuffer->height, 768);
    assert_int_equal(framebuffer->bits_per_pixel, 32);
    assert_int_equal(framebuffer->red.position, 16);
    assert_int_equal(framebuffer->green.position, 8);
    assert_int_equal(framebuffer->blue.position, 0);
    assert_int_equal(framebuffer->blue.size, 8);
}

static void test_framebuffer_types(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        enum framebuffer_type expected;
    } types[] = {{0, FRAMEBUFFER_OTHER}, {2, FRAMEBUFFER_TEXT}, {7, FRAMEBUFFER_OTHER}};
    for (size_t i = 0; i < 3; i++) {
        structure_start(NULL);
        put_tag(8, 24); /* without colours */
        put_u64(0xB8000);
        put_u32(160);
        put_u32(80);
        put_u32(25);
        put_bytes("\x10", 1);
        put_bytes(&types[i].type, 1);
        put_bytes("\0\0", 2);
        assert_int_equal(structure_parse(), STATUS_OK);
        assert_int_equal(information.framebuffer.type, types[i].expected);
    }
    structure_start(NULL);
    put_tag(8, 24); /* RGB without its colour fields */
    put_u64(0xB8000);
    put_u32(160);
    put_u32(80);
    put_u32(25);
    put_bytes("\x20\x01\0\0", 4);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(information.framebuffer.type, FRAMEBUFFER_NONE);
    assert_logged("Multiboot2 tag type 8: too short, 32 bytes; ignored");
}

static void test_rsdp(void **state)
{
    (void)state;
    uint8_t new[36], old[20], huge[300] = {0};
    memset(new, 2, sizeof(new));
    memset(old, 1, sizeof(old));
    put_tag(14, sizeof(old));
    put_bytes(old, sizeof(old));
    put_tag(15, sizeof(new));
    put_bytes(new, sizeof(new));
    put_tag(14, sizeof(old));
    put_bytes(old, sizeof(old));
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(information.rsdp_size, 36);
    assert_memory_equal(information.rsdp, new, 36);
    structure_start(NULL);
    put_tag(15, sizeof(huge));
    put_bytes(huge, sizeof(huge));
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_int_equal(information.rsdp_size, 36);
}

static void test_efi(void **state)
{
    (void)state;
    put_tag(12, 8);
    put_u64(0x3F9EC018);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_true(information.is_efi);
    assert_int_equal(information.efi_system_table, 0x3F9EC018);
    structure_start(NULL);
    put_tag(12, 4); /* truncated: still UEFI */
    put_u32(1);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_true(information.is_efi);
    assert_int_equal(information.efi_system_table, 0);
    structure_start(NULL);
    put_tag(11, 3); /* truncated, of 32-bit UEFI */
    put_bytes("\1\0\0", 3);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_true(information.is_efi);
    assert_int_equal(information.efi_system_table, 0);
    assert_false(information.is_efi_32_bit);
}

/* The system table of 32-bit UEFI is used unless there is one of 64-bit UEFI too. */
static void test_efi_32(void **state)
{
    static const uint32_t types[][2] = {{11, 0}, {11, 12}, {12, 11}};

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        structure_start(state);
        for (size_t j = 0; j < 2; j++) {
            if (types[i][j] == 11) {
                put_tag(11, 4);
                put_u32(0xBF9EC018);
                put_u32(0); /* padding */
            } else if (types[i][j] == 12) {
                put_tag(12, 8);
                put_u64(0x3F9EC018);
            }
        }
        assert_int_equal(structure_parse(), STATUS_OK);
        assert_true(information.is_efi);
        assert_int_equal(information.is_efi_32_bit, i == 0);
        assert_int_equal(information.efi_system_table, i == 0 ? 0xBF9EC018 : 0x3F9EC018);
    }
}

static void test_efi_memory_map(void **state)
{
    (void)state;
    put_tag(17, 8 + 2 * 48);
    put_u32(48);
    put_u32(1);
    for (uint64_t i = 0; i < 12; i++)
        put_u64(i);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_true(information.is_efi);
    assert_int_equal(information.efi_descriptor_size, 48);
    assert_int_equal(information.efi_memory_map_size, 2 * 48);
    assert_int_equal(information.efi_memory_map[48], 6);
    structure_start(NULL);
    put_tag(17, 4); /* truncated */
    put_u32(48);
    assert_int_equal(structure_parse(), STATUS_OK);
    assert_true(information.is_efi);
    assert_null(information.efi_memory_map);
}

#define TEST(name) cmocka_unit_test_setup(name, structure_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_strings),
        TEST(test_unterminated_string),
        TEST(test_modules),
        TEST(test_too_many_modules),
        TEST(test_memory_map),
        TEST(test_no_memory_map),
        TEST(test_framebuffer),
        TEST(test_framebuffer_types),
        TEST(test_rsdp),
        TEST(test_efi),
        TEST(test_efi_32),
        TEST(test_efi_memory_map),
    };
    return cmocka_run_group_tests_name("multiboot2", tests, NULL, NULL);
}
