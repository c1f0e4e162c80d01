; events.asm: delivery of interrupts and NMIs to a guest that is busy, halted, or blocks them.
;
; A Multiboot kernel in 32-bit protected mode. Counter 0 of the 8254 interrupts it through the 8259A. Prints
; "ok: NAME" or "FAIL: NAME" for each test; at the end it halts with all interrupts masked. If its command line begins
; with s, it runs only the tests of a busy and a halted guest.

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
VECTORS equ     0x30
TIMER   equ     0x20                    ; the vector of interrupt 0
DEBUG   equ     1
NMI     equ     2
PROTECTION equ  13
PIT_HZ  equ     1193182
MS      equ     PIT_HZ / 1000
HYPERCALL_NMI equ 3

%include "multiboot_header.inc"
%include "counter.inc"
%include "hypercall.inc"
%include "report.inc"

entry:
        choose_hypercall
        mov     esp, stack_top
        mov     [information], ebx
        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        call    build_idt
        lidt    [idt_register]

; ---- The 8259A: base 0x20 and 0x28, only interrupt 0 unmasked

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
        in      al, 0x21
        cmp     al, 0xFE
        check   "the mask reads as written"

; ---- A busy guest and a halted guest

        mov     ecx, MS
        call    periodic
        sti
        mov     ecx, 200000000
.busy:
        cmp     dword [count + TIMER * 4], 5
        jae     .was_busy
        loop    .busy
.was_busy:
        cli
        test    ecx, ecx
        setz    al
        test    al, al
        check   "a busy guest is interrupted"

        sti                             ; until the slow output of the text has ended
        call    counter_2_wait
        call    counter_2_wait
        call    counter_2_wait
        cli
        mov     ecx, 20
        mov     edi, [count + TIMER * 4]
.sleep:
        sti
        hlt
        cli
        loop    .sleep
        sub     edi, [count + TIMER * 4]
        cmp     edi, -20
        check   "a guest that sleeps is woken by each interrupt"

        mov     esi, [information]
        mov     esi, [esi + 16]         ; the command line
        cmp     byte [esi], "s"
        je      done

; ---- An instruction that Hymir emulates for long

        mov     edi, [count + TIMER * 4]
        mov     ecx, 100000
        xor     esi, esi
        mov     edx, 0x80
        sti
.rep:   rep outsb
        cli
        sub     edi, [count + TIMER * 4]
        cmp     edi, -10
        setle   al
        cmp     al, 1
        check   "REP OUTSB is interrupted"
        xor     esi, 100000
        or      esi, ecx
        check   "and completes"

; ---- Blocked interrupts

        call    wait_for_request
        mov     edi, [count + TIMER * 4]
        nop
        cmp     edi, [count + TIMER * 4]
        check   "no interrupt comes while IF is 0"
        mov     dword [last_eip], 0
        sti
        nop
.behind_nop:
        cli
        cmp     dword [last_eip], .behind_nop
        check   "STI holds it back for one instruction"

        call    wait_for_request
        cmp     dword [is_amd], 0       ; processors may ignore the second of two delays, as QEMU's TCG does
        jne     .over_ss
        mov     ax, ss
        sti
        mov     ss, ax
        nop
.behind_ss:
        cli
        cmp     dword [last_eip], .behind_ss
        check   "MOV to SS holds it back for one more"
.over_ss:

        call    wait_for_request
        sti
        hlt
.behind_hlt:
        cli
        cmp     dword [last_eip], .behind_hlt
        check   "HLT does not sleep when one waits"

        call    wait_for_request
        xor     eax, eax
        sti
        cpuid
.behind_exit:
        cli
        cmp     dword [last_eip], .behind_exit
        check   "an exit after STI ends that shadow"

        call    wait_for_request
        pushfd
        or      dword [esp], 1 << 9
        popfd
.behind_popf:
        cli
        cmp     dword [last_eip], .behind_popf
        check   "POPF lets it in at once"

        call    wait_for_request
        mov     al, 0xFF                ; masked before it is accepted
        out     0x21, al
        mov     edi, [count + TIMER * 4]
        sti
        nop
        nop
        cli
        cmp     edi, [count + TIMER * 4]
        check   "a masked interrupt does not come"
        mov     al, 0xFE
        out     0x21, al
        sti
        nop
        nop
        cli
        cmp     edi, [count + TIMER * 4] ; or two, if Hymir flushed output in between
        sbb     edi, edi
        cmp     edi, -1
        check   "and comes when the mask is gone"

; ---- Other modes of the 8254

        mov     al, 0x30                ; mode 0: one interrupt
        out     0x43, al
        mov     al, MS & 0xFF
        out     0x40, al
        mov     al, MS >> 8
        out     0x40, al
        mov     edi, [count + TIMER * 4]
        sti
        hlt
        call    counter_2_wait          ; 10 ms
        cli
        sub     edi, [count + TIMER * 4]
        cmp     edi, -1
        check   "mode 0 interrupts once"

        mov     ecx, MS
        call    periodic
        mov     edi, [count + TIMER * 4]
        sti
        call    counter_2_wait
        cli
        sub     edi, [count + TIMER * 4]
        neg     edi
        sub     edi, 9
        cmp     edi, 2
        setbe   al
        cmp     al, 1
        check   "counter 2 and interrupt 0 agree on 10 ms"

; ---- The time-stamp counter MSR

        rdtsc
        mov     edi, eax
        mov     ecx, 0x10
        rdmsr
        sub     eax, edi
        cmp     eax, 10000
        setb    al
        cmp     al, 1
        check   "MSR 0x10 reads as RDTSC does"
        mov     edx, 0x12
        mov     eax, 0x40000000
        wrmsr
        rdtsc
        sub     eax, 0x40000000
        cmp     eax, 10000
        setb    al
        cmp     edx, 0x12
        sete    ah
        cmp     ax, 0x0101
        check   "MSR 0x10 sets it"
        sti
        mov     ecx, 5 * MS             ; takes the interrupts that have waited
        loop    $
        hlt
        mov     edi, [count + TIMER * 4]
        hlt
        hlt
        cli
        sub     edi, [count + TIMER * 4]
        cmp     edi, -2
        check   "no timer is affected"

; ---- NMIs

        mov     al, 0xFF
        out     0x21, al
        mov     dword [count + NMI * 4], 0
        call    request_nmi
        cmp     dword [count + NMI * 4], 1
        check   "an NMI comes while IF is 0"
        mov     dword [nmi_again], 1
        call    request_nmi
        cmp     dword [count + NMI * 4], 3
        check   "an NMI in an NMI's handler comes after it"
        cmp     dword [nmi_nested], 0
        check   "and not before its IRET"
        mov     dword [count + NMI * 4], 0
        mov     eax, HYPERCALL_NMI
        pushfd
        or      dword [esp], 1 << 8     ; TF
        popfd
        hypercall                       ; #DB, whose handler clears TF, comes first
        cmp     dword [count + NMI * 4], 1
        check   "an NMI comes after a #DB at once"
        cmp     dword [count + DEBUG * 4], 1
        check   "which comes too"
        mov     dword [iret_faults], 1
        call    request_nmi
        cmp     dword [count + PROTECTION * 4], 1
        check   "the IRET of an NMI's handler faults"
        test    dword [flags_at_fault], 1 << 8
        check   "with the right TF"
        mov     dword [nmi_again], 1
        call    request_nmi
        cmp     dword [count + NMI * 4], 4
        check   "and ends the blocking of NMIs"
        mov     dword [count + NMI * 4], 3
        mov     al, 0xFE
        out     0x21, al
        sti                             ; the next tick is a whole period away
        hlt
        cli
        call    wait_for_request
        mov     edi, [count + TIMER * 4]
        sti
        call    request_nmi
        cli
        cmp     edi, [count + TIMER * 4] ; or two interrupts, if Hymir flushed output in between
        sbb     edi, edi
        cmp     edi, -1
        check   "an interrupt and an NMI at once both come"
        cmp     dword [count + NMI * 4], 4
        check   "each once"

done:
        mov     al, 0xFF
        out     0x21, al
        mov     esi, text_done
        call    print
        sti
        hlt
        jmp     $

; Starts counter 0 in mode 2 with the count in ECX.
periodic:
        mov     al, 0x34
        out     0x43, al
        mov     al, cl
        out     0x40, al
        mov     al, ch
        out     0x40, al
        ret

; Waits until the 8259A has a pending request of interrupt 0.
wait_for_request:
        mov     al, 0x0A                ; OCW3: read the request register
        out     0x20, al
        mov     ecx, 200000000
.again:
        in      al, 0x20
        test    al, 1
        loopz   .again
        ret

; Waits 10 ms with counter 2 in mode 0.
counter_2_wait:
        start_counter_2 10 * MS
.again:
        mov     ecx, 1000
        loop    $                       ; reduces the number of exits
        in      al, 0x61
        test    al, 0x20
        jz      .again
        ret

request_nmi:
        mov     eax, HYPERCALL_NMI
        hypercall
        nop
        ret

; Counts the interrupt and stores its return address.
handler:
        pushad
        mov     ebx, [esp + 32]         ; vector
        mov     eax, [esp + 40]
        mov     [last_eip], eax
        inc     dword [count + ebx * 4]
        cmp     ebx, TIMER
        je      .timer
        cmp     ebx, NMI
        je      .nmi
        cmp     ebx, DEBUG
        je      .debug
        cmp     ebx, PROTECTION
        je      .protection
        mov     esi, text_unexpected
        call    print
        cli
        hlt
.timer:
        mov     al, 0x20
        out     0x20, al
        jmp     .done
.debug: btr     dword [esp + 48], 8     ; TF
        jmp     .done
.protection:                            ; of IRETD: repairs CS
        mov     eax, [esp + 48]
        mov     [flags_at_fault], eax
        mov     dword [esp + 56], CODE_32
        jmp     .done
.nmi:
        inc     dword [nmi_depth]
        cmp     dword [nmi_depth], 1
        je      .asks
        inc     dword [nmi_nested]
.asks:
        cmp     dword [nmi_again], 0
        je      .no_more
        mov     dword [nmi_again], 0
        call    request_nmi
        call    request_nmi
.no_more:
        dec     dword [nmi_depth]
        cmp     dword [iret_faults], 0
        je      .done
        mov     dword [iret_faults], 0
        mov     dword [esp + 44], 0xFFF8 ; CS: beyond the GDT
.done:
        popad
        add     esp, 8
        iretd

        hypercall_table
text_unexpected: db "FAIL: an exception", 10, 0
text_done:       db "all events tried", 10, 0

%include "exceptions.inc"
        bits    32
handler_64:
        jmp     $

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

information: dd 0
last_eip:   dd 0
nmi_depth:  dd 0
nmi_nested: dd 0
nmi_again:  dd 0
iret_faults: dd 0
flags_at_fault: dd 0
        align   16
count:  times VECTORS dd 0
idt:    times VECTORS dq 0
idt_64: times VECTORS * 2 dq 0
stack:  times 1024 db 0
stack_top:
