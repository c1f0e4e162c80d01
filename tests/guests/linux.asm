; linux.asm: a bzImage of protocol 2.06. At its 32-bit entry it loads the segment registers from the boot loader's GDT,
; as Linux did until 5.6.

        bits    32
        org     0x100000 - 1024         ; the sectors before the entry point

%include "hypercall.inc"

header: times   0x1F1 db 0
        db      1                       ; sectors after the first
        dw      0
        dd      (end - entry) / 16
        dw      0, 0xFFFF, 0, 0xAA55
        db      0xEB, 0x3A
        db      "HdrS"
        dw      0x206
        dd      0
        dw      0x1000, 0
        db      0, 1                    ; loaded high
        dw      0x8000
        dd      0x100000, 0, 0, 0
        dw      0
        db      0, 0
        dd      0, 0x37FFFFFF, 0x100000
        db      0, 0
        dw      0
        dd      255
        times   1024 - ($ - header) db 0

entry:  choose_hypercall
        mov     eax, 0x18
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        jmp     0x10:.flat
.flat:  mov     edi, [esi + 0x228]      ; the command line
        mov     edx, 0x3F8
.next:  mov     al, [edi]
        inc     edi
        test    al, al
        jz      .done
        out     dx, al
        jmp     .next
.done:  mov     al, 10
        out     dx, al
        mov     eax, 2
        mov     ebx, 42
        hypercall
        hlt
        hypercall_table
        align   16
end:
