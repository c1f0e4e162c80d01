/*
 * The entry points of a PC's BIOS, of which Hymir provides none: how a guest that uses
 * them ends. guest/load/low_memory.c writes them into the guest's memory.
 *
 * Each is an OUT to BIOS_ENTRY_PORT, whose offset in the segment of the BIOS tells which
 * one it is, so that it changes no register. A write from anywhere else has no effect.
 */
#ifndef HYMIR_DEV_BIOS_ENTRIES_H
#define HYMIR_DEV_BIOS_ENTRIES_H

#include "dev/port_map.h"
#include "x86/pc_bios.h"

#define BIOS_ENTRY_PORT 0xE2U

/* The instruction, and its offset for interrupt 0; those of the others follow. */
#define BIOS_ENTRY_OPCODE    0xE6U /* OUT imm8, AL */
#define BIOS_ENTRY_SIZE      2U
#define BIOS_ENTRY_INTERRUPT 0xE100U

/* Adds the port. */
void bios_entries_init(struct port_map *ports);

#endif
