/* src/guest/load/multiboot2_header.c, on valid and malformed headers. */
#include "multiboot2_image.h"

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
        TEST(test_tags),
        TEST(test_refusals),
        TEST(test_place_of_header),
        TEST(test_broken),
    };
    return cmocka_run_group_tests_name("multiboot2_header", tests, NULL, NULL);
}
