/*
 * The way into a guest and back.
 */
#ifndef HYMIR_VMX_ENTRY_H
#define HYMIR_VMX_ENTRY_H

#include "vmx/instructions.h"

#include <stdbool.h>
#include <stdint.h>

/* The general registers of a guest, in the order of their numbers; RSP is in the VMCS. */
struct guest_registers {
    uint64_t rax, rcx, rdx, rbx, unused_rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

/*
 * Enters the guest of the current VMCS with *registers, by VMLAUNCH or, if is_launched,
 * by VMRESUME, and comes back at its next VM exit with its registers in *registers:
 * VMX_SUCCEED. If the instruction fails it returns which way, and *registers is as
 * before. Writes HOST_RSP and HOST_RIP. In VMX root operation, with interrupts off.
 */
enum vmx_result MUST_CHECK vmx_enter(struct guest_registers *registers, bool is_launched);

#endif
