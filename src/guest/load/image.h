/*
 * A guest's kernel image: identified by its contents, loaded into the guest's RAM.
 *
 * Pure: reads the image and writes guest memory. Every number in an image is checked
 * before it is used; an invalid image is rejected with a one-line reason, and the guest
 * does not start.
 */
#ifndef HYMIR_GUEST_LOAD_IMAGE_H
#define HYMIR_GUEST_LOAD_IMAGE_H

#include "guest/memory.h"
#include "lib/format.h"
#include "virt/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of Hymir's memory. */
struct image_bytes {
    const uint8_t *bytes;
    size_t size;
};

/* The most initrds and modules of a guest. */
#define IMAGE_MODULES 31

struct image_module {
    struct image_bytes bytes;
    const char *string; /* "" if it has none */
};

/*
 * The files that a guest boots from. The initrds come before the other modules; together
 * they are one module, in which each begins at a multiple of 4 bytes.
 */
struct image_parts {
    struct image_bytes kernel;
    const char *command_line;
    size_t initrd_count, module_count; /* module_count includes the initrds */
    struct image_module module[IMAGE_MODULES];
};

/*
 * Loads a guest, sets its start state, and *kind to the name of the image's format.
 * False, with the reason appended to *problem.
 */
bool image_load(const struct image_parts *parts, struct guest_memory *memory,
                struct vcpu_start *start, const char **kind, struct text *problem);

#endif
