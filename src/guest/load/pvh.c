/*
 * See image.h: kernels with Xen's note PHYS32_ENTRY, "PVH".
 *
 * Xen, "x86/HVM direct boot ABI" and public/arch-x86/hvm/start_info.h: 32-bit protected
 * mode, flat segments, paging off, EBX points to struct hvm_start_info.
 */
#include "guest/load/elf.h"

#include "lib/bits.h"
#include "lib/string.h"

#define NOTE_PHYS32_ENTRY 18
#define START_INFO_MAGIC  0x336EC578U

struct note_header {
    uint32_t name_size, description_size, type;
};

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};
_Static_assert(sizeof(struct start_info) == 56, "Xen, struct hvm_start_info");

struct start_module {
    uint64_t address, size, command_line, reserved;
};

struct start_memory {
    uint64_t address, size;
    uint32_t type, reserved;
};
_Static_assert(sizeof(struct start_memory) == 24, "Xen, struct hvm_memmap_table_entry");

/* What goes into the guest's memory in one piece. */
struct start_page {
    struct start_info info;
    struct start_module module;
    struct start_memory memory[IMAGE_RANGES];
};

/* Looks for the note in the bytes of a note segment. */
static bool find_entry(const uint8_t *bytes, uint64_t size, uint64_t *entry)
{
    uint64_t at = 0;

    while (size - at >= sizeof(struct note_header)) {
        struct note_header note;
        memcpy(&note, bytes + at, sizeof(note));
        uint64_t name        = at + sizeof(note);
        uint64_t description = name + align_up(note.name_size, 4);
        uint64_t end         = description + align_up(note.description_size, 4);
        if (end > size || description + note.description_size > size)
            return false;
        bool is_xen = note.name_size == 4 && memcmp(bytes + name, "Xen", 4) == 0;
        if (is_xen && note.type == NOTE_PHYS32_ENTRY &&
            (note.description_size == 4 || note.description_size == 8)) {
            *entry = 0;
            memcpy(entry, bytes + description, note.description_size);
            return true;
        }
        at = end;
    }
    return false;
}

bool pvh_recognises(struct image_bytes kernel, uint64_t *entry)
{
    struct elf_file file;

    if (!elf_open(kernel, &file))
        return false;
    for (uint16_t i = 0; i < file.segment_count; i++) {
        struct elf_segment segment = elf_segment(&file, i);
        if (segment.type == ELF_SEGMENT_NOTE && segment.offset <= kernel.size &&
            segment.file_size <= kernel.size - segment.offset &&
            find_entry(kernel.bytes + segment.offset, segment.file_size, entry))
            return true;
    }
    return false;
}

static void fill_memory_map(struct start_memory memory[IMAGE_RANGES], uint64_t size)
{
    struct image_range map[IMAGE_RANGES];

    image_map_memory(map, size);
    for (size_t i = 0; i < IMAGE_RANGES; i++)
        memory[i] = (struct start_memory){
            .address = map[i].start, .size = map[i].size, .type = map[i].type};
}

bool pvh_load(const struct image_parts *parts, uint64_t entry, struct image_room *room,
              struct vcpu_start *start, struct text *problem)
{
    struct image_bytes command_line = {(const uint8_t *)parts->command_line,
                                       strlen(parts->command_line) + 1};
    struct start_page page          = {0};
    struct elf_file file;
    gpa_t at, initrd, text;

    if (!elf_open(parts->kernel, &file) || !elf_load(&file, room, problem) ||
        !image_room_put(room, parts->initrd, "the initrd", &initrd, problem) ||
        !image_room_put(room, command_line, "the command line", &text, problem) ||
        !image_room_take(room, sizeof(page), "the start info", &at, problem))
        return false;
    if (entry >= room->memory->size) {
        text_append(problem, "its entry 0x%lx lies beyond its %lu MiB", entry,
                    room->memory->size >> 20);
        return false;
    }
    fill_memory_map(page.memory, room->memory->size);
    page.module =
        (struct start_module){.address = initrd.value, .size = parts->initrd.size};
    page.info = (struct start_info){
        .magic            = START_INFO_MAGIC,
        .version          = 1,
        .module_count     = parts->initrd.size > 0 ? 1 : 0,
        .modules          = at.value + offsetof(struct start_page, module),
        .command_line     = text.value,
        .memory_map       = at.value + offsetof(struct start_page, memory),
        .memory_map_count = ARRAY_SIZE(page.memory),
    };
    *start     = image_start_flat((uint32_t)entry);
    start->rbx = at.value;
    return guest_memory_write(room->memory, at, &page, sizeof(page));
}
