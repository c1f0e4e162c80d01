; flood.asm: prints 26 lines of 100 letters as fast as it can, without looking at the line status, and stops. If its
; command line begins with a digit, it repeats that as many times.

        bits    32
        org     0x100000

%include "multiboot_header.inc"
%include "hypercall.inc"

entry:
        choose_hypercall
        mov     esi, [ebx + 16]         ; the command line
        movzx   ebx, byte [esi]
        sub     ebx, "0"
        cmp     ebx, 9
        jbe     .again
        mov     ebx, 1
.again:
        mov     al, "a"
        mov     edx, 0x3F8
.line:
        mov     ecx, 100
.letter:
        out     dx, al
        loop    .letter
        mov     ah, al
        mov     al, 10
        out     dx, al
        mov     al, ah
        inc     al
        cmp     al, "z"
        jbe     .line
        dec     ebx
        jnz     .again
        mov     eax, 2                  ; HYPERCALL_END
        hypercall

        hypercall_table
