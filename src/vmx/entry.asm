; entry.asm: VM entry and VM exit.
;
;       enum vmx_result vmx_run(struct vcpu_run *run);
;
; 1. Saves the registers that the ABI lets the callee keep, and the pointer to the run.
; 2. Tells the VMCS where a VM exit shall continue: HOST_RSP is the stack as it is now, HOST_RIP is
;    vm_exit. SDM 3C, "VM Exits", "Loading Host State".
; 3. .enter: loads the guest's registers and enters. VMLAUNCH and VMRESUME stand on two branches: neither
;    can be reached from a failure of the other, which would hide the first one's error number.
; 4. A failed entry falls through to .failed with CF or ZF set and no register of ours but RSP of use.
; 5. A VM exit arrives at vm_exit with the guest's registers and our RSP. It stores those that C does not
;    keep and calls on_exit.
; 6. RUN_AGAIN loads them again and enters; most exits are as short as that. RUN_ALL_REGISTERS stores the
;    others too, calls on_exit again, and then goes to .enter. RUN_STOP returns VMX_SUCCEED.
;
; The stack from RSP at steps 2 to 6, on a boundary of 16 bytes as the ABI wants it at a call:
;
;       run                     pointer to struct vcpu_run, which starts with the guest's registers
;       r15 r14 r13 r12 rbx rbp saved for the caller
;       return address

        bits    64
        default rel

%include "constants.inc"

; Where a guest register lies, by its number: enum register_number.
%define REGISTER(number) ((number) * 8)

        section .text

        global  vmx_run
vmx_run:
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

.enter:                                 ; with the run in RDI
        cmp     byte [rdi + HYMIR_RUN_IS_LAUNCHED], 0 ; the MOVs below leave ZF alone
        mov     rax, [rdi + REGISTER(0)]
        mov     rcx, [rdi + REGISTER(1)]
        mov     rdx, [rdi + REGISTER(2)]
        mov     rbx, [rdi + REGISTER(3)]
        mov     rbp, [rdi + REGISTER(5)]
        mov     rsi, [rdi + REGISTER(6)]
        mov     r8,  [rdi + REGISTER(8)]
        mov     r9,  [rdi + REGISTER(9)]
        mov     r10, [rdi + REGISTER(10)]
        mov     r11, [rdi + REGISTER(11)]
        mov     r12, [rdi + REGISTER(12)]
        mov     r13, [rdi + REGISTER(13)]
        mov     r14, [rdi + REGISTER(14)]
        mov     r15, [rdi + REGISTER(15)]
        mov     rdi, [rdi + REGISTER(7)]
        jne     .resume
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
        push    rdi                     ; the guest's; [rsp + 8] is now the run
        mov     rdi, [rsp + 8]
        mov     [rdi + REGISTER(0)], rax
        mov     [rdi + REGISTER(1)], rcx
        mov     [rdi + REGISTER(2)], rdx
        mov     [rdi + REGISTER(3)], rbx
        mov     [rdi + REGISTER(6)], rsi
        pop     qword [rdi + REGISTER(7)]
        mov     [rdi + REGISTER(8)],  r8
        mov     [rdi + REGISTER(9)],  r9
        mov     [rdi + REGISTER(10)], r10
        mov     [rdi + REGISTER(11)], r11
        call    [rdi + HYMIR_RUN_ON_EXIT]
        mov     rdi, [rsp]
        cmp     eax, HYMIR_RUN_AGAIN
        jne     .not_again
        mov     rax, [rdi + REGISTER(0)]
        mov     rcx, [rdi + REGISTER(1)]
        mov     rdx, [rdi + REGISTER(2)]
        mov     rbx, [rdi + REGISTER(3)]
        mov     rsi, [rdi + REGISTER(6)]
        mov     r8,  [rdi + REGISTER(8)]
        mov     r9,  [rdi + REGISTER(9)]
        mov     r10, [rdi + REGISTER(10)]
        mov     r11, [rdi + REGISTER(11)]
        mov     rdi, [rdi + REGISTER(7)]
        vmresume
        mov     rdi, [rsp]
        mov     byte [rdi + HYMIR_RUN_IS_LAUNCHED], 1 ; for the report
        jmp     vmx_run.failed

.not_again:
        cmp     eax, HYMIR_RUN_ALL_REGISTERS
        jne     .stop
        mov     [rdi + REGISTER(5)], rbp
        mov     [rdi + REGISTER(12)], r12
        mov     [rdi + REGISTER(13)], r13
        mov     [rdi + REGISTER(14)], r14
        mov     [rdi + REGISTER(15)], r15
        mov     byte [rdi + HYMIR_RUN_IS_LAUNCHED], 1
        mov     byte [rdi + HYMIR_RUN_HAS_ALL_REGISTERS], 1
        call    [rdi + HYMIR_RUN_ON_EXIT]
        mov     rdi, [rsp]
        mov     byte [rdi + HYMIR_RUN_HAS_ALL_REGISTERS], 0
        cmp     eax, HYMIR_RUN_AGAIN
        je      vmx_run.enter
.stop:
        mov     eax, HYMIR_VMX_SUCCEED
        jmp     vmx_run.return

        section .note.GNU-stack noalloc noexec nowrite progbits
