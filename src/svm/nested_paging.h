/*
 * The tables of nested paging, which map guest-physical addresses.
 *
 * APM 2, "Nested Paging": the format is that of the host's paging, and the processor
 * accesses nested tables as user.
 */
#ifndef HYMIR_SVM_NESTED_PAGING_H
#define HYMIR_SVM_NESTED_PAGING_H

#include "mm/page_table.h"

#include <stdbool.h>

/* Sets the size of the largest pages: 1 GiB if the CPU has them, else 2 MiB; or 4 KiB. */
void nested_paging_choose_page_size(bool are_large_pages_allowed, bool has_1_gib_pages);

/* Maps memory, as map_memory of struct backend does, for a guest of the trial. */
enum status MUST_CHECK nested_paging_map(hpa_t *root, struct page_pool *tables,
                                         gpa_t guest, hpa_t host, uint64_t size);

/*
 * Operations of struct backend: count_tables, map_memory. A guest also gets a page of
 * ones at 0xFED80000, as on a machine without AMD's chipset, which Linux 6.16 and later
 * look for: arch/x86/kernel/cpu/amd.c, print_s5_reset_status_mmio.
 */
uint64_t nested_paging_count_tables(uint64_t size);
enum status MUST_CHECK nested_paging_map_guest(hpa_t *root, struct page_pool *tables,
                                               gpa_t guest, hpa_t host, uint64_t size);

#endif
