/* See image.h. */
#include "guest/load/image.h"

#include "guest/load/loader.h"
#include "lib/bits.h"

bool image_load(const struct image_parts *parts, struct guest_memory *memory,
                struct vcpu_start *start, const char **kind, struct text *problem)
{
    static const struct image_format *const formats[] = {
        &pvh_format, &multiboot2_format, &multiboot1_format, &linux_format};
    struct loader loader = {.parts   = parts,
                            .memory  = memory,
                            .start   = start,
                            .problem = problem,
                            .bottom  = memory->size,
                            .floor   = IMAGE_HIGH_START};

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (formats[i]->is_format(parts->kernel)) {
            *kind = formats[i]->kind;
            return formats[i]->load(&loader);
        }
    }
    return TEXT_FAIL(
        problem,
        "unknown image format, %zu bytes; use Linux (bzImage), PVH (ELF with note 18), "
        "Multiboot 1 or 2",
        parts->kernel.size);
}
