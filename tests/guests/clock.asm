; clock.asm: prints the frequency of the time-stamp counter by the guest's 8254, which is that of the machine if the
; guest's time runs as fast as the machine's, and the date of the real-time clock.

        bits    32
        org     0x100000

%include "multiboot_header.inc"
%include "hypercall.inc"
%include "counter.inc"

WINDOW  equ     59659                   ; ticks of the 8254 in 50 ms

entry:
        choose_hypercall
        mov     esp, stack_top
        start_counter_2 WINDOW
        rdtsc
        mov     edi, eax
        mov     ebp, edx
.wait:
        in      al, 0x61
        test    al, 0x20
        jz      .wait
        rdtsc
        sub     eax, edi
        sbb     edx, ebp
        mov     ecx, 50
        div     ecx                     ; ticks in a millisecond
        mov     esi, text
        call    print
        call    print_number
        mov     esi, unit
        call    print
        mov     bl, 0x32                ; the century, in the usual byte of PCs
        call    print_date_byte
        mov     bl, 9                   ; year
        call    print_date_byte
        mov     bl, 8                   ; month
        call    print_date_byte
        mov     bl, 7                   ; day of month
        call    print_date_byte
        mov     al, 10
        call    put
        mov     eax, 2
        xor     ebx, ebx
        hypercall

; Prints the two digits of byte BL of the real-time clock, in BCD.
print_date_byte:
        mov     al, bl
        out     0x70, al
        in      al, 0x71
        mov     ah, al
        shr     al, 4
        add     al, "0"
        call    put
        mov     al, ah
        and     al, 0x0F
        add     al, "0"
        jmp     put

%include "print.inc"

        hypercall_table
text:   db      "clock: TSC at ", 0
unit:   db      " kHz, date ", 0

        align   16
stack:  times   256 db 0
stack_top:
