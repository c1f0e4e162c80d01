; hello.asm: a minimal guest: a flat Multiboot kernel that prints a line and stops itself with VMCALL.

        bits    32
        org     0x100000

%include "multiboot_header.inc"

entry:
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
        vmcall
        hlt

text:   db      "hello from the guest", 10, 0
