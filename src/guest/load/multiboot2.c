/*
 * See loader.h: kernels with a Multiboot2 header.
 *
 * Multiboot2 Specification 2.0, "OS image format", "I386 machine state", "Boot
 * information format". guest/load/multiboot2_header.c reads the header.
 */
#include "guest/load/multiboot2_header.h"

#include "guest/acpi_tables.h"
#include "lib/bits.h"
#include "lib/multiboot2.h"
#include "lib/string.h"
#include "x86/acpi.h"

#define LOADER_NAME "Hymir"

struct basic_memory_tag {
    struct tag tag;
    uint32_t lower, upper; /* KiB */
};

struct load_base_tag {
    struct tag tag;
    uint32_t address;
};

struct new_rsdp_tag {
    struct tag tag;
    struct rsdp rsdp;
};

/* A loaded kernel, and what the boot information says of it and the machine. */
struct kernel {
    struct multiboot2_header header;
    struct elf_file file;  /* no sections unless it is loaded as an ELF file */
    struct rsdp rsdp;      /* as it was before the kernel was loaded */
    uint64_t start, entry; /* physical */
    uint64_t symbols;      /* the address of the symbol and string tables */
};

/* The boot information, while it is written; or only measured, if loader is NULL. */
struct writer {
    const struct loader *loader;
    uint64_t at;
    bool is_written;
};

/* Writes the next bytes, and zeros to a multiple of alignment: memory is zeroed. */
static void write_bytes(struct writer *writer, const void *bytes, uint64_t size,
                        uint64_t alignment)
{
    if (writer->loader != NULL)
        writer->is_written &=
            guest_memory_write(writer->loader->memory, gpa(writer->at), bytes, size);
    writer->at = align_up(writer->at + size, alignment);
}

/* Writes a tag of size bytes, of which rest are at data, not at tag. */
static void write_tag(struct writer *writer, struct tag *tag, uint64_t size,
                      const void *data, uint64_t rest)
{
    tag->size = (uint32_t)size;
    write_bytes(writer, tag, size - rest, 1);
    write_bytes(writer, data, rest, TAG_ALIGNMENT);
}

static void write_text(struct writer *writer, uint32_t type, const char *text)
{
    struct tag tag = {.type = type};

    write_tag(writer, &tag, sizeof(tag) + strlen(text) + 1, text, strlen(text) + 1);
}

static void write_modules(struct writer *writer, const struct loader *loader)
{
    for (size_t i = 0; i < loader->module_count; i++) {
        const struct loaded_module *module = &loader->module[i];
        const char *string                 = loader_module_string(loader, i);
        uint64_t length                    = strlen(string) + 1;
        struct module_tag tag              = {{.type = TAG_MODULE},
                                              (uint32_t)module->start,
                                              (uint32_t)(module->start + module->size)};
        write_tag(writer, &tag.tag, sizeof(tag) + length, string, length);
    }
}

static void write_memory(struct writer *writer, const struct loader *loader)
{
    struct memory_map_entry entries[IMAGE_RANGES] = {{0}};
    struct basic_memory_tag basic                 = {
                        {.type = TAG_BASIC_MEMORY},
                        (uint32_t)(IMAGE_LOW_END >> 10),
                        (uint32_t)((loader->memory->size - IMAGE_HIGH_START) >> 10)};
    struct memory_map_tag map = {{.type = TAG_MEMORY_MAP}, sizeof(entries[0]), 0};

    loader_map_memory(loader, entries, sizeof(entries[0]));
    write_tag(writer, &basic.tag, sizeof(basic), NULL, 0);
    write_tag(writer, &map.tag, sizeof(map) + sizeof(entries), entries, sizeof(entries));
}

/* Writes the section headers of an ELF file, if it has them, and its symbols. */
static void write_sections(struct writer *writer, const struct kernel *kernel)
{
    const struct elf_file *file = &kernel->file;
    uint64_t size               = elf_section_headers_size(file);
    struct elf_sections_tag tag = {
        {TAG_ELF_SECTIONS, 0}, file->section_count, file->section_size, file->names};

    if (file->section_count == 0)
        return;
    tag.tag.size = (uint32_t)(sizeof(tag) + size);
    write_bytes(writer, &tag, sizeof(tag), 1);
    if (writer->loader != NULL)
        writer->is_written &=
            elf_write_sections(file, writer->loader->memory, writer->at, kernel->symbols);
    writer->at = align_up(writer->at + size, TAG_ALIGNMENT);
}

/* Writes the boot information. Returns its size. */
static uint64_t write_information(struct writer *writer, const struct loader *loader,
                                  const struct kernel *kernel, uint64_t total)
{
    const struct information_header header = {.total_size = (uint32_t)total};
    struct new_rsdp_tag acpi               = {{.type = TAG_ACPI_NEW}, kernel->rsdp};
    struct load_base_tag base = {{.type = TAG_LOAD_BASE}, (uint32_t)kernel->start};
    struct tag end            = {.type = TAG_END};
    uint64_t start            = writer->at;

    write_bytes(writer, &header, sizeof(header), TAG_ALIGNMENT);
    write_text(writer, TAG_COMMAND_LINE, loader->parts->command_line);
    write_text(writer, TAG_LOADER_NAME, LOADER_NAME);
    write_modules(writer, loader);
    write_memory(writer, loader);
    write_sections(writer, kernel);
    write_tag(writer, &acpi.tag, sizeof(acpi), NULL, 0);
    if (kernel->header.is_relocatable)
        write_tag(writer, &base.tag, sizeof(base), NULL, 0);
    write_tag(writer, &end, sizeof(end), NULL, 0);
    return writer->at - start;
}

/* Loads the kernel, at an address that its header allows, and finds its entry point. */
static bool load_kernel(struct loader *loader, struct kernel *kernel)
{
    struct multiboot2_header *header = &kernel->header;
    struct image_bytes piece         = {0};
    uint64_t start, end;
    bool is_elf = !header->has_addresses;

    if (is_elf && (!elf_open(loader->parts->kernel, &kernel->file) ||
                   !elf_extent(&kernel->file, &start, &end)))
        return LOADER_FAIL(loader, "neither an ELF file with segments nor load addresses "
                                   "in its Multiboot2 header");
    if (!is_elf &&
        !loader_find_piece(loader, &header->addresses, header->offset, &piece, &end))
        return false;
    if (!is_elf)
        start = header->addresses.load;
    kernel->start = start;
    if (header->is_relocatable &&
        !multiboot2_header_place(header, loader, start, end - start, &kernel->start))
        return false;
    uint64_t displacement     = kernel->start - start;
    kernel->file.displacement = displacement;
    kernel->entry             = header->has_entry ? header->entry + displacement
                                                  : elf_physical(&kernel->file, kernel->file.entry);
    return is_elf ? elf_load(&kernel->file, loader)
                  : loader_add_piece(loader, piece, kernel->start, end + displacement);
}

/* Frees the larger part of the RAM, below or above the kernel, for everything else. */
static void free_larger_part(struct loader *loader, uint64_t start)
{
    if (loader->memory->size - loader->floor >= start - IMAGE_HIGH_START)
        return;
    loader->floor  = IMAGE_HIGH_START;
    loader->bottom = align_down(start, PAGE_SIZE);
}

static bool load_multiboot2(struct loader *loader)
{
    struct kernel kernel    = {.entry = 0};
    struct writer measuring = {.is_written = true}, writer = {.loader = loader};
    uint64_t size;
    gpa_t at;

    if (!multiboot2_header_read(loader, &kernel.header))
        return false;
    /* Memory that is not allocated yet has none. */
    (void)guest_memory_read(loader->memory, gpa(ACPI_TABLES_RSDP), &kernel.rsdp,
                            sizeof(kernel.rsdp));
    if (!load_kernel(loader, &kernel))
        return false;
    if (kernel.header.is_relocatable)
        free_larger_part(loader, kernel.start);
    if (!loader_add_parts(loader))
        return false;
    size = elf_symbols_size(&kernel.file);
    if (size > 0 && !loader_allocate(loader, size, "the kernel's symbols", &at))
        return false;
    kernel.symbols = size > 0 ? at.value : 0;
    size           = write_information(&measuring, loader, &kernel, 0);
    if (!loader_allocate(loader, size, "the boot information", &at) ||
        !loader_start_flat(loader, kernel.entry))
        return false;
    writer.at         = at.value;
    writer.is_written = true;
    (void)write_information(&writer, loader, &kernel, size);
    loader->start->rax = MULTIBOOT2_MAGIC;
    loader->start->rbx = at.value;
    return writer.is_written;
}

static bool is_multiboot2(struct image_bytes kernel)
{
    uint64_t offset;
    return multiboot2_header_find(kernel, &offset);
}

const struct image_format multiboot2_format = {"Multiboot2", is_multiboot2,
                                               load_multiboot2};
