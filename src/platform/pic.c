/* See pic.h. */
#include "platform/pic.h"

#include "cpu/instructions.h"
#include "cpu/traps.h"
#include "x86/pic_8259.h"

struct controller {
    uint16_t command, mask;
    uint8_t vector, cascade;
};
static const struct controller controllers[] = {
    {PIC_1_PORT_COMMAND, PIC_1_PORT_MASK, VECTOR_PIC, PIC_1_ICW3_CASCADE},
    {PIC_2_PORT_COMMAND, PIC_2_PORT_MASK, VECTOR_PIC + PIC_CHIP_INPUTS,
     PIC_2_ICW3_CASCADE},
};

void pic_disable(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
        const struct controller *pic = &controllers[i];
        io_out8(pic->command, PIC_ICW1_EDGE_CASCADE_ICW4);
        io_out8(pic->mask, pic->vector);
        io_out8(pic->mask, pic->cascade);
        io_out8(pic->mask, PIC_ICW4_8086);
        io_out8(pic->mask, UINT8_MAX);
    }
}

bool pic_end_interrupt(uint8_t vector)
{
    uint8_t number               = vector - VECTOR_PIC;
    uint8_t input                = number % PIC_CHIP_INPUTS;
    bool is_second               = number >= PIC_CHIP_INPUTS;
    const struct controller *pic = &controllers[is_second];

    io_out8(pic->command, PIC_OCW3_READ_IN_SERVICE);
    bool is_real = (io_in8(pic->command) >> input & 1) != 0;
    if (is_real) {
        io_out8(pic->mask, (uint8_t)(io_in8(pic->mask) | 1U << input));
        io_out8(pic->command, PIC_OCW2_SPECIFIC_EOI | input);
    }
    if (is_second) /* the first controller cannot know that the second had no request */
        io_out8(PIC_1_PORT_COMMAND, PIC_OCW2_SPECIFIC_EOI | PIC_CASCADE_INPUT);
    return is_real;
}
