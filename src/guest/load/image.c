/* See image.h. */
#include "guest/load/image.h"

#include "lib/bits.h"
#include "lib/string.h"

#define CR0_PE_AND_ET      0x11U
#define SELECTOR_FLAT_CODE 0x10
#define SELECTOR_FLAT_DATA 0x18
#define ACCESS_RIGHTS_CODE 0xC09BU /* present, execute/read, accessed, 32 bits, G */
#define ACCESS_RIGHTS_DATA 0xC093U /* present, read/write, accessed, 32 bits, G */

bool image_room_take(struct image_room *room, uint64_t size, const char *what,
                     gpa_t *address, struct text *problem)
{
    uint64_t rounded = align_up(size, PAGE_SIZE);

    if (rounded < size || rounded > room->bottom ||
        room->bottom - rounded < room->floor) {
        text_append(
            problem,
            "no room for %s of %lu bytes: the kernel ends at 0x%lx of %lu MiB; give "
            "it more memory=",
            what, size, room->floor, room->memory->size >> 20);
        return false;
    }
    room->bottom -= rounded;
    *address = gpa(room->bottom);
    return true;
}

bool image_room_put(struct image_room *room, struct image_bytes data, const char *what,
                    gpa_t *address, struct text *problem)
{
    *address = gpa(0);
    if (data.size == 0)
        return true;
    return image_room_take(room, data.size, what, address, problem) &&
           guest_memory_write(room->memory, *address, data.bytes, data.size);
}

void image_map_memory(struct image_range map[IMAGE_RANGES], uint64_t memory_size)
{
    map[0] = (struct image_range){0, IMAGE_LOW_END, IMAGE_TYPE_RAM};
    map[1] = (struct image_range){IMAGE_LOW_END, IMAGE_HIGH_START - IMAGE_LOW_END,
                                  IMAGE_TYPE_RESERVED};
    map[2] = (struct image_range){IMAGE_HIGH_START, memory_size - IMAGE_HIGH_START,
                                  IMAGE_TYPE_RAM};
}

struct vcpu_start image_start_flat(uint32_t entry)
{
    return (struct vcpu_start){
        .rip  = entry,
        .cr0  = CR0_PE_AND_ET,
        .code = {SELECTOR_FLAT_CODE, UINT32_MAX, ACCESS_RIGHTS_CODE, 0},
        .data = {SELECTOR_FLAT_DATA, UINT32_MAX, ACCESS_RIGHTS_DATA, 0},
    };
}

bool image_load(const struct image_parts *parts, struct guest_memory *memory,
                struct vcpu_start *start, const char **kind, struct text *problem)
{
    struct image_room room = {.memory = memory, .bottom = memory->size};
    uint64_t entry;

    if (pvh_recognises(parts->kernel, &entry)) {
        *kind = "PVH";
        return pvh_load(parts, entry, &room, start, problem);
    }
    if (multiboot1_recognises(parts->kernel)) {
        *kind = "Multiboot";
        return multiboot1_load(parts, &room, start, problem);
    }
    if (linux_recognises(parts->kernel)) {
        *kind = "Linux";
        return linux_load(parts, &room, start, problem);
    }
    text_append(
        problem,
        "the image of %zu bytes is neither Linux (bzImage) nor PVH (ELF with note "
        "18) nor Multiboot 1",
        parts->kernel.size);
    return false;
}
