/* src/guest/load/multiboot2.c: where kernels are loaded, and their boot information. */
#include "multiboot2_image.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_flat),   TEST(test_low),        TEST(test_elf_64),
        TEST(test_elf_32), TEST(test_relocation), TEST(test_elf_relocation),
    };
    return cmocka_run_group_tests_name("image_multiboot2", tests, NULL, NULL);
}
