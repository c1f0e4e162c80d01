/* See elf.h. */
#include "guest/load/elf.h"

#include "lib/bits.h"
#include "lib/elf.h"
#include "lib/string.h"

#define CLASS_32       1
#define CLASS_64       2
#define DATA_LITTLE    1
#define MACHINE_386    3
#define MACHINE_X86_64 62

/* The sizes of a program header. */
#define SEGMENT_SIZE_32 32U
#define SEGMENT_SIZE_64 56U

/* The sizes of a section header, and what its address comes after: two 32-bit fields. */
#define SECTION_SIZE_32   40U
#define SECTION_SIZE_64   64U
#define SECTION_WORDS     8U
#define SYMBOLS_ALIGNMENT 16U

/* A word has 4 bytes in 32-bit files and 8 in 64-bit ones; the layout is the same. */
struct elf_identification {
    uint8_t magic[4];
    uint8_t class, data, version;
    uint8_t padding[9];
    uint16_t type, machine;
    uint32_t format_version;
};
_Static_assert(sizeof(struct elf_identification) == 24, "System V ABI, ELF header");

/* The words of the header, after the identification, and what follows them. */
struct elf_words {
    uint64_t entry, segments, sections;
};
struct elf_counts {
    uint32_t flags;
    uint16_t header_size, segment_size, segment_count;
    uint16_t section_size, section_count, names;
};
_Static_assert(sizeof(struct elf_counts) == 16, "System V ABI, ELF header");

/* Widens words of the file to size bytes of 64-bit ones. */
static void read_words(const uint8_t *words, size_t word_size, void *wide, size_t size)
{
    memset(wide, 0, size);
    for (size_t at = 0; at < size; at += sizeof(uint64_t), words += word_size)
        memcpy((uint8_t *)wide + at, words, word_size);
}

static bool is_elf(const struct elf_identification *identification)
{
    static const uint8_t magic[] = {0x7F, 'E', 'L', 'F'};

    return memcmp(identification->magic, magic, sizeof(magic)) == 0 &&
           (identification->class == CLASS_32 || identification->class == CLASS_64) &&
           identification->data == DATA_LITTLE &&
           (identification->machine == MACHINE_386 ||
            identification->machine == MACHINE_X86_64);
}

bool elf_open(struct image_bytes bytes, struct elf_file *file)
{
    struct elf_identification identification;
    struct elf_words words;
    struct elf_counts counts;
    const uint8_t *at = bytes.bytes + sizeof(identification);

    if (bytes.size < sizeof(identification) + sizeof(words) + sizeof(counts))
        return false;
    memcpy(&identification, bytes.bytes, sizeof(identification));
    if (!is_elf(&identification))
        return false;
    bool is_64       = identification.class == CLASS_64;
    size_t word_size = is_64 ? sizeof(uint64_t) : sizeof(uint32_t);
    read_words(at, word_size, &words, sizeof(words));
    memcpy(&counts, at + sizeof(words) / sizeof(uint64_t) * word_size, sizeof(counts));
    *file = (struct elf_file){bytes,
                              word_size,
                              words.entry,
                              words.segments,
                              words.sections,
                              counts.segment_count,
                              counts.segment_size,
                              counts.section_count,
                              counts.section_size,
                              counts.names,
                              0};
    if (counts.section_size < (is_64 ? SECTION_SIZE_64 : SECTION_SIZE_32) ||
        !image_contains(bytes, words.sections, elf_section_headers_size(file)))
        file->section_count = 0;
    return counts.segment_count > 0 &&
           counts.segment_size >= (is_64 ? SEGMENT_SIZE_64 : SEGMENT_SIZE_32) &&
           image_contains(bytes, words.segments,
                          (uint64_t)counts.segment_count * counts.segment_size);
}

struct elf_segment elf_segment(const struct elf_file *file, uint16_t index)
{
    struct elf_segment segment;

    read_words(file->bytes.bytes + file->segments_offset +
                   (uint64_t)index * file->segment_size,
               file->word_size, &segment, sizeof(segment));
    segment.type &= UINT32_MAX; /* in 64-bit files the flags are above it */
    segment.physical += file->displacement;
    return segment;
}

/* False, with the reason, if a segment is not within the file or the guest's RAM. */
static bool is_loadable(const struct elf_file *file, const struct elf_segment *segment,
                        uint16_t index, const struct loader *loader)
{
    uint64_t end        = range_end(segment->physical, segment->memory_size);
    uint64_t size       = loader->memory->size;
    unsigned int number = index + 1U, count = file->segment_count;

    const char *fault = NULL;
    if (!image_contains(file->bytes, segment->offset, segment->file_size))
        fault = "extends beyond the end of the file";
    else if (segment->file_size > segment->memory_size)
        fault = "is larger in the file than in memory";
    if (fault != NULL)
        return LOADER_FAIL(loader, "segment %u of %u %s", number, count, fault);
    if (end > size)
        return LOADER_FAIL(loader,
                           "segment %u of %u ends at 0x%lx, beyond the guest's %lu MiB",
                           number, count, end, size >> 20);
    return true;
}

uint64_t elf_notes_size(const struct elf_file *file)
{
    uint64_t size = 0;

    for (uint16_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type == ELF_SEGMENT_NOTE &&
            image_contains(file->bytes, segment.offset, segment.file_size))
            size += segment.file_size;
    }
    return size;
}

bool elf_load(const struct elf_file *file, struct loader *loader)
{
    uint64_t total = 0;

    for (uint16_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type != ELF_SEGMENT_LOAD || segment.memory_size == 0)
            continue;
        if (!is_loadable(file, &segment, i, loader))
            return false;
        total += segment.memory_size;
        if (total > loader->memory->size)
            return LOADER_FAIL(loader,
                               "segments 1 to %u of %u overlap: 0x%lx bytes in all, more "
                               "than the guest's %lu MiB",
                               i + 1U, file->segment_count, total,
                               loader->memory->size >> 20);
        if (!guest_memory_write(loader->memory, gpa(segment.physical),
                                file->bytes.bytes + segment.offset, segment.file_size))
            return false;
        uint64_t end = segment.physical + segment.memory_size;
        if (end > loader->floor)
            loader->floor = end;
    }
    return true;
}

bool elf_extent(const struct elf_file *file, uint64_t *start, uint64_t *end)
{
    *start = UINT64_MAX;
    *end   = 0;
    for (uint16_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        uint64_t first             = segment.physical - file->displacement;
        uint64_t last              = range_end(first, segment.memory_size);
        if (segment.type != ELF_SEGMENT_LOAD || segment.memory_size == 0)
            continue;
        *start = first < *start ? first : *start;
        *end   = last > *end ? last : *end;
    }
    return *start < *end;
}

uint64_t elf_physical(const struct elf_file *file, uint64_t virtual)
{
    for (uint16_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type == ELF_SEGMENT_LOAD && virtual >= segment.virtual &&
            virtual - segment.virtual < segment.memory_size)
            return segment.physical + (virtual - segment.virtual);
    }
    return virtual;
}

/* The part of a section header that Hymir uses: its words. */
struct section {
    uint32_t type;
    uint64_t flags, address, offset, size;
};

/* Returns the header of a section, in the file. */
static const uint8_t *section_header(const struct elf_file *file, uint16_t index)
{
    return file->bytes.bytes + file->sections_offset +
           (uint64_t)index * file->section_size;
}

/* Returns whether a section is a table to add, and reads its header. */
static bool is_symbols(const struct elf_file *file, uint16_t index,
                       struct section *section)
{
    const uint8_t *header = section_header(file, index);

    memcpy(&section->type, header + sizeof(uint32_t), sizeof(section->type));
    read_words(header + SECTION_WORDS, file->word_size, &section->flags,
               sizeof(*section) - offsetof(struct section, flags));
    return (section->type == ELF_SECTION_SYMBOL_TABLE ||
            section->type == ELF_SECTION_STRING_TABLE) &&
           section->address == 0 &&
           image_contains(file->bytes, section->offset, section->size);
}

uint64_t elf_section_headers_size(const struct elf_file *file)
{
    return (uint64_t)file->section_count * file->section_size;
}

uint64_t elf_symbols_size(const struct elf_file *file)
{
    struct section section;
    uint64_t size = 0;

    for (uint16_t i = 0; i < file->section_count; i++) {
        if (is_symbols(file, i, &section))
            size += align_up(section.size, SYMBOLS_ALIGNMENT);
    }
    return size;
}

bool elf_write_sections(const struct elf_file *file, const struct guest_memory *memory,
                        uint64_t headers, uint64_t symbols)
{
    struct section section;

    if (!guest_memory_write(memory, gpa(headers), section_header(file, 0),
                            elf_section_headers_size(file)))
        return false;
    for (uint16_t i = 0; i < file->section_count; i++) {
        uint64_t address =
            headers + (uint64_t)i * file->section_size + SECTION_WORDS + file->word_size;
        if (!is_symbols(file, i, &section))
            continue;
        if (!guest_memory_write(memory, gpa(symbols), file->bytes.bytes + section.offset,
                                section.size) ||
            !guest_memory_write(memory, gpa(address), &symbols, file->word_size))
            return false;
        symbols += align_up(section.size, SYMBOLS_ALIGNMENT);
    }
    return true;
}
