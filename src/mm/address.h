/*
 * Distinct types for host- and guest-physical addresses, so that the compiler rejects
 * mixing them with each other or with integers.
 *
 * Pure. Hymir identity-maps memory except its own image and stacks, so hpa_pointer and
 * hpa_of convert between addresses and pointers.
 */
#ifndef HYMIR_MM_ADDRESS_H
#define HYMIR_MM_ADDRESS_H

#include <stdint.h>

/* A host-physical address. */
typedef struct {
    uint64_t value;
} hpa_t;

/* A guest-physical address, which EPT translates. */
typedef struct {
    uint64_t value;
} gpa_t;

static inline gpa_t gpa(uint64_t value)
{
    return (gpa_t){value};
}

static inline hpa_t hpa(uint64_t value)
{
    return (hpa_t){value};
}

/* Returns a pointer to host-physical memory, which must be mapped: mm/address_space.h. */
static inline void *hpa_pointer(hpa_t address)
{
    return (void *)(uintptr_t)address.value;
}

/* Returns the physical address of allocated memory, not of Hymir's image or a stack. */
static inline hpa_t hpa_of(const volatile void *pointer)
{
    return hpa((uintptr_t)pointer);
}

#endif
