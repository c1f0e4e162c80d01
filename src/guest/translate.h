/*
 * Translates linear to guest-physical addresses by a walk of the guest's page tables.
 *
 * SDM 3A, "Paging": none, 32-bit, PAE, 4-level and 5-level paging: access rights, SMAP,
 * SMEP, protection keys, reserved bits, accessed and dirty flags. The walk is pure,
 * except that it sets these flags. Any contents of the tables are safe: only the guest's
 * RAM is accessed.
 */
#ifndef HYMIR_GUEST_TRANSLATE_H
#define HYMIR_GUEST_TRANSLATE_H

#include "guest/cpuid_policy.h"
#include "guest/memory.h"
#include "virt/backend.h"
#include "x86/paging.h"

#include <stdbool.h>
#include <stdint.h>

/* The state of a CPU that decides a translation. */
struct translation_state {
    uint64_t cr0, cr3, cr4, efer, rflags;
    uint64_t pdpte[PDPTE_COUNT]; /* as loaded with CR3; of PAE paging only */
    uint32_t pkru;               /* if CR4.PKE is set */
    bool is_user;                /* CPL is 3 */
    bool has_1_gib_pages;
    unsigned int physical_width; /* MAXPHYADDR, 32 to 52 bits */
};

enum translation_outcome {
    TRANSLATION_FOUND,
    TRANSLATION_FAULTS,  /* #PF */
    TRANSLATION_NOT_RAM, /* an entry is outside the guest's RAM */
    TRANSLATION_CHANGED, /* another vCPU changed an entry during the walk */
};

struct translation {
    /* TRANSLATION_FOUND: of the byte; TRANSLATION_NOT_RAM: of the entry */
    gpa_t physical;
    uint32_t error_code; /* TRANSLATION_FAULTS */
};

/*
 * Translates the address of one byte for an explicit access to data, or for a fetch. Sets
 * the accessed and dirty flags if an access to data succeeds.
 */
enum translation_outcome linear_address_walk(const struct guest_memory *memory,
                                             const struct translation_state *state,
                                             uint64_t linear,
                                             enum memory_access_kind kind,
                                             struct translation *translation);

/*
 * Does the same with the registers of a vCPU. Returns EXIT_NEXT, or the outcome of the
 * exit: a page fault was injected, the guest has ended because of an entry outside RAM,
 * or the guest executes the instruction again because of a changed entry.
 */
enum exit_outcome linear_address_translate(struct vcpu *vcpu, uint64_t linear,
                                           bool is_write, gpa_t *physical);

/*
 * Translates the address of a byte of code that the processor has fetched, and changes
 * nothing. Returns whether the guest can execute it.
 */
bool code_address_translate(struct vcpu *vcpu, uint64_t linear, gpa_t *physical);

/* Returns the number of bits of the guest's linear addresses in 64-bit code. */
unsigned int linear_address_width(struct vcpu *vcpu);

/* Returns MAXPHYADDR of a guest with that CPUID, 32 to 52. */
unsigned int physical_address_width(const struct cpuid_answers *cpuid);

#endif
