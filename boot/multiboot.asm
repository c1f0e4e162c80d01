; multiboot.asm: from the boot loader to C.
;
; GRUB enters boot_entry in 32-bit protected mode without paging, with Multiboot2's magic in EAX and the
; address of its information in EBX (Multiboot2 Specification 2.0, "I386 machine state"). Where it put Hymir
; is for Hymir to find out. From there:
;
; 1. Find out where: CALL leaves an address on the stack, and four bytes of the loader's information that
;    mean nothing serve as that stack. EBP holds the physical address of the image from then on.
; 2. Check the magic, that CPUID exists, and that the processor has long mode; else say so, on COM1 and
;    the text screen, and halt. Nothing is used before it is known to be there.
; 3. Map the first 4 GiB where they are, and the image where it was linked to, with pages of 2 MiB. C makes
;    better tables later.
; 4. Set CR4, CR3, EFER and CR0, in this order, and go to 64-bit code: SDM 3A, "Initializing IA-32e Mode".
;    CR4.VMXE alone is kept: clearing it under somebody else's VMX would fault.
; 5. Call   _Noreturn void hymir_main(uint32_t information, uint32_t image);   at its own address.

%include "constants.inc"

PAGE_SIZE               equ     4096

        section .boot progbits alloc exec nowrite align=16

; The distance of something in this section from the start of the image.
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

        ; A framebuffer is wanted: under UEFI there is no other screen. Any size and depth will do.
        dw      HEADER_TAG_FRAMEBUFFER, HEADER_TAG_OPTIONAL
        dd      20
        dd      0, 0, 0                                 ; width, height, depth
        align   8, db 0

        ; Any place will do, at a multiple of 2 MiB: UEFI firmware may use the one that was linked for.
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
        mov     ebp, IMAGE_PHYSICAL                     ; a loader that is no Multiboot2 loader
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
        jne     refuse

        call    has_cpuid
        mov     edx, 0
        jz      .no_long_mode
        mov     eax, 0x80000000
        push    ebx
        cpuid
        cmp     eax, 0x80000001
        mov     edx, 0
        jb      .features_known
        mov     eax, 0x80000001
        cpuid
.features_known:
        pop     ebx
        test    edx, HYMIR_CPUID_LONG_MODE
        jnz     .has_long_mode
.no_long_mode:
        lea     esi, [ebp + OFFSET(no_long_mode_text)]
        mov     eax, edx
        jmp     refuse
.has_long_mode:
        push    edx                                     ; for NX, below

        ; Page tables, in memory that the loader zeroed: a PML4; a PDPT and four page directories for the
        ; first 4 GiB; a PDPT and a page directory for the image, which has the last entry but one.
        lea     edi, [ebp + boot_tables_offset]
        lea     eax, [edi + BOOT_PDPT + 0x3]            ; present, writable
        mov     [edi], eax
        lea     eax, [edi + BOOT_IMAGE_PDPT + 0x3]
        mov     [edi + 511 * 8], eax
        lea     eax, [edi + BOOT_IMAGE_DIRECTORY + 0x3]
        mov     [edi + BOOT_IMAGE_PDPT + 510 * 8], eax
        lea     eax, [ebp + 0x83]                       ; present, writable, 2-MiB page
        mov     [edi + BOOT_IMAGE_DIRECTORY], eax
        mov     ecx, 4
        lea     eax, [edi + BOOT_DIRECTORIES + 0x3]
        lea     edx, [edi + BOOT_PDPT]
.next_directory:
        mov     [edx], eax
        add     eax, PAGE_SIZE
        add     edx, 8
        loop    .next_directory
        mov     ecx, 4 * 512
        mov     eax, 0x83
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

        ; The GDT register's image, and then a far return into 64-bit code.
        sub     esp, 8
        lea     eax, [ebp + OFFSET(boot_gdt)]
        mov     word [esp], boot_gdt_end - boot_gdt - 1
        mov     [esp + 2], eax
        lgdt    [esp]
        push    HYMIR_SELECTOR_CODE
        lea     eax, [ebp + OFFSET(long_mode_entry)]
        push    eax
        retf

; Clears ZF if the processor has CPUID: bit 21 of EFLAGS can then be changed. Uses EAX and ECX.
has_cpuid:
        pushfd
        pop     eax
        mov     ecx, eax
        xor     eax, 1 << 21
        push    eax
        popfd
        pushfd
        pop     eax
        push    ecx
        popfd
        xor     eax, ecx
        and     eax, 1 << 21
        ret

; Says the text at ESI on COM1 and the text screen, with EAX as hexadecimal number in the place of a %,
; and halts. There is no way back: this processor cannot run the rest.
refuse:
        mov     ebx, eax
        call    serial_init
        mov     edi, 0xB8000
        mov     ecx, 80 * 25
        mov     ax, 0x0720                              ; blank, light grey on black
        rep     stosw
        mov     edi, 0xB8000
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

; Shows AL at EDI on the text screen and sends it to COM1. A line feed, the last character of a text, goes
; to COM1 alone, behind a carriage return. Uses EAX, ECX, EDX.
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

; 115200 baud, 8N1, FIFO. If there is no UART the writes are lost.
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

; Sends AL, waiting for the UART no longer than HYMIR_SERIAL_WAIT_READS reads; one that keeps us waiting that
; long gets nothing more. Uses EAX, ECX, EDX.
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
; 64-bit code, first at the physical address, then where it was linked to

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
        xor     ebp, ebp                                ; the end of every backtrace
        mov     rax, .linked
        jmp     rax
.linked:
        call    hymir_main
.halt:
        hlt
        jmp     .halt

; ---------------------------------------------------------------------------------------------------
; Constants of the code above, in its section, so that their offsets are known here

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
        ; Each line below fills a row of the screen, 80 characters, with a number of eight digits.
        db      "hymir: verdict: NO-LONG-MODE: CPUID.80000001H:EDX[29] is 0 (EDX = 0x%):  "
        db      "this processor has no 64-bit mode, which Hymir needs; use a 64-bit processor,   "
        db      "or in a virtual machine a 64-bit CPU model", 10, 0

; ---------------------------------------------------------------------------------------------------

        section .bss nobits alloc write align=4096

        global  boot_tables
boot_tables:            resb    PAGE_SIZE * 8

; In boot_tables, behind the PML4:
BOOT_PDPT               equ     PAGE_SIZE
BOOT_DIRECTORIES        equ     PAGE_SIZE * 2
BOOT_IMAGE_PDPT         equ     PAGE_SIZE * 6
BOOT_IMAGE_DIRECTORY    equ     PAGE_SIZE * 7

        section .note.GNU-stack noalloc noexec nowrite progbits
