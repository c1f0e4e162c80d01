/*
 * The two 8259A interrupt controllers, which Hymir does not use.
 *
 * Intel 8259A data sheet, "Initialization Command Words", "Interrupt Sequence".
 */
#ifndef HYMIR_PLATFORM_PIC_H
#define HYMIR_PLATFORM_PIC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Initializes both, with all inputs masked, and the vectors from VECTOR_PIC on: under
 * BIOS those of the first are exceptions'. Before any interrupt is enabled.
 */
void pic_disable(void);

/*
 * Ends an interrupt on one of the vectors, and masks its input. Returns whether there was
 * one: without a request, a controller signals its input 7, which is not ended.
 */
bool pic_end_interrupt(uint8_t vector);

#endif
