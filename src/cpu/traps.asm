; traps.asm: the entry points of the 256 vectors of the IDT.
;
; Each entry builds a struct trap_frame (traps.h) on the stack and calls
;
;       void trap_handle(struct trap_frame *frame, struct shadow_frame *shadow);
;
; The stack, in quadwords, top last:
;
;       ss rsp rflags cs rip        pushed by the CPU, aligned to 16 bytes
;       error_code                  by the CPU, or 0 by the stub
;       vector                      by the stub
;       rax rcx rdx rbx rbp rsi rdi r8 ... r15
;
; RDSSP does nothing on a CPU that does not use shadow stacks: the second argument is then NULL.
;
; The CPU aligns the stack before it pushes, so RSP tells whether it pushed an error code: firmware may have left
; an interrupt on a vector whose exception has one.
;
; These 22 quadwords keep the stack aligned to 16 bytes at the call, as the ABI requires.

        bits    64
        default rel

        extern  trap_handle

; Exceptions that push an error code: SDM 3A, "Exception and Interrupt Reference".
%define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)

%macro push_all 1-*
%rep %0
        push    %1
%rotate 1
%endrep
%endmacro

; Pops in the reverse order of its operands.
%macro pop_all 1-*
%rep %0
%rotate -1
        pop     %1
%endrep
%endmacro

        section .text

%assign vector 0
%rep 256
trap_stub_ %+ vector:
%if HAS_ERROR_CODE(vector)
        test    spl, 8
        jz      .has_error_code
%endif
        push    qword 0
.has_error_code:
        push    qword vector
        jmp     trap_common
%assign vector vector + 1
%endrep

trap_common:
        push_all rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        cld
        mov     rdi, rsp
        xor     esi, esi
        rdsspq  rsi
        call    trap_handle
        pop_all rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        add     rsp, 16                 ; vector and error code
        iretq

        section .rodata

        global  trap_stubs
        align   8
trap_stubs:
%assign vector 0
%rep 256
        dq      trap_stub_ %+ vector
%assign vector vector + 1
%endrep

        section .note.GNU-stack noalloc noexec nowrite progbits
