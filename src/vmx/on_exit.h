/*
 * The path of a VM exit to its handler and back into the guest.
 */
#ifndef HYMIR_VMX_ON_EXIT_H
#define HYMIR_VMX_ON_EXIT_H

#include "cpu/instructions.h"
#include "vmx/vcpu.h"

/* The value of vcpu->run.on_exit. */
enum run_next vcpu_on_exit(struct vcpu_run *run);

#endif
