; smp.asm: four CPUs of a guest: their start, time-stamp counters, interrupts between them, and the ends that any can cause.
;
; A Multiboot kernel in 32-bit protected mode for four vCPUs with the APIC IDs 0 to 3. Its command line is "EMULATOR MODE":
; mode tN runs all tests with N rounds of interrupts on each CPU; p compares clocks, and b computes and counts ticks, until a
; byte arrives; each other one ends the guest by another CPU than the first: l loops with
; interrupts off, f triple fault, c port 0xCF9, k port 0x64, o power-off. Prints "ok: NAME" or "FAIL: NAME" for each test.

        bits    32
        org     0x100000

CPUS    equ     4
CODE    equ     0x08
CODE_32 equ     CODE
CODE_64 equ     CODE
DATA    equ     0x10
TIMER   equ     0xE0                    ; the vector of each CPU's timer
WAKE    equ     0xE1                    ; a vector that only ends HLT
KINDS   equ     8                       ; of interrupts
FIRST   equ     0x40                    ; FIRST + KINDS * SENDER + KIND: their vectors
PERIOD  equ     1000000                 ; ticks of the timer, 1 GHz
PM_TIMER equ    0x608
NEW_PAGES equ   0x200000                ; of 2 MiB, which nothing else uses; in mode t
NEW_PAGES_END equ 0x1000000

%include "multiboot_header.inc"
%include "hypercall.inc"
%include "emulator.inc"
%include "smp.inc"

entry:
        choose_hypercall
        find_emulator
        mov     esp, stacks + 4096
        lgdt    [gdt_register]
        jmp     CODE:.flat
.flat:
        mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax
        mov     esi, [ebx + 16]
        push    esi
        call    build_idt
        lidt    [idt_register]
        mov     dword [patience], 1 << 22
        skip_in_tcg .patient
        jmp     .known
.patient:
        shl     dword [patience], 5
.known:
        mov     dword [ap_entry], work
        call    init_cpu
        mov     al, 0xFF                ; no interrupts of the 8259
        out     0x21, al
        out     0xA1, al
        pop     esi
.word:                                  ; the mode follows a blank
        lodsb
        cmp     al, " "
        jne     .word
        lodsb
        mov     [mode], al
        call    read_number
        mov     [rounds], eax
        sti
        mov     al, [mode]
        cmp     al, "t"
        je      test_all
        cmp     al, "p"
        je      test_pause
        cmp     al, "b"
        je      test_neighbour
        jmp     end_by_another

; Returns the number at ESI in EAX.
read_number:
        xor     eax, eax
.digit:
        movzx   ecx, byte [esi]
        sub     ecx, "0"
        cmp     ecx, 9
        ja      .done
        imul    eax, eax, 10
        add     eax, ecx
        inc     esi
        jmp     .digit
.done:
        ret

; ---- All tests

test_all:
        mov     dword [expected_cr0], 0x60000010
        mov     esi, 1
.start:
        call    start_cpu
        call    compare_state
        check   "a CPU's state after INIT and SIPI"
        inc     esi
        cmp     esi, CPUS
        jb      .start
        mov     dword [job], check_topology
        call    run_on_all
        cmp     dword [errors], 0
        check   "APIC IDs and topology"
        mov     dword [job], exchange_time
        call    run_on_all
        cmp     dword [errors], 0
        check   "no CPU's time is behind another's"
        mov     dword [job], execute_new_pages
        call    run_on_all
        cmp     dword [errors], 0
        check   "code that another CPU has written, in new pages"

        call    exchange_interrupts
        check   "xAPIC: each interrupt arrives once"
        mov     edi, 1000
        call    restart_cpus
        check   "each of 1000 INITs restarts a CPU in its state after INIT"
        call    storm_running
        check   "a startup IPI does not disturb a CPU that runs"
        call    halts_well
        jnz     .halted
        call    storm_halted
        check   "a startup IPI does not wake a CPU"
        call    park
        check   "only an NMI wakes a CPU that halts with interrupts off"
.halted:

        mov     byte [is_x2apic], 1
        mov     dword [job], switch_to_x2apic
        call    run_on_all
        call    exchange_interrupts
        check   "x2APIC: each interrupt arrives once"
        mov     edi, 100
        call    restart_cpus
        check   "INIT restarts a CPU in x2APIC mode"
        mov     esi, text_done
        call    print
        mov     dword [job], halt_forever
        call    halts_well
        jnz     .end
        inc     dword [posted]
        jmp     halt_forever
.end:
        mov     eax, 2
        xor     ebx, ebx
        hypercall

; Sets ZF unless this is VT-x in Bochs, where a host interrupt ends HLT, and nothing ends it with interrupts off.
halts_well:
        cmp     dword [is_tcg], 1
        je      .yes
        cmp     dword [is_amd], 1
.yes:
        ret

halt_forever:
        cli
        hlt
        jmp     halt_forever

; Waits for a job with the CPU's number in EBX, and does it. A CPU that has been restarted waits for the next.
work:
        mov     eax, [posted]
        mov     [taken + ebx * 4], eax
        mov     eax, [ticks + ebx * 4]  ; INIT has stopped the timer
        mov     [starts + ebx * 4], eax
        cmp     byte [stays], 0
        jne     stay
        sti
.wait:
        pause
        mov     eax, [posted]
        cmp     [taken + ebx * 4], eax
        je      .wait
        mov     [taken + ebx * 4], eax
        call    [job]
        lock inc dword [finished]
        jmp     .wait

; Runs [job] on all CPUs, with the number in EBX, which it preserves.
run_on_all:
        call    post_job
        xor     ebx, ebx
        call    [job]
await_others:
        await   e, "the others' work", cmp dword [finished], CPUS - 1
        ret
post_job:
        mov     dword [errors], 0
        mov     dword [finished], 0
        inc     dword [posted]
        ret

; Sets ZF if the stored state is that after INIT, with [expected_cr0]; otherwise prints the first difference.
compare_state:
        pushad
        mov     eax, 1
        cpuid
        mov     [after_init + STATE_EDX * 4], eax
        mov     eax, [expected_cr0]
        mov     [after_init + STATE_CR0 * 4], eax
        mov     esi, STATE
        mov     edi, after_init
        mov     ecx, STATE_WORDS
        repe cmpsd
        je      .done
        pushfd
        mov     eax, STATE_WORDS - 1
        sub     eax, ecx
        mov     ebx, [esi - 4]
        mov     esi, text_word
        call    print
        call    print_number
        mov     esi, text_is
        call    print
        mov     eax, ebx
        call    print_number
        mov     al, 10
        call    put
        popfd
.done:
        popad
        ret

check_topology:
        push    ebx
        mov     esi, ebx
        mov     eax, [APIC + ID]
        shr     eax, 24
        cmp     eax, esi
        jne     .wrong
        mov     ecx, 0x1B
        rdmsr
        bt      eax, 8                  ; the bootstrap processor
        setc    al
        test    esi, esi
        setz    dl
        cmp     al, dl
        jne     .wrong
        mov     eax, 1
        cpuid
        shr     ebx, 16
        cmp     bl, CPUS                ; logical processors in the package
        jne     .wrong
        cmp     bh, byte [esp]
        jne     .wrong
        mov     eax, 0xB
        mov     ecx, 1
        cpuid
        cmp     edx, esi
        jne     .wrong
        cmp     ebx, CPUS
        je      .right
.wrong:
        lock inc dword [errors]
.right:
        pop     ebx
        ret

; Compares the time-stamp counter with that of the last CPU that did, under a lock.
exchange_time:
        mov     ecx, 20000
.next:
        call    compare_time
        loop    .next
        ret

; Counts an error if another CPU has read a later time. Changes EAX and EDX.
compare_time:
        mov     al, 1
        xchg    [time_lock], al
        test    al, al
        pause
        jnz     compare_time
        lfence
        rdtsc
        cmp     edx, [newest_time + 4]
        ja      .later
        jb      .earlier
        cmp     eax, [newest_time]
        jae     .later
.earlier:
        lock inc dword [errors]
.later:
        mov     [newest_time], eax
        mov     [newest_time + 4], edx
        mov     byte [time_lock], 0
        ret

; Executes, in each page of 2 MiB, what the next CPU has written there, at the same time as the others. Hymir may split the
; page then, which is in the TLBs of all.
execute_new_pages:
        mov     esi, NEW_PAGES
        xor     edi, edi
.next:
        mov     eax, ebx
        shl     eax, 12
        add     eax, esi
        mov     byte [eax], 0xB8        ; MOV EAX, address
        mov     [eax + 1], eax
        mov     byte [eax + 5], 0xC3    ; RET
        call    .meet
        lea     edx, [ebx + 1]
        and     edx, CPUS - 1
        shl     edx, 12
        add     edx, esi
        pushad
        cpuid                           ; serializes
        popad
        call    edx
        cmp     eax, edx
        je      .is_right
        lock inc dword [errors]
.is_right:
        call    .meet
        add     esi, 0x200000
        cmp     esi, NEW_PAGES_END
        jb      .next
        ret
.meet:
        add     edi, CPUS
        lock inc dword [arrived]
        await   ae, "the others at a new page", cmp [arrived], edi
        ret

; ---- Interrupts between all CPUs, while their timers interrupt too

; Sets ZF if none was lost or doubled. Each sender waits for the receivers' counts before its next interrupt of a kind.
exchange_interrupts:
        mov     dword [delivered], 0
        mov     dword [ticks_of_all], 0
        mov     dword [job], send_all_kinds
        call    run_on_all
        mov     esi, text_interrupts
        call    print
        mov     eax, [delivered]
        call    print_number
        mov     esi, text_ticks
        call    print
        mov     eax, [ticks_of_all]
        call    print_number
        mov     al, 10
        call    put
        cmp     dword [errors], 0
        ret

send_all_kinds:
        mov     edi, [ticks + ebx * 4]
        push    edi
        call    start_timer
        xor     edi, edi
.next:
        cmp     edi, [rounds]
        jae     .sent
        mov     esi, edi
        and     esi, KINDS - 1
        call    send_kind
        inc     edi
        jmp     .next
.sent:
        call    stop_timer
        pop     edi
        mov     eax, [ticks + ebx * 4]
        sub     eax, edi
        lock add [ticks_of_all], eax
        ret

; Sends an interrupt of the kind in ESI from the CPU in EBX, and waits until each receiver has counted one more.
send_kind:
        mov     ecx, ebx
        add     ecx, [kinds + esi * 8 + 4] ; the receiver is relative to the sender
        and     ecx, CPUS - 1
        mov     eax, [kinds + esi * 8]
        lea     edx, [FIRST + ebx * KINDS]
        add     edx, esi
        mov     ebp, edx                ; the vector
        cmp     eax, ICR_NMI
        je      .nmi
        or      eax, edx
.nmi:
        test    eax, 1 << 11
        jnz     .logical
        mov     edx, ecx
        jmp     .send
.logical:
        mov     edx, 0xF                ; lowest priority: any
        test    eax, 1 << 8
        jnz     .send
        mov     edx, 1010b              ; the next CPU, and the one after the next but one
        rol     dl, cl
        mov     dh, dl
        shr     dh, 4
        or      dl, dh
        and     edx, 0xF
.send:
        call    send
        jmp     [waits + esi * 4]

; ECX: the receiver.
wait_for_nmi:
        mov     eax, [nmi_expected + ecx * 4]
        inc     eax
        mov     [nmi_expected + ecx * 4], eax
        await   e, "an NMI", cmp [nmis + ecx * 4], eax
        lock inc dword [delivered]
        ret
; EDX: the receivers.
wait_for_set:
        xor     ecx, ecx
.next:
        bt      edx, ecx
        jnc     .over
        call    wait_for_count
.over:
        inc     ecx
        cmp     ecx, CPUS
        jb      .next
        ret
wait_for_others:
        mov     edx, ~1
        mov     ecx, ebx
        rol     edx, cl
        jmp     wait_for_set
wait_for_all:
        mov     edx, 0xF
        jmp     wait_for_set
wait_for_any:
        mov     eax, [any_expected + ebx * 4]
        inc     eax
        mov     [any_expected + ebx * 4], eax
        mov     esi, ebp
        await   e, "a lowest-priority interrupt", call compare_sum
        lock inc dword [delivered]
        ret
; Compares EAX with how often all CPUs have counted vector ESI.
compare_sum:
        mov     edx, [counts + esi * 4]
%assign i 1
%rep CPUS - 1
        add     edx, [counts + i * 1024 + esi * 4]
%assign i i + 1
%endrep
        cmp     edx, eax
        ret

; Waits until CPU ECX has counted one more of vector EBP. Changes EAX.
wait_for_count:
        push    esi
        mov     dword [after_timeout], show_count
        mov     esi, ecx
        shl     esi, 10
        lea     esi, [esi + ebp * 4]
        mov     eax, [expected + esi]
        inc     eax
        mov     [expected + esi], eax
        await   e, "an interrupt", cmp [counts + esi], eax
        pop     esi
        lock inc dword [delivered]
        ret

; EAX is the place in counts of an interrupt that was lost or doubled: shows how often it was counted.
show_count:
        mov     ecx, eax
        mov     esi, text_counted
        call    print
        mov     eax, [counts + ecx]
        call    print_number
        jmp     end_failed

; Starts a one-shot timer, which its handler starts again, so that each start has one interrupt.
start_timer:
        mov     eax, TIMER
        mov     ecx, LVT_TIMER
        call    write_apic
        mov     byte [timer_runs + ebx], 1
rearm_timer:
        inc     dword [starts + ebx * 4]
        mov     eax, PERIOD
        mov     ecx, INITIAL
        jmp     write_apic

stop_timer:
        mov     byte [timer_runs + ebx], 0
        mov     eax, [starts + ebx * 4]
        await   e, "the last tick", call compare_ticks
        ret
compare_ticks:
        mov     eax, [starts + ebx * 4]
        cmp     [ticks + ebx * 4], eax
        ret

; All interrupts and exceptions.
handler:
        pushad
        mov     ebp, [esp + 32]
        cpu_number ebx
        cmp     ebp, 32
        jb      .exception
        cmp     ebp, 0xFF
        je      unexpected              ; spurious: nothing that is pending can vanish
        cmp     ebp, TIMER
        je      .timer
        mov     esi, ebx
        shl     esi, 10
        inc     dword [counts + esi + ebp * 4]
.end:
        call    end_interrupt
.return:
        popad
        add     esp, 8
        iretd
.timer:
        inc     dword [ticks + ebx * 4]
        cmp     byte [timer_runs + ebx], 0
        je      .end
        call    rearm_timer
        jmp     .end
.exception:
        cmp     ebp, 2
        jne     unexpected
        mov     al, [nmi_stays]
        inc     dword [nmis + ebx * 4]
        test    al, al
        jz      .return
        sti
        jmp     $

; ---- INIT at CPUs that run

; Restarts the others EDI times, each time in another of the states of stay. Sets ZF if each had its state after INIT, in
; which CR0.CD and CR0.NW keep their values.
restart_cpus:
        mov     dword [expected_cr0], 0x10
        mov     byte [stays], 1
        mov     dword [errors], 0
.next:
        call    set_state
        mov     eax, edi
        xor     edx, edx
        mov     ecx, CPUS - 1
        div     ecx
        lea     esi, [edx + 1]
        call    start_cpu
        cmp     dword [errors], 0
        jne     .over
        call    compare_state
        je      .over
        inc     dword [errors]
.over:
        await   e, "a CPU's state", cmp [state_of + esi * 4], edi
        cmp     byte [wanted_state], 4
        jne     .no_nmi
        call    nest_nmi
.no_nmi:
        dec     edi
        jnz     .next
        mov     byte [stays], 0
        call    start_others
        cmp     dword [errors], 0
        ret

start_others:
        mov     esi, 1
.next:
        call    start_cpu
        inc     esi
        cmp     esi, CPUS
        jb      .next
        ret

; Selects the state by EDI. In Bochs, nothing interrupts a guest that spins with interrupts off.
set_state:
        mov     eax, edi
        xor     edx, edx
        mov     ecx, 5
        div     ecx
        skip_in_tcg .set
        cmp     edx, 3
        je      .other
        cmp     edx, 2
        jne     .set
        call    halts_well
        je      .set
.other:
        mov     edx, 1
.set:
        mov     [wanted_state], dl
        mov     [state_number], edi
        ret

; An NMI whose handler does not end: INIT ends the blocking of NMIs, so that CPU ESI takes another one afterwards.
nest_nmi:
        mov     byte [nmi_stays], 1
        call    .send
        mov     byte [nmi_stays], 0
        call    start_cpu
        await   e, "a CPU's state again", cmp [state_of + esi * 4], edi
.send:
        mov     ecx, esi
        mov     edx, esi
        mov     eax, ICR_NMI
        call    send
        jmp     wait_for_nmi

; On another CPU, with its number in EBX: stays in the wanted state.
stay:
        call    start_timer
        mov     eax, [state_number]
        mov     cl, [wanted_state]
        sti
        mov     [state_of + ebx * 4], eax
        cmp     cl, 1
        je      .halt
        cmp     cl, 2
        je      halt_forever
        cmp     cl, 3
        jne     $
        cli
        jmp     $
.halt:
        hlt
        jmp     .halt

; ---- Startup IPIs at CPUs that run or halt

storm_running:
        mov     byte [stop], 0
        mov     dword [job], compute
        call    post_job
        call    send_storm
        mov     byte [stop], 1
        call    await_others
        cmp     dword [errors], 0
        ret

; Sends startup IPIs, and counts a CPU that starts as an error.
send_storm:
%assign i 1
%rep CPUS - 1
        push    dword [alive + i * 4]
%assign i i + 1
%endrep
        mov     ecx, 3000
.next:
        mov     eax, BUT_SELF | ICR_STARTUP | TRAMPOLINE >> 12
        xor     edx, edx
        call    send
        loop    .next
%assign i CPUS - 1
%rep CPUS - 1
        pop     eax
        sub     eax, [alive + i * 4]
        neg     eax
        add     [errors], eax
%assign i i - 1
%endrep
        ret

; Computes with all general registers until [stop] is set, and checks the result.
compute:
        mov     eax, 1
        mov     ecx, 1000
        mov     edx, eax
.next:
        imul    eax, eax, 0x9E3779B1
        rol     eax, 7
        loop    .next
        cmp     dword [computed + ebx * 4], 0
        je      .first
        cmp     [computed + ebx * 4], eax
        je      .same
        lock inc dword [errors]
.first:
        mov     [computed + ebx * 4], eax
.same:
        cmp     byte [stop], 0
        je      compute
        ret

storm_halted:
        mov     dword [job], halt_once
        mov     dword [halted], 0
        call    post_job
        await   e, "CPUs that halt", cmp dword [halted], CPUS - 1
        mov     ecx, 100000
        loop    $
        call    send_storm
        mov     eax, [finished]
        add     [errors], eax
        mov     eax, BUT_SELF | 0x4000 | WAKE
        call    send
        call    await_others
        cmp     dword [errors], 0
        ret

halt_once:
        cli
        lock inc dword [halted]
        sti
        hlt
        ret

; Each other CPU halts with interrupts off. A fixed interrupt does not wake it, and is delivered after an NMI does.
park:
        mov     dword [job], park_once
        mov     dword [halted], 0
        call    post_job
        await   e, "CPUs that park", cmp dword [halted], CPUS - 1
        mov     eax, BUT_SELF | 0x4000 | WAKE
        call    send
        mov     ecx, 100000
        loop    $
        mov     eax, [finished]
        add     [errors], eax
        mov     ecx, 1
.next:
        mov     edx, ecx
        mov     eax, ICR_NMI
        call    send
        call    wait_for_nmi
        inc     ecx
        cmp     ecx, CPUS
        jb      .next
        call    await_others
        cmp     dword [errors], 0
        ret

park_once:
        mov     esi, ebx
        shl     esi, 10
        mov     eax, [counts + esi + WAKE * 4]
        cli
        lock inc dword [halted]
        hlt
        cmp     eax, [counts + esi + WAKE * 4]
        je      .accept
        lock inc dword [errors]
.accept:
        sti
        nop
        inc     eax
        await   e, "an interrupt after HLT", cmp [counts + esi + WAKE * 4], eax
        ret

switch_to_x2apic:
        mov     ecx, 0x1B
        rdmsr
        or      eax, 3 << 10
        wrmsr
        jmp     enable_apic

; ---- A pause by the console, and a neighbour that reboots

; The console pauses the guest: all clocks must agree afterwards.
test_pause:
        xor     ebx, ebx                ; the rate before the pause
        mov     edi, readings
        call    read_clocks
        mov     edx, PM_TIMER
.measure:
        in      eax, dx
        sub     eax, [readings]
        cmp     eax, 3579545 / 20
        jb      .measure
        mov     edi, readings_after
        call    read_clocks
        call    relate_clocks
        mov     [tsc_rate], eax
        call    start_others
        mov     esi, text_running
        call    print
        mov     dword [job], follow_time
        call    post_job
        xor     ebx, ebx
        call    follow_time
        call    await_others
        cmp     dword [errors], 0
        check   "no CPU's time is behind another's"
%assign i 0
%rep CPUS
        mov     ebx, i
        call    compare_clocks
        check   "a CPU's TSC agrees with the PM timer"
        mov     ebx, i
        call    compare_timer
        check   "a CPU's timer agrees with the PM timer"
%assign i i + 1
%endrep
        mov     esi, text_done
        call    print
        mov     eax, 2
        xor     ebx, ebx
        hypercall

; Compares times on the CPU in EBX; the first ends that when a byte arrives.
follow_time:
        lea     edi, [readings + ebx * 8]
        call    read_clocks
        call    start_timer
.next:
        call    compare_time
        mov     ecx, 1000
        loop    $
        call    look_for_byte
        jz      .next
        call    stop_timer
        lea     edi, [readings_after + ebx * 8]
        jmp     read_clocks

; Reads the PM timer and the TSC >> 8 at about the same time, to EDI: the closest of many attempts.
read_clocks:
        push    ebx
        mov     ebp, -1
        mov     ebx, 200
.next:
        rdtsc
        push    eax
        shrd    eax, edx, 8
        mov     esi, eax
        mov     edx, PM_TIMER
        in      eax, dx
        mov     ecx, eax
        rdtsc
        pop     edx
        sub     eax, edx
        cmp     eax, ebp
        jae     .worse
        mov     ebp, eax
        mov     [edi], ecx
        mov     [edi + 4], esi
.worse:
        dec     ebx
        jnz     .next
        pop     ebx
        ret

; Sets ZF if the TSC of the CPU in EBX has advanced by [tsc_rate] relative to the PM timer, within 1/128.
compare_clocks:
        call    relate_clocks
        mov     esi, [tsc_rate]
        sub     eax, esi
        jns     .positive
        neg     eax
.positive:
        shr     esi, 7
        cmp     eax, esi
        setbe   al
        cmp     al, 1
        ret

; Returns the ticks of the TSC in one of the PM timer on the CPU in EBX, times 4096, in EAX.
relate_clocks:
        mov     eax, [readings_after + ebx * 8 + 4]
        sub     eax, [readings + ebx * 8 + 4]
        mov     edx, eax
        shr     edx, 12
        shl     eax, 20
        mov     ecx, [readings_after + ebx * 8]
        sub     ecx, [readings + ebx * 8]
        div     ecx
        ret

; Sets ZF if the ticks of the CPU in EBX are no more than the PM timer permits: PERIOD is 3580 of its ticks.
compare_timer:
        mov     eax, [readings_after + ebx * 8]
        sub     eax, [readings + ebx * 8]
        xor     edx, edx
        mov     ecx, 3579
        div     ecx
        mov     ecx, [ticks + ebx * 4]
        cmp     ecx, 1
        jb      .wrong
        cmp     ecx, eax
        setbe   al
        cmp     al, 1
.wrong:
        ret

; All CPUs compute and count their ticks, beside a guest that reboots, until a byte arrives.
test_neighbour:
        call    start_others
        mov     esi, text_running
        call    print
        mov     dword [job], count_ticks
        call    run_on_all
        cmp     dword [errors], 0
        check   "no tick is lost, and no result is wrong"
        mov     eax, 2
        mov     ebx, [errors]
        hypercall

count_ticks:
        call    start_timer
        mov     byte [stop], 1          ; compute returns each time
.next:
        call    compute
        call    look_for_byte
        jz      .next
        cmp     dword [ticks + ebx * 4], 1
        jb      .next
        jmp     stop_timer

; Clears ZF once the first CPU, number 0 in EBX, has found a byte on COM1. Changes AL and EDX.
look_for_byte:
        test    ebx, ebx
        jnz     .other
        mov     edx, COM1 + 5
        in      al, dx
        and     al, 1
        or      [has_byte], al
.other:
        cmp     byte [has_byte], 0
        ret

; ---- Ends by another CPU than the first

end_by_another:
        mov     esi, 1
        mov     dword [ap_entry], end_as_told
        call    start_cpu
        mov     esi, 2                  ; the third waits for its start
        mov     dword [ap_entry], halt_or_sleep
        call    start_cpu
        mov     esi, text_looping
        call    print
        mov     byte [stop], 1
.loop:
        skip_in_tcg .off
        jmp     $
.off:
        cli
        jmp     $

halt_or_sleep:
        call    halts_well
        je      halt_forever
        sti
        jmp     stay.halt

end_as_told:
        mov     ecx, [patience]
.wait:
        pause
        cmp     byte [stop], 0
        je      .wait
        mov     al, [mode]
        cmp     al, "f"
        je      .fault
        cmp     al, "c"
        je      .reset
        cmp     al, "k"
        je      .keyboard
        cmp     al, "o"
        je      .off
        sti
        jmp     end_by_another.loop
.fault:
        lidt    [no_idt]
        ud2
.reset:
        mov     edx, 0xCF9
        mov     al, 6
        out     dx, al
        jmp     $
.keyboard:
        mov     al, 0xFE
        out     0x64, al
        jmp     $
.off:
        mov     edx, 0x604
        mov     ax, 0x2000              ; SLP_EN, S5
        out     dx, ax
        jmp     $

%assign VECTORS 256
%include "exceptions.inc"
handler_64:
        bits    32

        hypercall_table
        emulator_data
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
no_idt: dw      0
        dd      0

; For each kind: the command, and the receiver relative to the sender.
        align   4
kinds:  dd      0x4000, 1, 0x4000, 2, 0x44000, 0, 0xC4000, 0
        dd      0x4800, 0, 0x4900, 0, ICR_NMI, 3, 0x84000, 0
waits:  dd      wait_for_count, wait_for_count, wait_for_count, wait_for_others
        dd      wait_for_set, wait_for_any, wait_for_nmi, wait_for_all

text_counted:   db ", counted: ", 0
text_done:      db "all tests done", 10, 0
text_running:   db "running", 10, 0
text_looping:   db "looping", 10, 0
text_interrupts: db "interrupts: ", 0
text_ticks:     db ", ticks: ", 0
text_word:      db "state word ", 0
text_is:        db " is ", 0

; SDM 3A, "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT", in the order of state.
        align   4
after_init:
        times 8 dd 0
        dd      2                       ; EFLAGS
        times 4 dd 0                    ; CR0, CR2, CR3, CR4
        dd      0xFFFF0FF0, 0x400       ; DR6, DR7
        dw      0xFFFF, 0, 0, 0, 0xFFFF, 0, 0, 0
        dw      TRAMPOLINE >> 4, 0, 0, 0, 0, 0
        dw      STATE_IP, 0

rounds:         dd 0
expected_cr0:   dd 0
job:            dd 0
posted:         dd 0
finished:       dd 0
errors:         dd 0
delivered:      dd 0
ticks_of_all:   dd 0
halted:         dd 0
state_number:   dd 0
tsc_rate:       dd 0
newest_time:    dq 0
mode:           db 0
stays:          db 0
stop:           db 0
has_byte:       db 0
nmi_stays:      db 0
time_lock:      db 0
wanted_state:   db 0
timer_runs:     times CPUS db 0
arrived:        dd 0
        align   4
taken:          times CPUS dd 0
starts:         times CPUS dd 0
ticks:          times CPUS dd 0
nmis:           times CPUS dd 0
nmi_expected:   times CPUS dd 0
any_expected:   times CPUS dd 0
state_of:       times CPUS dd 0
computed:       times CPUS dd 0
readings:       times CPUS dq 0         ; the PM timer, the TSC >> 8
readings_after: times CPUS dq 0
        align   16
idt:            times VECTORS dq 0
idt_64:         times VECTORS dq 0, 0
counts:         times CPUS * 256 dd 0
expected:       times CPUS * 256 dd 0
        align   4096
stacks:         times CPUS * 4096 db 0
