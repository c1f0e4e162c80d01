/*
 * Which CPUs the vCPUs of guests get: near the guest's memory, of one type of core, and
 * each on a core of its own while there are enough. Where threads of a core can read each
 * other's data, no core serves two guests. docs/SECURITY.md, "Placement". Pure.
 */
#ifndef HYMIR_RUNNER_PLACEMENT_H
#define HYMIR_RUNNER_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A CPU that can run guests. */
struct placement_cpu {
    size_t index;      /* of platform/smp.h */
    uint32_t apic_id;  /* unique */
    uint32_t core;     /* the same for all threads of a core */
    uint32_t node;     /* of memory, which it is near to */
    bool is_efficient; /* a core with less performance */
    bool is_exclusive; /* its core must not serve two guests */
    bool is_last;      /* its core is to be given last */

    /* Private: what the CPU and its core have. */
    size_t guest;      /* its number from 1; 0: none */
    size_t core_guest; /* the guest of the core that came last, likewise */
    size_t core_vcpus;
};

struct placement {
    struct placement_cpu *cpu;
    size_t count;
};

struct placement_guest {
    size_t min, max; /* vCPUs */
    size_t cpus;     /* set by placement_count, used by placement_place */
    uint32_t node;   /* of its memory */
    bool is_placed;  /* set by both */
};

/*
 * Sets how many vCPUs each guest can have: at least min, and in order up to max of what
 * is then left. Those for which too few CPUs are left get min, and is_placed is false.
 */
void placement_count(struct placement *placement, struct placement_guest guests[],
                     size_t count);

/*
 * Gives each guest its CPUs: those whose member guest is the guest's index plus 1. A
 * guest gets all or, if too few are left, none.
 */
void placement_place(struct placement *placement, struct placement_guest guests[],
                     size_t count);

/* Returns how many CPUs without a guest the guest with that index could still get. */
size_t placement_room(const struct placement *placement, size_t index);

/* Returns whether a CPU of another guest shares the core. */
bool placement_is_shared(const struct placement *placement,
                         const struct placement_cpu *cpu);

#endif
