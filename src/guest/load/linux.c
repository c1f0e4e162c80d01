/*
 * See loader.h: Linux's bzImage.
 *
 * Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header", "32-bit Boot
 * Protocol", "64-bit Boot Protocol", and zero-page.rst. The 16-bit part is not run: its
 * header is copied to the zero page, the rest of the file to its load address.
 */
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
#define MAPPED_GB 4U

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

struct __attribute__((packed)) e820_entry {
    uint64_t address, size;
    uint32_t type;
};

struct __attribute__((packed)) zero_page {
    uint8_t before_e820_entries[0x1E8];
    uint8_t e820_entries;
    uint8_t before_header[HEADER_OFFSET - 0x1E9];
    struct setup_header header;
    uint8_t before_e820[0x2D0 - HEADER_OFFSET - sizeof(struct setup_header)];
    struct e820_entry e820[128];
    uint8_t rest[4096 - 0x2D0 - 128 * sizeof(struct e820_entry)];
};
_Static_assert(sizeof(struct zero_page) == PAGE_SIZE, "zero-page.rst");

/* Identity tables for the first 4 GiB. */
struct identity_tables {
    uint64_t pml4[ENTRIES], pdpt[ENTRIES], directory[MAPPED_GB][ENTRIES];
};

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

/* Reads the header, which ends where its jump leads to; fields beyond the end are 0. */
static void read_header(struct image_bytes kernel, struct setup_header *header)
{
    memcpy(header, kernel.bytes + HEADER_OFFSET, sizeof(*header));
    size_t size = offsetof(struct setup_header, magic) + header->jump_length;
    if (size < sizeof(*header))
        memset((uint8_t *)header + size, 0, sizeof(*header) - size);
}

/* False, with the reason, if the image is unsupported or incomplete. */
static bool open_image(struct image_bytes kernel, struct linux_image *image,
                       struct text *problem)
{
    struct setup_header *header = &image->header;

    read_header(kernel, header);
    if (header->version < VERSION_NEEDED || (header->loadflags & LOADED_HIGH) == 0)
        return TEXT_FAIL(
            problem,
            "Linux with boot protocol %u.%02u%s; Hymir requires a bzImage of 2.06 "
            "(Linux 2.6.22) or later",
            header->version >> 8, header->version & 0xFFU,
            (header->loadflags & LOADED_HIGH) == 0 ? ", loaded low" : "");
    uint32_t sectors  = header->setup_sects != 0 ? header->setup_sects : SETUP_SECTORS;
    uint64_t setup    = (uint64_t)(sectors + 1) * SECTOR_SIZE;
    uint64_t expected = setup + (uint64_t)header->syssize * PARAGRAPH_SIZE;
    if (header->syssize == 0)
        return TEXT_FAIL(problem, "the image has no code: syssize is 0");
    if (kernel.size + PARAGRAPH_SIZE <= expected)
        return TEXT_FAIL(problem, "the image is truncated: %zu of %lu bytes", kernel.size,
                         expected);
    image->code = (struct image_bytes){kernel.bytes + setup, kernel.size - setup};
    return true;
}

/* Returns whether the image fits into the guest's RAM at its address. */
static bool is_loadable(const struct linux_image *image,
                        const struct guest_memory *memory, uint64_t alignment)
{
    return image->address >= LOAD_ADDRESS && is_aligned(image->address, alignment) &&
           image->address <= memory->size && image->size <= memory->size - image->address;
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
static bool choose_address(struct linux_image *image, const struct guest_memory *memory,
                           struct text *problem)
{
    const struct setup_header *header = &image->header;
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
        return TEXT_FAIL(problem,
                         "Linux requires load address 0x%lx, which is below 1 MiB",
                         image->address);
    return TEXT_FAIL(
        problem,
        "Linux needs 0x%lx bytes from 0x%lx, but the guest has %lu MiB; increase memory=",
        image->size, image->address, memory->size >> 20);
}

static void fill_e820(struct zero_page *page, uint64_t size)
{
    struct image_range map[IMAGE_RANGES];

    image_map_memory(map, size);
    for (size_t i = 0; i < IMAGE_RANGES; i++)
        page->e820[i] = (struct e820_entry){map[i].start, map[i].size, map[i].type};
    page->e820_entries = IMAGE_RANGES;
}

/* Adds the initrd and the command line, and writes their addresses to the header. */
static bool add_parts(const struct image_parts *parts, struct linux_image *image,
                      struct image_room *room, struct text *problem)
{
    struct setup_header *header = &image->header;
    size_t length               = strlen(parts->command_line);
    gpa_t initrd, text;

    if (length > header->cmdline_size)
        return TEXT_FAIL(problem,
                         "the command line has %zu characters; this Linux accepts %u",
                         length, header->cmdline_size);
    if (header->initrd_addr_max != 0 && room->bottom > header->initrd_addr_max)
        room->bottom = align_down((uint64_t)header->initrd_addr_max + 1, PAGE_SIZE);
    if (!image_room_add_parts(room, parts, &initrd, &text, problem))
        return false;
    header->ramdisk_image  = (uint32_t)initrd.value;
    header->ramdisk_size   = (uint32_t)parts->initrd.size;
    header->cmd_line_ptr   = (uint32_t)text.value;
    header->code32_start   = (uint32_t)image->address;
    header->type_of_loader = LOADER_UNDEFINED;
    return true;
}

static bool add_zero_page(const struct linux_image *image, struct image_room *room,
                          gpa_t *address, struct text *problem)
{
    struct zero_page *page;

    if (!image_room_allocate(room, sizeof(*page), "the zero page", address, problem))
        return false;
    page = guest_memory_pointer(room->memory, *address, sizeof(*page));
    if (page == NULL) /* an aligned page is contiguous */
        return false;
    page->header = image->header;
    fill_e820(page, room->memory->size);
    return true;
}

static bool write_entry(const struct image_room *room, uint64_t address, uint64_t entry)
{
    return guest_memory_write(room->memory, gpa(address), &entry, sizeof(entry));
}

/* Writes entry by entry to zeroed memory: no static buffer, as several CPUs may load. */
static bool add_tables(struct image_room *room, gpa_t *root, struct text *problem)
{
    if (!image_room_allocate(room, sizeof(struct identity_tables), "page tables", root,
                             problem))
        return false;
    uint64_t pdpt      = root->value + offsetof(struct identity_tables, pdpt);
    uint64_t directory = root->value + offsetof(struct identity_tables, directory);
    bool are_written   = write_entry(room, root->value, pdpt | TABLE);
    for (uint64_t i = 0; i < MAPPED_GB; i++)
        are_written &= write_entry(room, pdpt + i * sizeof(uint64_t),
                                   (directory + i * PAGE_SIZE) | TABLE);
    for (uint64_t i = 0; i < (uint64_t)MAPPED_GB * ENTRIES; i++)
        are_written &=
            write_entry(room, directory + i * sizeof(uint64_t), i << 21 | PAGE_2MIB);
    return are_written;
}

/* Adds a GDT with flat segments for __BOOT_CS and __BOOT_DS, which old kernels load:
 * boot.rst. */
static bool add_gdt(struct image_room *room, bool is_64, struct vcpu_table *table,
                    struct text *problem)
{
    const uint64_t gdt[] = {0, 0, is_64 ? CODE_DESCRIPTOR_FLAT : CODE_DESCRIPTOR_32,
                            DATA_DESCRIPTOR_32};
    const struct image_bytes bytes = {(const uint8_t *)gdt, sizeof(gdt)};
    gpa_t address;

    if (!image_room_add(room, bytes, "the GDT", &address, problem))
        return false;
    *table = (struct vcpu_table){.base = address.value, .limit = sizeof(gdt) - 1};
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

static bool load_linux(const struct image_parts *parts, struct image_room *room,
                       struct vcpu_start *start, struct text *problem)
{
    struct linux_image image;
    struct vcpu_table gdt;
    gpa_t zero_page, tables;

    if (!open_image(parts->kernel, &image, problem) ||
        !choose_address(&image, room->memory, problem))
        return false;
    room->floor = image.address + image.size;
    if (!add_parts(parts, &image, room, problem) ||
        !add_zero_page(&image, room, &zero_page, problem))
        return false;
    bool has_64 = image.header.version >= VERSION_64 &&
                  (image.header.xloadflags & XLF_KERNEL_64) != 0;
    if (!add_gdt(room, has_64, &gdt, problem) ||
        (has_64 && !add_tables(room, &tables, problem)) ||
        !image_start_flat(room, image.address, start, problem))
        return false;
    if (has_64)
        set_long_mode(start, tables);
    start->rsi = zero_page.value;
    start->gdt = gdt;
    return guest_memory_write(room->memory, gpa(image.address), image.code.bytes,
                              image.code.size);
}

const struct image_loader linux_loader = {"Linux", is_linux, load_linux};
