/*
 * The machine that Hymir finds itself on: what the boot loader left, memory, firmware's
 * tables.
 *
 * Beside main.c the only code that sees both firmware/ and cpu/: it takes what the one
 * reads to where the other needs it. Owns the one struct machine. The functions are
 * called once each, on the boot CPU, in the order in which they stand here. Those that
 * return a text return NULL if all went well, else what is missing and the way out:
 * Hymir then cannot go on.
 */
#ifndef HYMIR_PLATFORM_MACHINE_H
#define HYMIR_PLATFORM_MACHINE_H

#include "cpu/cpuid.h"
#include "firmware/acpi.h"
#include "firmware/multiboot2.h"
#include "lib/status.h"
#include "x86/vt_d.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine {
    struct cpuid_snapshot cpuid; /* of the boot CPU */
    struct multiboot2_information boot;
    const struct acpi *acpi; /* NULL if there is none, or not yet */
    struct vt_d vt_d;        /* by machine_read_platform */
};

/*
 * Brings the boot CPU into a state in which an exception is caught, and reported as soon
 * as there is a console.
 */
void machine_start_boot_cpu(void);

/*
 * Takes the boot loader's information, at a physical address below 4 GiB, apart. If it
 * makes no sense, machine_get()->boot is an empty one, which can be used.
 */
const char *MUST_CHECK machine_read_boot_information(uint32_t information);

/* Finds out how fast time goes; and where that is known from, for a person. */
void machine_start_clock(void);
const char *machine_clock_source(void);

/*
 * Takes over the memory, with an address space of Hymir's own; image is the physical
 * address that it was loaded at.
 */
const char *MUST_CHECK machine_take_over_memory(uint32_t information, uint32_t image);

/* Makes the names of Hymir's functions known to backtraces, if the loader has them. */
void machine_read_symbols(void);

/*
 * Reads ACPI's tables, and the registers of the VT-d units that they name; from here on
 * the machine can be powered off.
 */
void machine_read_platform(void);

/*
 * Brings an ISA interrupt, 0 to 15, to the boot CPU, with the vector. STATUS_NOT_FOUND,
 * STATUS_UNSUPPORTED, STATUS_OUT_OF_RANGE if no I/O APIC that can be used has it.
 */
enum status MUST_CHECK machine_route_interrupt(uint8_t interrupt, uint8_t vector);

/* The machine, as far as it is known yet. */
const struct machine *machine_get(void);

#define MACHINE_TEXT_SIZE 68

/* The machine's name and its firmware's, as texts for a person. */
void machine_describe(char name[MACHINE_TEXT_SIZE], char firmware[MACHINE_TEXT_SIZE]);

/* Allocates size bytes below 4 GiB, zeroed, in whole pages. STATUS_NO_MEMORY. */
enum status MUST_CHECK machine_allocate(uint64_t size, void **pages);

/* What to say when machine_allocate fails. */
#define MACHINE_NO_MEMORY \
    "not enough memory below 4 GiB for Hymir itself; 64 MiB of RAM are enough"

#endif
