/*
 * The machine: boot information, memory, firmware's tables.
 *
 * Passes what firmware/ reads to the code that uses it. Owns the one struct machine. The
 * functions are called once each, on the boot CPU, in the order of declaration. Those
 * that return a text return NULL on success, otherwise a fatal fault and its remedy.
 */
#ifndef HYMIR_PLATFORM_MACHINE_H
#define HYMIR_PLATFORM_MACHINE_H

#include "cpu/cpuid.h"
#include "firmware/acpi.h"
#include "firmware/multiboot2.h"
#include "lib/status.h"
#include "x86/iommu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine {
    struct cpuid_snapshot cpuid; /* of the boot CPU */
    struct multiboot2_information boot;
    const struct acpi *acpi; /* NULL if not present or not read yet */
    struct iommus iommus;    /* set by machine_read_platform */
    bool has_report_memory;  /* lib/ram_report.h: it is RAM and reserved for the report */
};

/* Prepares the boot CPU to handle exceptions; they are reported once a console exists. */
void machine_start_boot_cpu(void);

/*
 * Parses the boot information at a physical address below 4 GiB. If it is invalid,
 * machine_get()->boot is empty but usable.
 */
const char *MUST_CHECK machine_read_boot_information(uint32_t information);

/*
 * Names firmware's tables by their physical addresses, each 0 if unknown, which are used
 * instead of the boot loader's: for one that passes none, or wrong ones.
 */
void machine_set_tables(uint64_t rsdp, uint64_t smbios_entry);

/* Determines the TSC's frequency roughly: see clock_init. */
void machine_start_clock(void);

/*
 * Takes over the memory and switches to Hymir's own address space; image is the physical
 * address that Hymir was loaded at. Reserves memory for the report if it keeps_report.
 */
const char *MUST_CHECK machine_take_over_memory(uint32_t information, uint32_t image,
                                                bool keeps_report);

/* Reads Hymir's function names for backtraces, if the boot loader passes them. */
void machine_read_symbols(void);

/*
 * Reads the ACPI tables and IOMMUs, and starts to measure the TSC's frequency. After
 * this, ACPI can power off the machine.
 */
void machine_read_platform(void);

/* Ends the measurement of the TSC's frequency: see clock_end_measurement. */
void machine_finish_clock(void);

/* Logs the NMIs and interrupts that Hymir did not want, on all CPUs. */
void machine_report_interrupts(void);

/*
 * Routes an ISA interrupt (0-15) or another global system interrupt to the boot CPU on
 * the given vector. STATUS_NOT_FOUND, STATUS_UNSUPPORTED or STATUS_OUT_OF_RANGE if no
 * usable I/O APIC has it.
 */
enum status MUST_CHECK machine_route_interrupt(uint32_t interrupt, uint8_t vector);

/* Returns the machine, as far as it has been read. */
const struct machine *machine_get(void);

#define MACHINE_TEXT_SIZE 68

/* Describes the machine and its firmware, for display, cut with three dots to fit. */
void machine_describe(char name[MACHINE_TEXT_SIZE], char firmware[MACHINE_TEXT_SIZE]);

/* Allocates size bytes below 4 GiB, zeroed, in whole pages. STATUS_NO_MEMORY. */
enum status MUST_CHECK machine_allocate(uint64_t size, void **pages);

/* The fault if machine_allocate fails. */
#define MACHINE_NO_MEMORY "not enough memory below 4 GiB for Hymir itself; 64 MiB suffice"

#endif
