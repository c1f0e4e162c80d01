/*
 * The two 8259A interrupt controllers of a PC.
 *
 * Intel 8259A data sheet; the edge/level control registers: Intel 82371SB (PIIX3) data
 * sheet.
 */
#ifndef HYMIR_X86_PIC_8259_H
#define HYMIR_X86_PIC_8259_H

#define PIC_1_PORT_COMMAND    0x20
#define PIC_1_PORT_MASK       0x21 /* OCW1, and ICW2 to ICW4 */
#define PIC_2_PORT_COMMAND    0xA0
#define PIC_2_PORT_MASK       0xA1
#define PIC_1_PORT_EDGE_LEVEL 0x4D0
#define PIC_2_PORT_EDGE_LEVEL 0x4D1

#endif
