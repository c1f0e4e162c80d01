; entry.asm: VM entry and VM exit.
;
;       void svm_run(struct vcpu_run *run, struct vmcb *guest, struct vmcb *host);
;
; There is a routine for each combination of the measures of docs/SECURITY.md that belong here, so that none is tested at
; a VM exit: enum entry_measure, run->entry.
;
; 1. Saves the callee-saved registers of the ABI, and the host's state that VMRUN does not switch: VMSAVE.
; 2. .enter: loads the registers that C functions preserve. .again: loads the others.
; 3. Enters with GIF clear, so that nothing comes between CLGI and VMRUN, and IF set, because V_INTR_MASKING lets
;    the host's IF at VMRUN decide whether host interrupts exit. VMLOAD and VMSAVE switch the rest of the guest's
;    state: FS, GS, TR, LDTR and the MSRs of SYSCALL and SYSENTER. APM 2, "VMRUN", "#VMEXIT".
; 4. After the exit GIF is clear, RAX has the VMCB's address as before VMRUN, and all other registers are the
;    guest's. Stores those that C functions do not preserve, switches to the host's state, and only then sets GIF:
;    an NMI that arrived meanwhile finds the host's GS and TR.
; 5. RUN_AGAIN, the most frequent, goes to .again. RUN_ALL_REGISTERS stores the others too, calls on_exit again
;    and goes to .enter. RUN_STOP returns.
;
; The stack from RSP at steps 2 to 5, aligned to 16 bytes as the ABI requires at a call:
;
;       run                     pointer to struct vcpu_run, which starts with the guest's registers
;       guest, host             the VMCBs, identity-mapped
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
        push    rdx
        push    rsi
        push    rdi
        mov     rax, rdx
        vmsave

.enter:                                 ; with the run in RDI
        mov     rbp, [rdi + REGISTER(5)]
        mov     r12, [rdi + REGISTER(12)]
        mov     r13, [rdi + REGISTER(13)]
        mov     r14, [rdi + REGISTER(14)]
        mov     r15, [rdi + REGISTER(15)]
.again:
        mov     rcx, [rdi + REGISTER(0)]
        mov     rax, [rsp + 8]
        mov     [rax + HYMIR_VMCB_RAX], rcx
        mov     rcx, [rdi + REGISTER(1)]
        mov     rdx, [rdi + REGISTER(2)]
        mov     rbx, [rdi + REGISTER(3)]
        mov     rsi, [rdi + REGISTER(6)]
        mov     r8,  [rdi + REGISTER(8)]
        mov     r9,  [rdi + REGISTER(9)]
        mov     r10, [rdi + REGISTER(10)]
        mov     r11, [rdi + REGISTER(11)]
        mov     rdi, [rdi + REGISTER(7)]
        clgi
        sti
        vmload
        CLEAR_BUFFERS %2
        vmrun
        FILL_RSB %2
        vmsave
        push    rdi                     ; the guest's; [rsp + 8] is now the run
        mov     rdi, [rsp + 8]
        mov     [rdi + REGISTER(1)], rcx
        mov     rcx, [rax + HYMIR_VMCB_RAX]
        mov     [rdi + REGISTER(0)], rcx
        mov     [rdi + REGISTER(2)], rdx
        mov     [rdi + REGISTER(3)], rbx
        mov     [rdi + REGISTER(6)], rsi
        pop     qword [rdi + REGISTER(7)]
        mov     [rdi + REGISTER(8)],  r8
        mov     [rdi + REGISTER(9)],  r9
        mov     [rdi + REGISTER(10)], r10
        mov     [rdi + REGISTER(11)], r11
        mov     rax, [rsp + 16]
        vmload
        FORGET_BRANCHES %2              ; before STGI: an NMI that is held back executes returns
        cli
        stgi
        CALL_ON_EXIT %2
        mov     rdi, [rsp]
        cmp     eax, HYMIR_RUN_AGAIN
        je      .again
        cmp     eax, HYMIR_RUN_ALL_REGISTERS
        jne     .stop
        mov     [rdi + REGISTER(5)], rbp
        mov     [rdi + REGISTER(12)], r12
        mov     [rdi + REGISTER(13)], r13
        mov     [rdi + REGISTER(14)], r14
        mov     [rdi + REGISTER(15)], r15
        mov     byte [rdi + HYMIR_RUN_HAS_ALL_REGISTERS], 1
        CALL_ON_EXIT %2
        mov     rdi, [rsp]
        mov     byte [rdi + HYMIR_RUN_HAS_ALL_REGISTERS], 0
        cmp     eax, HYMIR_RUN_AGAIN
        je      .enter
.stop:
        add     rsp, 24
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        jmp     __x86_return_thunk
%endmacro

        ROUTINES svm_run, HYMIR_ENTRY_VERW | HYMIR_ENTRY_FILL_RSB | HYMIR_ENTRY_IBPB
