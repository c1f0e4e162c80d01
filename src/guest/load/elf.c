/* See elf.h. */
#include "guest/load/elf.h"

#include "lib/bits.h"
#include "lib/string.h"

#define CLASS_32       1
#define CLASS_64       2
#define DATA_LITTLE    1
#define MACHINE_386    3
#define MACHINE_X86_64 62

struct elf_identification {
    uint8_t magic[4];
    uint8_t class, data, version;
    uint8_t padding[9];
    uint16_t type, machine;
    uint32_t format_version;
};

struct elf32_header {
    struct elf_identification identification;
    uint32_t entry, segments, sections, flags;
    uint16_t header_size, segment_size, segment_count;
    uint16_t section_size, section_count, names;
};
_Static_assert(sizeof(struct elf32_header) == 52, "System V ABI, ELF header");

struct elf64_header {
    struct elf_identification identification;
    uint64_t entry, segments, sections;
    uint32_t flags;
    uint16_t header_size, segment_size, segment_count;
    uint16_t section_size, section_count, names;
};
_Static_assert(sizeof(struct elf64_header) == 64, "System V ABI, ELF header");

struct elf32_segment {
    uint32_t type, offset, virtual, physical, file_size, memory_size, flags, alignment;
};
_Static_assert(sizeof(struct elf32_segment) == 32, "System V ABI, program header");

struct elf64_segment {
    uint32_t type, flags;
    uint64_t offset, virtual, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct elf64_segment) == 56, "System V ABI, program header");

static bool is_elf(const struct elf_identification *identification)
{
    static const uint8_t magic[] = {0x7F, 'E', 'L', 'F'};

    return memcmp(identification->magic, magic, sizeof(magic)) == 0 &&
           (identification->class == CLASS_32 || identification->class == CLASS_64) &&
           identification->data == DATA_LITTLE &&
           (identification->machine == MACHINE_386 ||
            identification->machine == MACHINE_X86_64);
}

/* Both headers have the same fields, in different widths. */
#define COPY_HEADER(file, header)                         \
    do {                                                  \
        (file)->entry           = (header).entry;         \
        (file)->segments_offset = (header).segments;      \
        (file)->segment_count   = (header).segment_count; \
        (file)->segment_size    = (header).segment_size;  \
    } while (0)

bool elf_open(struct image_bytes bytes, struct elf_file *file)
{
    struct elf_file opened = {.bytes = bytes};
    union {
        struct elf_identification identification;
        struct elf32_header narrow;
        struct elf64_header wide;
    } header;

    if (bytes.size < sizeof(header))
        return false;
    memcpy(&header, bytes.bytes, sizeof(header));
    if (!is_elf(&header.identification))
        return false;
    opened.is_64 = header.identification.class == CLASS_64;
    if (opened.is_64)
        COPY_HEADER(&opened, header.wide);
    else
        COPY_HEADER(&opened, header.narrow);
    uint64_t least =
        opened.is_64 ? sizeof(struct elf64_segment) : sizeof(struct elf32_segment);
    uint64_t size = (uint64_t)opened.segment_count * opened.segment_size;
    if (opened.segment_count == 0 || opened.segment_size < least ||
        opened.segments_offset > bytes.size || size > bytes.size - opened.segments_offset)
        return false;
    *file = opened;
    return true;
}

struct elf_segment elf_segment(const struct elf_file *file, uint16_t index)
{
    const uint8_t *at =
        file->bytes.bytes + file->segments_offset + (uint64_t)index * file->segment_size;
    if (file->is_64) {
        struct elf64_segment wide;
        memcpy(&wide, at, sizeof(wide));
        return (struct elf_segment){wide.type,    wide.offset,   wide.file_size,
                                    wide.virtual, wide.physical, wide.memory_size};
    }
    struct elf32_segment narrow;
    memcpy(&narrow, at, sizeof(narrow));
    return (struct elf_segment){narrow.type,    narrow.offset,   narrow.file_size,
                                narrow.virtual, narrow.physical, narrow.memory_size};
}

/* False, with the reason, if a segment is not within the file or the guest's RAM. */
static bool is_loadable(const struct elf_file *file, const struct elf_segment *segment,
                        uint16_t index, const struct guest_memory *memory,
                        struct text *problem)
{
    uint64_t end        = range_end(segment->physical, segment->memory_size);
    unsigned int number = index + 1U, count = file->segment_count;

    if (segment->offset > file->bytes.size ||
        segment->file_size > file->bytes.size - segment->offset)
        return TEXT_FAIL(problem, "segment %u of %u extends beyond the end of the file",
                         number, count);
    if (segment->file_size > segment->memory_size)
        return TEXT_FAIL(problem, "segment %u of %u is larger in the file than in memory",
                         number, count);
    if (end > memory->size)
        return TEXT_FAIL(problem,
                         "segment %u of %u ends at 0x%lx, beyond the guest's %lu MiB",
                         number, count, end, memory->size >> 20);
    return true;
}

bool elf_load(const struct elf_file *file, struct image_room *room, struct text *problem)
{
    for (uint16_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type != ELF_SEGMENT_LOAD || segment.memory_size == 0)
            continue;
        if (!is_loadable(file, &segment, i, room->memory, problem) ||
            !guest_memory_write(room->memory, gpa(segment.physical),
                                file->bytes.bytes + segment.offset, segment.file_size))
            return false;
        uint64_t end = segment.physical + segment.memory_size;
        if (end > room->floor)
            room->floor = end;
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
