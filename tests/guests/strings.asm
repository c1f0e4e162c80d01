; strings.asm: INS and OUTS, which Hymir emulates, compared with STOS and LODS, which the processor executes.
;
; A Multiboot kernel that compares them in 32-bit paging, PAE paging and 4-level paging, in states that it chooses at
; random but alike in each run: strings.inc. Before that it checks what REP with a count of 0 does, and RFLAGS.RF.
; Prints "ok: NAME" or "FAIL: NAME" for each test.

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
CODE_32_USER equ 0x20
DATA_USER equ   0x28
CODE_64_USER equ 0x30
LIMITED equ     0x38                    ; up to the page of the operand
DOWN    equ     0x40                    ; above the page before it
READ_ONLY equ   0x48
BASED   equ     0x50                    ; 64 KiB, with the operand at 0x3000
SMALL   equ     0x58                    ; 4 KiB
TASK    equ     0x60
VECTORS equ     0x41
SCRATCH equ     0x3FF                   ; the UART's register that reads as written
DR6_CLEAR equ   0xFFFF0FF0

; Physical addresses. Large pages of the upper levels begin at the tables that they replace.
DIRECTORY equ   0                       ; of the operand's GiB
STUB    equ     0x600000                ; the instruction under test, for user mode too
PDPT    equ     0x701000
PAGE_TABLE equ  0x800000                ; of the operand's two pages
PAGE_1  equ     0xC03000
PAGE_2  equ     0xC06000
OPERAND equ     0x80A03000              ; linear; in 4-level paging 512 GiB above

; What is compared, 8 bytes each.
VECTOR  equ     0 * 8
CODE    equ     1 * 8
FAULT_ADDRESS equ 2 * 8
RETURN  equ     3 * 8
FLAGS   equ     4 * 8
CAUSES  equ     5 * 8                   ; DR6
SOURCE  equ     6 * 8
DESTINATION equ 7 * 8
COUNT   equ     8 * 8
VALUE   equ     9 * 8
SUM     equ     10 * 8
ENTRIES equ     11 * 8
FIELDS  equ     16

COUNTS  equ     8

%include "multiboot_header.inc"
%include "report.inc"

entry:
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
        mov     byte [idt + 0x40 * 8 + 5], 0xEE ; INT 0x40 is for user mode too
        mov     byte [idt_64 + 0x40 * 16 + 5], 0xEE
        lidt    [idt_register]
        mov     eax, tss_32
        mov     [gdt_tss + 2], ax
        shr     eax, 16
        mov     [gdt_tss + 4], al
        mov     ax, TASK
        ltr     ax
        call    build_tables

; The first execution in a page may exit to Hymir. At an EPT violation Bochs 2.7 keeps a single step pending that is due only
; after the instruction, which then traps too early, so the first one in the page of STUB is without TF.
        mov     byte [STUB], 0xC3       ; RET
        mov     eax, STUB
        call    eax

; ---- REP with a count of 0: nothing happens, also where the operand is invalid

%macro  nothing_at_0 2+                 ; NAME, INSTRUCTION
        mov     ecx, [zero_count]
        mov     esi, 0x12345
        mov     edi, esi
        mov     edx, 0x80
        mov     dword [resume], %%resume
        mov     [kernel_stack], esp
        mov     dword [got + VECTOR], 0xFF
        %2
%%resume:
        mov     eax, [got + VECTOR]
        xor     eax, 0xFF
        xor     esi, 0x12345
        xor     edi, 0x12345
        xor     ecx, [zero_count]
        or      eax, esi
        or      eax, edi
        or      eax, ecx
        check   %1
%endmacro

        mov     ax, SMALL | 3
        mov     es, ax
        nothing_at_0 "REP INSB with ECX = 0 does nothing", rep insb
        nothing_at_0 "REP OUTSB with ECX = 0 does nothing", es rep outsb
        nothing_at_0 "REP OUTSW with ECX = 0 does nothing", es rep outsw
        nothing_at_0 "REP INSD with ECX = 0 does nothing", rep insd
        mov     dword [zero_count], 0x10000
        nothing_at_0 "REP INSB with CX = 0 does nothing", a16 rep insb
        nothing_at_0 "REP OUTSD with CX = 0 does nothing", a16 es rep outsd
        mov     ax, DATA_32
        mov     es, ax

; ---- RFLAGS.RF: set by a fault, and clear after an instruction that Hymir emulates

%macro  faults_with_rf 3+               ; VECTOR, NAME, INSTRUCTION
        mov     dword [resume], %%resume
        mov     [kernel_stack], esp
        mov     dword [got + VECTOR], 0xFF
        %3
%%resume:
        mov     eax, [got + FLAGS]
        and     eax, 1 << 16
        or      eax, [got + VECTOR]
        cmp     eax, 1 << 16 | %1
        check   %2
%endmacro

        mov     ecx, 0x12345
        faults_with_rf 13, "#GP of RDMSR sets RF", rdmsr
        faults_with_rf 6, "#UD of VMXON sets RF", vmxon [got]
        mov     eax, cr0
        or      eax, 1 << 29
        faults_with_rf 13, "#GP of MOV to CR0 sets RF", mov cr0, eax
        mov     ax, SMALL | 3
        mov     es, ax
        mov     edi, 0x12345
        faults_with_rf 13, "#GP of INSB sets RF", insb
        mov     ax, DATA_32
        mov     es, ax

; With RF set, a breakpoint at the instruction is ignored, and one after it is not.
%macro  ignores_one_breakpoint 2+       ; NAME, INSTRUCTION
        mov     dword [resume], %%resume
        mov     [kernel_stack], esp
        mov     eax, %%instruction
        mov     dr0, eax
        mov     eax, %%after
        mov     dr1, eax
        mov     eax, 0x405
        mov     dr7, eax
        mov     ecx, 5
        mov     esi, text_ok
        mov     edi, reference
        mov     edx, SCRATCH
        pushfd
        or      dword [esp], 1 << 16
        push    CODE_32
        push    %%instruction
        xor     eax, eax
        iretd
%%instruction:
        %2
%%after:
        int     0x40
%%resume:
        mov     eax, [got + RETURN]
        xor     eax, %%after
        mov     ebx, [got + VECTOR]
        xor     ebx, 1
        or      eax, ebx
        check   %1
%endmacro

        ignores_one_breakpoint "RF applies to one instruction: NOP", nop
        ignores_one_breakpoint "RF applies to one instruction: CPUID", cpuid
        ignores_one_breakpoint "RF applies to one instruction: OUT", out 0x80, al
        ignores_one_breakpoint "RF applies to one instruction: OUTSB", outsb
        ignores_one_breakpoint "RF applies to one instruction: REP LODSB", rep lodsb
        ignores_one_breakpoint "RF applies to one instruction: REP OUTSB", rep outsb
        ignores_one_breakpoint "RF applies to one instruction: REP INSB", rep insb
        xor     eax, eax
        mov     dr7, eax
        mov     dword [resume], unexpected

; ---- The comparison

        xor     ecx, ecx
        mov     eax, 7
        cpuid
        bt      ebx, 20
        jc      .has_smap
        and     dword [cr4_mask], ~(1 << 21)
.has_smap:
        mov     eax, ecx
        and     eax, 1 << 3
        mov     [has_keys], eax
        mov     eax, 0x80000008
        cpuid
        movzx   ecx, al                 ; sets the first reserved bit
        sub     ecx, 32
        mov     eax, 1
        shl     eax, cl
        mov     [flips_of_8_bytes.first_reserved + 4], eax

        mov     eax, tables_32
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        call    mode_32.all
        mov     eax, cr0
        and     eax, ~(1 << 31)
        mov     cr0, eax

        mov     dword [flips], flips_of_8_bytes
        mov     dword [entry_size], 8
        mov     dword [entry_addresses], addresses_pae
        mov     dword [mode_name], name_pae
        mov     dword [cr3_value], pdpt_pae
        mov     dword [flips_last], 31
        mov     dword [seed], 2
        mov     eax, pdpt_pae
        mov     cr3, eax
        mov     eax, cr4
        or      eax, 1 << 5
        mov     cr4, eax
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        call    mode_32.all
        mov     eax, cr0
        and     eax, ~(1 << 31)
        mov     cr0, eax

        mov     dword [entry_addresses], addresses_long
        mov     dword [mode_name], name_long
        mov     dword [cr3_value], pml4
        mov     dword [target + 4], 1 << 7
        mov     dword [seed], 3
        mov     eax, 1 << 22
        cmp     dword [has_keys], 0
        je      .no_keys
        or      [cr4_mask], eax
.no_keys:
        mov     eax, pml4
        mov     cr3, eax
        mov     ecx, 0xC0000080         ; EFER.LME
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, tss_64
        mov     [gdt_tss + 2], ax
        shr     eax, 16
        mov     [gdt_tss + 4], al
        mov     byte [gdt_tss + 5], 0x89
        mov     ax, TASK
        ltr     ax
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        jmp     CODE_64:.long_mode
        bits    64
.long_mode:
        mov     rsp, stack_top
        lidt    [idt_register_64]
        call    mode_64.all
        mov     rsi, text_done
        call    mode_64.print
        cli
        hlt

; one_in N, VARIABLE, VALUE: adds bits to a variable with a probability of 1 in N, a power of two.
%macro  one_in 3
        call    .random
        test    eax, %1 - 1
        jnz     %%not
        or      dword [%2], %3
%%not:
%endmacro

mode_64:
%include "strings.inc"
        bits    32
mode_32:
%include "strings.inc"

; An exception of the test itself.
unexpected:
        mov     esi, text_unexpected
        call    print
        cli
        hlt

; Builds the tables of all modes: an identity map of 16 MiB for the kernel, with STUB for user mode, and the directory of
; the operand's GiB.
build_tables:
        mov     edi, tables_32          ; an empty directory, and four tables after it
        xor     eax, eax
        mov     ecx, 5 * 1024
        cld
        rep stosd
        mov     eax, tables_32 + 0x1007
        mov     edi, tables_32
        mov     ecx, 4
.directory_32:
        stosd
        add     eax, 0x1000
        loop    .directory_32
        mov     edi, tables_32 + 0x1000
        mov     eax, 3
        mov     ecx, 4096
.page_32:
        stosd
        add     eax, 0x1000
        loop    .page_32
        or      dword [tables_32 + 0x1000 + STUB / 0x1000 * 4], 4
        mov     edi, directory_low
        mov     eax, 0x83
        mov     ecx, 8
.page_8:
        mov     [edi], eax
        add     eax, 0x200000
        add     edi, 8
        loop    .page_8
        or      dword [directory_low + STUB / 0x200000 * 8], 4
        mov     dword [pdpt_pae], directory_low + 1
        mov     dword [pdpt_low], directory_low + 7
        mov     dword [pml4], pdpt_low + 7
        mov     edi, PDPT
        xor     eax, eax
        mov     ecx, 1024
        rep stosd
        mov     edi, PAGE_TABLE
        mov     ecx, 0x4000 / 4
        rep stosd
        ret

%include "exceptions.inc"
handler equ     mode_32.handler
handler_64 equ  mode_64.handler

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
        dq      0x00CFFB000000FFFF
        dq      0x00CFF3000000FFFF
        dq      0x00AFFB000000FFFF
        dq      0x0088F30000000000 | (OPERAND >> 28 & 0xF) << 48 | (OPERAND >> 12 & 0xFFFF) ; 16-bit, limited
        dq      0x00C8F70000000000 | ((OPERAND - 0x1000) >> 28 & 0xF) << 48 | ((OPERAND - 0x1000) >> 12 & 0xFFFF)
        dq      0x00CFF1000000FFFF
        dq      0x0040F3000000FFFF | (OPERAND >> 24) << 56 | (OPERAND >> 16 & 0xF0) << 32
        dq      0x0040F30000000FFF
gdt_tss:
        dq      0x0000890000000067
        dq      0
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
idt_register:
        dw      VECTORS * 8 - 1
        dd      idt
idt_register_64:
        dw      VECTORS * 16 - 1
        dq      idt_64

        align   16
tss_32:
        dd      0, interrupt_stack_top, DATA_32
        times 104 - ($ - tss_32) db 0
tss_64:
        dd      0
        dq      interrupt_stack_top
        times 104 - ($ - tss_64) db 0

; The state of a case.
state:
is_write:       dd 0
size:           dd 0
repeats:        dd 0
count:          dd 0
eflags:         dd 0
is_user:        dd 0
cr0_bits:       dd 0
cr4_bits:       dd 0
efer_bits:      dd 0
pkru:           dd 0
clears_pdpte:   dd 0
address_prefix: dd 0
segment_prefix: dd 0
stack_selector: dd 0                    ; of user mode
offset:         dd 0
selector:       dd 0
debug_control:           dd 0
breakpoint_offset: dd 0
entries:        times 5 dq 0            ; from the page table up
state_end:

case:           dd 0
cases:          dd 3000
failures:       dd 0
field:          dd 0
is_subject:     dd 0
seed:           dd 1
zero_count:     dd 0
has_keys:       dd 0
cr4_mask:       dd 1 << 21 | 1 << 4
flips_last:     dd 15
entry_size:     dd 4
        align   8
entry_addresses: dq addresses_32
flips:          dq flips_of_4_bytes
mode_name:      dq name_32
cr3_value:      dq tables_32
target:         dq OPERAND
resume:         dq 0
kernel_stack:   dq 0

; The addresses of the entries that translate the operand. A mode without a level has an unused one.
addresses_32:   dd PAGE_TABLE + 0x203 * 4, PAGE_TABLE + 0x204 * 4, tables_32 + 0x202 * 4, unused_entry, unused_entry
addresses_pae:  dd PAGE_TABLE + 3 * 8, PAGE_TABLE + 4 * 8, DIRECTORY + 5 * 8, unused_entry, unused_entry
addresses_long: dd PAGE_TABLE + 3 * 8, PAGE_TABLE + 4 * 8, DIRECTORY + 5 * 8, PDPT + 2 * 8, pml4 + 8
        align   8
bases:          dq PAGE_1, PAGE_2, PAGE_TABLE, DIRECTORY, PDPT

; Bits to flip: rights, other flags, and large pages that are aligned or not.
flips_of_4_bytes:
        dq      1, 1, 2, 2, 4, 4, 4, 0x20, 0x40, 0x80, 0x80, 0x80, 0x100, 0x1080, 0x200080, 0x200080
flips_of_8_bytes:
        dq      1, 1, 2, 2, 2, 4, 4, 4, 4, 0x20, 0x40, 0x80, 0x80, 0x80, 0x80, 0x100, 0x1080, 0x2080, 0x100080, 0x200080
        dq      1 << 51, 1 << 52, 1 << 58, 1 << 59, 1 << 59, 1 << 59, 1 << 59, 1 << 62, 1 << 63, 1 << 63, 1 << 63
.first_reserved:
        dq      0

; The memory around the starts of these pages is what an operand can be in: of both pages, and of large pages.
windows:
        dd      PAGE_1, PAGE_1 + 0x1000, PAGE_2, PAGE_2 + 0x1000
        dd      PAGE_TABLE + 0x3000, PAGE_TABLE + 0x4000, 0xA03000, 0xA04000
windows_end:

sizes:          db 1, 1, 2, 4
opcodes:        db 0xAC, 0xAA, 0x6E, 0x6C ; LODS, STOS, OUTS, INS
selectors:      times 9 dd DATA_USER | 3
                dd LIMITED | 3, DOWN | 3, READ_ONLY | 3, BASED | 3, BASED | 3, BASED | 3, 0

; Vector and bits of the error code of each count, and the text before it.
counted_vectors: dd 0x40, 0, 1, 0, 12, 0, 13, 0, 14, 0, 14, 8, 14, 0x20, 17, 0
text_counts:    db ": none ", 0, "#DB ", 0, "#SS ", 0, "#GP ", 0, "#PF ", 0, "RSVD ", 0, "PK ", 0, "#AC ", 0, 10, 0
text_differs:   db "differs: case, field, processor, Hymir: ", 0
text_state:     db "state ", 0
text_unexpected: db "FAIL: an exception", 10, 0
text_done:      db "all strings tried", 10, 0
name_32:        db "32-bit paging", 0
name_pae:       db "PAE paging", 0
name_long:      db "4-level paging", 0
digits:         db "0123456789abcdef"

        align   8
counts:         times COUNTS dd 0
got:            times FIELDS dq 0
reference:      times FIELDS dq 0
unused_entry:   dq 0
        align   16
idt:            times VECTORS dq 0
idt_64:         times VECTORS * 2 dq 0
stack:          times 1024 db 0
stack_top:
interrupt_stack: times 1024 db 0
interrupt_stack_top:
        align   4096
pml4:           times 4096 db 0
pdpt_low:       times 4096 db 0
directory_low:  times 4096 db 0
pdpt_pae:       times 4096 db 0
        align   4096
tables_32:      times 5 * 4096 db 0
