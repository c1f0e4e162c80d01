/* See multiboot2.h. */
#include "firmware/multiboot2.h"

#include "lib/elf.h"
#include "lib/log.h"
#include "lib/multiboot2.h"
#include "lib/string.h"

struct __attribute__((packed)) framebuffer_tag {
    struct tag tag;
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits_per_pixel, type;
    uint16_t reserved;
    struct color_field red, green, blue;
};
_Static_assert(sizeof(struct framebuffer_tag) == 38, "Multiboot2, framebuffer info");
#define FRAMEBUFFER_TAG_RGB  1
#define FRAMEBUFFER_TAG_TEXT 2

struct efi_system_table_tag {
    struct tag tag;
    uint64_t pointer;
};

struct efi_32_system_table_tag {
    struct tag tag;
    uint32_t pointer;
};

struct efi_memory_map_tag {
    struct tag tag;
    uint32_t descriptor_size, descriptor_version;
    /* the descriptors */
};

/* Returns the string at offset in a tag, or "" if it is not terminated within the tag. */
static const char *tag_string(const struct tag *tag, size_t offset)
{
    const char *bytes = (const char *)tag;
    for (size_t i = offset; i < tag->size; i++) {
        if (bytes[i] == '\0')
            return bytes + offset;
    }
    log_warning("Multiboot2 tag type %u: unterminated string; ignored", tag->type);
    return "";
}

/* Returns false, with a warning, if a tag is shorter than size. */
static bool has_size(const struct tag *tag, size_t size)
{
    if (tag->size >= size)
        return true;
    log_warning("Multiboot2 tag type %u: too short, %u bytes; ignored", tag->type,
                tag->size);
    return false;
}

static void parse_command_line(const struct tag *tag,
                               struct multiboot2_information *information)
{
    information->command_line = tag_string(tag, sizeof(*tag));
}

static void parse_loader_name(const struct tag *tag,
                              struct multiboot2_information *information)
{
    information->loader_name = tag_string(tag, sizeof(*tag));
}

static void parse_module(const struct tag *tag,
                         struct multiboot2_information *information)
{
    const struct module_tag *module = (const struct module_tag *)tag;

    if (module->end < module->start ||
        information->module_count == MULTIBOOT2_MAX_MODULES) {
        information->modules_dropped++;
        return;
    }
    information->module[information->module_count++] = (struct multiboot2_module){
        module->start, module->end, tag_string(tag, sizeof(*module))};
}

static void parse_memory_map(const struct tag *tag,
                             struct multiboot2_information *information)
{
    const struct memory_map_tag *map = (const struct memory_map_tag *)tag;

    if (map->entry_size < sizeof(struct memory_map_entry)) {
        log_warning("Multiboot2 memory map: entries too short, %u bytes; ignored",
                    map->entry_size);
        return;
    }
    information->memory_map            = (const uint8_t *)(map + 1);
    information->memory_map_count      = (tag->size - sizeof(*map)) / map->entry_size;
    information->memory_map_entry_size = map->entry_size;
}

static void parse_framebuffer(const struct tag *tag,
                              struct multiboot2_information *information)
{
    const struct framebuffer_tag *from = (const struct framebuffer_tag *)tag;
    bool is_rgb                        = from->type == FRAMEBUFFER_TAG_RGB;

    if (is_rgb && !has_size(tag, sizeof(*from)))
        return;
    struct framebuffer *framebuffer = &information->framebuffer;
    *framebuffer                    = (struct framebuffer){
                           .type = from->type == FRAMEBUFFER_TAG_TEXT ? FRAMEBUFFER_TEXT : FRAMEBUFFER_OTHER,
                           .address        = from->address,
                           .pitch          = from->pitch,
                           .width          = from->width,
                           .height         = from->height,
                           .bits_per_pixel = from->bits_per_pixel,
    };
    if (is_rgb) {
        framebuffer->type  = FRAMEBUFFER_RGB;
        framebuffer->red   = from->red;
        framebuffer->green = from->green;
        framebuffer->blue  = from->blue;
    }
}

static void parse_elf_sections(const struct tag *tag,
                               struct multiboot2_information *information)
{
    const struct elf_sections_tag *sections = (const struct elf_sections_tag *)tag;
    size_t available                        = tag->size - sizeof(*sections);

    if (sections->entry_size < sizeof(struct elf64_section) ||
        sections->count > available / sections->entry_size) {
        log_warning("Multiboot2 ELF sections: invalid, %u entries of %u bytes in %zu "
                    "bytes; ignored",
                    sections->count, sections->entry_size, available);
        return;
    }
    information->elf_sections           = (const uint8_t *)(sections + 1);
    information->elf_section_count      = sections->count;
    information->elf_section_entry_size = sections->entry_size;
}

static void parse_rsdp(const struct tag *tag, struct multiboot2_information *information)
{
    size_t size = tag->size - sizeof(*tag);

    if (size > RSDP_MAX_SIZE)
        size = RSDP_MAX_SIZE;
    if (size <= information->rsdp_size)
        return;
    memcpy(information->rsdp, tag + 1, size);
    information->rsdp_size = size;
}

static void parse_efi_system_table(const struct tag *tag,
                                   struct multiboot2_information *information)
{
    information->efi_system_table = ((const struct efi_system_table_tag *)tag)->pointer;
    information->is_efi_32_bit    = false;
}

/* The table of 64-bit UEFI is preferred if both are there. */
static void parse_efi_32_system_table(const struct tag *tag,
                                      struct multiboot2_information *information)
{
    if (information->efi_system_table != 0)
        return;
    information->efi_system_table =
        ((const struct efi_32_system_table_tag *)tag)->pointer;
    information->is_efi_32_bit = true;
}

static void parse_efi_memory_map(const struct tag *tag,
                                 struct multiboot2_information *information)
{
    const struct efi_memory_map_tag *map = (const struct efi_memory_map_tag *)tag;

    information->efi_memory_map      = (const uint8_t *)(map + 1);
    information->efi_memory_map_size = tag->size - sizeof(*map);
    information->efi_descriptor_size = map->descriptor_size;
}

/* The tags that Hymir uses. */
static const struct {
    uint32_t type;
    bool is_efi;
    size_t least; /* the size of the fixed part */
    void (*parse)(const struct tag *tag, struct multiboot2_information *information);
} parsers[] = {
    {TAG_COMMAND_LINE, false, sizeof(struct tag), parse_command_line},
    {TAG_LOADER_NAME, false, sizeof(struct tag), parse_loader_name},
    {TAG_MODULE, false, sizeof(struct module_tag), parse_module},
    {TAG_MEMORY_MAP, false, sizeof(struct memory_map_tag), parse_memory_map},
    {TAG_FRAMEBUFFER, false, offsetof(struct framebuffer_tag, red), parse_framebuffer},
    {TAG_ELF_SECTIONS, false, sizeof(struct elf_sections_tag), parse_elf_sections},
    {TAG_EFI_32, true, sizeof(struct efi_32_system_table_tag), parse_efi_32_system_table},
    {TAG_EFI_64, true, sizeof(struct efi_system_table_tag), parse_efi_system_table},
    {TAG_ACPI_OLD, false, sizeof(struct tag), parse_rsdp},
    {TAG_ACPI_NEW, false, sizeof(struct tag), parse_rsdp},
    {TAG_EFI_MEMORY_MAP, true, sizeof(struct efi_memory_map_tag), parse_efi_memory_map},
    {TAG_EFI_IMAGE_32, true, 0, NULL},
    {TAG_EFI_IMAGE_64, true, 0, NULL},
};

static void parse_tag(const struct tag *tag, struct multiboot2_information *information)
{
    for (size_t i = 0; i < ARRAY_SIZE(parsers); i++) {
        if (parsers[i].type != tag->type)
            continue;
        information->is_efi = information->is_efi || parsers[i].is_efi;
        if (parsers[i].parse != NULL && has_size(tag, parsers[i].least))
            parsers[i].parse(tag, information);
    }
}

static const struct tag *tag_at(const struct multiboot2_information *information,
                                uint64_t offset)
{
    return (const struct tag *)(const void *)(information->structure + offset);
}

enum status multiboot2_parse(const void *structure, size_t readable_size,
                             struct multiboot2_information *information)
{
    struct information_header header;
    const uint8_t *bytes = structure;

    if (readable_size < sizeof(header) ||
        !is_aligned((uintptr_t)structure, TAG_ALIGNMENT))
        return STATUS_MALFORMED;
    memcpy(&header, bytes, sizeof(header));
    if (header.total_size < sizeof(header) || header.total_size > readable_size ||
        header.total_size > MULTIBOOT2_MAX_SIZE)
        return STATUS_MALFORMED;

    *information = (struct multiboot2_information){.structure    = bytes,
                                                   .size         = header.total_size,
                                                   .command_line = "",
                                                   .loader_name  = ""};
    for (uint64_t offset = sizeof(header);;) {
        const struct tag *tag = tag_at(information, offset);
        information->tags_end = (uint32_t)offset;
        if (offset > header.total_size - sizeof(*tag)) {
            log_warning("Multiboot2 information: no end tag");
            return STATUS_OK;
        }
        if (tag->type == TAG_END)
            return STATUS_OK;
        if (tag->size < sizeof(*tag) || tag->size > header.total_size - offset) {
            log_warning("Multiboot2 tag type %u: invalid size %u; this and all later "
                        "tags ignored",
                        tag->type, tag->size);
            return STATUS_OK;
        }
        parse_tag(tag, information);
        offset = align_up(offset + tag->size, TAG_ALIGNMENT);
    }
}

void multiboot2_visit_modules(const struct multiboot2_information *information,
                              void (*visit)(uint64_t start, uint64_t end))
{
    uint64_t offset = sizeof(struct information_header);

    while (offset < information->tags_end) {
        const struct tag *tag           = tag_at(information, offset);
        const struct module_tag *module = (const struct module_tag *)tag;
        if (tag->type == TAG_MODULE && tag->size >= sizeof(*module))
            visit(module->start, module->end);
        offset = align_up(offset + tag->size, TAG_ALIGNMENT);
    }
}

enum status multiboot2_memory_map(const struct multiboot2_information *information,
                                  struct memory_map *map)
{
    /* By Multiboot2 type, from 0; all other types are reserved. */
    static const enum memory_type types[] = {MEMORY_RESERVED, MEMORY_USABLE,
                                             MEMORY_RESERVED, MEMORY_ACPI_RECLAIMABLE,
                                             MEMORY_ACPI_NVS, MEMORY_BAD};

    if (information->memory_map_count == 0)
        return STATUS_NOT_FOUND;
    for (size_t i = 0; i < information->memory_map_count; i++) {
        struct memory_map_entry entry;
        memcpy(&entry, information->memory_map + i * information->memory_map_entry_size,
               sizeof(entry));
        memory_map_add(map, entry.start, entry.size,
                       entry.type < ARRAY_SIZE(types) ? types[entry.type]
                                                      : MEMORY_RESERVED);
    }
    return STATUS_OK;
}

static struct elf64_section section_at(const struct multiboot2_information *information,
                                       size_t index)
{
    struct elf64_section section;
    memcpy(&section,
           information->elf_sections + index * information->elf_section_entry_size,
           sizeof(section));
    return section;
}

static bool is_below_4_gib(const struct elf64_section *section)
{
    return section->address != 0 &&
           range_end(section->address, section->size) <= UINT32_MAX;
}

enum status multiboot2_find_symbols(const struct multiboot2_information *information,
                                    struct multiboot2_symbols *symbols)
{
    for (size_t i = 0; i < information->elf_section_count; i++) {
        struct elf64_section section = section_at(information, i);
        if (section.type != ELF_SECTION_SYMBOL_TABLE ||
            section.link >= information->elf_section_count)
            continue;
        struct elf64_section names = section_at(information, section.link);
        if (!is_below_4_gib(&section) || !is_below_4_gib(&names))
            return STATUS_NOT_FOUND;
        *symbols = (struct multiboot2_symbols){.symbols      = section.address,
                                               .symbols_size = section.size,
                                               .names        = names.address,
                                               .names_size   = names.size};
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
