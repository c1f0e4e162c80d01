/*
 * The place of the report in RAM, where it survives a warm reset on many machines.
 *
 * The layout is that of a zone of Linux's ramoops, so that its pstore shows the report:
 * Linux 6.1, fs/pstore/ram_core.c struct persistent_ram_buffer. docs/REPORT.md has the
 * parameters for Linux.
 */
#ifndef HYMIR_LIB_RAM_REPORT_H
#define HYMIR_LIB_RAM_REPORT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Physical, 256 MiB: above what GRUB and a starting Linux write, which is up to about 80
 * MiB, and below the initrd at the end of memory.
 */
#define RAM_REPORT_ADDRESS 0x10000000U
#define RAM_REPORT_SIZE    0x40000U /* bytes reserved, with the header */

#define RAM_REPORT_SIGNATURE 0x43474244U /* "DBGC" */

struct ram_report {
    uint32_t signature;
    uint32_t start; /* of the text in the ring that follows: 0 */
    uint32_t size;  /* of the text, in bytes */
    char text[];
};

#define RAM_REPORT_TEXT_SIZE (RAM_REPORT_SIZE - sizeof(struct ram_report))

#endif
