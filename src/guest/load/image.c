/* See image.h. */
#include "guest/load/image.h"

#include "guest/load/loader.h"
#include "lib/bits.h"

bool image_load(const struct image_parts *parts, struct guest_memory *memory,
                struct vcpu_start *start, const char **kind, struct text *problem)
{
    static const struct image_loader *const loaders[] = {&pvh_loader, &multiboot1_loader,
                                                         &linux_loader};
    struct image_room room = {.memory = memory, .bottom = memory->size};

    for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
        if (loaders[i]->is_format(parts->kernel)) {
            *kind = loaders[i]->kind;
            return loaders[i]->load(parts, &room, start, problem);
        }
    }
    return TEXT_FAIL(
        problem,
        "the image of %zu bytes is neither Linux (bzImage) nor PVH (ELF with "
        "note 18) nor Multiboot 1",
        parts->kernel.size);
}
