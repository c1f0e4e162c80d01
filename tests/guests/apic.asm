; apic.asm: the local APIC in xAPIC and in x2APIC mode, with the I/O APIC.
;
; A Multiboot kernel that runs its tests in 64-bit mode, first in xAPIC mode, then in x2APIC mode, and last changes
; IA32_APIC_BASE. Prints "ok: MODE: NAME" or "FAIL: MODE: NAME", and "exits: MODE: NAME: N", how many exits one access
; causes. SDM 3A, "Advanced Programmable Interrupt Controller (APIC)".

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
LOCAL_APIC equ  0xFEE00000
IO_APIC equ     0xFEC00000
COM1_IRQ equ    4
TIMER_IRQ equ   2                       ; of the 8254, at the I/O APIC
HYPERCALL_EXITS equ 4
NOTHING equ     0xFFFFFFFF
ACCESSES equ    1000                    ; of which exits are counted

ID      equ     0x20                    ; registers of the local APIC
VERSION equ     0x30
TPR     equ     0x80
PPR     equ     0xA0
EOI     equ     0xB0
LDR     equ     0xD0
SVR     equ     0xF0
ISR     equ     0x100
TMR     equ     0x180
IRR     equ     0x200
ESR     equ     0x280
ICR     equ     0x300
LVT_TIMER equ   0x320
LVT_THERMAL equ 0x330
LVT_ERROR equ   0x370
INITIAL equ     0x380
CURRENT equ     0x390
DIVIDE  equ     0x3E0
SELF_IPI equ    0x3F0
MASKED  equ     1 << 16
SELF    equ     1 << 18 | 1 << 14       ; an ICR: fixed, to itself

%include "multiboot_header.inc"
%include "hypercall.inc"

entry:
        choose_hypercall
        mov     esp, stack_top
        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        call    build_pages
        mov     eax, pml4
        mov     cr3, eax
        mov     eax, cr4
        or      eax, 1 << 5             ; PAE
        mov     cr4, eax
        mov     ecx, 0xC0000080         ; EFER.LME
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31 | 1 << 16  ; PG and WP
        mov     cr0, eax
        jmp     CODE_64:start

; Maps the first 4 GiB to themselves.
build_pages:
        mov     dword [pml4], pdpt + 3
        mov     dword [pdpt], directories + 3
        mov     dword [pdpt + 8], directories + 0x1003
        mov     dword [pdpt + 16], directories + 0x2003
        mov     dword [pdpt + 24], directories + 0x3003
        mov     edi, directories
        mov     eax, 0x83
        mov     ecx, 2048
.next:
        mov     [edi], eax
        add     eax, 1 << 21
        add     edi, 8
        loop    .next
        ret

        bits    64

; ---- Macros

; check NAME: prints "ok" if ZF is set, otherwise "FAIL".
%macro  check 1
        mov     esi, text_ok
        mov     edi, text_fail
        cmovne  esi, edi
        mov     edi, %%name
        call    report
        jmp     %%over
%%name: db      %1, 0
%%over:
%endmacro

; is REGISTER, VALUE, NAME: checks that a register of the local APIC has a value.
%macro  is 3
        read    %1
        cmp     eax, %2
        check   %3
%endmacro

%macro  read 1                          ; EAX = a register
        mov     ecx, %1
        call    apic_read
%endmacro

%macro  write 2                         ; a register, a value
        mov     ecx, %1
        mov     eax, %2
        call    apic_write
%endmacro

; delivered NAME, VECTOR...: checks which interrupts have been handled since the last time, in their order.
%macro  delivered 1-*
%assign %%count %0 - 1
        jmp     %%over
%%vectors:
%rep %0 - 1
%rotate 1
        db      %1
%endrep
%rotate 1
%%over: mov     esi, %%vectors
        mov     ecx, %%count
        call    compare_log
        check   %1
%endmacro

; sleep COUNT: halts until that many interrupts have been handled. Bochs also wakes for an interrupt of the host.
%macro  sleep 1
%%next: sti
        hlt
        cli
        cmp     dword [log_count], %1
        jb      %%next
%endmacro

; raises VECTOR, NAME, INSTRUCTION: checks which exception an instruction raises, or NOTHING.
%macro  raises 3+
        mov     dword [resume], %%resume
        mov     dword [exception], NOTHING
        %3
%%resume:
        cmp     dword [exception], %1
        check   %2
%endmacro

; exits NAME, INSTRUCTION...: prints how many exits ACCESSES executions cause, divided by that and rounded.
%macro  exits 2-*
        call    sum_exits
        mov     r12, rax
        call    sum_exits
        mov     r13, rax
        mov     r15d, ACCESSES
%%next:
%rep %0 - 1
%rotate 1
        %1
%endrep
%rotate 1
        dec     r15d
        jnz     %%next
        call    sum_exits
        mov     edi, %%name
        call    report_exits
        jmp     %%over
%%name: db      %1, 0
%%over:
%endmacro

; ---- The tests

start:
        mov     rsp, stack_top
        call    build_idt
        lidt    [idt_register]
        mov     al, 0xFF                ; the 8259As are not used
        out     0x21, al
        out     0xA1, al
        mov     dword [mode], text_xapic
        call    test_mode
        call    test_xapic
        call    test_base
        mov     dword [mode], text_x2apic
        mov     byte [is_x2apic], 1
        call    test_mode
        call    test_x2apic
        call    test_end
        mov     esi, text_done
        call    print
        cli
        hlt

; What is the same in both modes, but for the access to registers.
test_mode:
        write   SVR, 0x1FF
        write   TPR, 0
        is      VERSION, 0x50014, "the version"
        is      SVR, 0x1FF, "SVR is as written"

; ---- Interrupts to itself

        sti
        write   ICR, SELF | 0x41
        nop
        cli
        delivered "an interrupt to itself", 0x41
        mov     eax, [in_service]
        cmp     eax, 1 << 1
        check   "its handler finds it in ISR"
        mov     eax, [priority]
        cmp     eax, 0x40
        check   "its handler finds its class in PPR"
        is      ISR + 0x20, 0, "EOI ends it"
        is      PPR, 0, "EOI lowers PPR"
        write   ICR, SELF | 0x41
        is      IRR + 0x20, 1 << 1, "with IF clear it waits in IRR"
        delivered "with IF clear none is delivered"
        sti
        nop
        cli
        delivered "STI lets it pass", 0x41
        is      IRR + 0x20, 0, "IRR is clear then"

        write   ICR, SELF | 0x51
        write   ICR, SELF | 0x71
        write   ICR, SELF | 0x61
        sti
        nop
        cli
        delivered "higher vectors come first", 0x71, 0x61, 0x51
        mov     byte [nests], 1
        write   ICR, SELF | 0x43        ; whose handler sends 45H and 81H with IF set
        sti
        nop
        cli
        mov     byte [nests], 0
        delivered "a higher class interrupts a handler, its own does not", 0x43, 0x81, 0x45
        write   ICR, SELF | 0x55
        sti
        hlt
        cli
        delivered "HLT does not wait for an interrupt that is pending", 0x55

; ---- TPR and CR8

        write   TPR, 0x67
        is      TPR, 0x67, "TPR is as written"
        is      PPR, 0x67, "PPR follows TPR"
        mov     rax, cr8
        cmp     rax, 6
        check   "CR8 is the class of TPR"
        sti
        write   ICR, SELF | 0x65
        write   ICR, SELF | 0x75
        nop
        delivered "TPR blocks its class, but none above", 0x75
        is      IRR + 0x30, 1 << 5, "the blocked one waits in IRR"
        write   TPR, 0x5F
        nop
        delivered "a lower TPR lets it pass", 0x65
        mov     eax, 9
        mov     cr8, rax
        is      TPR, 0x90, "CR8 writes TPR"
        is      PPR, 0x90, "PPR follows CR8"
        write   ICR, SELF | 0x91
        write   ICR, SELF | 0x88
        nop
        delivered "CR8 blocks too"
        mov     eax, 8
        mov     cr8, rax
        nop
        delivered "the first passes a lower CR8", 0x91
        xor     eax, eax
        mov     cr8, rax
        nop
        delivered "the second passes one that is lower still", 0x88
        cli
        write   ICR, SELF | 0x55
        mov     eax, 15
        mov     cr8, rax
        sti
        nop
        nop
        delivered "CR8 blocks one that waited for IF"
        xor     eax, eax
        mov     cr8, rax
        nop
        delivered "until it is 0", 0x55
        mov     eax, 16
        raises  13, "CR8 above 15 is #GP", mov cr8, rax
        cli

; ---- The I/O APIC

        mov     ecx, COM1_IRQ
        mov     eax, 0x52 | 1 << 15     ; level-triggered
        call    io_apic_route
        mov     dx, 0x3FC               ; MCR: OUT2
        mov     al, 0x0B
        out     dx, al
        mov     dword [levels], 3
        mov     dx, 0x3F9               ; IER: transmitter empty, until the handler has run three times
        mov     al, 2
        out     dx, al
        sti
        call    wait_a_little
        cli
        delivered "a level that stays high interrupts after each EOI", 0x52, 0x52, 0x52
        mov     eax, [trigger_mode]
        cmp     eax, 1 << (0x52 - 0x40)
        check   "its handler finds it in TMR"
        mov     ecx, COM1_IRQ
        call    io_apic_read
        test    eax, 1 << 14
        check   "EOI clears the remote IRR of the I/O APIC"
        mov     ecx, COM1_IRQ
        mov     eax, MASKED
        call    io_apic_route
        mov     al, 0x34                ; the 8254's counter 0, mode 2: 100 Hz
        out     0x43, al
        mov     al, 11932 & 0xFF
        out     0x40, al
        mov     al, 11932 >> 8
        out     0x40, al
        mov     ecx, TIMER_IRQ
        mov     eax, 0x53
        call    io_apic_route
        sleep   10
        mov     al, 0x30                ; mode 0: it stops
        out     0x43, al
        mov     dword [log_count], 10   ; more follow at once, if Hymir was busy meanwhile
        mov     ecx, TIMER_IRQ
        mov     eax, MASKED
        call    io_apic_route
        delivered "the 8254's edges through the I/O APIC", 0x53, 0x53, 0x53, 0x53, 0x53, 0x53, 0x53, 0x53, 0x53, 0x53

; ---- The timer

        write   DIVIDE, 0xB             ; by 1
        write   LVT_TIMER, 0x62
        write   INITIAL, 200000000
        read    CURRENT
        mov     ebx, eax
        call    wait_a_little
        read    CURRENT
        cmp     ebx, eax
        seta    al
        cmp     al, 1
        check   "the timer counts"
        write   INITIAL, 100000
        sleep   1
        delivered "a one-shot timer wakes from HLT", 0x62
        is      CURRENT, 0, "it stops at 0"
        sti
        call    wait_a_little
        cli
        delivered "it interrupts once"
        write   LVT_TIMER, 0x64 | 1 << 17
        write   INITIAL, 20000000
        sleep   4
        write   LVT_TIMER, 0x64 | 1 << 17 | MASKED
        delivered "a periodic timer", 0x64, 0x64, 0x64, 0x64
        is      LVT_TIMER, 0x64 | 1 << 17 | MASKED, "the timer's entry is as written"
        is      INITIAL, 20000000, "the initial count is as written"
        write   INITIAL, 0
        mov     eax, 1
        cpuid
        test    ecx, 1 << 24
        jz      .no_deadline
        write   LVT_TIMER, 0x66 | 2 << 17
        rdtsc
        add     eax, 100000
        adc     edx, 0
        mov     ecx, 0x6E0
        wrmsr
        sleep   1
        delivered "a TSC deadline wakes from HLT", 0x66
        mov     ecx, 0x6E0
        rdmsr
        or      eax, edx
        check   "the deadline is 0 then"
.no_deadline:
        write   LVT_TIMER, MASKED

; ---- Errors, and bits that cannot be written

        write   LVT_ERROR, 0x63
        sti
        write   ICR, SELF | 5
        nop
        cli
        delivered "an illegal vector is an error interrupt", 0x63
        write   ESR, 0
        is      ESR, 1 << 5, "ESR: send illegal vector"
        write   ESR, 0
        is      ESR, 0, "a second write clears ESR"
        read    ID
        mov     ebx, eax
        write   LVT_ERROR, MASKED | 0xF3
        is      LVT_ERROR, MASKED | 0xF3, "LVT error is as written"
        write   SVR, 0xFF
        write   LVT_THERMAL, 0x33
        is      LVT_THERMAL, MASKED | 0x33, "the disabled APIC masks its entries"
        write   SVR, 0x1FF
        write   LVT_THERMAL, 0x33
        is      LVT_THERMAL, 0x33, "the enabled one does not"
        write   LVT_THERMAL, MASKED
        read    ID
        cmp     [is_x2apic], byte 0
        je      .byte
        shl     eax, 24
.byte:  or      eax, 4 << 8             ; NMI to its own ID
        mov     edx, eax
        and     edx, 0xFF000000
        and     eax, 0x00FFFFFF
        or      eax, 1 << 14
        sti                             ; Bochs interrupts a CPU with AMD-V only while its guest has IF set
        call    send_to
        mov     ebx, 20
.nmi:   call    wait_a_little
        cmp     dword [nmis], 0
        jne     .was_nmi
        dec     ebx
        jnz     .nmi
.was_nmi:
        cli
        cmp     dword [nmis], 1
        check   "an NMI to its own ID"
        mov     dword [nmis], 0

; ---- What accesses cost

        exits   "a read of ID", {mov ecx, ID}, {call apic_read}
        exits   "a read of LVT error", {mov ecx, LVT_ERROR}, {call apic_read}
        exits   "a read of TPR", {mov ecx, TPR}, {call apic_read}
        exits   "a write to TPR", {mov ecx, TPR}, {xor eax, eax}, {call apic_write}
        exits   "a MOV from CR8", {mov rax, cr8}
        exits   "a MOV to CR8", {xor eax, eax}, {mov cr8, rax}
        exits   "EOI", {mov ecx, EOI}, {xor eax, eax}, {call apic_write}
        exits   "a write to LVT error", {mov ecx, LVT_ERROR}, {mov eax, MASKED}, {call apic_write}
        sti
        exits   "an interrupt to itself, and EOI", {mov ecx, ICR}, {mov eax, SELF | 0x41}, {call apic_write}
        cli
        mov     dword [log_count], 0
        ret

; What only memory can be.
test_xapic:
        mov     ebx, LOCAL_APIC
        mov     dword [ebx + LVT_ERROR], 0xFFFFFFFF
        cmp     dword [ebx + LVT_ERROR], 0x100FF
        check   "reserved bits of an entry are 0"
        mov     dword [ebx + DIVIDE], 0xFFFFFFFF
        cmp     dword [ebx + DIVIDE], 0xB
        check   "reserved bits of the divider are 0"
        mov     dword [ebx + TPR], 0xFFFFFF34
        cmp     dword [ebx + TPR], 0x34
        check   "reserved bits of TPR are 0"
        mov     dword [ebx + TPR], 0
        mov     dword [ebx + LDR], 0xFFFFFFFF
        cmp     dword [ebx + LDR], 0xFF000000
        check   "reserved bits of LDR are 0"
        mov     dword [ebx + ICR + 0x10], 0xFFFFFFFF
        cmp     dword [ebx + ICR + 0x10], 0xFF000000
        check   "reserved bits of the upper ICR are 0"
        mov     dword [ebx + VERSION], 0
        cmp     dword [ebx + VERSION], 0x50014
        check   "the version cannot be written"
        or      dword [ebx + TPR], 0x21
        add     dword [ebx + TPR], 3
        cmp     dword [ebx + TPR], 0x24
        check   "OR and ADD write TPR"
        mov     dword [ebx + TPR], 0
        mov     eax, [ebx + 0x40]
        mov     dword [ebx + ESR], 0
        cmp     dword [ebx + ESR], 1 << 7
        check   "ESR: illegal register address"
        mov     dword [ebx + ESR], 0
        mov     ecx, 0x803
        raises  13, "RDMSR of an x2APIC register is #GP", rdmsr
        mov     edi, stack
        mov     esi, LOCAL_APIC
        mov     ecx, 0x400 / 4
        rep movsd
        cmp     dword [stack + VERSION], 0x50014
        check   "REP MOVSD reads all registers"
        mov     dword [ebx + ESR], 0
        mov     dword [ebx + ESR], 0
        ret

; What only MSRs can be.
test_x2apic:
        mov     eax, 0x41
        mov     ecx, 0x83F
        xor     edx, edx
        sti
        wrmsr
        nop
        cli
        delivered "SELF IPI", 0x41
        mov     ecx, 0x83F
        xor     edx, edx
        mov     eax, 5
        wrmsr
        write   ESR, 0
        is      ESR, 1 << 5, "SELF IPI with an illegal vector"
        write   ESR, 0
        mov     ecx, 0x83F
        xor     edx, edx
        mov     eax, 0x100
        raises  13, "SELF IPI of more than 8 bits is #GP", wrmsr
        raises  13, "RDMSR of SELF IPI is #GP", rdmsr
        mov     ecx, 0x80B
        raises  13, "RDMSR of EOI is #GP", rdmsr
        mov     eax, 1
        raises  13, "an EOI other than 0 is #GP", wrmsr
        mov     ecx, 0x808
        mov     eax, 0x100
        raises  13, "a TPR of more than 8 bits is #GP", wrmsr
        mov     ecx, 0x802
        raises  13, "WRMSR of ID is #GP", wrmsr
        mov     ecx, 0x80E
        raises  13, "RDMSR of DFR is #GP", rdmsr
        mov     ecx, 0x831
        raises  13, "RDMSR of the upper ICR is #GP", rdmsr
        mov     ecx, 0x804
        raises  13, "RDMSR of a reserved register is #GP", rdmsr
        mov     ecx, 0x8FF
        raises  13, "RDMSR of the last reserved register is #GP", rdmsr
        mov     ecx, 0x837
        mov     eax, 0xFFFFFFFF
        raises  13, "reserved bits of an entry are #GP", wrmsr
        mov     ecx, 0x830
        mov     edx, 0x12345678         ; the upper half
        mov     eax, 1 << 14 | 0x41     ; to an ID that no APIC has
        wrmsr
        xor     edx, edx
        rdmsr
        cmp     edx, 0x12345678
        check   "ICR has 64 bits"
        mov     ebx, LOCAL_APIC
        cmp     dword [ebx + VERSION], -1
        check   "the page of an xAPIC is not there"
        exits   "SELF IPI, and EOI", {mov ecx, 0x83F}, {mov eax, 0x41}, {xor edx, edx}, {sti}, {wrmsr}, {nop}, {cli}
        mov     dword [log_count], 0
        ret

; Moves, disables and enables the xAPIC, and enables the x2APIC.
test_base:
        mov     dword [mode], text_base
        mov     eax, 0xD0000800 | 1 << 8
        call    write_base
        mov     ebx, 0xD0000000
        cmp     dword [ebx + VERSION], 0x50014
        check   "the page moves"
        mov     eax, LOCAL_APIC
        cmp     dword [eax + VERSION], -1
        check   "and is no longer where it was"
        mov     dword [ebx + TPR], 0x70
        mov     rax, cr8
        cmp     eax, 7
        check   "TPR is in the moved page"
        mov     dword [ebx + ICR], SELF | 0x66
        sti
        nop
        nop
        delivered "a TPR in the moved page blocks"
        mov     dword [base], ebx
        mov     dword [ebx + TPR], 0
        nop
        cli
        delivered "and lets pass", 0x66
        mov     dword [base], LOCAL_APIC
        mov     eax, LOCAL_APIC | 0x800 | 1 << 8
        call    write_base
        is      VERSION, 0x50014, "the page moves back"
        write   TPR, 0x30
        mov     eax, LOCAL_APIC | 1 << 8
        call    write_base
        mov     eax, 1
        cpuid
        test    edx, 1 << 9
        check   "CPUID has no APIC that is disabled"
        mov     eax, LOCAL_APIC
        cmp     dword [eax + VERSION], -1
        check   "a disabled one has no page"
        mov     eax, LOCAL_APIC | 0xC00 | 1 << 8
        mov     ecx, 0x1B
        xor     edx, edx
        raises  13, "a disabled APIC does not become an x2APIC", wrmsr
        mov     eax, LOCAL_APIC | 0x800 | 1 << 8
        call    write_base
        is      TPR, 0, "an APIC that was disabled is reset"
        is      SVR, 0xFF, "its SVR too"
        mov     eax, LOCAL_APIC | 0xC00 | 1 << 8
        call    write_base
        mov     ecx, 0x803
        rdmsr
        cmp     eax, 0x50014
        check   "an xAPIC becomes an x2APIC"
        mov     ecx, 0x1B
        mov     eax, LOCAL_APIC | 0x800 | 1 << 8
        xor     edx, edx
        raises  13, "which does not become an xAPIC", wrmsr
        ret

; Disables the x2APIC and enables the xAPIC again.
test_end:
        mov     dword [mode], text_base
        mov     eax, LOCAL_APIC | 1 << 8
        call    write_base
        mov     ecx, 0x803
        raises  13, "a disabled x2APIC has no MSRs", rdmsr
        mov     byte [is_x2apic], 0
        mov     eax, LOCAL_APIC | 0x800 | 1 << 8
        call    write_base
        is      VERSION, 0x50014, "and becomes an xAPIC"
        write   SVR, 0x1FF
        sti
        write   ICR, SELF | 0x41
        nop
        cli
        delivered "which has its interrupts", 0x41
        ret

; ---- The local APIC

; EAX = the register at ECX. Changes EDX.
apic_read:
        cmp     byte [is_x2apic], 0
        jne     .msr
        mov     edx, [base]
        mov     eax, [rdx + rcx]
        ret
.msr:   shr     ecx, 4
        add     ecx, 0x800
        rdmsr
        ret

; The register at ECX = EAX. Changes EDX.
apic_write:
        cmp     byte [is_x2apic], 0
        jne     .msr
        mov     edx, [base]
        mov     [rdx + rcx], eax
        ret
.msr:   shr     ecx, 4
        add     ecx, 0x800
        xor     edx, edx
        wrmsr
        ret

; Sends the command EAX to the xAPIC destination EDX.
send_to:
        cmp     byte [is_x2apic], 0
        jne     .msr
        mov     ecx, [base]
        mov     [rcx + ICR + 0x10], edx
        mov     [rcx + ICR], eax
        ret
.msr:   shr     edx, 24
        mov     ecx, 0x830
        wrmsr
        ret

; IA32_APIC_BASE = EAX.
write_base:
        xor     edx, edx
        mov     ecx, 0x1B
        wrmsr
        ret

; The low half of the redirection entry of input ECX = EAX; to all CPUs.
io_apic_route:
        mov     ebx, IO_APIC
        lea     ecx, [rcx * 2 + 0x11]
        mov     [rbx], ecx
        mov     dword [rbx + 0x10], 0xFF000000
        dec     ecx
        mov     [rbx], ecx
        mov     [rbx + 0x10], eax
        ret

; EAX = the low half of the redirection entry of input ECX.
io_apic_read:
        mov     ebx, IO_APIC
        lea     ecx, [rcx * 2 + 0x10]
        mov     [rbx], ecx
        mov     eax, [rbx + 0x10]
        ret

; Waits for some 100,000 instructions.
wait_a_little:
        mov     ecx, 50000
.next:  dec     ecx
        jnz     .next
        ret

; RAX = the number of exits so far.
sum_exits:
        xor     r14d, r14d
        xor     ebx, ebx
.next:  mov     eax, HYPERCALL_EXITS
        push    rcx
        xor     ecx, ecx
        hypercall
        pop     rcx
        cmp     rax, -1
        je      .done
        add     r14, rax
        inc     ebx
        jmp     .next
.done:  mov     rax, r14
        ret

; ---- Interrupts and exceptions

; On the stack: the vector, the error code or 0, and the processor's frame.
handler:
        push    rax
        push    rcx
        push    rdx
        mov     eax, [rsp + 24]
        cmp     eax, 2
        je      .nmi
        cmp     eax, 32
        jb      .exception
        mov     ecx, [log_count]
        and     ecx, 15
        mov     [log + rcx], al
        inc     dword [log_count]
        read    ISR + 0x20
        mov     [in_service], eax
        read    PPR
        mov     [priority], eax
        read    TMR + 0x20
        mov     [trigger_mode], eax
        cmp     dword [rsp + 24], 0x52
        je      .level
        cmp     dword [rsp + 24], 0x43
        je      .nest
.end:   write   EOI, 0
.leave: pop     rdx
        pop     rcx
        pop     rax
        add     rsp, 16
        iretq
.level: dec     dword [levels]
        jnz     .end
        mov     dx, 0x3F9
        xor     eax, eax
        out     dx, al
        jmp     .end
.nest:  cmp     byte [nests], 0
        je      .end
        write   ICR, SELF | 0x45
        write   ICR, SELF | 0x81
        sti
        nop
        cli
        jmp     .end
.nmi:   inc     dword [nmis]
        jmp     .leave
.exception:
        mov     [exception], eax
        xor     eax, eax
        xchg    rax, [resume]           ; 0, which is no code, if the exception is not expected
        mov     [rsp + 40], rax
        jmp     .leave

; Points all vectors to their stubs.
build_idt:
        mov     edi, idt
        mov     eax, stubs
        mov     ecx, 256
.next:  mov     [rdi], ax
        mov     word [rdi + 2], CODE_64
        mov     word [rdi + 4], 0x8E00
        mov     edx, eax
        shr     edx, 16
        mov     [rdi + 6], dx
        add     edi, 16
        add     eax, 16
        loop    .next
        ret

        align   16
stubs:
%assign v 0
%rep 256
        align   16
%if !(v == 8 || (v >= 10 && v <= 14) || v == 17)
        push    0
%endif
        push    v
        jmp     handler
%assign v v + 1
%endrep

; ---- Output

; ZF: the log has the ECX vectors at ESI; empties it.
compare_log:
        cmp     ecx, [log_count]
        mov     dword [log_count], 0
        jne     .done
        mov     edi, log
        cmp     eax, eax                ; none are equal
        repe cmpsb
.done:  ret

; Prints the text at ESI, the mode and the name at EDI. Preserves RAX and RDX.
report:
        push    rax
        push    rdx
        call    print
        mov     esi, [mode]
        call    print
        mov     esi, edi
        call    print
        mov     esi, text_newline
        call    print
        pop     rdx
        pop     rax
        ret

; Prints the exits of one access, EDI: between R13 and RAX there were those of ACCESSES and of a sum, as since R12.
report_exits:
        sub     rax, r13
        sub     r13, r12
        sub     rax, r13
        add     eax, ACCESSES / 2
        xor     edx, edx
        mov     ecx, ACCESSES
        div     ecx
        add     al, "0"
        mov     [text_number], al
        mov     esi, text_exits
        call    print
        mov     esi, [mode]
        call    print
        mov     esi, edi
        call    print
        mov     esi, text_colon

; Prints the text at ESI.
print:
        mov     dx, 0x3F8
.next:  lodsb
        test    al, al
        jz      .done
        out     dx, al
        jmp     .next
.done:  ret

text_ok:        db "ok: ", 0
text_fail:      db "FAIL: ", 0
text_exits:     db "exits: ", 0
text_xapic:     db "xAPIC: ", 0
text_x2apic:    db "x2APIC: ", 0
text_base:      db "IA32_APIC_BASE: ", 0
text_colon:     db ": "
text_number:    db "0"
text_newline:   db 10, 0
text_done:      db "all of the local APIC tried", 10, 0

hypercall_table

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
idt_register:
        dw      256 * 16 - 1
        dq      idt

mode:           dd 0
base:           dd LOCAL_APIC
is_x2apic:      db 0
nests:          db 0
        align   8
resume:         dq 0
exception:      dd NOTHING
log_count:      dd 0
in_service:     dd 0
priority:       dd 0
trigger_mode:   dd 0
levels:         dd 0
nmis:           dd 0
log:            times 16 db 0

        align   4096
idt:            times 4096 db 0
pml4:           times 4096 db 0
pdpt:           times 4096 db 0
directories:    times 4 * 4096 db 0
stack:          times 4096 db 0
stack_top:
