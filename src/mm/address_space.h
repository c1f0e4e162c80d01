/*
 * Hymir's own address space: its image where it was linked to, all else at the physical
 * address, each page with the access it needs.
 *
 * Owns the page tables. Hymir's code is readable and executable, constants are readable,
 * all else is readable and writable and never executable; page 0 and the guard pages
 * under the stacks are not there, and all RAM is. SDM 3A, "4-Level Paging and 5-Level
 * Paging", "Page-Level Protection".
 */
#ifndef HYMIR_MM_ADDRESS_SPACE_H
#define HYMIR_MM_ADDRESS_SPACE_H

#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may be done with a page, and how it is cached. */
enum page_access {
    PAGE_NONE,
    PAGE_READ,
    PAGE_READ_WRITE,
    PAGE_READ_EXECUTE,
    PAGE_FIRMWARE, /* all of it: firmware's own code and data, right before a reset */
    PAGE_DEVICE,   /* readable, writable, uncached */
    PAGE_SCREEN,   /* writable, writes combined */
};

/*
 * The end of what Hymir can map: the processor's address width or the lower canonical
 * half.
 */
uint64_t address_space_limit(const struct cpuid_snapshot *snapshot);

/*
 * Builds the address space over the memory that mm/memory.h knows and switches this CPU
 * to it. RAM that cannot be mapped for want of tables is never allocated.
 * STATUS_NO_MEMORY if not even Hymir itself could be mapped; the CPU then stays in the
 * address space of the boot code. Call once, on the boot CPU.
 */
enum status MUST_CHECK address_space_build(const struct cpuid_snapshot *snapshot);

/*
 * Maps the pages of size bytes at physical with the access, whatever they had before, and
 * flushes them from this CPU's TLB. STATUS_OUT_OF_RANGE beyond the limit or in page 0;
 * STATUS_NO_MEMORY.
 */
enum status MUST_CHECK address_space_map(uint64_t physical, uint64_t size,
                                         enum page_access access);

/*
 * Make a device's registers, or a screen's pixels, usable, at most DEVICE_MAX_SIZE bytes
 * at a time. NULL if they cannot be mapped, or if a byte of them is RAM, a table or Hymir
 * itself, whatever firmware says. Before address_space_build they give what the boot code
 * has mapped, uncached or not, below 4 GiB; that is gone afterwards.
 */
volatile void *address_space_map_device(uint64_t physical, uint64_t size);
volatile void *address_space_map_screen(uint64_t physical, uint64_t size);
#define DEVICE_MAX_SIZE 0x10000000

/*
 * Makes firmware's memory readable; what is mapped already stays as it is. At most
 * FIRMWARE_MAX_SIZE bytes at a time. NULL if it cannot be mapped. A physical_map of
 * firmware/. Before address_space_build as above.
 */
const void *address_space_map_firmware(uint64_t physical, uint64_t size);
#define FIRMWARE_MAX_SIZE 0x1000000

/* True if every byte of the range is mapped, in Hymir's own address space. */
bool address_space_is_mapped(uint64_t physical, uint64_t size);

/* Takes the guard pages under a CPU's stacks away. STATUS_NO_MEMORY. */
enum status MUST_CHECK address_space_unmap_guards(const struct cpu_stacks *stacks);

#endif
