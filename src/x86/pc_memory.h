/*
 * The first MiB of a PC: video memory and ROMs between RAM below and above.
 */
#ifndef HYMIR_X86_PC_MEMORY_H
#define HYMIR_X86_PC_MEMORY_H

#define PC_VIDEO_START 0xA0000U
#define PC_TEXT_START  0xB8000U /* in video memory: the VGA's text, in color */
#define PC_ROM_START   0xC0000U
#define PC_ROM_END     0x100000U

#endif
