/*
 * Makes guests out of the boot loader's modules, and makes them anew.
 *
 * Owns the words of the modules, the time of the day that guests start with, and how
 * their memory is mapped.
 */
#ifndef HYMIR_RUNNER_GUEST_MAKER_H
#define HYMIR_RUNNER_GUEST_MAKER_H

#include "firmware/multiboot2.h"
#include "guest/vm.h"
#include "lib/options.h"
#include "virt/virtualization.h"

#include <stdbool.h>
#include <stddef.h>

#define GUEST_MAKER_MAX MULTIBOOT2_MAX_MODULES

/*
 * Makes what the modules describe, for processors like the record's; returns how many
 * guests there are in made, which has room for GUEST_MAKER_MAX. What is wrong with a
 * module is said in one line, and the others are still made. On the boot CPU, once.
 */
size_t guest_maker_make(const struct options *options, const struct cpu_record *record,
                        struct vm **made);

/*
 * Makes a guest that has ended as it was at first, with the time that it is now; false if
 * that cannot be, which is said in one line. On the guest's CPU.
 */
bool guest_maker_reset(struct vm *vm);

#endif
