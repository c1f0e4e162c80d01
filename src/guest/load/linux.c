/*
 * See loader.h: Linux's bzImage.
 *
 * Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header", "32-bit Boot
 * Protocol", "64-bit Boot Protocol", and zero-page.rst. The 16-bit part is not run: its
 * header is copied to the zero page, the rest of the file to its load address.
 */
#include "guest/acpi_tables.h"
#include "guest/load/loader.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/control_registers.h"
#include "x86/descriptors.h"
#include "x86/paging.h"

#define SECTOR_SIZE      512U
#define SETUP_SECTORS    4U /* if the header has 0 */
#define PARAGRAPH_SIZE   16U
#define VERSION_NEEDED   0x206U /* has the command line's size */
#define VERSION_INIT     0x20AU /* has pref_address and init_size */
#define VERSION_64       0x20CU /* has xloadflags */
#define LOAD_ADDRESS     UINT64_C(0x100000)
#define ENTRY_64         0x200U /* offset from the start of the 32-bit code */
#define LOADER_UNDEFINED 0xFFU
#define LOADED_HIGH      0x01U /* loadflags */
#define XLF_KERNEL_64    0x01U

#define TABLE     (PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE)
#define PAGE_2MIB (TABLE | PAGE_ENTRY_PAGE_SIZE)
#define ENTRIES   512U
#define MAPPED_GB UINT64_C(4)

/* From offset 0x1F1 of the file, and of the zero page. */
struct __attribute__((packed)) setup_header {
    uint8_t setup_sects;
    uint16_t root_flags;
    uint32_t syssize;
    uint16_t ram_size, vid_mode, root_dev, boot_flag;
    uint8_t jump, jump_length;
    uint32_t magic;
    uint16_t version;
    uint32_t realmode_swtch;
    uint16_t start_sys_seg, kernel_version;
    uint8_t type_of_loader, loadflags;
    uint16_t setup_move_size;
    uint32_t code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
    uint16_t heap_end_ptr;
    uint8_t ext_loader_ver, ext_loader_type;
    uint32_t cmd_line_ptr, initrd_addr_max, kernel_alignment;
    uint8_t relocatable_kernel, min_alignment;
    uint16_t xloadflags;
    uint32_t cmdline_size, hardware_subarch;
    uint64_t hardware_subarch_data;
    uint32_t payload_offset, payload_length;
    uint64_t setup_data, pref_address;
    uint32_t init_size, handover_offset, kernel_info_offset;
};
#define HEADER_OFFSET 0x1F1U
#define HEADER_MAGIC  0x53726448U /* "HdrS" */
#define BOOT_FLAG     0xAA55U
_Static_assert(HEADER_OFFSET + offsetof(struct setup_header, magic) == 0x202, "boot.rst");
_Static_assert(HEADER_OFFSET + offsetof(struct setup_header, init_size) == 0x260,
               "boot.rst");

/* The part of the zero page from e820_entries on that is not zero. */
#define ZERO_PAGE_OFFSET 0x1E8
struct __attribute__((packed)) zero_page {
    uint8_t e820_entries;
    uint8_t before_header[HEADER_OFFSET - ZERO_PAGE_OFFSET - 1];
    struct setup_header header;
    uint8_t before_e820[0x2D0 - HEADER_OFFSET - sizeof(struct setup_header)];
    struct image_range e820[IMAGE_RANGES];
};
_Static_assert(offsetof(struct zero_page, e820) + ZERO_PAGE_OFFSET == 0x2D0,
               "zero-page.rst");
#define ZERO_PAGE_RSDP 0x070 /* its address */

/* A parsed and checked image. */
struct linux_image {
    struct setup_header header;
    struct image_bytes code; /* the 32- or 64-bit part */
    uint64_t address;        /* load address */
    uint64_t size;           /* of the memory needed at address */
};

static bool is_linux(struct image_bytes kernel)
{
    struct setup_header header;

    if (kernel.size < HEADER_OFFSET + sizeof(header))
        return false;
    memcpy(&header, kernel.bytes + HEADER_OFFSET, sizeof(header));
    return header.magic == HEADER_MAGIC && header.boot_flag == BOOT_FLAG;
}

/* Reads the header, whose end is the target of its jump; fields beyond the end are 0. */
static void read_header(struct image_bytes kernel, struct setup_header *header)
{
    memcpy(header, kernel.bytes + HEADER_OFFSET, sizeof(*header));
    size_t size = offsetof(struct setup_header, magic) + header->jump_length;
    if (size < sizeof(*header))
        memset((uint8_t *)header + size, 0, sizeof(*header) - size);
}

/* False, with the reason, if the image is unsupported or incomplete. */
static bool open_image(const struct loader *loader, struct linux_image *image)
{
    struct image_bytes kernel   = loader->parts->kernel;
    struct setup_header *header = &image->header;

    read_header(kernel, header);
    if (header->version < VERSION_NEEDED || (header->loadflags & LOADED_HIGH) == 0)
        return LOADER_FAIL(
            loader,
            "Linux with boot protocol %u.%02u%s; Hymir requires a bzImage of 2.06 "
            "(Linux 2.6.22) or later",
            header->version >> 8, header->version & 0xFFU,
            (header->loadflags & LOADED_HIGH) == 0 ? ", loaded low" : "");
    uint32_t sectors  = header->setup_sects != 0 ? header->setup_sects : SETUP_SECTORS;
    uint64_t setup    = (uint64_t)(sectors + 1) * SECTOR_SIZE;
    uint64_t expected = setup + (uint64_t)header->syssize * PARAGRAPH_SIZE;
    if (header->syssize == 0)
        return LOADER_FAIL(loader, "the image has no code: syssize is 0");
    if (kernel.size + PARAGRAPH_SIZE <= expected)
        return LOADER_FAIL(loader, "the image is truncated: %zu of %lu bytes",
                           kernel.size, expected);
    image->code = (struct image_bytes){kernel.bytes + setup, kernel.size - setup};
    return true;
}

/* Returns whether the image fits into the guest's RAM at its address. */
static bool is_loadable(const struct linux_image *image,
                        const struct guest_memory *memory, uint64_t alignment)
{
    return image->address >= LOAD_ADDRESS && is_aligned(image->address, alignment) &&
           guest_memory_is_ram(memory, gpa(image->address), image->size);
}

/*
 * Returns whether the kernel runs at any aligned address. Since Linux 3.8, kernels with a
 * preferred address move themselves there.
 */
static bool can_move(const struct setup_header *header)
{
    uint64_t alignment = header->kernel_alignment;

    return header->version >= VERSION_INIT &&
           (header->version < VERSION_64 || header->pref_address == 0) &&
           header->relocatable_kernel != 0 && alignment != 0 &&
           (alignment & (alignment - 1)) == 0;
}

/* Chooses the preferred address, or the lowest one if that does not fit. */
static bool choose_address(const struct loader *loader, struct linux_image *image)
{
    const struct setup_header *header = &image->header;
    const struct guest_memory *memory = loader->memory;
    bool has_size                     = header->version >= VERSION_INIT;
    bool is_movable                   = can_move(header);
    uint64_t alignment                = is_movable ? header->kernel_alignment : 1;

    image->address =
        has_size && header->pref_address != 0 ? header->pref_address : LOAD_ADDRESS;
    image->size = image->code.size;
    if (has_size && header->init_size > image->size)
        image->size = header->init_size;
    if (is_movable && !is_loadable(image, memory, alignment))
        image->address = align_up(LOAD_ADDRESS, alignment);
    if (is_loadable(image, memory, alignment))
        return true;
    if (image->address < LOAD_ADDRESS)
        return LOADER_FAIL(loader,
                           "Linux requires load address 0x%lx, which is below 1 MiB",
                           image->address);
    return LOADER_FAIL(
        loader,
        "Linux needs 0x%lx bytes from 0x%lx, but the guest has %lu MiB; increase memory=",
        image->size, image->address, memory->size >> 20);
}

/* Adds the initrd and the command line, and writes their addresses to the header. */
static bool add_parts(struct loader *loader, struct linux_image *image)
{
    struct setup_header *header     = &image->header;
    const struct image_parts *parts = loader->parts;
    size_t length                   = strlen(parts->command_line);

    if (parts->module_count > parts->initrd_count)
        return LOADER_FAIL(loader, "Linux accepts no module; use initrd");
    if (parts->initrd_count > 0 && parts->module[0].string[0] != '\0')
        return LOADER_FAIL(loader, "Linux accepts no string of an initrd; remove the "
                                   "words after --");
    if (length > header->cmdline_size)
        return LOADER_FAIL(loader,
                           "the command line has %zu characters; this Linux accepts %u",
                           length, header->cmdline_size);
    if (header->initrd_addr_max != 0 && loader->bottom > header->initrd_addr_max)
        loader->bottom = align_down((uint64_t)header->initrd_addr_max + 1, PAGE_SIZE);
    if (!loader_add_parts(loader))
        return false;
    header->ramdisk_image  = (uint32_t)loader->module[0].start; /* 0 without one */
    header->ramdisk_size   = (uint32_t)loader->module[0].size;
    header->cmd_line_ptr   = (uint32_t)loader->command_line.value;
    header->code32_start   = (uint32_t)image->address;
    header->type_of_loader = LOADER_UNDEFINED;
    return true;
}

static bool add_zero_page(struct loader *loader, const struct linux_image *image,
                          gpa_t *address)
{
    struct zero_page page = {.e820_entries = IMAGE_RANGES, .header = image->header};
    const uint64_t rsdp   = ACPI_TABLES_RSDP;

    loader_map_memory(loader, page.e820, sizeof(page.e820[0]));
    return loader_allocate(loader, PAGE_SIZE, "the zero page", address) &&
           guest_memory_write(loader->memory, gpa(address->value + ZERO_PAGE_OFFSET),
                              &page, sizeof(page)) &&
           guest_memory_write(loader->memory, gpa(address->value + ZERO_PAGE_RSDP), &rsdp,
                              sizeof(rsdp));
}

static bool write_entry(const struct loader *loader, uint64_t address, uint64_t entry)
{
    return guest_memory_write(loader->memory, gpa(address), &entry, sizeof(entry));
}

/*
 * Adds identity tables for the first 4 GiB: the PML4, the PDPT, the directories. Writes
 * entry by entry to zeroed memory, which need not be in one piece.
 */
static bool add_tables(struct loader *loader, gpa_t *root)
{
    if (!loader_allocate(loader, (2 + MAPPED_GB) * PAGE_SIZE, "page tables", root))
        return false;
    uint64_t pdpt = root->value + PAGE_SIZE, directory = pdpt + PAGE_SIZE;
    bool are_written = write_entry(loader, root->value, pdpt | TABLE);
    for (uint64_t i = 0; i < MAPPED_GB; i++)
        are_written &= write_entry(loader, pdpt + i * sizeof(uint64_t),
                                   (directory + i * PAGE_SIZE) | TABLE);
    for (uint64_t i = 0; i < MAPPED_GB * ENTRIES; i++)
        are_written &=
            write_entry(loader, directory + i * sizeof(uint64_t), i << 21 | PAGE_2MIB);
    return are_written;
}

/* Adds a GDT with flat __BOOT_CS and __BOOT_DS, which old kernels load: boot.rst. */
static bool add_gdt(struct loader *loader, bool is_64, struct vcpu_table *table)
{
    const uint64_t gdt[] = {0, 0, is_64 ? CODE_DESCRIPTOR_FLAT : CODE_DESCRIPTOR_32,
                            DATA_DESCRIPTOR_32};
    gpa_t address;

    if (!loader_add(loader, gdt, sizeof(gdt), "the GDT", &address))
        return false;
    *table = (struct vcpu_table){address.value, sizeof(gdt) - 1};
    return true;
}

static void set_long_mode(struct vcpu_start *start, gpa_t root)
{
    start->rip += ENTRY_64;
    start->cr0 |= CR0_PG;
    start->cr3                = root.value;
    start->cr4                = CR4_PAE;
    start->efer               = EFER_LMA | EFER_LME;
    start->code.access_rights = ACCESS_RIGHTS_CODE_64;
}

static bool load_linux(struct loader *loader)
{
    struct linux_image image;
    struct vcpu_table gdt;
    gpa_t zero_page, tables;

    if (!open_image(loader, &image) || !choose_address(loader, &image))
        return false;
    loader->floor = image.address + image.size;
    bool is_64    = image.header.version >= VERSION_64 &&
                 (image.header.xloadflags & XLF_KERNEL_64) != 0;
    if (!add_parts(loader, &image) || !add_zero_page(loader, &image, &zero_page) ||
        !add_gdt(loader, is_64, &gdt) || (is_64 && !add_tables(loader, &tables)) ||
        !loader_start_flat(loader, image.address))
        return false;
    if (is_64)
        set_long_mode(loader->start, tables);
    loader->start->rsi = zero_page.value;
    loader->start->gdt = gdt;
    return guest_memory_write(loader->memory, gpa(image.address), image.code.bytes,
                              image.code.size);
}

const struct image_format linux_format = {"Linux", is_linux, load_linux};
