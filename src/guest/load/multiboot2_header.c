/* See multiboot2_header.h. */
#include "guest/load/multiboot2_header.h"

#include "lib/bits.h"
#include "lib/multiboot2.h"
#include "lib/string.h"

#define HEADER_MAGIC  0xE85250D6U
#define HEADER_I386   0U
#define HEADER_SEARCH 32768U /* bytes at the start of the file, with the whole header */

enum header_tag_type {
    HEADER_TAG_END              = 0,
    HEADER_TAG_REQUEST          = 1,
    HEADER_TAG_ADDRESSES        = 2,
    HEADER_TAG_ENTRY            = 3,
    HEADER_TAG_CONSOLE          = 4,
    HEADER_TAG_FRAMEBUFFER      = 5,
    HEADER_TAG_MODULE_ALIGNMENT = 6,
    HEADER_TAG_EFI_SERVICES     = 7,
    HEADER_TAG_EFI_ENTRY_32     = 8,
    HEADER_TAG_EFI_ENTRY_64     = 9,
    HEADER_TAG_RELOCATABLE      = 10,
};
#define HEADER_TAG_OPTIONAL BIT(0)
#define CONSOLE_REQUIRED    BIT(0)

#define LOAD_FROM_START UINT32_MAX /* load_addr: the whole file */
#define PREFER_LOWEST   1U
#define PREFER_HIGHEST  2U

struct fixed_part {
    uint32_t magic, architecture, size, checksum;
};

struct header_tag {
    uint16_t type, flags;
    uint32_t size; /* with this header, without padding to TAG_ALIGNMENT */
};

/* The tags of the boot information that a guest gets, if there is what they describe. */
#define PROVIDED                                                           \
    (BIT(TAG_COMMAND_LINE) | BIT(TAG_LOADER_NAME) | BIT(TAG_MODULE) |      \
     BIT(TAG_BASIC_MEMORY) | BIT(TAG_MEMORY_MAP) | BIT(TAG_ELF_SECTIONS) | \
     BIT(TAG_ACPI_NEW) | BIT(TAG_LOAD_BASE))

/*
 * Those that describe what a guest does not have: "The existence of this tag doesn't
 * guarantee that the tag will be present".
 */
#define ABSENT                                                                   \
    (BIT(TAG_BOOT_DEVICE) | BIT(TAG_VBE) | BIT(TAG_FRAMEBUFFER) | BIT(TAG_APM) | \
     BIT(TAG_EFI_32) | BIT(TAG_EFI_64) | BIT(TAG_ACPI_OLD) | BIT(TAG_NETWORK) |  \
     BIT(TAG_EFI_MEMORY_MAP) | BIT(TAG_EFI_SERVICES) | BIT(TAG_EFI_IMAGE_32) |   \
     BIT(TAG_EFI_IMAGE_64))

bool multiboot2_header_find(struct image_bytes kernel, uint64_t *offset)
{
    struct fixed_part fixed;

    for (uint64_t at = 0;
         image_contains(kernel, at, sizeof(fixed)) && at + sizeof(fixed) <= HEADER_SEARCH;
         at += TAG_ALIGNMENT) {
        memcpy(&fixed, kernel.bytes + at, sizeof(fixed));
        if (fixed.magic == HEADER_MAGIC && fixed.architecture == HEADER_I386 &&
            fixed.magic + fixed.architecture + fixed.size + fixed.checksum == 0) {
            *offset = at;
            return true;
        }
    }
    return false;
}

/* The parsers of a tag get its body, of at least the size in their row. */
typedef bool parse_tag(const struct loader *loader, const struct header_tag *tag,
                       const uint8_t *body, struct multiboot2_header *header);

static bool parse_request(const struct loader *loader, const struct header_tag *tag,
                          const uint8_t *body, struct multiboot2_header *header)
{
    (void)header;
    for (uint32_t at = 0; at + sizeof(uint32_t) <= tag->size - sizeof(*tag);
         at += sizeof(uint32_t)) {
        uint32_t type;
        memcpy(&type, body + at, sizeof(type));
        if (type >= 64 || ((PROVIDED | ABSENT) & BIT(type)) == 0)
            return LOADER_FAIL(loader,
                               "the Multiboot2 header requires boot information of type "
                               "%u, which Hymir does not provide",
                               type);
    }
    return true;
}

static bool parse_addresses(const struct loader *loader, const struct header_tag *tag,
                            const uint8_t *body, struct multiboot2_header *header)
{
    uint32_t field[4]; /* header, load, load end, end of the BSS */

    (void)tag;
    memcpy(field, body, sizeof(field));
    if (field[1] == LOAD_FROM_START && field[0] < header->offset)
        return LOADER_FAIL(loader,
                           "Multiboot2 header: address 0x%x is less than its offset in "
                           "the file, 0x%lx",
                           field[0], header->offset);
    if (field[1] == LOAD_FROM_START)
        field[1] = field[0] - (uint32_t)header->offset;
    header->has_addresses = true;
    header->addresses = (struct load_addresses){field[0], field[1], field[2], field[3]};
    return true;
}

static bool parse_entry(const struct loader *loader, const struct header_tag *tag,
                        const uint8_t *body, struct multiboot2_header *header)
{
    (void)loader;
    (void)tag;
    header->has_entry = true;
    memcpy(&header->entry, body, sizeof(header->entry));
    return true;
}

static bool parse_console(const struct loader *loader, const struct header_tag *tag,
                          const uint8_t *body, struct multiboot2_header *header)
{
    uint32_t flags;

    (void)tag;
    (void)header;
    memcpy(&flags, body, sizeof(flags));
    if ((flags & CONSOLE_REQUIRED) != 0)
        return LOADER_FAIL(loader, "the Multiboot2 header requires a screen; guests have "
                                   "a serial port only");
    return true;
}

static bool parse_relocatable(const struct loader *loader, const struct header_tag *tag,
                              const uint8_t *body, struct multiboot2_header *header)
{
    uint32_t field[4];

    (void)tag;
    memcpy(field, body, sizeof(field));
    header->is_relocatable = true;
    header->lowest         = field[0];
    header->highest        = field[1];
    header->alignment      = field[2] != 0 ? field[2] : 1;
    header->preference     = field[3];
    if ((header->alignment & (header->alignment - 1)) != 0)
        return LOADER_FAIL(loader,
                           "Multiboot2 header: alignment 0x%x is not a power of two",
                           header->alignment);
    return true;
}

/*
 * The known tags. Those without a function need no action: the framebuffer's is a
 * recommendation, modules are always aligned to pages, and those of EFI are for EFI.
 * Those that only require something are ignored if they are optional.
 */
static const struct {
    uint16_t type;
    bool is_requirement;
    uint32_t size; /* least */
    parse_tag *parse;
} rows[] = {
    {HEADER_TAG_REQUEST, true, 8, parse_request},
    {HEADER_TAG_ADDRESSES, false, 24, parse_addresses},
    {HEADER_TAG_ENTRY, false, 12, parse_entry},
    {HEADER_TAG_CONSOLE, true, 12, parse_console},
    {HEADER_TAG_FRAMEBUFFER, false, 8, NULL},
    {HEADER_TAG_MODULE_ALIGNMENT, false, 8, NULL},
    {HEADER_TAG_EFI_SERVICES, false, 8, NULL},
    {HEADER_TAG_EFI_ENTRY_32, false, 8, NULL},
    {HEADER_TAG_EFI_ENTRY_64, false, 8, NULL},
    {HEADER_TAG_RELOCATABLE, false, 24, parse_relocatable},
};

/* Parses a tag whose size is within the header. */
static bool parse_tag_at(const struct loader *loader, const struct header_tag *tag,
                         const uint8_t *body, struct multiboot2_header *header)
{
    bool is_optional = (tag->flags & HEADER_TAG_OPTIONAL) != 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].type != tag->type)
            continue;
        if (tag->size < rows[i].size)
            return LOADER_FAIL(loader, "Multiboot2 header: tag type %u: invalid size %u",
                               tag->type, tag->size);
        return rows[i].parse == NULL || (rows[i].is_requirement && is_optional) ||
               rows[i].parse(loader, tag, body, header);
    }
    return is_optional ||
           LOADER_FAIL(loader, "Multiboot2 header: unsupported tag type %u required",
                       tag->type);
}

/* Parses the tags of a header of size bytes, which are within the file. */
static bool parse_tags(const struct loader *loader, uint32_t size,
                       struct multiboot2_header *header)
{
    const uint8_t *bytes = loader->parts->kernel.bytes + header->offset;
    struct header_tag tag;

    for (uint64_t at = sizeof(struct fixed_part); at + sizeof(tag) <= size;
         at          = align_up(at + tag.size, TAG_ALIGNMENT)) {
        memcpy(&tag, bytes + at, sizeof(tag));
        if (tag.type == HEADER_TAG_END)
            return true;
        if (tag.size < sizeof(tag) || tag.size > size - at)
            return LOADER_FAIL(loader, "Multiboot2 header: tag type %u: invalid size %u",
                               tag.type, tag.size);
        if (!parse_tag_at(loader, &tag, bytes + at + sizeof(tag), header))
            return false;
    }
    return LOADER_FAIL(loader, "Multiboot2 header: no end tag in its %u bytes", size);
}

bool multiboot2_header_read(const struct loader *loader, struct multiboot2_header *header)
{
    struct image_bytes kernel = loader->parts->kernel;
    struct fixed_part fixed;

    *header = (struct multiboot2_header){.offset = 0};
    if (!multiboot2_header_find(kernel, &header->offset))
        return false;
    memcpy(&fixed, kernel.bytes + header->offset, sizeof(fixed));
    if (!image_contains(kernel, header->offset, fixed.size) ||
        header->offset + fixed.size > HEADER_SEARCH)
        return LOADER_FAIL(loader,
                           "Multiboot2 header: %u bytes at 0x%lx are not within the file "
                           "and its first 32 KiB",
                           fixed.size, header->offset);
    if (!parse_tags(loader, fixed.size, header))
        return false;
    if (header->has_addresses && !header->has_entry)
        return LOADER_FAIL(loader,
                           "Multiboot2 header: load addresses, but no entry address");
    return true;
}

bool multiboot2_header_place(const struct multiboot2_header *header,
                             const struct loader *loader, uint64_t start, uint64_t size,
                             uint64_t *address)
{
    uint64_t alignment = header->alignment, ram = loader->memory->size;
    uint64_t lowest = header->lowest;
    uint64_t end    = (uint64_t)header->highest + 1 < ram ? header->highest + 1U : ram;

    if (lowest < IMAGE_HIGH_START)
        lowest = IMAGE_HIGH_START;
    lowest = align_up(lowest, alignment);
    if (size > end || lowest > end - size)
        return LOADER_FAIL(loader,
                           "no room for the kernel of %lu bytes, aligned to 0x%lx, from "
                           "0x%lx to 0x%lx; increase memory=",
                           size, alignment, lowest, end);
    uint64_t highest = align_down(end - size, alignment);
    bool stays       = header->preference != PREFER_LOWEST &&
                 header->preference != PREFER_HIGHEST && start >= lowest &&
                 start <= highest && is_aligned(start, alignment);
    *address = stays ? start : header->preference == PREFER_HIGHEST ? highest : lowest;
    return true;
}
