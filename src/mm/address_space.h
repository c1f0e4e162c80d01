/*
 * Hymir's address space: its image at the linked address, the stacks of the other CPUs
 * above it, everything else identity-mapped, with the least access needed.
 *
 * Owns the page tables. All RAM is mapped. Code is read-execute, constants are read-only,
 * and other memory is read-write, never executable; page 0 and the guard pages below the
 * stacks are unmapped. SDM 3A, "4-Level Paging and 5-Level Paging", "Page-Level
 * Protection".
 */
#ifndef HYMIR_MM_ADDRESS_SPACE_H
#define HYMIR_MM_ADDRESS_SPACE_H

#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Access rights and memory type of a page. */
enum page_access {
    PAGE_NONE,
    PAGE_READ,
    PAGE_READ_WRITE,
    PAGE_READ_EXECUTE,
    PAGE_FIRMWARE,     /* read, write, execute: UEFI runtime services before a reset */
    PAGE_SHADOW_STACK, /* read; written by calls and the like only */
    PAGE_DEVICE,       /* read, write; uncached */
    PAGE_SCREEN,       /* read, write; write-combining */
};

/* Returns the mappable limit: by physical-address width or the lower canonical half. */
uint64_t address_space_limit(const struct cpuid_snapshot *snapshot);

/*
 * Builds the address space for the map of mm/memory.h and switches this CPU to it. RAM
 * that cannot be mapped is reserved. Frees the memory of the boot code's page tables and
 * of the boot CPU's guard pages. STATUS_NO_MEMORY if Hymir itself cannot be mapped.
 * Called once, on the boot CPU.
 */
enum status MUST_CHECK address_space_build(const struct cpuid_snapshot *snapshot);

/*
 * Identity-maps the pages of a physical range, replacing earlier mappings, and
 * invalidates them in this CPU's TLB. STATUS_OUT_OF_RANGE for an empty range, page 0 or
 * beyond the limit; STATUS_NO_MEMORY.
 */
enum status MUST_CHECK address_space_map(uint64_t physical, uint64_t size,
                                         enum page_access access);

/*
 * Map a device's registers, or a framebuffer, of at most DEVICE_MAX_SIZE bytes. Return
 * NULL on failure, or if the range overlaps RAM, firmware tables or Hymir. Before
 * address_space_build, they return pointers into the boot code's map of the first 4 GiB,
 * with any memory type, which are invalid afterwards.
 */
volatile void *address_space_map_device(uint64_t physical, uint64_t size);
volatile void *address_space_map_screen(uint64_t physical, uint64_t size);
#define DEVICE_MAX_SIZE 0x10000000

/*
 * Maps firmware memory of at most FIRMWARE_MAX_SIZE bytes as readable, keeping existing
 * mappings. Returns NULL on failure. Before address_space_build, works as above. A
 * physical_map function (firmware/physical.h).
 */
const void *address_space_map_firmware(uint64_t physical, uint64_t size);
#define FIRMWARE_MAX_SIZE 0x1000000

/* Returns whether an address is in Hymir's code. */
bool address_space_is_code(uint64_t address);

/* Returns whether every byte of the range is mapped in Hymir's address space. */
bool address_space_is_mapped(uint64_t physical, uint64_t size);

/*
 * Maps new, zeroed stacks at addresses of their own, for the CPU with an index below
 * 16384. Their guard pages have no memory. STATUS_NO_MEMORY.
 */
enum status MUST_CHECK address_space_map_stacks(size_t index, struct cpu_stacks **stacks);

#endif
