/*
 * What became of one VMX instruction, told apart and put into words.
 *
 * SDM 3C, "VMX Instruction Reference", "Conventions"; "VM-Instruction Error Numbers".
 */
#ifndef HYMIR_VMX_ATTEMPT_H
#define HYMIR_VMX_ATTEMPT_H

#include "lib/format.h"
#include "vmx/instructions.h"

/* True if it was tried, raised no exception and set neither CF nor ZF. */
bool vmx_attempt_succeeded(const struct vmx_attempt *attempt);

/*
 * Fills in the error number of an attempt that ended in VMfailValid; called right behind
 * it, on the same CPU.
 */
struct vmx_attempt vmx_attempt_complete(struct vmx_attempt attempt);

/* The complete attempt of an instruction that raises no exception. */
struct vmx_attempt vmx_attempt_done(enum vmx_result result);

/* Appends what became of the instruction, as a sentence's start: "VMXON raised #UD". */
void vmx_attempt_describe(const struct vmx_attempt *attempt, const char *instruction,
                          struct text *text);

/* "#UD", "#GP", "#PF", or "an exception", for a vector in a sentence. */
const char *vmx_fault_name(uint32_t vector);

#endif
