; marker.asm: a guest that looks for a marker in everything that it can read, says where it is, fills everything with
; it, and waits to be reset: nothing of an ended guest may be left for the next one on the same CPU and memory.
;
; Looks at the general registers, the states of XSAVE, control and debug registers, all MSRs, CMOS RAM, the scratch
; register of the UART, the interrupt controllers, and memory. Prints "no marker" or "marker in NAME", then "marked".

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
VECTORS equ     32
MARKER  equ     0x5EC2E7C0
MEMORY  equ     0x1000000               ; the guest has 16 MiB
AREA    equ     0x200000                ; of XSAVE
FREE    equ     0x300000                ; from here on memory is filled

%include "multiboot_header.inc"

entry:
        mov     [general], ecx
        mov     [general + 4], edx
        mov     [general + 8], esi
        mov     [general + 12], edi
        mov     [general + 16], ebp
        mov     esp, stack_top
        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, cr2
        mov     [general + 20], eax
        mov     eax, cr3
        mov     [general + 24], eax
%assign i 0
%rep 4
        mov     eax, dr %+ i
        mov     [general + 28 + 4 * i], eax
%assign i i + 1
%endrep
        cld
        call    build_idt
        mov     edi, directories        ; maps 4 GiB
        mov     eax, 0x83
        mov     ecx, 2048
.map:
        mov     [edi], eax
        add     eax, 1 << 21
        add     edi, 8
        loop    .map
%assign i 0
%rep 4
        mov     dword [pdpt + 8 * i], directories + 4096 * i + 3
%assign i i + 1
%endrep
        mov     dword [pml4], pdpt + 3
        mov     eax, 1 << 5 | 3 << 9    ; PAE, OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        mov     eax, pml4
        mov     cr3, eax
        mov     ecx, 0xC0000080
        mov     eax, 0x101              ; LME, SCE
        xor     edx, edx
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        jmp     CODE_64:long_mode

        bits    64
long_mode:
        mov     esp, stack_top
        lidt    [idt_register_64]
%assign i 8
%rep 8
        mov     [general + 44 + 8 * (i - 8)], r %+ i
%assign i i + 1
%endrep
        mov     rax, cr8
        mov     [general + 108], rax
        mov     ebp, MARKER >> 1
        add     ebp, ebp                ; the image does not contain it
        call    enable_xsave

; ---- Look

        mov     esi, general
        mov     ecx, 30
        mov     ebx, text_registers
        call    look
        mov     edi, AREA
        call    save_extended
        mov     esi, AREA
        mov     ecx, 0x1000 / 4
        mov     ebx, text_extended
        call    look
        xor     ecx, ecx
        call    look_at_msrs
        mov     ecx, 0xC0000000
        call    look_at_msrs
        mov     ecx, 0xC0010000
        call    look_at_msrs
        mov     ebx, text_cmos
        mov     ecx, 0x40
.cmos:
        mov     al, cl
        out     0x70, al
        in      al, 0x71
        cmp     al, bpl
        jne     .no_cmos
        call    found
.no_cmos:
        inc     ecx
        cmp     ecx, 0x80
        jb      .cmos
        mov     ebx, text_uart
        mov     edx, 0x3FF
        in      al, dx
        cmp     al, bpl
        jne     .no_uart
        call    found
.no_uart:
        mov     ebx, text_apic
        mov     esi, 0xFEE00000
        mov     ecx, 0x400 / 16
.apic:
        mov     eax, [rsi]
        and     eax, 0xFF000000
        cmp     eax, MARKER & 0xFF000000
        jne     .no_apic
        call    found
.no_apic:
        add     esi, 16
        loop    .apic
        mov     ebx, text_io_apic
        mov     esi, 0xFEC00000
        mov     ecx, 0x10
.io_apic:
        mov     [rsi], ecx
        mov     eax, [rsi + 0x10]
        cmp     al, bpl
        jne     .no_io_apic
        call    found
.no_io_apic:
        inc     ecx
        cmp     ecx, 0x40
        jb      .io_apic
        xor     esi, esi
        mov     ecx, MEMORY / 4
        mov     ebx, text_memory
        call    look
        cmp     dword [matches], 0
        jne     mark
        mov     esi, text_none
        call    print_text

; ---- Mark

mark:
        mov     edi, FREE
        mov     ecx, (MEMORY - FREE) / 4
        mov     eax, ebp
        rep stosd
        mov     edi, 0x1000
        mov     ecx, (0x90000 - 0x1000) / 4
        rep stosd
        mov     ecx, 0x40
.cmos:
        mov     al, cl
        out     0x70, al
        mov     al, bpl
        out     0x71, al
        inc     ecx
        cmp     ecx, 0x80
        jb      .cmos
        mov     edx, 0x3FF
        mov     al, bpl
        out     dx, al
        mov     esi, 0xFEE00000
        mov     [rsi + 0xD0], ebp       ; the logical destination
        mov     esi, 0xFEC00000
        mov     ecx, 0x10
.io_apic:
        mov     [rsi], ecx
        mov     eax, 1 << 16            ; masked
        or      al, bpl
        mov     [rsi + 0x10], eax
        add     ecx, 2
        cmp     ecx, 0x40
        jb      .io_apic
        mov     esi, msrs
.msr:
        lodsd
        mov     ecx, eax
        xor     edx, edx
        cmp     esi, msrs_of_32_bits
        ja      .write
        mov     edx, ebp
        and     edx, 0x7FFF             ; canonical
.write:
        mov     eax, ebp
        mov     dword [resume], .next
        wrmsr
.next:
        cmp     esi, msrs_end
        jb      .msr
        mov     edi, AREA               ; a state of XSAVE with the marker in each register
        mov     ecx, 0x1000 / 4
        mov     eax, ebp
        rep stosd
        call    load_extended
        mov     eax, ebp
        mov     cr2, rax
%assign i 0
%rep 4
        mov     dr %+ i, rax
%assign i i + 1
%endrep
        mov     esi, text_marked
        call    print_text
        mov     rax, rbp
        shl     rax, 32
        or      rax, rbp
        mov     rcx, rax
        mov     rdx, rax
        mov     rbx, rax
        mov     rsi, rax
        mov     rdi, rax
%assign i 8
%rep 8
        mov     r %+ i, rax
%assign i i + 1
%endrep
        mov     rbp, rax
        sti                             ; Bochs: or an external interrupt would not cause an exit
        jmp     $

; ---- Looking

; Looks for the marker in ECX doublewords at RSI; EBX is the name of the place.
look:
        lodsd
        cmp     eax, ebp
        jne     .next
        call    found
.next:
        loop    look
        ret

; Looks at the 2000H MSRs from ECX on.
look_at_msrs:
        mov     ebx, text_msr
        lea     edi, [rcx + 0x2000]
.next:
        xor     eax, eax
        xor     edx, edx
        mov     dword [resume], .read
        rdmsr
.read:
        cmp     eax, ebp
        je      .found
        cmp     edx, ebp
        jne     .not
.found:
        call    found
.not:
        inc     ecx
        cmp     ecx, edi
        jb      .next
        ret

; Says the first time that the marker is in the place named by EBX. Preserves all registers but RAX.
found:
        inc     dword [matches]
        cmp     dword [matches], 1
        ja      .again
        push    rcx
        push    rdx
        push    rsi
        mov     esi, text_marker
        call    print_text
        mov     esi, ebx
        call    print_text
        pop     rsi
        pop     rdx
        pop     rcx
.again:
        ret

; ---- The states of XSAVE, or of FXSAVE

; Sets [components], 0 without XSAVE, and enables them all.
enable_xsave:
        mov     eax, 1
        cpuid
        test    ecx, 1 << 26
        jz      .done
        mov     rax, cr4
        or      eax, 1 << 18            ; OSXSAVE
        mov     cr4, rax
        mov     eax, 0xD
        xor     ecx, ecx
        cpuid
        mov     [components], eax
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, [components]
        xsetbv
.done:
        ret

save_extended:
        mov     eax, [components]
        xor     edx, edx
        test    eax, eax
        jz      .fxsave
        xsave64 [rdi]
        ret
.fxsave:
        fxsave64 [rdi]
        ret

; Loads each register from AREA, which the marker fills, but for what must be valid: MXCSR and the header.
load_extended:
        mov     edi, AREA
        mov     dword [rdi], 0x37F      ; FCW, FSW
        mov     dword [rdi + 24], 0x1F80
        mov     dword [rdi + 28], 0
        lea     rdi, [rdi + 512]
        xor     eax, eax
        mov     ecx, 16
        rep stosd
        mov     edi, AREA
        mov     eax, [components]
        xor     edx, edx
        mov     [rdi + 512], eax        ; XSTATE_BV
        test    eax, eax
        jz      .fxrstor
        xrstor64 [rdi]
        ret
.fxrstor:
        fxrstor64 [rdi]
        ret

; Prints the text at RSI, which ends with 0.
print_text:
        mov     edx, 0x3F8
.next:
        lodsb
        test    al, al
        jz      .done
        out     dx, al
        jmp     .next
.done:
        ret

; #GP by an MSR that does not exist: continues at [resume].
handler_64:
        push    rax
        mov     eax, [abs resume]
        mov     [rsp + 24], rax
        pop     rax
        add     rsp, 16
        iretq

        bits    32
handler:
        cli
        hlt

%include "exceptions.inc"

text_none:      db "no marker", 10, 0
text_marker:    db "marker in ", 0
text_registers: db "general, control or debug registers", 10, 0
text_extended:  db "a state of XSAVE", 10, 0
text_msr:       db "an MSR", 10, 0
text_cmos:      db "CMOS RAM", 10, 0
text_uart:      db "the UART", 10, 0
text_apic:      db "the local APIC", 10, 0
text_io_apic:   db "the I/O APIC", 10, 0
text_memory:    db "memory", 10, 0
text_marked:    db "marked", 10, 0

        align   8
msrs:   dd      0x174, 0x175, 0x176, 0xC0000081, 0xC0000082, 0xC0000083, 0xC0000100, 0xC0000101, 0xC0000102
msrs_of_32_bits:
        dd      0xC0000084, 0xC0000103, 0xE1
msrs_end:

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
idt_register_64:
        dw      VECTORS * 16 - 1
        dq      idt_64

        align   8
resume:         dd 0
matches:        dd 0
components:     dd 0
general:        times 128 db 0
        align   16
idt:            times VECTORS dq 0
idt_64:         times VECTORS * 2 dq 0
        align   4096
pml4:           times 4096 db 0
pdpt:           times 4096 db 0
directories:    times 4 * 4096 db 0
stack:          times 1024 db 0
stack_top:
