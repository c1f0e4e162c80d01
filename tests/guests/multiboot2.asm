; multiboot2.asm: a Multiboot2 guest that checks each tag of the boot information. It has 64 MiB, the command line "a line",
; and two modules: "first string", whose contents begin with "Hymir", and one without a string.
;
; The header has addresses from LINKED on and allows others from LOADED on only, where the code expects to be.

        bits    32
LINKED  equ     0x100000
LOADED  equ     0x400000
MEMORY  equ     64 << 20
        org     LOADED

%define LINK(label) (label - LOADED + LINKED)

header:
        dd      0xE85250D6, 0, header_end - header
        dd      -(0xE85250D6 + header_end - header)

        dw      1, 0                    ; required information: known types, of which a guest has no framebuffer
        dd      8 + 8 * 4
        dd      1, 2, 3, 4, 6, 8, 15, 21
        dw      1, 1                    ; optional information of an unknown type
        dd      12, 1000
        align   8, db 0
        dw      2, 0                    ; addresses
        dd      24, LINK(header), LINK(header), 0, LINK(memory_end)
        dw      3, 0                    ; entry address
        dd      12, LINK(entry)
        align   8, db 0
        dw      4, 1                    ; a console, if there is one
        dd      12, 1
        align   8, db 0
        dw      5, 0                    ; framebuffer
        dd      20, 640, 480, 32
        align   8, db 0
        dw      6, 0                    ; modules aligned to pages
        dd      8
        dw      10, 0                   ; relocatable, to the lowest address
        dd      24, LOADED, LOADED + 0xFFFFF, 0x1000, 1
        dw      77, 1                   ; an unknown tag, optional
        dd      8
        dw      0, 0
        dd      8
header_end:

%include "hypercall.inc"
%include "report.inc"

; Finds the first tag of that type: EDI. check passes if there is one.
%macro  find_tag 2
        mov     eax, %1
        call    find
        test    edi, edi
        setz    al
        test    al, al
        check   %2
%endmacro

; Compares the texts at two addresses: ZF.
%macro  compare 2
        mov     esi, %2
        push    edi
        lea     edi, %1
        call    compare_text
        pop     edi
%endmacro

entry:
        mov     [magic], eax
        choose_hypercall
        mov     esp, memory_end
        cld
        cmp     dword [magic], 0x36D76289
        check   "EAX is the magic number"
        test    ebx, 7
        check   "EBX is aligned to 8"
        mov     eax, cr0
        and     eax, 0x80000001
        cmp     eax, 1
        check   "protected mode without paging"
        cmp     dword [ebx + 4], 0
        check   "the reserved word is 0"

        find_tag 1, "command line"
        compare [edi + 8], text_line
        check   "command line: text"
        cmp     dword [edi + 4], 8 + 7
        check   "command line: size"
        find_tag 2, "loader name"
        compare [edi + 8], text_hymir
        check   "loader name: text"
        find_tag 4, "basic memory"
        cmp     dword [edi + 8], 639
        check   "basic memory: lower"
        cmp     dword [edi + 12], MEMORY / 1024 - 1024
        check   "basic memory: upper"

        find_tag 6, "memory map"
        cmp     dword [edi + 4], 16 + 3 * 24
        check   "memory map: size"
        cmp     dword [edi + 8], 24
        check   "memory map: size of an entry"
        cmp     dword [edi + 16 + 2 * 24], 0x100000
        check   "memory map: the third entry is from 1 MiB"
        cmp     dword [edi + 16 + 2 * 24 + 8], MEMORY - 0x100000
        check   "memory map: to the end"
        cmp     dword [edi + 16 + 2 * 24 + 16], 1
        check   "memory map: RAM"
        cmp     dword [edi + 16 + 24 + 16], 2
        check   "memory map: the second entry is reserved"

        find_tag 3, "first module"
        compare [edi + 16], text_first
        check   "first module: string"
        mov     esi, [edi + 8]
        test    esi, 0xFFF
        check   "first module: aligned to a page"
        cmp     dword [esi], "Hymi"
        check   "first module: contents"
        mov     eax, 3
        call    find_next
        cmp     dword [edi], 3
        check   "second module"
        cmp     byte [edi + 16], 0
        check   "second module: no string"
        mov     eax, [edi + 12]
        cmp     eax, [edi + 8]
        seta    al
        dec     al
        check   "second module: bytes"
        mov     eax, 3
        call    find_next
        test    edi, edi
        check   "no third module"

        find_tag 15, "RSDP"
        cmp     dword [edi + 8], "RSD "
        check   "RSDP: signature"
        mov     ecx, 36
        xor     eax, eax
.sum:   add     al, [edi + 8 + ecx - 1]
        loop    .sum
        test    al, al
        check   "RSDP: checksum"
        mov     esi, [edi + 8 + 24]
        cmp     dword [esi], "XSDT"
        check   "RSDP: the XSDT is there"

        find_tag 21, "load address"
        cmp     dword [edi + 8], LOADED
        check   "load address: as the header allows"
        mov     eax, 8
        call    find
        test    edi, edi
        check   "no framebuffer"
        mov     eax, 9
        call    find
        test    edi, edi
        check   "no ELF sections"
        xor     eax, eax
        call    find
        lea     eax, [edi + 8]
        sub     eax, ebx
        cmp     eax, [ebx]
        check   "the end tag is at the end"
        mov     eax, 2
        mov     ebx, 6
        hypercall
        hlt

; Finds the first tag of type EAX, or the next one after EDI: EDI, or 0. The end tag is found as type 0.
find:
        lea     edi, [ebx + 8]
        jmp     find_here
find_next:
        mov     ecx, [edi + 4]
        lea     edi, [edi + ecx + 7]
        and     edi, -8
find_here:
        mov     ecx, edi
        sub     ecx, ebx
        cmp     ecx, [ebx]
        jae     .none
        cmp     [edi], eax
        je      .found
        cmp     dword [edi], 0
        jne     find_next
.none:
        xor     edi, edi
.found:
        ret

; Compares the texts at ESI and EDI: ZF.
compare_text:
        cmpsb
        jne     .done
        cmp     byte [esi - 1], 0
        jne     compare_text
.done:
        ret

        hypercall_table
magic:          dd 0
text_line:      db "a line", 0
text_hymir:     db "Hymir", 0
text_first:     db "first string", 0
file_end:
memory_end      equ file_end + 1024     ; the stack, cleared by the loader
