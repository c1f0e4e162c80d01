; bench_apic.asm: measures the local APIC as bench.asm does: accesses to registers, interrupts that a CPU sends to itself,
; the timer, and interrupts to a second CPU, if there is one.
;
; An interrupt is measured from the RDTSC before it, or from the timer's deadline, to the first instruction of its handler,
; and a tick of the timer to the interrupted loop too: its handler ends the interrupt and sets the next deadline.

        bits    32
        org     0x100000

TIMER   equ     0xEC                    ; vectors, as Linux's
IPI     equ     0xFD
APIC    equ     0xFEE00000
ONE_SHOT equ    20000                   ; ticks of the TSC, longer than an interrupt takes
AP_START equ    0x8000                  ; where the second CPU starts
AP_WAIT equ     20000000                ; ticks of the TSC that it may take

X2APIC_ID       equ 0x802
X2APIC_EOI      equ 0x80B
X2APIC_TPR      equ 0x808
X2APIC_SPURIOUS equ 0x80F
X2APIC_ICR      equ 0x830
X2APIC_TIMER    equ 0x832
X2APIC_SELF_IPI equ 0x83F
APIC_BASE       equ 0x1B
TSC_DEADLINE    equ 0x6E0

%include "multiboot_header.inc"
%include "print.inc"
%include "hypercall.inc"
%include "bench.inc"

; write_msr MSR, LOW [, HIGH]: changes EAX, ECX and EDX.
%macro  write_msr 2-3 0
        mov     ecx, %1
        mov     eax, %2
        mov     edx, %3
        wrmsr
%endmacro

; set_gate VECTOR, HANDLER
%macro  set_gate 2
        mov     eax, %2
        mov     [idt + %1 * 8], ax
        mov     word [idt + %1 * 8 + 2], 8
        mov     word [idt + %1 * 8 + 4], 0x8E00
        shr     eax, 16
        mov     [idt + %1 * 8 + 6], ax
%endmacro

entry:
        choose_hypercall
        mov     esp, stack_top
        call    load_tables
        set_gate TIMER, handle_timer
        set_gate IPI, handle_ipi
        mov     dword [APIC + 0xF0], 0x1FF
        call    measure_nothing
        mov     ebx, operations_xapic
        call    measure_list
        call    enter_x2apic
        mov     ebx, operations_x2apic
        call    measure_list
        call    measure_interrupts
        call    start_second
        cmp     dword [second_id], 0
        je      .print
        mov     edi, sample_other
        call    measure_samples
        mov     [result_other], eax
        mov     ebx, results_of_second
        call    print_list
.print: mov     ebx, operations_xapic
        call    print_list
        mov     ebx, operations_x2apic
        call    print_list
        mov     ebx, results
        call    print_list
        mov     eax, 2                  ; HYPERCALL_END
        xor     ebx, ebx
        hypercall
        hlt

load_tables:
        lgdt    [gdt_register]
        jmp     8:.flat
.flat:  mov     ax, 0x10
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        lidt    [idt_register]
        ret

enter_x2apic:
        mov     ecx, APIC_BASE
        rdmsr
        or      eax, 1 << 10
        wrmsr
        write_msr X2APIC_SPURIOUS, 0x1FF
        ret

; Each operation must preserve EBP, EDI and ESP.
operation_xapic_read:
        mov     eax, [APIC + 0x80]
        ret
operation_xapic_write:
        mov     dword [APIC + 0x80], 0
        ret
operation_xapic_eoi:
        mov     dword [APIC + 0xB0], 0
        ret
operation_x2apic_read:
        mov     ecx, X2APIC_TPR
        rdmsr
        ret
operation_x2apic_eoi:
        write_msr X2APIC_EOI, 0
        ret
operation_deadline:
        write_msr TSC_DEADLINE, -1, 1   ; minutes away
        ret

measure_interrupts:
        mov     edi, sample_self
        call    measure_samples
        mov     [result_self], eax
        write_msr X2APIC_TIMER, 2 << 17 | TIMER ; TSC-deadline mode
        mov     edi, sample_halt
        call    measure_samples
        mov     [result_halt], eax
        mov     byte [repeats], 1
        mov     esi, entered
        call    measure_ticks
        mov     [result_delivery], eax
        mov     esi, resumed
        call    measure_ticks
        mov     [result_tick], eax
        call    trace_tick
        mov     byte [repeats], 0
        ret

; Returns in EAX the median of what the routine at EDI returns in EAX; then traces it. It must preserve EBP and EDI.
measure_samples:
        xor     ebp, ebp
.sample:
        call    edi
        mov     [samples + ebp * 4], eax
        inc     ebp
        cmp     ebp, SAMPLES
        jb      .sample
        xchg    bx, bx
        call    edi
        xchg    bx, bx
        jmp     median

; Interrupts itself; returns the ticks until the handler begins.
sample_self:
        sti
        rdtsc
        mov     [started], eax
        write_msr X2APIC_SELF_IPI, IPI
        nop
        cli
        mov     eax, [entered]
        sub     eax, [started]
        ret

; Halts until a deadline; returns the ticks from it until the handler begins.
sample_halt:
        call    set_deadline
        mov     [started], eax
        sti
        hlt
        cli
        mov     eax, [entered]
        sub     eax, [started]
        ret

; Interrupts the second CPU; returns the ticks until its handler begins.
sample_other:
        mov     dword [handled], 0
        rdtsc
        mov     [started], eax
        write_msr X2APIC_ICR, IPI, [second_id]
.wait:  cmp     dword [handled], 0
        je      .wait
        mov     eax, [entered]
        sub     eax, [started]
        ret

; Returns in EAX the median of the ticks from an interrupt of the timer to the time that is stored at ESI.
measure_ticks:
        call    set_deadline
        xor     ebp, ebp
.sample:
        mov     dword [handled], 0
        sti
.wait:  rdtsc
        cmp     dword [handled], 0
        jne     .resumed
        mov     ecx, eax                ; the last time before the interrupt
        jmp     .wait
.resumed:
        cli
        mov     [resumed], eax
        mov     eax, [esi]
        sub     eax, ecx
        mov     [samples + ebp * 4], eax
        inc     ebp
        cmp     ebp, SAMPLES
        jb      .sample
        jmp     median

trace_tick:
        mov     dword [handled], 0
        sti
        xchg    bx, bx
.wait:  cmp     dword [handled], 0
        je      .wait
        xchg    bx, bx
        cli
        ret

; Sets the timer's deadline; returns bits 31:0 of it in EAX. Changes ECX and EDX.
set_deadline:
        rdtsc
        add     eax, ONE_SHOT
        adc     edx, 0
        mov     ecx, TSC_DEADLINE
        wrmsr
        ret

handle_timer:
        push    eax
        push    edx
        push    ecx
        rdtsc
        mov     [entered], eax
        write_msr X2APIC_EOI, 0
        cmp     byte [repeats], 0
        je      .done
        call    set_deadline
.done:  mov     dword [handled], 1
        pop     ecx
        pop     edx
        pop     eax
        iretd

handle_ipi:
        push    eax
        push    edx
        push    ecx
        rdtsc
        mov     [entered], eax
        write_msr X2APIC_EOI, 0
        mov     dword [handled], 1
        pop     ecx
        pop     edx
        pop     eax
        iretd

; Starts the second CPU and waits until it has set [second_id], or AP_WAIT ticks if there is none.
start_second:
        mov     esi, ap_start
        mov     edi, AP_START
        mov     ecx, ap_start_end - ap_start
        rep movsb
        write_msr X2APIC_ICR, 0xC4500   ; INIT to all others
        write_msr X2APIC_ICR, 0xC4600 | AP_START >> 12
        rdtsc
        lea     ebx, [eax + AP_WAIT]
.wait:  cmp     dword [second_id], 0
        jne     .done
        rdtsc
        sub     eax, ebx
        js      .wait
.done:  ret

; The first code of the second CPU, at AP_START.
        bits    16
ap_start:
        lgdt    [cs:ap_gdt_register - ap_start]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     dword 8:second
ap_gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
ap_start_end:
        bits    32

; Computes until an interrupt comes.
second:
        mov     ax, 0x10
        mov     ds, ax
        mov     ss, ax
        mov     esp, second_stack_top
        call    load_tables
        call    enter_x2apic
        mov     ecx, X2APIC_ID
        rdmsr
        mov     [second_id], eax
        sti
.busy:  inc     eax
        jmp     .busy

operations_xapic:
        dd      operation_xapic_read, name_xapic_read
        dd      operation_xapic_write, name_xapic_write
        dd      operation_xapic_eoi, name_xapic_eoi
        dd      0, 0
operations_x2apic:
        dd      operation_x2apic_read, name_x2apic_read
        dd      operation_x2apic_eoi, name_x2apic_eoi
        dd      operation_deadline, name_deadline
        dd      0, 0
results:                                ; in the order of their traces
result_self:     dd     0, name_self
result_halt:     dd     0, name_halt
result_tick:     dd     0, name_tick
result_delivery: dd     0, name_delivery
        dd      0, 0
results_of_second:
result_other:    dd     0, name_other
        dd      0, 0

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
        dw      (IPI + 1) * 8 - 1
        dd      idt

        hypercall_table
        bench_data
name_xapic_read:        db "xapic-read ", 0
name_xapic_write:       db "xapic-write ", 0
name_xapic_eoi:         db "xapic-eoi ", 0
name_x2apic_read:       db "x2apic-read ", 0
name_x2apic_eoi:        db "x2apic-eoi ", 0
name_deadline:          db "deadline ", 0
name_self:              db "self-ipi ", 0
name_halt:              db "hlt-wake ", 0
name_delivery:          db "deadline-delivery ", 0
name_tick:              db "deadline-tick ", 0
name_other:             db "other-ipi ", 0

        align   16
started:                dd 0
entered:                dd 0
resumed:                dd 0
handled:                dd 0
second_id:              dd 0
repeats:                db 0
        align   8
idt:                    times IPI + 1 dq 0
                        times 1024 db 0
stack_top:
                        times 1024 db 0
second_stack_top:
