/*
 * The screen as the boot loader describes it, not validated. In lib/ because firmware/
 * fills it in, console/ uses it, and neither may include the other.
 */
#ifndef HYMIR_LIB_FRAMEBUFFER_H
#define HYMIR_LIB_FRAMEBUFFER_H

#include <stdint.h>

enum framebuffer_type {
    FRAMEBUFFER_NONE,  /* not described by the boot loader */
    FRAMEBUFFER_RGB,   /* pixels with a field for each colour */
    FRAMEBUFFER_TEXT,  /* EGA text */
    FRAMEBUFFER_OTHER, /* indexed colours, or unknown */
};

/* The position and size of a colour in a pixel, in bits. */
struct color_field {
    uint8_t position, size;
};

struct framebuffer {
    enum framebuffer_type type;
    uint64_t address;       /* physical */
    uint32_t pitch;         /* bytes from one row to the next */
    uint32_t width, height; /* pixels, or characters */
    uint8_t bits_per_pixel;
    struct color_field red, green, blue; /* FRAMEBUFFER_RGB only */
};

#endif
