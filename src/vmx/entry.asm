; entry.asm: VM entry and VM exit.
;
;       enum vmx_result vmx_enter(struct guest_registers *registers, bool is_launched);
;
; 1. Saves the registers that the ABI lets the callee keep, and the pointer to the guest's registers.
; 2. Tells the VMCS where a VM exit shall continue: HOST_RSP is the stack as it is now, HOST_RIP is
;    vm_exit. SDM 3C, "VM Exits", "Loading Host State".
; 3. Loads the guest's registers and enters. VMLAUNCH and VMRESUME stand on two branches: neither can
;    be reached from a failure of the other, which would hide the first one's error number.
; 4. A failed entry falls through to .failed with CF or ZF set and no register of ours but RSP of use.
; 5. A VM exit arrives at vm_exit with the guest's registers and our RSP. It stores them and returns 0.
;
; The stack from RSP at steps 2 to 5:
;
;       registers               pointer to struct guest_registers
;       r15 r14 r13 r12 rbx rbp saved for the caller
;       return address

        bits    64
        default rel

%include "constants.inc"

        section .text

        global  vmx_enter
vmx_enter:
        push    rbp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        push    rdi

        mov     eax, HYMIR_VMCS_HOST_RSP
        vmwrite rax, rsp
        jbe     .failed
        mov     eax, HYMIR_VMCS_HOST_RIP
        lea     rcx, [vm_exit]
        vmwrite rax, rcx
        jbe     .failed

        test    sil, sil                ; is_launched; the MOVs below leave ZF alone
        mov     rax, [rdi + HYMIR_GUEST_RAX]
        mov     rcx, [rdi + HYMIR_GUEST_RCX]
        mov     rdx, [rdi + HYMIR_GUEST_RDX]
        mov     rbx, [rdi + HYMIR_GUEST_RBX]
        mov     rbp, [rdi + HYMIR_GUEST_RBP]
        mov     rsi, [rdi + HYMIR_GUEST_RSI]
        mov     r8,  [rdi + HYMIR_GUEST_R8]
        mov     r9,  [rdi + HYMIR_GUEST_R9]
        mov     r10, [rdi + HYMIR_GUEST_R10]
        mov     r11, [rdi + HYMIR_GUEST_R11]
        mov     r12, [rdi + HYMIR_GUEST_R12]
        mov     r13, [rdi + HYMIR_GUEST_R13]
        mov     r14, [rdi + HYMIR_GUEST_R14]
        mov     r15, [rdi + HYMIR_GUEST_R15]
        mov     rdi, [rdi + HYMIR_GUEST_RDI]
        jnz     .resume
        vmlaunch
        jmp     .failed
.resume:
        vmresume
.failed:
        mov     eax, HYMIR_VMX_FAIL_INVALID     ; MOV leaves the flags alone
        jc      .return
        mov     eax, HYMIR_VMX_FAIL_VALID
.return:
        pop     rdi
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        ret

vm_exit:
        push    rdi                     ; the guest's; [rsp + 8] is now the pointer
        mov     rdi, [rsp + 8]
        mov     [rdi + HYMIR_GUEST_RAX], rax
        mov     [rdi + HYMIR_GUEST_RCX], rcx
        mov     [rdi + HYMIR_GUEST_RDX], rdx
        mov     [rdi + HYMIR_GUEST_RBX], rbx
        mov     [rdi + HYMIR_GUEST_RBP], rbp
        mov     [rdi + HYMIR_GUEST_RSI], rsi
        mov     [rdi + HYMIR_GUEST_R8],  r8
        mov     [rdi + HYMIR_GUEST_R9],  r9
        mov     [rdi + HYMIR_GUEST_R10], r10
        mov     [rdi + HYMIR_GUEST_R11], r11
        mov     [rdi + HYMIR_GUEST_R12], r12
        mov     [rdi + HYMIR_GUEST_R13], r13
        mov     [rdi + HYMIR_GUEST_R14], r14
        mov     [rdi + HYMIR_GUEST_R15], r15
        pop     rax
        mov     [rdi + HYMIR_GUEST_RDI], rax
        mov     eax, HYMIR_VMX_SUCCEED
        jmp     vmx_enter.return

        section .note.GNU-stack noalloc noexec nowrite progbits
