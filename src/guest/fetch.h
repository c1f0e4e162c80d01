/*
 * Fetches the instruction at which a vCPU has exited, for processors that do not save its
 * bytes.
 */
#ifndef HYMIR_GUEST_FETCH_H
#define HYMIR_GUEST_FETCH_H

#include "virt/backend.h"
#include "virt/decoder.h"

/*
 * Reads the bytes at CS:RIP through the guest's page tables. Returns their number, which
 * is less than INSTRUCTION_LENGTH_MAX if the next byte is not in RAM, not canonical, or
 * not executable; 0 if the guest has changed its page tables since the processor fetched
 * them. Sets no accessed flag: the processor has done so for the bytes of the
 * instruction. The limit of CS, which it has checked too, may cut off the bytes after the
 * instruction.
 */
size_t instruction_fetch(struct vcpu *vcpu, uint8_t bytes[INSTRUCTION_LENGTH_MAX]);

#endif
