; firmware_call.asm: calls a firmware function on a separate stack.
;
;       uint64_t firmware_call(uint64_t function, const uint64_t arguments[5], void *stack_end);
;
; Firmware functions take the first four arguments in RCX, RDX, R8, R9, with room for them on the stack, the
; fifth above that room, and preserve RBX, RBP, RSI, RDI and R12 to R15: UEFI 2.10, "Detailed Calling
; Conventions" of x64. They require 128 KiB of stack, more than Hymir's own stacks have.
;
; 1. Saves those registers, CR4, and RSP, in firmware_call_stack. Clears CR4.CET: firmware has no shadow stack.
; 2. Switches to the stack that ends at stack_end, aligned to 16 bytes.
; 3. Calls with interrupts enabled: on a single CPU the timer detects a function that does not return. The
;    result is in RAX in both conventions.
; 4. Goes on at firmware_call_end, also if the function raised an exception: with RSP from firmware_call_stack,
;    whatever the other registers are, and the result of firmware_call in RAX. One call at a time.
;
; That stack at the call, from RSP upward:
;
;       room for RCX RDX R8 R9  32 bytes
;       the fifth argument
;       unused                  for alignment

        bits    64

%include "constants.inc"

        section .text

        extern  __x86_return_thunk

        global  firmware_call
        global  firmware_call_end
firmware_call:
        push    rbp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        mov     rax, cr4
        push    rax
        and     rax, ~HYMIR_CR4_CET
        mov     cr4, rax
        mov     [rel firmware_call_stack], rsp

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
firmware_call_end:
        cli
        cld

        mov     rsp, [rel firmware_call_stack]
        pop     rcx
        mov     rdx, cr0
        or      rdx, HYMIR_CR0_WP               ; which CR4.CET requires, and firmware may have left clear
        mov     cr0, rdx
        mov     cr4, rcx
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        jmp     __x86_return_thunk

        section .bss align=8

        global  firmware_call_stack
firmware_call_stack:
        resq    1
