/* See elf.h. */
#include "guest/load/elf.h"

#include "lib/bits.h"
#include "lib/string.h"

#define CLASS_32       1
#define CLASS_64       2
#define DATA_LITTLE    1
#define MACHINE_386    3
#define MACHINE_X86_64 62

/* In 32-bit files a word has 4 bytes, in 64-bit ones 8: else they have the same layout.
 */
struct elf_identification {
    uint8_t magic[4];
    uint8_t class, data, version;
    uint8_t padding[9];
    uint16_t type, machine;
    uint32_t format_version;
};
_Static_assert(sizeof(struct elf_identification) == 24, "System V ABI, ELF header");

enum header_word {
    HEADER_ENTRY, /* after the identification */
    HEADER_SEGMENTS,
    HEADER_SECTIONS,
    HEADER_WORDS,
};

struct elf_header_end {
    uint32_t flags;
    uint16_t header_size, segment_size, segment_count;
    uint16_t section_size, section_count, names;
};
_Static_assert(sizeof(struct elf_header_end) == 16, "System V ABI, ELF header");

/* Program header. The flags are the high half of the type's word, or a word at the end.
 */
enum segment_word {
    SEGMENT_TYPE,
    SEGMENT_OFFSET,
    SEGMENT_VIRTUAL,
    SEGMENT_PHYSICAL,
    SEGMENT_FILE_SIZE,
    SEGMENT_MEMORY_SIZE,
};
#define SEGMENT_SIZE_32 32U
#define SEGMENT_SIZE_64 56U

static uint64_t read_word(const struct elf_file *file, const uint8_t *words, size_t index)
{
    uint64_t word = 0;

    memcpy(&word, words + index * file->word_size, file->word_size);
    return word;
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
    struct elf_file opened = {.bytes = bytes};
    struct elf_identification identification;
    struct elf_header_end end;
    const uint8_t *words = bytes.bytes + sizeof(identification);

    if (bytes.size <
        sizeof(identification) + HEADER_WORDS * sizeof(uint64_t) + sizeof(end))
        return false;
    memcpy(&identification, bytes.bytes, sizeof(identification));
    if (!is_elf(&identification))
        return false;
    bool is_64       = identification.class == CLASS_64;
    opened.word_size = is_64 ? sizeof(uint64_t) : sizeof(uint32_t);
    memcpy(&end, words + HEADER_WORDS * opened.word_size, sizeof(end));
    opened.entry           = read_word(&opened, words, HEADER_ENTRY);
    opened.segments_offset = read_word(&opened, words, HEADER_SEGMENTS);
    opened.segment_count   = end.segment_count;
    opened.segment_size    = end.segment_size;
    if (end.segment_count == 0 ||
        end.segment_size < (is_64 ? SEGMENT_SIZE_64 : SEGMENT_SIZE_32) ||
        !image_contains(bytes, opened.segments_offset,
                        (uint64_t)end.segment_count * end.segment_size))
        return false;
    *file = opened;
    return true;
}

struct elf_segment elf_segment(const struct elf_file *file, uint16_t index)
{
    const uint8_t *words =
        file->bytes.bytes + file->segments_offset + (uint64_t)index * file->segment_size;

    return (struct elf_segment){
        .type        = (uint32_t)read_word(file, words, SEGMENT_TYPE),
        .offset      = read_word(file, words, SEGMENT_OFFSET),
        .file_size   = read_word(file, words, SEGMENT_FILE_SIZE),
        .virtual     = read_word(file, words, SEGMENT_VIRTUAL),
        .physical    = read_word(file, words, SEGMENT_PHYSICAL),
        .memory_size = read_word(file, words, SEGMENT_MEMORY_SIZE),
    };
}

/* False, with the reason, if a segment is not within the file or the guest's RAM. */
static bool is_loadable(const struct elf_file *file, const struct elf_segment *segment,
                        uint16_t index, const struct loader *loader)
{
    uint64_t end        = range_end(segment->physical, segment->memory_size);
    uint64_t size       = loader->memory->size;
    unsigned int number = index + 1U, count = file->segment_count;

    if (!image_contains(file->bytes, segment->offset, segment->file_size))
        return TEXT_FAIL(loader->problem,
                         "segment %u of %u extends beyond the end of the file", number,
                         count);
    if (segment->file_size > segment->memory_size)
        return TEXT_FAIL(loader->problem,
                         "segment %u of %u is larger in the file than in memory", number,
                         count);
    if (end > size)
        return TEXT_FAIL(loader->problem,
                         "segment %u of %u ends at 0x%lx, beyond the guest's %lu MiB",
                         number, count, end, size >> 20);
    return true;
}

bool elf_load(const struct elf_file *file, struct loader *loader)
{
    for (uint16_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type != ELF_SEGMENT_LOAD || segment.memory_size == 0)
            continue;
        if (!is_loadable(file, &segment, i, loader) ||
            !guest_memory_write(loader->memory, gpa(segment.physical),
                                file->bytes.bytes + segment.offset, segment.file_size))
            return false;
        uint64_t end = segment.physical + segment.memory_size;
        if (end > loader->floor)
            loader->floor = end;
    }
    return true;
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
