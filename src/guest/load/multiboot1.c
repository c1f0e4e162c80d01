/*
 * See loader.h: kernels with a Multiboot header, version 1.
 *
 * Multiboot Specification 0.6.96, "OS image format", "Machine state", "Boot information
 * format".
 */
#include "guest/load/elf.h"

#include "lib/bits.h"
#include "lib/string.h"

#define HEADER_MAGIC       0x1BADB002U
#define HEADER_SEARCH      8192 /* bytes at the start of the file */
#define HEADER_HAS_ADDRESS BIT(16)
#define HEADER_REQUIRED    0xFFFFU /* flags that a loader must support */
#define HEADER_KNOWN       0x0007U
#define LOADER_MAGIC       0x2BADB002U
#define LOADER_NAME        "Hymir"

#define INFO_MEMORY       BIT(0)
#define INFO_COMMAND_LINE BIT(2)
#define INFO_MODULES      BIT(3)
#define INFO_ELF_SECTIONS BIT(5)
#define INFO_MEMORY_MAP   BIT(6)
#define INFO_LOADER_NAME  BIT(9)

struct header {
    uint32_t magic, flags, checksum;
    uint32_t header_address, load_address, load_end, bss_end, entry;
};
_Static_assert(sizeof(struct header) == 32, "Multiboot, header with addresses");

struct __attribute__((packed)) memory_entry {
    uint32_t size; /* of the rest */
    struct image_range range;
};

struct module_entry {
    uint32_t start, end, text, reserved;
};

struct information {
    uint32_t flags, memory_lower, memory_upper, boot_device, command_line;
    uint32_t module_count, modules;
    uint32_t symbols[4];
    uint32_t memory_map_size, memory_map;
    uint32_t drives_size, drives, configuration, loader_name, apm;
    uint32_t video[7];
};
_Static_assert(offsetof(struct information, memory_map) == 48, "Multiboot, information");
_Static_assert(offsetof(struct information, loader_name) == 64, "Multiboot, information");

/* The boot information, contiguous in the guest's memory; the modules follow it. */
struct information_page {
    struct information information;
    struct memory_entry memory[IMAGE_RANGES];
    char loader_name[8];
};

/* Finds the header: aligned to 4 in the first 8 KiB, the sum of its first 3 words 0. */
static bool find_header(struct image_bytes kernel, struct header *header,
                        uint64_t *offset)
{
    for (uint64_t at = 0; at + 12 <= kernel.size && at + 12 <= HEADER_SEARCH; at += 4) {
        uint64_t rest = kernel.size - at;
        *header       = (struct header){0};
        memcpy(header, kernel.bytes + at,
               rest < sizeof(*header) ? rest : sizeof(*header));
        if (header->magic == HEADER_MAGIC &&
            header->magic + header->flags + header->checksum == 0) {
            *offset = at;
            return true;
        }
    }
    return false;
}

static bool is_multiboot1(struct image_bytes kernel)
{
    struct header header;
    uint64_t offset;
    return find_header(kernel, &header, &offset);
}

/* Loads a file by the addresses in its header. */
static bool load_by_addresses(const struct header *header, uint64_t offset,
                              struct loader *loader)
{
    const struct load_addresses addresses = {header->header_address, header->load_address,
                                             header->load_end, header->bss_end};
    struct image_bytes piece;
    uint64_t end;

    return loader_find_piece(loader, &addresses, offset, &piece, &end) &&
           loader_add_piece(loader, piece, addresses.load, end);
}

/*
 * Loads the kernel and finds its entry point; file->section_count is 0 if it is not
 * loaded as an ELF file.
 */
static bool load_kernel(struct loader *loader, uint64_t *entry, struct elf_file *file)
{
    struct image_bytes kernel = loader->parts->kernel;
    struct header header;
    uint64_t offset;

    file->section_count = 0;
    if (!find_header(kernel, &header, &offset))
        return false;
    if ((header.flags & HEADER_REQUIRED & ~HEADER_KNOWN) != 0)
        return LOADER_FAIL(loader, "Multiboot header: unsupported flags required: 0x%x",
                           header.flags);
    if ((header.flags & HEADER_HAS_ADDRESS) != 0) {
        *entry = header.entry;
        return load_by_addresses(&header, offset, loader);
    }
    if (!elf_open(kernel, file))
        return LOADER_FAIL(loader,
                           "neither an ELF file nor load addresses in its header");
    *entry = elf_physical(file, file->entry);
    return elf_load(file, loader);
}

/* Adds the section headers and the symbols of an ELF file, if it has them. */
static bool add_symbols(struct loader *loader, const struct elf_file *file,
                        uint32_t table[4])
{
    uint64_t headers_size = elf_section_headers_size(file);
    gpa_t at;

    memset(table, 0, 4 * sizeof(table[0]));
    if (file->section_count == 0)
        return true;
    if (!loader_allocate(loader, range_end(headers_size, elf_symbols_size(file)),
                         "the kernel's symbols", &at))
        return false;
    table[0] = file->section_count;
    table[1] = file->section_size;
    table[2] = (uint32_t)at.value;
    table[3] = file->names;
    return elf_write_sections(file, loader->memory, at.value, at.value + headers_size);
}

static bool write_modules(const struct loader *loader, uint64_t address)
{
    bool is_written = true;

    for (size_t i = 0; i < loader->module_count; i++) {
        const struct loaded_module *module = &loader->module[i];
        const struct module_entry entry    = {.start = (uint32_t)module->start,
                                              .end =
                                                  (uint32_t)(module->start + module->size),
                                              .text = (uint32_t)module->string};
        is_written &= guest_memory_write(loader->memory, gpa(address + i * sizeof(entry)),
                                         &entry, sizeof(entry));
    }
    return is_written;
}

/* Writes the boot information, with these symbols, at a guest-physical address. */
static bool write_page(const struct loader *loader, const uint32_t symbols[4],
                       uint32_t at)
{
    struct information_page page = {.loader_name = LOADER_NAME};

    loader_map_memory(loader, &page.memory[0].range, sizeof(page.memory[0]));
    for (size_t i = 0; i < IMAGE_RANGES; i++)
        page.memory[i].size = sizeof(struct image_range);
    page.information = (struct information){
        .flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP |
                 INFO_LOADER_NAME | (symbols[0] != 0 ? (uint32_t)INFO_ELF_SECTIONS : 0),
        .memory_lower    = (uint32_t)(IMAGE_LOW_END >> 10),
        .memory_upper    = (uint32_t)((loader->memory->size - IMAGE_HIGH_START) >> 10),
        .command_line    = (uint32_t)loader->command_line.value,
        .module_count    = (uint32_t)loader->module_count,
        .modules         = at + (uint32_t)sizeof(page),
        .memory_map_size = sizeof(page.memory),
        .memory_map      = at + (uint32_t)offsetof(struct information_page, memory),
        .loader_name     = at + (uint32_t)offsetof(struct information_page, loader_name),
    };
    memcpy(page.information.symbols, symbols, sizeof(page.information.symbols));
    return guest_memory_write(loader->memory, gpa(at), &page, sizeof(page)) &&
           write_modules(loader, at + sizeof(page));
}

static bool load_multiboot1(struct loader *loader)
{
    uint32_t symbols[4];
    struct elf_file file;
    uint64_t entry;
    gpa_t at;

    if (!load_kernel(loader, &entry, &file) || !loader_add_parts(loader) ||
        !add_symbols(loader, &file, symbols) ||
        !loader_allocate(loader,
                         sizeof(struct information_page) +
                             loader->module_count * sizeof(struct module_entry),
                         "the boot information", &at) ||
        !loader_start_flat(loader, entry) ||
        !write_page(loader, symbols, (uint32_t)at.value))
        return false;
    loader->start->rax = LOADER_MAGIC;
    loader->start->rbx = at.value;
    return true;
}

const struct image_format multiboot1_format = {"Multiboot", is_multiboot1,
                                               load_multiboot1};
