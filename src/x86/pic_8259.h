/*
 * The two 8259A interrupt controllers of a PC.
 *
 * Intel 8259A data sheet; the edge/level control registers: Intel 82371SB (PIIX3) data
 * sheet.
 */
#ifndef HYMIR_X86_PIC_8259_H
#define HYMIR_X86_PIC_8259_H

#define PIC_1_PORT_COMMAND 0x20
#define PIC_1_PORT_MASK    0x21 /* OCW1, and ICW2 to ICW4 */
#define PIC_2_PORT_COMMAND 0xA0
#define PIC_2_PORT_MASK    0xA1
/* Initialization and operation command words; reads of the command port: OCW3. */
#define PIC_ICW1_EDGE_CASCADE_ICW4 0x11
#define PIC_1_ICW3_CASCADE         0x04 /* the second controller is on input 2 */
#define PIC_2_ICW3_CASCADE         0x02
#define PIC_ICW4_8086              0x01
#define PIC_OCW2_SPECIFIC_EOI      0x60 /* with an input */
#define PIC_OCW3_READ_IN_SERVICE   0x0B

#define PIC_CHIP_INPUTS   8U /* of each controller */
#define PIC_CASCADE_INPUT 2U

#define PIC_1_PORT_EDGE_LEVEL 0x4D0
#define PIC_2_PORT_EDGE_LEVEL 0x4D1

#endif
