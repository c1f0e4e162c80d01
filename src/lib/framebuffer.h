/*
 * The screen that the boot loader left, as it describes it. firmware/ reads it, console/
 * uses it; neither sees the other, and nobody has checked that it makes sense.
 */
#ifndef HYMIR_LIB_FRAMEBUFFER_H
#define HYMIR_LIB_FRAMEBUFFER_H

#include <stdint.h>

enum framebuffer_type {
    FRAMEBUFFER_NONE,  /* the loader said nothing of a screen */
    FRAMEBUFFER_RGB,   /* pixels with a field for each colour */
    FRAMEBUFFER_TEXT,  /* EGA text */
    FRAMEBUFFER_OTHER, /* indexed colours, or unknown */
};

/* Where a colour is in a pixel, in bits. */
struct color_field {
    uint8_t position, size;
};

struct framebuffer {
    enum framebuffer_type type;
    uint64_t address;       /* physical */
    uint32_t pitch;         /* bytes from a row to the next */
    uint32_t width, height; /* pixels, or characters */
    uint8_t bits_per_pixel;
    struct color_field red, green, blue; /* FRAMEBUFFER_RGB only */
};

#endif
