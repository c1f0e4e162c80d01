; multiboot.asm: the entry from the boot loader.
;
; GRUB, or kexec from a running Linux, enters boot_entry in 32-bit protected mode without paging, with the
; Multiboot2 magic in EAX and the address of the boot information in EBX (Multiboot2 Specification 2.0, "I386
; machine state"). Neither passes the image's load address in a register. Steps:
;
; 1. Determine the load address: CALL pushes the instruction pointer, with the reserved four bytes of the
;    boot information as its stack. EBP then holds the physical address of the image.
; 2. Check the magic, and that CPUID and long mode are supported; otherwise print an error on COM1 and the
;    text screen, and halt. No feature is used before it is checked.
; 3. Map the first 4 GiB one to one, and the image at its linked address, with 2 MiB pages. C code builds the
;    final tables later.
; 4. Set CR4, CR3, EFER and CR0, in this order, and jump to 64-bit code: SDM 3A, "Initializing IA-32e Mode".
;    CR4.VMXE is preserved: clearing it in VMX operation raises #GP, which is not handled yet.
; 5. Jump to the linked address, and call   _Noreturn void hymir_main(uint32_t information, uint32_t image);

%include "constants.inc"

PAGE_SIZE               equ     4096
ENTRY_TABLE             equ     0x03                    ; present, writable
ENTRY_LARGE_PAGE        equ     0x83                    ; present, writable, 2 MiB page
VGA_TEXT                equ     0xB8000
EFLAGS_ID               equ     1 << 21
CPUID_EXTENDED_MAXIMUM  equ     0x80000000
CPUID_EXTENDED_FEATURES equ     0x80000001

        section .boot progbits alloc exec nowrite align=16

; The offset of a label of this section, which is the first of the image, from the image's start.
%define OFFSET(label)   ((label) - header)

; ---------------------------------------------------------------------------------------------------
; The Multiboot2 header: Multiboot2 Specification 2.0, "OS image format".

HEADER_MAGIC            equ     0xE85250D6
HEADER_TAG_END          equ     0
HEADER_TAG_FRAMEBUFFER  equ     5
HEADER_TAG_RELOCATABLE  equ     10
HEADER_TAG_OPTIONAL     equ     1
PREFER_LOWEST           equ     1

header:
        dd      HEADER_MAGIC
        dd      0                                       ; i386
        dd      header_end - header
        dd      -(HEADER_MAGIC + 0 + (header_end - header))

        ; Requests a framebuffer of any size and depth: UEFI has no text mode.
        dw      HEADER_TAG_FRAMEBUFFER, HEADER_TAG_OPTIONAL
        dd      20
        dd      0, 0, 0                                 ; width, height, depth
        align   8, db 0

        ; Allows any load address aligned to 2 MiB: UEFI firmware may occupy the linked one.
        dw      HEADER_TAG_RELOCATABLE, HEADER_TAG_OPTIONAL
        dd      24
        dd      0x00200000, 0xFFFFFFFF, 0x00200000      ; lowest, highest, alignment
        dd      PREFER_LOWEST

        dw      HEADER_TAG_END, 0
        dd      8
header_end:

; ---------------------------------------------------------------------------------------------------
; 32-bit code

        bits    32

        extern  boot_tables_offset
        extern  boot_stack_offset
        extern  IMAGE_PHYSICAL

        global  boot_entry
boot_entry:
        cli
        cld
        mov     ebp, IMAGE_PHYSICAL                     ; for a loader without Multiboot2
        cmp     eax, HYMIR_MULTIBOOT2_MAGIC
        jne     .have_base
        lea     esp, [ebx + 8]                          ; the reserved field, at offset 4
        call    .here
.here:
        pop     ebp
        sub     ebp, OFFSET(.here)
.have_base:
        lea     esp, [ebp + boot_stack_offset + HYMIR_STACK_TOP]
        lea     esi, [ebp + OFFSET(no_multiboot_text)]
        cmp     eax, HYMIR_MULTIBOOT2_MAGIC
        jne     print_and_halt

        call    has_cpuid
        mov     edx, 0
        jz      .no_long_mode
        mov     eax, CPUID_EXTENDED_MAXIMUM
        push    ebx
        cpuid
        cmp     eax, CPUID_EXTENDED_FEATURES
        mov     edx, 0
        jb      .features_known
        mov     eax, CPUID_EXTENDED_FEATURES
        cpuid
.features_known:
        pop     ebx
        test    edx, HYMIR_CPUID_LONG_MODE
        jnz     .has_long_mode
.no_long_mode:
        lea     esi, [ebp + OFFSET(no_long_mode_text)]
        mov     eax, edx
        jmp     print_and_halt
.has_long_mode:
        push    edx                                     ; for NX, below

        ; Page tables, zeroed by the loader: a PML4; a PDPT and four page directories for the first 4 GiB;
        ; a PDPT (only its second-to-last entry is used) and a page directory for the image.
        lea     edi, [ebp + boot_tables_offset]
        lea     eax, [edi + BOOT_PDPT + ENTRY_TABLE]
        mov     [edi], eax
        lea     eax, [edi + BOOT_IMAGE_PDPT + ENTRY_TABLE]
        mov     [edi + 511 * 8], eax
        lea     eax, [edi + BOOT_IMAGE_DIRECTORY + ENTRY_TABLE]
        mov     [edi + BOOT_IMAGE_PDPT + 510 * 8], eax
        lea     eax, [ebp + ENTRY_LARGE_PAGE]
        mov     [edi + BOOT_IMAGE_DIRECTORY], eax
        mov     ecx, 4
        lea     eax, [edi + BOOT_DIRECTORIES + ENTRY_TABLE]
        lea     edx, [edi + BOOT_PDPT]
.next_directory:
        mov     [edx], eax
        add     eax, PAGE_SIZE
        add     edx, 8
        loop    .next_directory
        mov     ecx, 4 * 512
        mov     eax, ENTRY_LARGE_PAGE
        lea     edx, [edi + BOOT_DIRECTORIES]
.next_page:
        mov     [edx], eax
        add     eax, 2 << 20
        add     edx, 8
        loop    .next_page

        mov     eax, cr4
        and     eax, HYMIR_CR4_VMXE
        or      eax, HYMIR_CR4_INITIAL
        mov     cr4, eax
        mov     cr3, edi
        mov     ecx, HYMIR_MSR_IA32_EFER
        rdmsr
        or      eax, HYMIR_EFER_LME
        pop     ecx
        test    ecx, HYMIR_CPUID_NX
        jz      .no_nx
        or      eax, HYMIR_EFER_NXE
.no_nx:
        mov     ecx, HYMIR_MSR_IA32_EFER
        wrmsr
        mov     eax, HYMIR_CR0_INITIAL
        mov     cr0, eax

        ; Loads GDTR, then jumps to 64-bit code by a far return.
        sub     esp, 8
        lea     eax, [ebp + OFFSET(boot_gdt)]
        mov     word [esp], boot_gdt_end - boot_gdt - 1
        mov     [esp + 2], eax
        lgdt    [esp]
        push    HYMIR_SELECTOR_CODE
        lea     eax, [ebp + OFFSET(long_mode_entry)]
        push    eax
        retf

; Clears ZF if CPUID is supported, that is, if EFLAGS.ID can be changed. Clobbers EAX and ECX.
has_cpuid:
        pushfd
        pop     eax
        mov     ecx, eax
        xor     eax, EFLAGS_ID
        push    eax
        popfd
        pushfd
        pop     eax
        push    ecx
        popfd
        xor     eax, ecx
        and     eax, EFLAGS_ID
        ret

; Prints the text at ESI on COM1 and the text screen, replacing a % with EAX in hexadecimal. Never returns:
; the processor is halted.
print_and_halt:
        mov     ebx, eax
        call    serial_init
        mov     edi, VGA_TEXT
        mov     ecx, 80 * 25
        mov     ax, 0x0720                              ; blank, light grey on black
        rep     stosw
        mov     edi, VGA_TEXT
.next_character:
        lodsb
        test    al, al
        jz      .halt
        cmp     al, '%'
        je      .number
        call    put_character
        jmp     .next_character
.number:
        mov     ecx, 8
.next_digit:
        rol     ebx, 4
        mov     eax, ebx
        and     eax, 0xF
        mov     al, [ebp + eax + OFFSET(hexadecimal_digits)]
        push    ecx
        call    put_character
        pop     ecx
        loop    .next_digit
        jmp     .next_character
.halt:
        hlt
        jmp     .halt

; Writes AL at EDI on the text screen and to COM1. A line feed, the last character of a text, is sent to COM1
; only, after a carriage return. Clobbers EAX, ECX and EDX.
put_character:
        cmp     al, 10
        je      .line_feed
        mov     ah, 0x07
        stosw
        jmp     serial_put
.line_feed:
        mov     al, 13
        call    serial_put
        mov     al, 10
        jmp     serial_put

COM1                    equ     HYMIR_SERIAL_COM1
LINE_STATUS             equ     COM1 + 5

; Sets 115200 baud, 8N1, FIFO. Without a UART, the writes have no effect.
serial_init:
        push    esi
        lea     esi, [ebp + OFFSET(serial_setup)]
        mov     ecx, (serial_setup_end - serial_setup) / 2
        mov     edx, COM1
.next_register:
        lodsb
        mov     dl, al
        lodsb
        out     dx, al
        loop    .next_register
        pop     esi
        ret

; Sends AL. After a timeout of HYMIR_SERIAL_WAIT_READS reads, the UART is no longer used. Clobbers EAX, ECX
; and EDX.
serial_put:
        cmp     byte [ebp + OFFSET(serial_is_stuck)], 0
        jne     .done
        mov     ah, al
        mov     edx, LINE_STATUS
        mov     ecx, HYMIR_SERIAL_WAIT_READS
.wait:
        in      al, dx
        test    al, HYMIR_LINE_STATUS_HOLDING_EMPTY
        jnz     .ready
        loop    .wait
        mov     byte [ebp + OFFSET(serial_is_stuck)], 1
.done:
        ret
.ready:
        mov     al, ah
        mov     edx, COM1
        out     dx, al
        ret

; ---------------------------------------------------------------------------------------------------
; 64-bit code, still at the physical address

        bits    64
        extern  boot_cpu_stacks
        extern  hymir_main

long_mode_entry:
        mov     eax, HYMIR_SELECTOR_DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
        mov     rsp, boot_cpu_stacks + HYMIR_STACK_TOP
        mov     edi, ebx
        mov     esi, ebp
        xor     ebp, ebp                                ; terminates backtraces
        mov     rax, linked_entry
        jmp     rax

; ---------------------------------------------------------------------------------------------------
; Data of the code above, in the same section so that OFFSET applies

        align   8
boot_gdt:
        dq      0
        dq      HYMIR_CODE_DESCRIPTOR                   ; HYMIR_SELECTOR_CODE
        dq      HYMIR_DATA_DESCRIPTOR_32                ; HYMIR_SELECTOR_DATA
boot_gdt_end:

hexadecimal_digits:
        db      "0123456789abcdef"

serial_setup:                                           ; low byte of the port, value
        db      0xF9, 0x00                              ; no interrupts
        db      0xFB, 0x80                              ; DLAB
        db      0xF8, 0x01                              ; divisor 1
        db      0xF9, 0x00
        db      0xFB, 0x03                              ; 8N1
        db      0xFA, 0x07                              ; FIFO on and empty
        db      0xFC, 0x03                              ; DTR, RTS
serial_setup_end:

serial_is_stuck:                                        ; written before there is paging
        db      0

no_multiboot_text:
        db      "hymir: verdict: FAILED: not loaded by a Multiboot2 boot loader (EAX = 0x%); use "
        db      "GRUB's command multiboot2", 10, 0
no_long_mode_text:
        ; Each string below fills a row of 80 characters, with % replaced by eight digits.
        db      "hymir: verdict: NO-LONG-MODE: CPUID.80000001H:EDX[29] is 0 (EDX = 0x%):  "
        db      "this processor has no 64-bit mode, which Hymir needs; use a 64-bit processor,   "
        db      "or in a virtual machine a 64-bit CPU model", 10, 0

; ---------------------------------------------------------------------------------------------------

        section .text

linked_entry:
        call    hymir_main
.halt:
        hlt
        jmp     .halt

; ---------------------------------------------------------------------------------------------------

        section .bss.boot_only nobits alloc write align=4096

        ; Freed when Hymir's own tables are active: mm/address_space.c.
        global  boot_tables
boot_tables:            resb    PAGE_SIZE * 8

; Offsets in boot_tables, after the PML4
BOOT_PDPT               equ     PAGE_SIZE
BOOT_DIRECTORIES        equ     PAGE_SIZE * 2
BOOT_IMAGE_PDPT         equ     PAGE_SIZE * 6
BOOT_IMAGE_DIRECTORY    equ     PAGE_SIZE * 7

        section .note.GNU-stack noalloc noexec nowrite progbits
