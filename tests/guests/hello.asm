; hello.asm: a minimal guest: a flat Multiboot kernel that prints a line and stops itself by a hypercall.

        bits    32
        org     0x100000

%include "multiboot_header.inc"
%include "hypercall.inc"

entry:
        choose_hypercall
        mov     esi, text
        mov     edx, 0x3F8
.next:
        lodsb
        test    al, al
        jz      .done
        out     dx, al
        jmp     .next
.done:
        mov     eax, 2
        mov     ebx, 42
        hypercall
        hlt

        hypercall_table
text:   db      "hello from the guest", 10, 0
