/*
 * Physical addresses as types of their own, which the compiler will not mix up with each
 * other or with other numbers.
 *
 * Pure. Hymir maps memory at its physical address, so hpa_pointer and hpa_of are where
 * the type and the pointers meet. Only Hymir's image lies elsewhere.
 */
#ifndef HYMIR_MM_ADDRESS_H
#define HYMIR_MM_ADDRESS_H

#include <stdint.h>

/* A host-physical address: what the machine's memory bus sees. */
typedef struct {
    uint64_t value;
} hpa_t;

/* A guest-physical address: what a guest takes for one, and EPT translates. */
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

/* Hymir's pointer to host-physical memory, which must be mapped: mm/address_space.h. */
static inline void *hpa_pointer(hpa_t address)
{
    return (void *)(uintptr_t)address.value;
}

/* The address of allocated memory that one of Hymir's pointers points to. */
static inline hpa_t hpa_of(const volatile void *pointer)
{
    return hpa((uintptr_t)pointer);
}

#endif
