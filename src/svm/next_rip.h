/*
 * The guest's current instruction, for processors that save neither the next RIP nor the
 * instruction's bytes.
 */
#ifndef HYMIR_SVM_NEXT_RIP_H
#define HYMIR_SVM_NEXT_RIP_H

#include "virt/decoder.h"
#include "virt/vcpu.h"

/*
 * Decodes the guest's current instruction, from at most 15 bytes at RIP. Returns false if
 * they cannot be fetched or decoded.
 */
bool guest_decode(struct vcpu *vcpu, struct instruction *instruction);

/*
 * Sets the VMCB's next RIP if the exit is one whose handling may end the instruction.
 * Returns false if the guest's code has another instruction now.
 */
bool next_rip_find(struct vcpu *vcpu);

#endif
