/*
 * The memory of a guest, with the tables that map it, and its vCPUs.
 */
#ifndef HYMIR_RUNNER_GUEST_ALLOCATION_H
#define HYMIR_RUNNER_GUEST_ALLOCATION_H

#include "guest/vm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Allocates a VM's memory and the tables that map it, unprepared. False, with the reason,
 * on failure; guest_memory_free is then due too. On the boot CPU.
 */
bool guest_memory_allocate(struct vm *vm, uint64_t size, struct text *problem);

/* Frees a VM's memory and the tables that map it, if it has them. */
void guest_memory_free(struct vm *vm);

/*
 * Zeroes a VM's memory. Before its first run also verifies that it is RAM, replacing it
 * if it is not, and maps it. False, with the reason, on failure. Takes seconds if it is
 * large.
 */
bool guest_memory_prepare(struct vm *vm, struct text *problem);

/*
 * Allocates count vCPUs, zeroed and without a CPU. False, with the reason, on failure;
 * guest_cpus_free is then due too. On the boot CPU.
 */
bool guest_cpus_allocate(struct vm *vm, const struct backend *backend, size_t count,
                         struct text *problem);
void guest_cpus_free(struct vm *vm, const struct backend *backend);

#endif
