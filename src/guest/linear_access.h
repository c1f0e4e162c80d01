/*
 * Accesses of a guest's instruction to data, at a linear address: to RAM, and to
 * memory-mapped devices.
 *
 * SDM 3A, "Protection", "Paging", "Interrupt 17 - Alignment Check Exception (#AC)".
 */
#ifndef HYMIR_GUEST_LINEAR_ACCESS_H
#define HYMIR_GUEST_LINEAR_ACCESS_H

#include "lib/string.h"
#include "virt/vcpu.h"
#include "x86/control_registers.h"

struct linear_access {
    uint64_t linear;
    struct vcpu_segment segment; /* by which the address was computed */
    uint8_t size;                /* bytes: 1, 2, 4 or 8 */
    bool is_write;               /* also if it reads first */
    bool is_64_bit;              /* executed by 64-bit code */
    bool is_stack;               /* the segment is SS: a violation raises #SS */
};

/* Where the bytes of an access are: in one page, or in two. */
struct access_target {
    struct {
        gpa_t address;
        unsigned int size; /* bytes; 0 of the second part if there is none */
        void *ram;         /* in Hymir's memory, or NULL: not RAM */
    } part[2];
};

/*
 * Checks an access and translates its address, in a processor's order of priority.
 * Returns EXIT_NEXT, or the outcome of the exit: the guest gets an exception, or has
 * ended because a page table is outside RAM.
 */
enum exit_outcome linear_access_find(struct vcpu *vcpu,
                                     const struct linear_access *access,
                                     struct access_target *target);

/* Returns whether the segment permits the access, or its address is canonical. */
bool linear_access_is_permitted(struct vcpu *vcpu, const struct linear_access *access);

/* Returns whether #DB may follow an access: the guest single-steps or has breakpoints. */
bool linear_access_may_trap(struct vcpu *vcpu);

/* Delivers #DB after the instruction if a data breakpoint is on the access. */
void linear_access_trap_breakpoints(struct vcpu *vcpu,
                                    const struct linear_access *access);

/* Read, zero-extended, and write the bytes of an access. */
uint64_t access_target_read(struct vcpu *vcpu, const struct access_target *target);
void access_target_write(struct vcpu *vcpu, const struct access_target *target,
                         uint64_t value);

/*
 * Read, zero-extended, and write up to 8 bytes of RAM, a whole value by one access, as a
 * processor does: another vCPU may access it too.
 */
static inline uint64_t ram_read(const void *ram, unsigned int size)
{
    uint64_t value = 0;

    if (size == sizeof(uint8_t))
        __builtin_memcpy(&value, ram, sizeof(uint8_t));
    else if (size == sizeof(uint16_t))
        __builtin_memcpy(&value, ram, sizeof(uint16_t));
    else if (size == sizeof(uint32_t))
        __builtin_memcpy(&value, ram, sizeof(uint32_t));
    else if (size == sizeof(uint64_t))
        __builtin_memcpy(&value, ram, sizeof(uint64_t));
    else
        memcpy(&value, ram, size);
    return value;
}

static inline void ram_write(void *ram, unsigned int size, uint64_t value)
{
    if (size == sizeof(uint8_t))
        __builtin_memcpy(ram, &value, sizeof(uint8_t));
    else if (size == sizeof(uint16_t))
        __builtin_memcpy(ram, &value, sizeof(uint16_t));
    else if (size == sizeof(uint32_t))
        __builtin_memcpy(ram, &value, sizeof(uint32_t));
    else if (size == sizeof(uint64_t))
        __builtin_memcpy(ram, &value, sizeof(uint64_t));
    else
        memcpy(ram, &value, size);
}

/* Returns the distance to the next element of a string: -size if RFLAGS.DF is set. */
static inline uint64_t string_step(uint64_t rflags, uint8_t size)
{
    return (rflags & RFLAGS_DF) != 0 ? 0 - (uint64_t)size : size;
}

/* Adds to a register of an address size: one of 2 bytes keeps the bits above. */
static inline void string_advance(uint64_t *reg, uint8_t address_size, uint64_t by)
{
    uint64_t mask = BYTES_MASK(address_size);
    uint64_t kept = address_size == sizeof(uint16_t) ? *reg & ~mask : 0;

    *reg = kept | ((*reg + by) & mask);
}

#endif
