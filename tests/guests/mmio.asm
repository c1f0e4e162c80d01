; mmio.asm: accesses to memory that is not RAM, compared with the same accesses to RAM filled with ones.
;
; A Multiboot kernel that executes each instruction of mmio_cases.inc in 16-, 32- and 64-bit code, once with an operand
; in RAM and once where no device is: registers and flags must be the same. Then it checks exceptions, traps, accesses
; to two pages, and instructions that Hymir does not emulate. Prints "ok: NAME" or "FAIL: NAME". With the command line
; "-- untrapped" it causes no traps and checks no CR2: in Bochs, AMD-V delivers traps to Hymir and does not load CR2.

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
CODE_16 equ     0x20
FS_TARGET equ   0x28
FS_DEVICE equ   0x30
DATA_LIMITED equ 0x38
ORIGIN  equ     0x100000
TARGET  equ     0x00802000
DEVICE  equ     0xC0002000
HIGH    equ     0x7FE02000              ; linear, in 4-level paging: DEVICE
PAGES   equ     0x100000000             ; linear, in 4-level paging: the pages of page_table
MEMORY  equ     16 << 20
FLAGS_ALL equ   0xCD5

%include "multiboot_header.inc"
%include "raises.inc"

%assign flags_compared FLAGS_ALL

; compare_routines NAME, LABEL, LABEL: compares the routine for RAM with that for the device.
%macro  compare_routines 3
        mov     dword [routines], %2 - ROUTINES
        mov     dword [routines + 4], %3 - ROUTINES
        mov     dword [flags_mask], flags_compared
        mov     dword [name], %%name
        call    COMPARE
        jmp     %%over
%%name: db      %1, 0
%%over:
%endmacro

; same NAME, INSTRUCTION...: compares the effect of instructions.
%macro  same 2-*
        compare_routines {%1}, %%routine, %%routine
        jmp     %%over
%%routine:
        bits    CASE_BITS
%rep %0 - 1
%rotate 1
        %1
%endrep
        RETURN_
        bits    GLUE_BITS
%%over:
%endmacro

; same_at NAME, INSTRUCTION, INSTRUCTION: compares two that have the address in them.
%macro  same_at 3
        compare_routines {%1}, %%ram, %%device
        jmp     %%over
        bits    CASE_BITS
%%ram:  %2
        RETURN_
%%device:
        %3
        RETURN_
        bits    GLUE_BITS
%%over:
%endmacro

; show NAME: checks that all cases since the last time passed.
%macro  show 1
        cmp     dword [cases], 150
        jb      %%failed
        cmp     dword [failures], 0
%%failed:
        check   %1
        mov     dword [cases], 0
        mov     dword [failures], 0
%endmacro

; raises_64, check_64: as raises and check.
%macro  raises_64 3+
        mov     qword [resume], %%resume
        mov     dword [vector], NOTHING
        %3
%%resume:
        cmp     dword [vector], %1
        check_64 %2
%endmacro
%macro  check_64 1
        push    rsi
        push    rdi
        mov     esi, text_ok
        mov     edi, text_fail
        cmovne  rsi, rdi
        call    mode_64.print
        mov     esi, %%name
        call    mode_64.print
        pop     rdi
        pop     rsi
        jmp     %%over
%%name: db      %1, 10, 0
%%over:
%endmacro

entry:
        mov     eax, [ebx + 16]         ; the command line
        cmp     byte [eax], "u"
        sete    [is_untrapped]
        mov     esp, stack_top
        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax
        call    build_idt
        lidt    [idt_register]
        mov     dword [resume], unexpected
        cld

; ---- Comparisons in 32-bit and 16-bit code

%define COMPARE mode_32.compare
%assign GLUE_BITS 32
%define BX_     ebx
%define CX_     ecx
%define DX_     edx
%define BP_     ebp
%define STR_
%define RETURN_ o32 retf
%assign CASE_BITS 32
%assign ROUTINES 0
        mov     word [routine + 4], CODE_32
%include "mmio_cases.inc"
        show    "32-bit code: as RAM of ones"
%assign CASE_BITS 16
%assign ROUTINES ORIGIN
%define STR_    a32
        mov     word [routine + 4], CODE_16
%include "mmio_cases.inc"
        show    "16-bit code: as RAM of ones"

; ---- Exceptions and traps

        mov     ebx, DEVICE
        raises  6, "IMUL is not emulated: #UD", imul eax, [ebx]
        mov     eax, [fault_eip]
        cmp     word [eax], 0xAF0F
        check   "#UD is at the instruction"
        raises  6, "SHL is not emulated: #UD", shl dword [ebx], 1
        raises  6, "FLD is not emulated: #UD", fld dword [ebx]
        raises  6, "LGDT is not emulated: #UD", lgdt [ebx]
        raises  6, "a MOV to a segment register is not emulated: #UD", mov es, [ebx]
        raises  6, "JMP is not emulated: #UD", jmp [ebx]
        mov     ax, DATA_LIMITED
        mov     es, ax
        mov     esi, DEVICE
        mov     edi, 0xFF8
        mov     ecx, 4
        raises  13, "REP MOVSD beyond its segment's limit is #GP", rep movsd
        cmp     ecx, 2
        check   "two elements precede that #GP"
        cmp     edi, 0x1000
        check   "and EDI is after them"
        mov     ax, DATA_32
        mov     es, ax

%macro  steps 3+                        ; NAME, EIP after it, INSTRUCTION
        mov     dword [vector], NOTHING
        mov     dword [resume], %%stepped
        xor     eax, eax
        mov     dr6, eax
        pushfd
        or      dword [esp], 1 << 8
        popfd
        %3
%%after:
        nop
%%stepped:
        mov     edx, dr6
        and     edx, 0x400F
        xor     edx, 0x4000
        mov     eax, [fault_eip]
        xor     eax, %%after - (%2)
        or      edx, eax
        cmp     edx, 0
        check   %1
%endmacro
        cmp     dword [is_untrapped], 0
        jne     .untrapped
        steps   "a trap after MOV", 0, mov eax, [ebx]
        steps   "a trap after LOCK XADD", 0, lock xadd [ebx], edi
        mov     esi, DEVICE
        mov     edi, other
        mov     ecx, 5
        steps   "a trap after one iteration", 2, rep movsb
        cmp     ecx, 4
        check   "one iteration precedes that trap"
        mov     ecx, 1
        steps   "a trap after the last iteration", 0, rep lodsb

%macro  breaks 3+                       ; NAME, CAUSES, INSTRUCTION
        mov     dword [vector], NOTHING
        mov     dword [resume], %%broken
        xor     eax, eax
        mov     dr6, eax
        mov     eax, DEVICE + 4
        mov     dr0, eax
        inc     eax
        mov     dr1, eax
        mov     eax, 0x001D0005 | 1 << 10 ; DR0: writes of 4 bytes, DR1: writes of 1 byte
        mov     dr7, eax
        mov     eax, 0x11223344
        %3
%%after:
        nop
%%broken:
        xor     eax, eax
        mov     edx, dr7
        mov     dr7, eax
        mov     edx, dr6
        and     edx, 0x400F
        cmp     edx, %2
        check   %1
%endmacro
        breaks  "a data breakpoint", 1, mov [ebx + 4], al
        breaks  "two data breakpoints", 3, mov [ebx + 2], eax
        breaks  "a read does not break", 0, mov eax, [ebx + 4]
        breaks  "a write elsewhere does not break", 0, mov [ebx + 8], eax
        mov     edi, DEVICE + 1
        mov     ecx, 20
        breaks  "a data breakpoint in REP STOSB", 1, rep stosb
        cmp     ecx, 16
        check   "REP STOSB stops after that element"

.untrapped:

; ---- The end of RAM

        mov     dword [MEMORY - 4], 0x12345678
        mov     eax, [MEMORY - 2]
        cmp     eax, 0xFFFF1234
        check   "a read of RAM and beyond it"
        mov     dword [MEMORY - 2], 0x89ABCDEF
        cmp     dword [MEMORY - 4], 0xCDEF5678
        check   "a write to RAM and beyond it"
        mov     edi, MEMORY - 4
        mov     ecx, 4
        mov     edx, 0x80
        rep insd
        inc     dword [MEMORY - 4]
        check   "REP INSD to RAM and beyond it"
        cmp     edi, MEMORY + 12
        check   "EDI is after it"

; ---- 64-bit code

        call    build_pages
        mov     eax, pml4
        mov     cr3, eax
        mov     eax, cr4
        or      eax, 1 << 5
        mov     cr4, eax
        mov     ecx, 0xC0000080         ; EFER.LME
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31 | 1 << 16  ; PG and WP
        mov     cr0, eax
        jmp     CODE_64:.long_mode
        bits    64
.long_mode:
        mov     rsp, stack_top
        lidt    [idt_register_64]
        mov     dword [routine + 4], 0
%define COMPARE mode_64.compare
%assign GLUE_BITS 64
%assign CASE_BITS 64
%assign ROUTINES 0
%define BX_     rbx
%define CX_     rcx
%define DX_     rdx
%define BP_     rbp
%define STR_
%define RETURN_ ret
%include "mmio_cases.inc"
        cmp     dword [cases], 150
        jb      .too_few
        cmp     dword [failures], 0
.too_few:
        check_64 "64-bit code: as RAM of ones"

        mov     rbx, PAGES
        mov     rax, [rbx + 4 * 4096 + 16]
        inc     rax
        check_64 "above 4 GiB: ones"
        mov     [rbx + 4 * 4096], eax
        mov     dword [other], 0x11223344
        mov     dword [other + 4092], 0x55667788
        mov     eax, [rbx + 4094]       ; the device, then RAM
        cmp     eax, 0x3344FFFF
        check_64 "a read of a device and RAM"
        mov     rcx, 0x0123456789ABCDEF
        mov     [rbx + 4096 - 6], rcx
        cmp     word [other], 0x0123
        check_64 "a write to a device and RAM"
        xor     eax, eax
        mov     cr2, rax
        raises_64 14, "a read of a device and an absent page is #PF", mov eax, [rbx + 3 * 4096 - 2]
        mov     rax, cr2
        lea     rcx, [rbx + 3 * 4096]
        cmp     rax, rcx
        call    accept_cr2
        check_64 "CR2 has the address of the page"
        raises_64 14, "a write to a device and a read-only page is #PF", mov [rbx + 6 * 4096 - 1], ax
        raises_64 14, "an addition to a read-only device page is #PF", add [rbx + 6 * 4096], eax
        mov     eax, [rbx + 6 * 4096]
        inc     eax
        check_64 "a read of a read-only device page"
        lea     rsi, [rbx + 4096 - 8]
        lea     rdi, [rbx + 3 * 4096 - 5]
        mov     ecx, 100
        raises_64 14, "REP MOVSB from a device to an absent page is #PF", rep movsb
        cmp     ecx, 95
        check_64 "five elements precede that #PF"
        mov     rax, cr2
        cmp     rax, rdi
        call    accept_cr2
        check_64 "CR2 is RDI"
        mov     rsi, rbx
        mov     rdi, 0x8000000000000000
        raises_64 13, "MOVSB from a device to an address that is not canonical is #GP", movsb
        mov     rax, cr8
        mov     eax, 9
        mov     cr8, rax
        xor     ecx, ecx
        mov     rcx, cr8
        cmp     ecx, 9
        check_64 "CR8 keeps its value"
        mov     esi, text_done
        call    mode_64.print
        cli
        hlt

; Sets ZF if CR2 is not to be checked.
accept_cr2:
        jz      .accepted
        cmp     dword [is_untrapped], 1
.accepted:
        ret

mode_64:
%include "mmio.inc"

        bits    32
mode_32:
%include "mmio.inc"

; An exception of the test itself.
unexpected:
        mov     esi, text_unexpected
        mov     ecx, [name]
        jmp     mode_32.show_unexpected

; Maps the first 4 GiB to themselves except HIGH, and PAGES by page_table.
build_pages:
        mov     dword [pml4], pdpt + 3
        mov     dword [pdpt], directories + 3
        mov     dword [pdpt + 8], directories + 0x1003
        mov     dword [pdpt + 16], directories + 0x2003
        mov     dword [pdpt + 24], directories + 0x3003
        mov     dword [pdpt + 32], directories + 0x4003
        mov     edi, directories
        mov     eax, 0x83
        mov     ecx, 2048
.next:
        mov     [edi], eax
        add     eax, 1 << 21
        add     edi, 8
        loop    .next
        mov     dword [directories + HIGH / 0x200000 * 8], (DEVICE & ~0x1FFFFF) | 0x83
        mov     dword [directories + 0x4000], page_table + 3
        mov     dword [page_table], DEVICE + 3
        mov     dword [page_table + 8], other + 3
        mov     dword [page_table + 16], DEVICE + 3
        mov     dword [page_table + 32], 3
        mov     dword [page_table + 36], 3 ; 12 GiB
        mov     dword [page_table + 40], DEVICE + 3
        mov     dword [page_table + 48], DEVICE + 1
        ret

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
        dq      0x000F9B000000FFFF | (ORIGIN >> 16 & 0xFF) << 32
        dq      0x00CF93000000FFFF | (TARGET >> 16 & 0xFF) << 32
        dq      0x00CF93000000FFFF | (DEVICE >> 24) << 56
        dq      0x0040930000000FFF | (other - header + ORIGIN) << 16
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt

text_unexpected: db "FAIL: an exception in ", 0
text_done:      db "all accesses tried", 10, 0

        align   8
routine:        dq 0
routines:       dd 0, 0
name:           dd text_done
base:           dd 0
flags_before:   dd 0
flags_mask:     dd 0
cases:          dd 0
failures:       dd 0
is_untrapped:   dd 0
        align   8
got:            times 20 dq 0
reference:      times 20 dq 0

        align   4096
pml4:           times 4096 db 0
pdpt:           times 4096 db 0
page_table:     times 4096 db 0
directories:    times 5 * 4096 db 0
stack:          times 4096 db 0
stack_top:
        times 4096 db 0
other:          times 2 * 4096 db 0
