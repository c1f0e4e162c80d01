/*
 * The first MiB of a PC: RAM, then video memory and ROMs; and the MiBs of its APICs.
 */
#ifndef HYMIR_X86_PC_MEMORY_H
#define HYMIR_X86_PC_MEMORY_H

#define PC_VIDEO_START 0xA0000U
#define PC_TEXT_START  0xB8000U /* in video memory: text of the VGA's color modes */
#define PC_ROM_START   0xC0000U
#define PC_BIOS_START  0xE0000U /* here ACPI and SMBIOS tables are searched */
#define PC_ROM_END     0x100000U

#define PC_APICS_START 0xFEC00000U /* I/O APICs, HPET, TPM, local APICs */
#define PC_APICS_END   0xFEF00000U

#endif
