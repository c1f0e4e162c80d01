; ticks.asm: the interrupts of counter 0 of the 8254, none lost and none late, measured with counter 2.
;
; A Multiboot kernel in 32-bit protected mode. Prints "ok: NAME" or "FAIL: NAME" for each test. If its command line begins
; with n, it only counts for half a second, as a neighbour of guests that print.

        bits    32
        org     0x100000

CODE    equ     0x08
DATA    equ     0x10
DEBUG   equ     1
TIMER   equ     0x20                    ; the vector of interrupt 0
SPURIOUS equ    0x27
VECTORS equ     0x28
MS      equ     1193                    ; ticks of the 8254 in a millisecond
WINDOW  equ     50 * MS                 ; the time that counter 2 measures

%include "multiboot_header.inc"
%include "counter.inc"
%include "hypercall.inc"
%include "report.inc"

entry:
        choose_hypercall
        mov     esp, stack_top
        lgdt    [gdt_register]
        jmp     CODE:.flat
.flat:
        mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, count_tick
        mov     edi, idt + TIMER * 8
        call    set_gate
        mov     eax, ignore
        mov     edi, idt + SPURIOUS * 8
        call    set_gate
        mov     eax, ignore
        mov     edi, idt + DEBUG * 8
        call    set_gate
        lidt    [idt_register]
        call    start_pic

        mov     esi, [ebx + 16]         ; the command line
        mov     [command_line], esi
        cmp     byte [esi], "n"
        je      neighbour

; ---- 1000 a second: half a second, waiting

        mov     ecx, MS
        call    start_ticks
        mov     edi, wait_for_window
        mov     ecx, 10
        call    repeat
        mov     ebx, 500
        call    compare_count
        check   "each tick arrives"

; ---- The same, printing as fast as the guest can, if another CPU sends the output

        mov     esi, [command_line]
        cmp     byte [esi], "1"
        je      .printed
        mov     ecx, MS
        call    start_ticks
        mov     edi, print_in_window
        mov     ecx, 10
        call    repeat
        mov     al, 10
        call    put
        mov     ebx, 500
        call    compare_count
        check   "each tick arrives while the guest prints"
.printed:

; ---- Interrupts off for 50 ms: its ticks are delivered afterwards

        mov     ecx, MS
        call    start_ticks
        cli
        call    wait_for_window
        sti
        call    wait_for_window
        mov     ebx, 100
        call    compare_count
        check   "ticks with interrupts off are delivered later"

; ---- The input is masked for 50 ms: the controller keeps one tick

        mov     ecx, MS
        call    start_ticks
        mov     al, 0xFF
        out     0x21, al
        call    wait_for_window
        mov     dword [ticks], 0
        mov     al, 0xFE
        out     0x21, al
        mov     ecx, 1000
        loop    $
        cli
        mov     eax, [ticks]
        sub     eax, 1
        cmp     eax, 1                  ; one, or another that has come since
        setbe   al
        cmp     al, 1
        check   "ticks of a masked input are not"

; ---- 20,000 a second

        mov     ecx, MS / 20
        call    start_ticks
        call    wait_for_window
        mov     ebx, WINDOW / (MS / 20)
        call    compare_count
        check   "each tick of a fast counter arrives"

; ---- 20,000 a second, while each instruction of the guest raises a #DB

        mov     ecx, MS / 20
        call    start_ticks
        pushfd
        or      byte [esp + 1], 1       ; TF
        popfd
        call    start_window
.stepped:
        in      al, 0x61
        test    al, 0x20
        jz      .stepped
        pushfd
        and     byte [esp + 1], ~1
        popfd
        mov     ebx, WINDOW / (MS / 20)
        call    compare_count
        check   "each tick arrives while the guest single-steps"

; ---- A one-shot of 20 us. The count goes on below zero: it says how late the interrupt was.

        mov     al, 0x30                ; counter 0, mode 0
        out     0x43, al
        mov     dword [ticks], 0
        sti
        mov     al, 20 * MS / 1000
        out     0x40, al
        mov     al, 0
        out     0x40, al
.again:
        cmp     dword [ticks], 0
        je      .again
        cli
        mov     al, 0                   ; latch counter 0
        out     0x43, al
        in      al, 0x40
        mov     ah, al
        in      al, 0x40
        xchg    al, ah
        neg     ax
        cmp     ax, 70 * MS / 1000
        setb    al
        cmp     al, 1
        check   "a short time is not late"

done:
        mov     eax, 2                  ; HYPERCALL_END
        xor     ebx, ebx
        hypercall

; Counts for half a second, and prints a little.
neighbour:
        mov     ecx, MS
        call    start_ticks
        mov     edi, print_and_wait
        mov     ecx, 10
        call    repeat
        mov     ebx, 500
        call    compare_count
        check   "each tick of a neighbour arrives"
        jmp     done

; Calls EDI ECX times.
repeat:
        push    ecx
        call    edi
        pop     ecx
        loop    repeat
        ret

; Starts counter 0 in mode 2 with the count in ECX, and counts from 0.
start_ticks:
        cli
        mov     al, 0x34
        out     0x43, al
        mov     al, cl
        out     0x40, al
        mov     al, ch
        out     0x40, al
        mov     dword [ticks], 0
        sti
        ret

; Prints the number of ticks, and compares it with EBX, of which it may differ by 3 % (the time between two windows); ZF if
; it is right.
compare_count:
        cli
        mov     eax, [ticks]
        call    print_number
        mov     esi, text_ticks
        call    print
        mov     eax, [ticks]
        imul    eax, eax, 100
        mov     ecx, ebx
        imul    ecx, ecx, 97
        cmp     eax, ecx
        jb      .wrong
        imul    ebx, ebx, 103
        cmp     eax, ebx
        ja      .wrong
        xor     eax, eax
        ret
.wrong:
        or      eax, 1
        ret

; Starts counter 2 in mode 0, for 50 ms.
start_window:
        start_counter_2 WINDOW
        ret

wait_for_window:
        call    start_window
.again:
        mov     ecx, 200
        loop    $                       ; reduces the number of exits
        in      al, 0x61
        test    al, 0x20
        jz      .again
        ret

print_and_wait:
        mov     al, "."
        call    put
        mov     al, 10
        call    put
        jmp     wait_for_window

; Prints until the end of the window, without looking at the line status.
print_in_window:
        call    start_window
.again:
        mov     al, "x"
        call    put
        in      al, 0x61
        test    al, 0x20
        jz      .again
        ret

; Sets the interrupt gate at EDI to the address in EAX.
set_gate:
        mov     [edi], ax
        mov     word [edi + 2], CODE
        mov     word [edi + 4], 0x8E00
        shr     eax, 16
        mov     [edi + 6], ax
        ret

; Base 0x20 and 0x28, only interrupt 0 unmasked.
start_pic:
        mov     al, 0x11
        out     0x20, al
        out     0xA0, al
        mov     al, TIMER
        out     0x21, al
        mov     al, TIMER + 8
        out     0xA1, al
        mov     al, 4
        out     0x21, al
        mov     al, 2
        out     0xA1, al
        mov     al, 1
        out     0x21, al
        out     0xA1, al
        mov     al, 0xFF
        out     0xA1, al
        mov     al, 0xFE
        out     0x21, al
        ret

count_tick:
        push    eax
        inc     dword [ticks]
        mov     al, 0x20
        out     0x20, al
        pop     eax
ignore:
        iretd

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
idt_register:
        dw      VECTORS * 8 - 1
        dd      idt

        hypercall_table
text_ticks: db " ticks", 10, 0
        align   4
ticks:  dd 0
command_line: dd 0
        align   16
idt:    times VECTORS dq 0
stack:  times 1024 db 0
stack_top:
