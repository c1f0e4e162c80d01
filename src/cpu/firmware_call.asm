; firmware_call.asm: a call of a function of firmware's, on a stack of its own.
;
;       uint64_t firmware_call(uint64_t function, const uint64_t arguments[5], void *stack_end);
;
; Firmware's functions pass the first four arguments in RCX, RDX, R8, R9, with room for them on the stack,
; the fifth behind that, and keep RBX, RBP, RSI, RDI and R12 to R15: UEFI 2.10, "Detailed Calling
; Conventions" of x64. They want 128 KiB of stack, which Hymir's own stacks do not have.
;
; 1. Keeps our RSP in RBP, which the function keeps.
; 2. Switches to the stack whose end, on a boundary of 16 bytes, is stack_end.
; 3. Passes the arguments, and calls, with interrupts on: where there is no other CPU to watch, the timer
;    ends a function that does not come back. The result is in RAX, as ours.
;
; That stack, from RSP at the call:
;
;       room for RCX RDX R8 R9  32 bytes
;       the fifth argument
;       nothing                 keeps the boundary

        bits    64

        section .text

        global  firmware_call
firmware_call:
        push    rbp
        mov     rbp, rsp

        mov     rsp, rdx
        sub     rsp, 48

        mov     rax, rdi
        mov     rdi, [rsi + 32]
        mov     [rsp + 32], rdi
        mov     rcx, [rsi]
        mov     rdx, [rsi + 8]
        mov     r8,  [rsi + 16]
        mov     r9,  [rsi + 24]
        cld
        sti
        call    rax
        cli

        mov     rsp, rbp
        pop     rbp
        ret
