; clean.asm: a guest that checks that its memory is zero, says so, overwrites it, and waits to be reset.

        bits    32
        org     0x100000

%include "multiboot_header.inc"

; What the loader does not use of 16 MiB: above the BIOS data area, and between the image and the boot information.
LOW_START  equ  0x10000
LOW_END    equ  0x90000
HIGH_START equ  0x110000
HIGH_END   equ  0xF00000

entry:
        cld
        xor     eax, eax
        mov     edi, LOW_START
        mov     ecx, (LOW_END - LOW_START) / 4
        repe    scasd
        jne     .found
        mov     edi, HIGH_START
        mov     ecx, (HIGH_END - HIGH_START) / 4
        repe    scasd
.found:
        mov     esi, clean
        je      .print
        mov     esi, dirty
.print:
        mov     edx, 0x3F8
        mov     ecx, 6
        rep outsb
        dec     eax
        mov     edi, LOW_START
        mov     ecx, (LOW_END - LOW_START) / 4
        rep stosd
        mov     edi, HIGH_START
        mov     ecx, (HIGH_END - HIGH_START) / 4
        rep stosd
        mov     esi, written
        mov     ecx, 8
        rep outsb
        mov     al, 0xFF                ; no interrupts
        out     0x21, al
        sti                             ; Bochs: or an external interrupt would not cause an exit
        jmp     $

clean:   db     "clean", 10
dirty:   db     "dirty", 10
written: db     "written", 10
