/*
 * The memory below 1 MiB that a PC's BIOS owns: the BIOS data area, the extended one, and
 * the entry points in its segment.
 *
 * IBM PS/2 and PC BIOS Interface Technical Reference, "ROM BIOS Data Areas", "Extended
 * BIOS Data Area".
 */
#ifndef HYMIR_X86_PC_BIOS_H
#define HYMIR_X86_PC_BIOS_H

#include "lib/bits.h"

#define PC_BIOS_DATA_START 0x400U
#define PC_EBDA_START      0x9FC00U /* its first byte is its size in KiB; base memory ends */
#define PC_EBDA_KIB        1U

/* Offsets in the segment of the BIOS. */
#define PC_BIOS_SEGMENT         0xF000U
#define PC_BIOS_POST            0xE05BU /* the power-on self-test */
#define PC_BIOS_RESET           0xFFF0U /* a jump to it; execution starts here after a reset */
#define PC_BIOS_MODEL           0xFFFEU
#define PC_BIOS_MODEL_AT        0xFCU
#define PC_BIOS_ADDRESS(offset) (((uint64_t)PC_BIOS_SEGMENT << 4) + (offset))

#define REAL_MODE_VECTORS 256U /* at 0: offset and segment, of two bytes each */

/* Services of a BIOS, by interrupt. */
#define BIOS_SERVICE_FIRST     0x10U
#define BIOS_SERVICE_LAST      0x1FU
#define BIOS_SERVICE_BASIC     0x18U /* called if nothing boots */
#define BIOS_SERVICE_BOOTSTRAP 0x19U

#define BIOS_TICKS_A_DAY     0x1800B0U /* of the 8254 with its largest count */
#define BIOS_VIDEO_MODE_TEXT 3U        /* 80x25, 16 colors */

struct __attribute__((packed)) bios_data_area {
    uint16_t serial_port[4], parallel_port[3];
    uint16_t ebda_segment;
    uint16_t equipment;
    uint8_t test;
    uint16_t base_memory; /* KiB */
    uint8_t before_keyboard[5];
    uint16_t keyboard_head, keyboard_tail; /* offsets, as is keyboard_start */
    uint8_t keyboard_buffer[32], diskette[11];
    uint8_t video_mode;
    uint16_t video_columns, video_page_size, video_page_start;
    uint16_t cursor_position[8], cursor_shape;
    uint8_t video_page;
    uint16_t video_port; /* of the CRT controller */
    uint8_t video_control, video_palette;
    uint32_t warm_start;
    uint8_t interrupt_flag;
    uint32_t ticks; /* since midnight */
    uint8_t is_after_midnight, break_flag;
    uint16_t reset_flag; /* 0: a cold start */
    uint8_t before_buffer[12];
    uint16_t keyboard_start, keyboard_end;
    uint8_t video_last_row;
    uint16_t character_height;
    uint8_t rest[121];
};
_Static_assert(offsetof(struct bios_data_area, keyboard_head) == 0x1A, "40:1A");
_Static_assert(offsetof(struct bios_data_area, video_mode) == 0x49, "40:49");
_Static_assert(offsetof(struct bios_data_area, ticks) == 0x6C, "40:6C");
_Static_assert(offsetof(struct bios_data_area, reset_flag) == 0x72, "40:72");
_Static_assert(offsetof(struct bios_data_area, video_last_row) == 0x84, "40:84");
_Static_assert(sizeof(struct bios_data_area) == 0x100, "40:00 to 40:FF");

/* The equipment word; its low byte is also in CMOS: CMOS_EQUIPMENT. */
#define EQUIPMENT_FPU             0x02U
#define EQUIPMENT_SERIAL_PORTS(n) ((n) << 9)

#endif
