; beat.asm: a guest that shows that Hymir still works: prints a line at intervals, then stops.

        bits    32
        org     0x100000

%include "multiboot_header.inc"
%include "hypercall.inc"

entry:
        choose_hypercall
        mov     ebx, 10
.beat:
        mov     ecx, 2000000            ; instructions between two lines
.wait:
        loop    .wait
        mov     esi, text
        mov     edx, 0x3F8
        mov     ecx, text_end - text
        cld
        rep outsb
        dec     ebx
        jnz     .beat
        mov     eax, 2
        xor     ebx, ebx
        hypercall

        hypercall_table
text:   db      "beat", 10
text_end:
