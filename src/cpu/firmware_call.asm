; firmware_call.asm: calls a firmware function on a separate stack.
;
;       uint64_t firmware_call(uint64_t function, const uint64_t arguments[5], void *stack_end);
;
; Firmware functions take the first four arguments in RCX, RDX, R8, R9, with room for them on the stack, the
; fifth above that room, and preserve RBX, RBP, RSI, RDI and R12 to R15: UEFI 2.10, "Detailed Calling
; Conventions" of x64. They require 128 KiB of stack, more than Hymir's own stacks have.
;
; 1. Saves RSP in RBP, which the function preserves.
; 2. Switches to the stack that ends at stack_end, aligned to 16 bytes.
; 3. Calls with interrupts enabled: on a single CPU the timer detects a function that does not return. The
;    result is in RAX in both conventions.
;
; That stack at the call, from RSP upward:
;
;       room for RCX RDX R8 R9  32 bytes
;       the fifth argument
;       unused                  for alignment

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
