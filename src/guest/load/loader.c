/* See loader.h. */
#include "guest/load/loader.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/control_registers.h"

#define SELECTOR_FLAT_CODE 0x10
#define SELECTOR_FLAT_DATA 0x18
#define ACCESS_RIGHTS_CODE 0xC09BU /* present, execute/read, accessed, 32 bits, G */
#define ACCESS_RIGHTS_DATA 0xC093U /* present, read/write, accessed, 32 bits, G */

bool image_room_allocate(struct image_room *room, uint64_t size, const char *what,
                         gpa_t *address, struct text *problem)
{
    uint64_t rounded = align_up(size, PAGE_SIZE);

    if (rounded < size || rounded > room->bottom || room->bottom - rounded < room->floor)
        return TEXT_FAIL(
            problem,
            "no room for %s of %lu bytes: the kernel ends at 0x%lx of %lu MiB; "
            "increase memory=",
            what, size, room->floor, room->memory->size >> 20);
    room->bottom -= rounded;
    *address = gpa(room->bottom);
    return true;
}

bool image_room_add(struct image_room *room, struct image_bytes data, const char *what,
                    gpa_t *address, struct text *problem)
{
    *address = gpa(0);
    if (data.size == 0)
        return true;
    return image_room_allocate(room, data.size, what, address, problem) &&
           guest_memory_write(room->memory, *address, data.bytes, data.size);
}

bool image_room_add_parts(struct image_room *room, const struct image_parts *parts,
                          gpa_t *initrd, gpa_t *command_line, struct text *problem)
{
    const struct image_bytes text = {(const uint8_t *)parts->command_line,
                                     strlen(parts->command_line) + 1};

    return image_room_add(room, parts->initrd, "the initrd", initrd, problem) &&
           image_room_add(room, text, "the command line", command_line, problem);
}

void image_map_memory(struct image_range map[IMAGE_RANGES], uint64_t memory_size)
{
    map[0] = (struct image_range){0, IMAGE_LOW_END, IMAGE_TYPE_RAM, 0};
    map[1] = (struct image_range){IMAGE_LOW_END, IMAGE_HIGH_START - IMAGE_LOW_END,
                                  IMAGE_TYPE_RESERVED, 0};
    map[2] = (struct image_range){IMAGE_HIGH_START, memory_size - IMAGE_HIGH_START,
                                  IMAGE_TYPE_RAM, 0};
}

bool image_start_flat(const struct image_room *room, uint64_t entry,
                      struct vcpu_start *start, struct text *problem)
{
    if (entry >= room->memory->size)
        return TEXT_FAIL(problem, "entry point 0x%lx is beyond the guest's %lu MiB",
                         entry, room->memory->size >> 20);
    *start = (struct vcpu_start){
        .rip  = entry,
        .cr0  = CR0_PE | CR0_ET,
        .code = {SELECTOR_FLAT_CODE, UINT32_MAX, ACCESS_RIGHTS_CODE},
        .data = {SELECTOR_FLAT_DATA, UINT32_MAX, ACCESS_RIGHTS_DATA},
    };
    return true;
}
