; beat.asm: a guest that shows that Hymir still works: prints a line at intervals, then stops.

        bits    32
        org     0x100000

%include "multiboot_header.inc"
%include "hypercall.inc"
%include "counter.inc"

WINDOW  equ     50 * 1193               ; ticks of the 8254

entry:
        choose_hypercall
        mov     ebx, 10
.beat:
        mov     edi, 4                  ; times 50 ms between two lines
.wait:
        start_counter_2 WINDOW
.again:
        mov     ecx, 1000
        loop    $                       ; reduces the number of exits
        in      al, 0x61
        test    al, 0x20
        jz      .again
        dec     edi
        jnz     .wait
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
