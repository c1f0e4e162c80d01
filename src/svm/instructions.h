/*
 * The SVM instructions, one per function; VMRUN, with the instructions around it, is in
 * entry.asm. All but *_try require EFER.SVME. APM 3, "System Instruction Reference".
 */
#ifndef HYMIR_SVM_INSTRUCTIONS_H
#define HYMIR_SVM_INSTRUCTIONS_H

#include "cpu/instructions.h"
#include "mm/address.h"

DEFINE_INSTRUCTION(vmsave, (hpa_t vmcb), "vmsave %0", "a"(vmcb.value))
DEFINE_INSTRUCTION(vmload, (hpa_t vmcb), "vmload %0", "a"(vmcb.value))

/* Clear and set the global interrupt flag. */
DEFINE_INSTRUCTION(clgi, (void), "clgi")
DEFINE_INSTRUCTION(stgi, (void), "stgi")
DEFINE_SAFE(clgi_try, (void), "clgi", )

/* Removes the translations of a linear address that belong to an ASID. */
DEFINE_INSTRUCTION(invlpga, (uint64_t linear, uint32_t asid), "invlpga %0, %1",
                   "a"(linear), "c"(asid))

#endif
