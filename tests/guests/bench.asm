; bench.asm: measures the cost of VM exits. Times each operation 100 times with RDTSC and prints the median minus that
; of an empty operation, one line each:
;
;       bench: NAME TICKS
;
; In Bochs a TSC tick is one instruction, so TICKS is the number of instructions that Hymir executes for an exit,
; including the operation itself. Executes each operation once more, and a timer interrupt, between two XCHG BX, BX, at
; which Bochs's debugger starts and ends a trace (the scenario's key `trace`).

        bits    32
        org     0x100000

TIMER   equ     0x20                    ; the vector of interrupt 0
ONE_SHOT equ    1000                    ; ticks of the 8254, longer than an interrupt takes in Bochs

%include "multiboot_header.inc"
%include "print.inc"
%include "hypercall.inc"
%include "bench.inc"

entry:
        choose_hypercall
        mov     esp, stack_top
        call    measure_nothing
        mov     ebx, operations
        call    measure_list
        call    measure_ticks           ; printed at the end: output during the measurements would distort them
        mov     ebx, operations
        call    print_list
        mov     ebx, results_of_ticks
        call    print_list
        mov     eax, 2                  ; HYPERCALL_END
        xor     ebx, ebx
        hypercall
        hlt

; Each operation must preserve EBP, EDI and ESP.
operation_cpuid_0:
        xor     eax, eax
        cpuid
        ret
operation_cpuid_1:
        mov     eax, 1
        cpuid
        ret
operation_cpuid_40000000:
        mov     eax, 0x40000000
        cpuid
        ret
operation_rdmsr:
        mov     ecx, 0x1B               ; IA32_APIC_BASE
        rdmsr
        ret
operation_wrmsr:
        mov     ecx, 0xE7               ; IA32_MPERF, which a guest may write
        xor     eax, eax
        xor     edx, edx
        wrmsr
        ret
operation_vmcall:
        xor     eax, eax                ; HYPERCALL_VERSION
        hypercall
        ret
operation_out_nobody:
        out     0x80, al
        ret
operation_in_nobody:
        in      al, 0xE0
        ret
operation_in_pic:
        in      al, 0x21
        ret
operation_out_pic:
        mov     al, 0xFF                ; all interrupts masked, as before
        out     0x21, al
        ret
operation_out_pit:
        mov     al, 0                   ; latch counter 0
        out     0x43, al
        ret
operation_in_pit:
        in      al, 0x40
        ret
; Starts counter 0. Its first interrupt is 55 ms away, after the end of the next measurements.
operation_start_timer:
        mov     al, 0x30
        out     0x43, al
        mov     al, 0xFF
        out     0x40, al
        out     0x40, al
        ret
; Counter 2, which causes no interrupts: sets a mode and a count, and never starts it.
operation_out_pit_mode:
        mov     al, 0xB0
        out     0x43, al
        ret
operation_out_pit_low:
        mov     al, 0xFF
        out     0x42, al                ; alternately the low and the high byte
        ret
operation_in_pit_2:
        in      al, 0x42
        ret
; Counter 0: the byte that restarts the timer.
operation_out_pit_start:
        mov     al, 0xFF
        out     0x40, al
        ret
operation_out_uart:
        mov     edx, COM1
        mov     al, 13                  ; carriage return: does not move the cursor
        out     dx, al
        ret
operation_outsb_nobody:
        mov     esi, samples
        mov     ecx, 1000
        mov     edx, 0x80
        rep outsb
        ret
operation_insb_nobody:
        push    edi
        mov     edi, stack_top
        mov     ecx, 1000
        mov     edx, 0x80
        rep insb
        pop     edi
        ret
operation_in_uart:
        mov     edx, COM1 + 5
        in      al, dx
        ret
operation_mov_cr0:
        mov     eax, cr0
        xor     eax, 1 << 5             ; NE
        mov     cr0, eax
        ret

; Measures interrupts of counter 0, whose handler ends them at the 8259A and starts the counter again: until the handler
; begins, and until the interrupted loop goes on.
measure_ticks:
        lgdt    [gdt_register]
        jmp     8:.flat
.flat:
        mov     ax, 0x10
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, handle_tick
        mov     [idt + TIMER * 8], ax
        mov     word [idt + TIMER * 8 + 2], 8
        mov     word [idt + TIMER * 8 + 4], 0x8E00
        shr     eax, 16
        mov     [idt + TIMER * 8 + 6], ax
        lidt    [idt_register]
        mov     al, 0x11                ; the first 8259A: base 0x20, only interrupt 0 unmasked
        out     0x20, al
        mov     al, TIMER
        out     0x21, al
        mov     al, 4
        out     0x21, al
        mov     al, 1
        out     0x21, al
        mov     al, 0xFE
        out     0x21, al
        mov     al, 0x30                ; counter 0, mode 0
        out     0x43, al
        mov     edi, entered            ; handle_tick stores the time there
        call    sample_ticks
        mov     [result_delivery], eax
        mov     edi, resumed
        call    sample_ticks
        mov     [result_tick], eax
        sti                             ; the interrupt of the last sample comes after the CALL
        call    start_one_shot
        mov     dword [entered], 0
        xchg    bx, bx
.wait:
        cmp     dword [entered], 0
        je      .wait
        xchg    bx, bx
        cli
        ret

; Returns in EAX the median of the ticks from the interrupt to the time that is stored at EDI.
sample_ticks:
        call    start_one_shot
        xor     ebp, ebp
.sample:
        mov     dword [entered], 0
        sti
.wait:
        rdtsc
        cmp     dword [entered], 0
        jne     .resumed
        mov     ecx, eax                ; the last time before the interrupt
        jmp     .wait
.resumed:
        cli
        mov     [resumed], eax
        mov     eax, [edi]
        sub     eax, ecx
        mov     [samples + ebp * 4], eax
        inc     ebp
        cmp     ebp, SAMPLES
        jb      .sample
        jmp     median

start_one_shot:
        mov     al, ONE_SHOT & 0xFF
        out     0x40, al
        mov     al, ONE_SHOT >> 8
        out     0x40, al
        ret

handle_tick:
        push    eax
        push    edx
        rdtsc
        mov     [entered], eax
        mov     al, 0x60                ; the end of interrupt 0
        out     0x20, al
        call    start_one_shot
        pop     edx
        pop     eax
        iretd

operations:
        dd      operation_cpuid_0, name_cpuid_0
        dd      operation_cpuid_1, name_cpuid_1
        dd      operation_cpuid_40000000, name_cpuid_40000000
        dd      operation_rdmsr, name_rdmsr
        dd      operation_wrmsr, name_wrmsr
        dd      operation_vmcall, name_vmcall
        dd      operation_out_nobody, name_out_nobody
        dd      operation_in_nobody, name_in_nobody
        dd      operation_in_pic, name_in_pic
        dd      operation_out_pic, name_out_pic
        dd      operation_in_pit, name_in_pit
        dd      operation_out_pit, name_out_pit
        dd      operation_in_uart, name_in_uart
        dd      operation_mov_cr0, name_mov_cr0
        dd      operation_outsb_nobody, name_outsb_nobody
        dd      operation_insb_nobody, name_insb_nobody
        dd      operation_out_pit_mode, name_out_pit_mode
        dd      operation_out_pit_low, name_out_pit_low
        dd      operation_in_pit_2, name_in_pit_2
        dd      operation_start_timer, name_start_timer
        dd      operation_cpuid_0, name_cpuid_0_timer
        dd      operation_vmcall, name_vmcall_timer
        dd      operation_in_pit, name_in_pit_timer
        dd      operation_out_pit_start, name_out_pit_start
        dd      operation_out_uart, name_out_uart
        dd      0, 0
results_of_ticks:                       ; the trace is of a whole one
result_tick:     dd     0, name_tick
result_delivery: dd     0, name_delivery
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
        dw      (TIMER + 1) * 8 - 1
        dd      idt

        hypercall_table
        bench_data
name_cpuid_0:           db "cpuid-0 ", 0
name_cpuid_1:           db "cpuid-1 ", 0
name_cpuid_40000000:    db "cpuid-40000000 ", 0
name_rdmsr:             db "rdmsr-apic-base ", 0
name_wrmsr:             db "wrmsr-mperf ", 0
name_vmcall:            db "vmcall-nothing ", 0
name_out_nobody:        db "out-nobody ", 0
name_in_nobody:         db "in-nobody ", 0
name_in_pic:            db "in-pic ", 0
name_out_pic:           db "out-pic ", 0
name_in_pit:            db "in-pit ", 0
name_out_pit:           db "out-pit ", 0
name_start_timer:       db "start-timer ", 0
name_cpuid_0_timer:     db "cpuid-0-timer ", 0
name_vmcall_timer:      db "vmcall-timer ", 0
name_in_pit_timer:      db "in-pit-timer ", 0
name_out_pit_mode:      db "out-pit-mode ", 0
name_out_pit_low:       db "out-pit-low ", 0
name_in_pit_2:          db "in-pit-2 ", 0
name_out_pit_start:     db "out-pit-start ", 0
name_out_uart:          db "out-uart ", 0
name_in_uart:           db "in-uart ", 0
name_mov_cr0:           db "mov-cr0-ne ", 0
name_outsb_nobody:      db "outsb-nobody-1000 ", 0
name_insb_nobody:       db "insb-nobody-1000 ", 0
name_delivery:          db "tick-delivery ", 0
name_tick:              db "tick ", 0

        align   16
entered:                dd 0
resumed:                dd 0
idt:                    times TIMER + 1 dq 0
stack:                  times 1024 db 0
stack_top:
                        times 1000 db 0
