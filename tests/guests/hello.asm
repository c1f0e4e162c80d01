; hello.asm: the smallest guest: a Multiboot kernel by addresses that prints and ends itself by VMCALL.

        bits    32
        org     0x100000

header:
        dd      0x1BADB002
        dd      0x00010000
        dd      -(0x1BADB002 + 0x00010000)
        dd      header, header, 0, 0, entry

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
