/*
 * The devices of a VM: which ones it has and how their interrupts are wired.
 */
#ifndef HYMIR_GUEST_DEVICES_H
#define HYMIR_GUEST_DEVICES_H

#include "guest/vm.h"

/*
 * Puts the VM's devices in their state after power-on; time is the time of day, in
 * seconds since 1970. STATUS_NO_MEMORY if there are more devices than the port map has
 * room for.
 */
enum status MUST_CHECK vm_add_devices(struct vm *vm, uint64_t time);

/* Sets the timer that calls the environment's flush in 10 ms. */
void vm_set_flush_timer(struct vm *vm);

/* Sets the flush timer unless it is set already. */
static inline void vm_flush_soon(struct vm *vm)
{
    if (vm->flush_timer.deadline == TICKS_NEVER)
        vm_set_flush_timer(vm);
}

#endif
