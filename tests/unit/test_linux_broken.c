/*
 * src/guest/load/linux.c on malformed images: refused with one line, before anything is
 * written where that is possible. Valid images: test_linux.c.
 */
#include "linux_image.h"
#include "random.h"

static void test_not_linux(void **state)
{
    (void)state;
    make_linux(0x20F);
    header->header ^= 1;
    refused_untouched("use Linux (bzImage), PVH (ELF with note 18), Multiboot 1 or 2");
    make_linux(0x20F);
    header->boot_flag = 0x55AA;
    refused_untouched("unknown image format");
}

static void test_versions(void **state)
{
    (void)state;
    static const struct {
        uint16_t version;
        const char *words;
    } rows[] = {{0, "boot protocol 0.00"},
                {0x100, "boot protocol 1.00"},
                {0x1FF, "boot protocol 1.255"},
                {0x205, "boot protocol 2.05; Hymir requires a bzImage of 2.06"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        make_linux(rows[i].version);
        refused_untouched(rows[i].words);
    }
    make_linux(0x20F);
    header->loadflags = (uint8_t)~LOADED_HIGH;
    refused_untouched("boot protocol 2.15, loaded low; ");
}

/* Truncated at every byte; syssize counts paragraphs, and the last may be incomplete. */
static void test_cut_off(void **state)
{
    (void)state;
    make_linux(0x20F);
    size_t whole = file_size;
    for (file_size = 0; file_size < HEADER_AT + sizeof(*header); file_size++)
        refused("unknown image format");
    for (; file_size <= whole - 16; file_size++)
        refused("the image is truncated: ");
    assert_guest_zero(0, GUEST_SIZE);
    for (; file_size <= whole; file_size++)
        assert_loaded();
}

static void test_sizes(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, CODE_SIZE / 16 + 1, 0x0FFFFFFF, 0x10000000,
                                     UINT32_MAX};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        make_linux(0x20F);
        header->syssize = sizes[i];
        refused_untouched(sizes[i] == 0 ? "the image " : "the image is truncated: ");
    }
    make_linux(0x20F);
    header->setup_sects = 0; /* 4 sectors instead of 3 */
    refused_untouched("the image is truncated: 6704 of 7216 bytes");
    header->setup_sects = 255;
    refused_untouched("the image is truncated: 6704 of 135728 bytes");
    make_linux(0x20F);
    header->init_size = UINT32_MAX;
    refused_untouched(
        "Linux needs 0xffffffff bytes from 0x200000, but the guest has 4 MiB");
    header->relocatable_kernel = 1;
    refused_untouched("Linux needs 0xffffffff bytes");
}

static void test_addresses(void **state)
{
    (void)state;
    static const uint64_t preferred[]  = {GUEST_SIZE - CODE_SIZE + 1,
                                          GUEST_SIZE,
                                          16 * MIB,
                                          UINT64_C(1) << 32,
                                          (UINT64_C(1) << 32) + 2 * MIB,
                                          UINT64_C(1) << 63,
                                          UINT64_MAX - 0x7FFF,
                                          UINT64_MAX};
    static const uint32_t alignments[] = {0,          3,          0x300000,  0x400000,
                                          0x80000000, 0xC0000000, UINT32_MAX};

    for (size_t i = 0; i < ARRAY_SIZE(preferred); i++) {
        make_linux(0x20F);
        header->pref_address = preferred[i];
        refused_untouched("Linux needs 0x8000 bytes from 0x");
        header->relocatable_kernel = 1;
        for (size_t j = 0; j < ARRAY_SIZE(alignments); j++) {
            header->kernel_alignment = alignments[j];
            refused_untouched("Linux needs 0x8000 bytes from 0x");
        }
    }
    /* An invalid alignment matters only if the kernel must be moved. */
    static const uint32_t no_powers[] = {0, 3, 0x300000, 0xC0000000, UINT32_MAX};
    header->pref_address              = 2 * MIB;
    for (size_t j = 0; j < ARRAY_SIZE(no_powers); j++) {
        header->kernel_alignment = no_powers[j];
        assert_loaded();
        assert_int_equal(zero_page.hdr.code32_start, 2 * MIB);
    }
}

/* More memory would not help, and the message does not suggest it. */
static void test_low_addresses(void **state)
{
    (void)state;
    static const uint64_t preferred[] = {1, 0x10000, 0xA0000, MIB - 1};

    for (size_t i = 0; i < ARRAY_SIZE(preferred); i++) {
        make_linux(0x20F);
        header->pref_address = preferred[i];
        refused_untouched("Linux ");
        assert_null(strstr(problem_text, "increase memory"));
    }
}

static void test_jump_lengths(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 256; length++) {
        make_linux(0x206);
        file[0x201] = (uint8_t)length;
        if (0x202 + length >= header_end(0x206))
            assert_loaded();
        else if (0x202 + length > 0x211) /* includes the flags, but not cmdline_size */
            assert_true(!file_load() || header->cmdline_size != 0);
        else
            refused("boot protocol ");
    }
    make_linux(0x20F);
    file[0x201] = 0;
    end_guest(NULL);
    start_linux(NULL);
    refused_untouched("boot protocol 0.00");
}

/* An initrd of each size: the larger, the earlier the part for which no room is left. */
static void test_no_room(void **state)
{
    (void)state;
    static uint8_t initrd[GUEST_SIZE];
    static const char *parts_in_order[] = {"the initrd of", "the command line of",
                                           "the zero page of", "the GDT of",
                                           "page tables of"};
    size_t step                         = 0;

    make_linux(0x20F);
    header->xloadflags = XLF_KERNEL_64;
    set_initrd(&parts, initrd, GUEST_SIZE);
    while (!file_load()) {
        while (step < ARRAY_SIZE(parts_in_order) &&
               strstr(problem_text, parts_in_order[step]) == NULL)
            step++;
        assert_in_range(step, 0, ARRAY_SIZE(parts_in_order) - 1);
        assert_non_null(strstr(problem_text, "no room for "));
        parts.module[0].bytes.size -= PAGE_SIZE;
    }
    assert_int_equal(step, ARRAY_SIZE(parts_in_order) - 1);
    assert_parts_apart();
    parts.module[0].bytes.size++;
    refused("no room for page tables of 24576 bytes: free memory begins at 0x208000 of 4 "
            "MiB");
    parts.module[0].bytes.size = SIZE_MAX;
    refused("no room for the initrd of");
    parts.module[0].bytes.size = SIZE_MAX - PAGE_SIZE;
    refused("no room for the initrd of");
}

static void test_initrd_limits(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 0xFFF, 0xFFFFF, 0x1FFFFF, 0x207FFF, 0x208FFE};
    static const uint8_t initrd[PAGE_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        make_linux(0x20F);
        header->initrd_addr_max = limits[i];
        set_initrd(&parts, initrd, sizeof(initrd));
        refused_untouched("no room for the initrd of 4096 bytes");
    }
}

/* Every byte of the header with several values, and files of any size. */
static void test_each_byte(void **state)
{
    (void)state;
    static const uint8_t initrd[] = "initrd";
    size_t loads                  = 0;

    set_initrd(&parts, initrd, sizeof(initrd));
    for (size_t at = HEADER_AT; at < HEADER_AT + sizeof(*header); at++) {
        for (int value = 0; value < 256; value += value < 8 || value >= 248 ? 1 : 8) {
            make_linux(0x20F);
            header->xloadflags         = XLF_KERNEL_64;
            header->relocatable_kernel = 1;
            file[at]                   = (uint8_t)value;
            if (!file_load())
                continue;
            assert_parts_apart();
            loads++;
        }
    }
    assert_true(loads > 1000);
}

/* Returns a number at or near a limit. */
static uint64_t odd_number(void)
{
    switch (random_below(6)) {
    case 0:
        return random_below(4);
    case 1:
        return UINT64_MAX - random_below(4) * random_below(0x1000);
    case 2:
        return BIT(random_below(64)) - random_below(2);
    case 3:
        return random_below(2 * GUEST_SIZE);
    case 4:
        return GUEST_SIZE - random_below(0x10000);
    default:
        return random_number();
    }
}

static void change_field(void)
{
    static const struct {
        uint16_t offset, size;
    } fields[] = {
#define FIELD(name) {offsetof(struct setup_header, name), sizeof(header->name)}
        FIELD(setup_sects),      FIELD(syssize),      FIELD(version),
        FIELD(loadflags),        FIELD(jump),         FIELD(initrd_addr_max),
        FIELD(kernel_alignment), FIELD(init_size),    FIELD(relocatable_kernel),
        FIELD(xloadflags),       FIELD(setup_data),   FIELD(pref_address),
        FIELD(cmdline_size),     FIELD(code32_start),
#undef FIELD
    };
    size_t field   = random_below(ARRAY_SIZE(fields));
    uint64_t value = odd_number();
    memcpy((uint8_t *)header + fields[field].offset, &value, fields[field].size);
}

static void test_random(void **state)
{
    (void)state;
    static const uint8_t initrd[0x10000];
    size_t loads = 0, loads_64 = 0, refusals = 0;

    for (int round = 0; round < 30000; round++) {
        make_linux((uint16_t)(0x206 + random_below(10)));
        header->xloadflags = (uint16_t)random_below(2);
        for (uint64_t changes = random_below(4); changes > 0; changes--)
            change_field();
        if (random_below(4) == 0)
            file_size = random_below(file_size + 1);
        set_initrd(&parts, initrd, random_below(sizeof(initrd)));
        if (!file_load()) {
            refusals++;
            continue;
        }
        assert_parts_apart();
        assert_true(start_state.rip >= MIB && start_state.rip < GUEST_SIZE);
        loads++;
        loads_64 += starts_in_64_bits();
    }
    assert_true(loads > 5000 && loads_64 > 1000 && refusals > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINUX_TEST(test_not_linux),     LINUX_TEST(test_versions),
        LINUX_TEST(test_cut_off),       LINUX_TEST(test_sizes),
        LINUX_TEST(test_addresses),     LINUX_TEST(test_low_addresses),
        LINUX_TEST(test_jump_lengths),  LINUX_TEST(test_no_room),
        LINUX_TEST(test_initrd_limits), LINUX_TEST(test_each_byte),
        LINUX_TEST(test_random),
    };
    return cmocka_run_group_tests_name("linux broken", tests, NULL, NULL);
}
