; entry.asm: VM entry and VM exit.
;
;       enum vmx_result vmx_run(struct vcpu_run *run);
;
; There is a routine for each combination of the measures of docs/SECURITY.md that belong here, so that none is tested at
; a VM exit: enum entry_measure, run->entry.
;
; 1. Saves the callee-saved registers of the ABI and the pointer to the run.
; 2. Sets HOST_RSP to the current RSP and HOST_RIP to the exit of the routine: SDM 3C, "VM Exits", "Loading Host State".
; 3. .enter: loads the guest's registers and enters. VMLAUNCH and VMRESUME have separate branches, so that
;    the failure of one cannot execute the other, which would replace the error number.
; 4. A failed entry falls through to .failed with CF or ZF set; of Hymir's registers only RSP is valid.
; 5. A VM exit arrives there with the guest's registers and Hymir's RSP. It stores the registers that
;    C functions do not preserve and calls on_exit.
; 6. RUN_AGAIN, the most frequent, loads them and enters. RUN_ALL_REGISTERS stores the others too, calls
;    on_exit again and goes to .enter. RUN_STOP returns VMX_SUCCEED.
;
; The stack from RSP at steps 2 to 6, aligned to 16 bytes as the ABI requires at a call:
;
;       run                     pointer to struct vcpu_run, which starts with the guest's registers
;       r15 r14 r13 r12 rbx rbp saved for the caller
;       return address

        bits    64
        default rel

%include "constants.inc"

; The offset of a guest register by its number: enum register_number.
%define REGISTER(number) ((number) * 8)

%include "src/virt/measures.inc"

; The routine %1, with the measures in %2, a set of HYMIR_ENTRY_VERW and so on.
%macro  ROUTINE 2
%1:
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
        lea     rcx, [%1_exit]
        vmwrite rax, rcx
        jbe     .failed

.enter:                                 ; with the run in RDI
        RESTORE_SPEC_CTRL %2
        FLUSH_L1D %2
        CLEAR_BUFFERS %2                ; changes ZF
        cmp     byte [rdi + HYMIR_RUN_IS_LAUNCHED], 0 ; the MOVs below preserve ZF
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
        SET_IBRS %2                             ; it and MOV preserve the flags
        mov     eax, HYMIR_VMX_FAIL_INVALID
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
        jmp     __x86_return_thunk

%1_exit:
        FILL_RSB %2
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
        DROP_SHADOW %2
        SET_IBRS %2
        CALL_ON_EXIT %2
        mov     rdi, [rsp]
        cmp     eax, HYMIR_RUN_AGAIN
        jne     .not_again
        RESTORE_SPEC_CTRL %2
        FLUSH_L1D %2
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
        CLEAR_BUFFERS %2
        vmresume
        mov     rdi, [rsp]
        mov     byte [rdi + HYMIR_RUN_IS_LAUNCHED], 1 ; for the error message
        jmp     %1.failed

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
        CALL_ON_EXIT %2
        mov     rdi, [rsp]
        mov     byte [rdi + HYMIR_RUN_HAS_ALL_REGISTERS], 0
        cmp     eax, HYMIR_RUN_AGAIN
        je      %1.enter
.stop:
        mov     eax, HYMIR_VMX_SUCCEED
        jmp     %1.return
%endmacro

        ROUTINES vmx_run, HYMIR_ENTRY_VERW | HYMIR_ENTRY_FLUSH_L1D | HYMIR_ENTRY_FILL_RSB | HYMIR_ENTRY_IBRS | HYMIR_ENTRY_DROP_SHADOW
