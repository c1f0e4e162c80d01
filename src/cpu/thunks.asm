; thunks.asm: what the compiler, and Hymir's assembly, have instead of indirect branches and returns. thunks.c replaces either at
; boot where it is not needed.
;
; An indirect branch is a call of, or a jump to, the thunk of the register that has its target: a retpoline, whose return is
; predicted to go to a loop that ends no sooner than it is known to be wrong. Intel, "Retpoline: A Branch Target Injection
; Mitigation".
;
; A return is a jump to __x86_return_thunk. All RETs of Hymir's, this one and those of the retpolines, are in the upper half of
; a cache line: Intel, "Indirect Target Selection".

        bits    64

%include "constants.inc"

%macro  THUNK 1
        align   HYMIR_INDIRECT_THUNK_SIZE, int3
        times   HYMIR_RETPOLINE_START int3
        global  __x86_indirect_thunk_%1
__x86_indirect_thunk_%1:
        call    .jump
.wait:
        pause
        lfence
        jmp     .wait
.jump:
        mov     [rsp], %1
        ret
%endmacro

%macro  JUMP 1
        align   HYMIR_INDIRECT_JUMP_SIZE, int3
        jmp     %1
%endmacro

; Uses the macro %1 with each register.
%macro  EACH 1
        %1      rax
        %1      rcx
        %1      rdx
        %1      rbx
        %1      rbp
        %1      rsi
        %1      rdi
        %1      r8
        %1      r9
        %1      r10
        %1      r11
        %1      r12
        %1      r13
        %1      r14
        %1      r15
%endmacro

        section .text

        global  indirect_thunks
        align   HYMIR_INDIRECT_THUNK_SIZE, int3
indirect_thunks:
        EACH    THUNK

        align   HYMIR_INDIRECT_THUNK_SIZE, int3
        times   HYMIR_INDIRECT_THUNK_SIZE / 2 int3
        global  __x86_return_thunk
__x86_return_thunk:
        ret
        int3

        section .rodata

        global  indirect_jumps
        global  indirect_jumps_end
        align   HYMIR_INDIRECT_JUMP_SIZE, int3
indirect_jumps:
        EACH    JUMP
        align   HYMIR_INDIRECT_JUMP_SIZE, int3
indirect_jumps_end:

        section .note.GNU-stack noalloc noexec nowrite progbits
