; bios.asm: what a PC's firmware leaves behind: the BIOS data area, the interrupt vectors and the reset vector; and the
; keyboard controller and accesses to several ports at once, as drivers of that time use them.
;
; A Multiboot kernel in 32-bit protected mode. Prints "ok: NAME" or "FAIL: NAME" for each test, then does what the first
; letter of its command line selects:
;
;       o  overwrites all of the low memory, and sleeps until it is reset
;       R  jumps to F000:FFF0 in real mode      F  to FFFF:0               P  to the power-on test, F000:E05B
;       9  executes INT 19h in real mode        8  INT 18h                 v  INT 10h, function 0Eh
;       d  INT 21h                              u  an invalid opcode       4  INT 10h in virtual-8086 mode
;       x  writes all ports of BIOS entry points from 32-bit code, which has no effect, and ends by a hypercall

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_16 equ     0x18
DATA_16 equ     0x20
TSS     equ     0x28
REAL    equ     0x8000                  ; the address of the real-mode part
EBDA    equ     0x9FC00
TICKS_A_DAY equ 0x1800B0
BIOS_PORT equ   0xE2

%include "multiboot_header.inc"
%include "hypercall.inc"
%include "report.inc"

; check_equal A, B, NAME: compares two operands, of which one is a register.
%macro  check_equal 3
        cmp     %1, %2
        check   %3
%endmacro

entry:
        choose_hypercall
        mov     esp, stack_top
        mov     ebp, ebx
        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        cld

; ---- The BIOS data area: the time first, before the output takes any

        mov     al, 4                   ; hours, minutes, seconds
        call    read_clock
        imul    ebx, eax, 60
        mov     al, 2
        call    read_clock
        add     ebx, eax
        imul    ebx, ebx, 60
        mov     al, 0
        call    read_clock
        add     eax, ebx
        mov     edx, TICKS_A_DAY
        mul     edx
        mov     ecx, 86400
        div     ecx
        sub     eax, [0x46C]
        neg     eax
        cmp     eax, 20                 ; at most a second before the clock was read, or in it
        jle     .not_late
        mov     eax, -1000
.not_late:
        cmp     eax, -40
        setge   al
        cmp     al, 1
        check   "40:6C has the time of the clock, in ticks"

        mov     eax, [ebp + 4]          ; Multiboot's mem_lower
        check_equal ax, [0x413], "40:13 is mem_lower"
        mov     al, 0x16
        call    read_cmos
        mov     ah, al
        mov     al, 0x15
        call    read_cmos
        check_equal ax, [0x413], "40:13 is the base memory in CMOS"
        mov     esi, [ebp + 48]         ; the memory map: its first entry
        mov     eax, [esi + 12]
        shr     eax, 10
        check_equal ax, [0x413], "40:13 is the end of the first range of the memory map"
        movzx   eax, word [0x40E]
        shl     eax, 4
        check_equal eax, EBDA, "40:0E is the segment of the extended area"
        movzx   ecx, word [0x413]
        shl     ecx, 10
        check_equal eax, ecx, "which begins where base memory ends"
        cmp     byte [EBDA], 1
        check   "and is 1 KiB long"
        mov     al, 0x14
        call    read_cmos
        check_equal al, [0x410], "40:10 is the equipment in CMOS"
        mov     ax, [0x410]
        and     ax, 0x0E00
        cmp     ax, 0x0200
        check   "with one serial port"
        cmp     dword [0x400], 0x3F8
        check   "40:00 has COM1 and no COM2"
        cmp     dword [0x404], 0
        check   "nor COM3 and COM4"
        cmp     word [0x472], 0
        check   "40:72 is a cold start"
        cmp     byte [0x449], 3
        check   "40:49 is video mode 3"
        cmp     word [0x44A], 80
        check   "40:4A is 80 columns"
        cmp     word [0x44C], 0x1000
        check   "40:4C is the size of a page"
        cmp     word [0x463], 0x3D4
        check   "40:63 is a color adapter"
        cmp     byte [0x484], 24
        check   "40:84 is 25 rows"
        cmp     word [0x485], 16
        check   "40:85 is the height of a character"
        mov     ax, [0x41A]
        check_equal ax, [0x41C], "the keyboard buffer is empty"
        check_equal ax, [0x480], "at its start"
        cmp     word [0x482], 0x3E
        check   "and ends at 40:3E"

; ---- Interrupt vectors and the BIOS's last bytes

        xor     esi, esi
        mov     ecx, 256
.vector:
        cmp     word [esi + 2], 0xF000
        jne     .vectors_read
        add     esi, 4
        loop    .vector
.vectors_read:
        test    ecx, ecx
        check   "each interrupt vector points to the BIOS"
        cmp     byte [0xFFFFE], 0xFC
        check   "the model is an AT"

; ---- One access to several ports: each gets its part

        mov     dx, 0x6F
        mov     ax, 0x1500              ; port 0x70: the index of a byte of CMOS
        out     dx, ax
        in      al, 0x71
        check_equal al, [0x413], "OUT of a word whose first port is unclaimed"
        mov     dx, 0x6F
        in      eax, dx                 ; port 0x71 has the byte, the others nothing
        mov     ecx, 0xFF00FFFF
        movzx   ebx, byte [0x413]
        shl     ebx, 16
        or      ecx, ebx
        check_equal eax, ecx, "IN of four bytes whose first port is unclaimed"
        mov     dx, 0x92
        in      ax, dx
        cmp     ax, 0xFF02
        check   "IN of a word whose last port is unclaimed"
        mov     dx, 0x70
        mov     esi, index_and_byte
        outsw                           ; CMOS 0x40 = 0x5A
        mov     al, 0x40
        call    read_cmos
        cmp     al, 0x5A
        check   "OUTSW to two ports of a device"
        mov     dx, 0x3FE
        mov     ax, 0xA500
        out     dx, ax
        mov     dx, 0x3FF
        in      al, dx
        cmp     al, 0xA5
        check   "OUT of a word to status and scratch register"
        mov     dx, 0xCF8
        mov     eax, 0x80000600         ; PCI's address: one register, although 0xCF9 is in it
        out     dx, eax
        cmp     eax, eax
        check   "PCI's configuration address resets nothing"

; ---- The keyboard controller

        mov     al, 0x20
        call    command
        mov     [controller_config], al
        mov     al, 0xD3                ; as Linux finds out whether there is an auxiliary port
        mov     ah, 0x5A
        call    command_with
        in      al, 0x64
        and     al, 0x21
        cmp     al, 0x21
        check   "command D3h fills the buffer, as from the mouse"
        in      al, 0x60
        cmp     al, 0x5A
        check   "with its byte"
        in      al, 0x64
        test    al, 0x01
        check   "which is then empty"

        mov     al, 0x60                ; enables both interrupts
        mov     ah, [controller_config]
        or      ah, 0x03
        call    command_with
        mov     al, 0xD3
        mov     ah, 0xA5
        call    command_with
        call    read_requests
        cmp     ax, 0x1000
        check   "D3h requests interrupt 12, and not 1"
        in      al, 0x60
        mov     al, 0xD2
        mov     ah, 0x1C
        call    command_with
        call    read_requests
        cmp     ax, 0x0002
        check   "D2h requests interrupt 1, and not 12"
        in      al, 0x60
        call    read_requests
        test    ax, ax
        check   "reading the byte ends the request"

        mov     al, 0xD4                ; identify, to a mouse that is not there
        mov     ah, 0xF2
        call    command_with
        call    read_status
        cmp     ax, 0xFE61
        check   "D4h: the absent mouse times out"
        mov     al, 0xF2
        out     0x60, al
        call    read_status
        cmp     ax, 0xFE41
        check   "a byte for the absent keyboard times out"
        mov     al, 0xA4
        call    command
        cmp     al, 0xF1
        check   "A4h: no password is installed"
        mov     al, 0xE0
        call    command
        cmp     al, 0x02
        check   "E0h reads the lines"
        mov     al, 0x60
        mov     ah, [controller_config]
        call    command_with

; ---- The end

        mov     esi, [ebp + 16]         ; the command line
        mov     bl, [esi]
        cmp     bl, 'o'
        je      overwrite
        cmp     bl, 'x'
        je      write_bios_port
        mov     esi, real_part
        mov     edi, REAL
        mov     ecx, real_part_end - real_part
        rep movsb
        cmp     bl, '4'
        je      enter_virtual_8086
        jmp     CODE_16:REAL

overwrite:
        mov     eax, 0x12341234         ; 40:72 as for a warm start
        xor     edi, edi
        mov     ecx, 0x500 / 4
        rep stosd
        mov     edi, EBDA
        mov     ecx, (0x100000 - EBDA) / 4
        rep stosd
        mov     esi, text_overwritten
        call    print
        mov     al, 0xF7                ; an interrupt that never comes, so that HLT does not end the guest
        out     0x21, al
.sleep:
        sti
        hlt
        jmp     .sleep

write_bios_port:
        mov     ecx, 0x10000
.again:
        mov     eax, ecx
        out     BIOS_PORT, al
        loop    .again
        mov     eax, 2
        mov     ebx, 42
        hypercall

enter_virtual_8086:
        mov     [tss + 4], esp
        mov     dword [tss + 8], DATA_32
        mov     eax, tss
        mov     [gdt_tss + 2], ax
        shr     eax, 16
        mov     [gdt_tss + 4], al
        mov     byte [gdt_tss + 5], 0x89
        mov     ax, TSS
        ltr     ax
        mov     eax, cr4
        or      al, 1                   ; VME: INT n goes to the vectors of the BIOS
        mov     cr4, eax
        push    dword 0                 ; GS, FS, DS, ES
        push    dword 0
        push    dword 0
        push    dword 0
        push    dword 0                 ; SS:ESP
        push    dword 0x7000
        push    dword 0x23002           ; VM, IOPL 3
        push    dword 0
        push    dword REAL + real_part.call - real_part
        iretd

; Returns the number in a byte of the clock, AL, in BCD; once no update is in progress.
read_clock:
        mov     dl, al
.wait:
        mov     al, 0x0A
        call    read_cmos
        test    al, 0x80
        jnz     .wait
        mov     al, dl
        call    read_cmos
        mov     ah, al
        shr     ah, 4
        and     al, 0x0F
        aad
        movzx   eax, al
        ret

read_cmos:
        out     0x70, al
        in      al, 0x71
        ret

; Sends command AL, then the byte AH.
command_with:
        out     0x64, al
        mov     al, ah
        out     0x60, al
        ret

; Sends command AL; returns the answer in AL, or 0 without one.
command:
        out     0x64, al
        in      al, 0x64
        test    al, 0x01
        mov     al, 0
        jz      .none
        in      al, 0x60
.none:
        ret

; Returns bits 6, 5 and 0 of the status in AL, and the byte read in AH.
read_status:
        in      al, 0x64
        and     al, 0x61
        mov     ah, al
        in      al, 0x60
        xchg    al, ah
        ret

; Returns the requests of the interrupt controllers, 1 and 3 to 15, in AX.
read_requests:
        mov     al, 0x0A
        out     0xA0, al
        out     0x20, al
        in      al, 0xA0
        mov     ah, al
        in      al, 0x20
        and     ax, 0xFEFA              ; not the timer, the clock and the cascade
        ret

text_overwritten: db "overwritten", 10, 0

; ---- The real-mode part, at 0:REAL. BL has the letter.

real_part:
        bits    16
        mov     ax, DATA_16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, cr0
        and     al, 0xFE
        mov     cr0, eax
        jmp     0:REAL + .real - real_part
.real:
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7000
        cmp     bl, 'R'
        je      .reset_vector
        cmp     bl, 'F'
        je      .last_paragraph
        cmp     bl, 'P'
        je      .power_on
        cmp     bl, '9'
        je      .bootstrap
        cmp     bl, '8'
        je      .basic
        cmp     bl, 'd'
        je      .dos
        cmp     bl, 'u'
        je      .invalid
.call:
        mov     ax, 0x0E41
        int     0x10
.reset_vector:
        jmp     0xF000:0xFFF0
.last_paragraph:
        jmp     0xFFFF:0
.power_on:
        jmp     0xF000:0xE05B
.bootstrap:
        int     0x19
.basic:
        int     0x18
.dos:
        mov     ax, 0x4C00
        int     0x21
.invalid:
        ud2
real_part_end:
        bits    32

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00009B000000FFFF
        dq      0x000093000000FFFF
gdt_tss:
        dq      0x00008900000000FF
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt

        hypercall_table
controller_config: db 0
index_and_byte: db 0x40, 0x5A

        align   16
tss:    times 102 db 0
        dw      136                     ; the I/O permission bitmap, after 32 bytes of interrupt redirection
        times   0x100 - 104 db 0
stack:  times 1024 db 0
stack_top:
