/*
 * Executes the guest's instruction that accessed memory-mapped devices: memory without
 * RAM.
 *
 * SDM 2, each instruction. The instructions are those of virt/arithmetic.h with an
 * operand in memory; any other raises #UD, which is logged once with its bytes. A
 * repeated string instruction handles STRING_ELEMENTS_MAX elements an exit; then the
 * guest continues at the same instruction, so that it can be interrupted.
 */
#ifndef HYMIR_GUEST_DEVICE_MEMORY_H
#define HYMIR_GUEST_DEVICE_MEMORY_H

#include "virt/vcpu.h"

/* Executes the instruction at RIP, whose access caused the exit. */
enum exit_outcome device_memory_handle(struct vcpu *vcpu,
                                       const struct memory_access *access);

#endif
