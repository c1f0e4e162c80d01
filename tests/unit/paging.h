/* The page tables of a test's guest: 4-level paging. */
#ifndef HYMIR_TESTS_PAGING_H
#define HYMIR_TESTS_PAGING_H

#include "guest.h"

#define PML4 0x1000
#define PDPT 0x2000
#define PD   0x3000
#define PT   0x4000

static inline void put_entry(uint64_t table, unsigned int index, uint64_t entry)
{
    put_guest(table + 8 * index, &entry, 8);
}

static inline uint64_t get_entry(uint64_t table, unsigned int index)
{
    uint64_t entry;
    assert_true(guest_memory_read(&test_vm.memory, gpa(table + 8 * index), &entry, 8));
    return entry;
}

/* Sets up four levels: 4-KiB pages at 0, a 2-MiB page at 2 MiB, a 1-GiB page at 1 GiB. */
static inline void use_long_mode(void)
{
    test_registers[VCPU_CR0]  = 0x80010011;
    test_registers[VCPU_CR4]  = 0x20;
    test_registers[VCPU_EFER] = 0x500;
    test_registers[VCPU_CR3]  = PML4;
    put_entry(PML4, 0, PDPT | 7);
    put_entry(PML4, 511, PDPT | 7);
    put_entry(PDPT, 0, PD | 7);
    put_entry(PDPT, 1, 0x40000000 | 0x87);
    put_entry(PD, 0, PT | 7);
    put_entry(PD, 1, 0x200000 | 0x87);
    put_entry(PT, 0, 0x5000 | 7);
    put_entry(PT, 1, 0x6000 | 5); /* read-only */
    put_entry(PT, 2, 0x7000 | 3); /* supervisor only */
    put_entry(PT, 3, 0);
}

#endif
