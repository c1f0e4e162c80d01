; fuzz_smp.asm: two CPUs of a guest access interrupt controllers, timers and unclaimed memory at random.
;
; A Multiboot kernel in 32-bit protected mode for two vCPUs. Its seed is a random number, or the hexadecimal number in
; its command line. It prints the seed; then both CPUs execute OPERATIONS random accesses each, ROUNDS times with
; seeds that follow from the first, and the first CPU resets the guest, which so begins again with another seed.
; Interrupts and exceptions end an access, and the next follows. What it does may also reset the guest earlier; it never
; powers the guest off.

        bits    32
        org     0x100000

CPUS    equ     2
CODE    equ     0x08
CODE_32 equ     CODE
CODE_64 equ     CODE
DATA    equ     0x10
OPERATIONS equ  200
ROUNDS  equ     8
MEMORY  equ     2 << 20
IO_APIC equ     0xFEC00000
SCRATCH equ     0x10000                 ; 64 KiB of RAM
REAL_RETURN equ 0x7000
REAL_START equ 0x7010

%include "multiboot_header.inc"
%include "hypercall.inc"
%include "smp.inc"

entry:
        choose_hypercall
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
        mov     dword [patience], 1 << 28
        mov     dword [ap_entry], work
        call    init_cpu
        mov     esi, real_start         ; wherever a random startup IPI begins, exceptions lead the CPU to the trampoline
        mov     edi, REAL_START
        mov     ecx, real_start_end - real_start
        cld
        rep movsb
        xor     edi, edi
        mov     ecx, 256
        mov     eax, REAL_START
        rep stosd
        mov     byte [0], 0xE9          ; JMP, if it begins at 0
        mov     word [1], REAL_START - 3
        mov     byte [REAL_RETURN], 0xCF ; an IRET for NMIs that the second CPU takes before it has its IDT,
        mov     dword [8], REAL_RETURN
        mov     eax, started            ; and a gate for those after it has left real mode
        mov     [16], ax
        mov     word [18], CODE
        mov     word [20], 0x8E00
        shr     eax, 16
        mov     [22], ax
        pop     esi
        call    choose_seed
        mov     esi, text_seed
        call    print
        mov     eax, [seed]
        call    print_hexadecimal
        mov     al, 10
        call    put
        call    seed_states
        mov     esi, 1
        call    start_cpu
        mov     byte [begins], 1
        mov     ebx, 0
        jmp     next_operation

work:
        sti
        pause
        cmp     byte [begins], 0
        je      work

; Begins the next access on the CPU in EBX, or ends.
next_operation:
        lea     eax, [ebx + 1]          ; interrupts may be on: ESP changes at once
        shl     eax, 12
        lea     esp, [eax + stacks]
        inc     dword [operations + ebx * 4]
        cmp     dword [operations + ebx * 4], OPERATIONS
        ja      end
        sti
        cld
        call    random
        and     eax, 15
        call    [accesses + eax * 4]
        jmp     next_operation

; Seeds both CPUs' random numbers by [seed], and advances it.
seed_states:
        mov     eax, [seed]
        imul    eax, eax, 0x9E3779B1
        mov     [seed], eax
        or      eax, 1
        mov     [states], eax
        xor     eax, 0xA5A5A5A4
        mov     [states + 4], eax
        ret

; The first CPU begins the next round or resets the guest, with interrupts off, as they may not cease; the second waits.
end:
        cli
        test    ebx, ebx
        jnz     .other
        inc     dword [rounds]
        cmp     dword [rounds], ROUNDS
        jae     .reset
        call    seed_states
        mov     dword [operations], 0
        mov     dword [operations + 4], 0
        jmp     next_operation
.other:
        sti
        pause
        cmp     dword [operations + 4], OPERATIONS
        ja      .other
        jmp     next_operation
.reset:
        mov     edx, 0xCF9
        mov     al, 6
        out     dx, al
        jmp     .reset

; All interrupts and exceptions: ends the access, by IRET, which unblocks NMIs. Every other one ends its interrupt.
handler:
        cld
        cpu_number ebx
        call    random
        test    eax, 1
        jz      .kept
        mov     dword [APIC + EOI], 0
        mov     al, 0x20
        out     0x20, al
        out     0xA0, al
.kept:
        pushfd
        push    dword CODE
        push    dword next_operation
        iretd

; Returns a random number in EAX, for the CPU in EBX: xorshift. Changes EDX.
random:
        mov     eax, [states + ebx * 4]
        mov     edx, eax
        shl     edx, 13
        xor     eax, edx
        mov     edx, eax
        shr     edx, 17
        xor     eax, edx
        mov     edx, eax
        shl     edx, 5
        xor     eax, edx
        mov     [states + ebx * 4], eax
        ret

; Accesses [EDI] in a random way with a random value.
access_memory:
        call    random
        mov     ecx, eax
        call    random
        shr     ecx, 4
        and     ecx, 15
        jmp     [kinds + ecx * 4]
.read:  mov     eax, [edi]
        ret
.read_byte:
        mov     al, [edi]
        ret
.write: mov     [edi], eax
        ret
.write_byte:
        mov     [edi], al
        ret
.write_word:
        mov     [edi], ax
        ret
.exchange:
        xchg    [edi], eax
        ret
.or:    lock or [edi], eax
        ret
.add:   lock xadd [edi], eax
        ret
.compare:
        lock cmpxchg [edi], ecx
        ret
.bit:   lock bts [edi], eax
        ret
.store: movzx   ecx, al
        rep stosd
        ret
.move:  movzx   ecx, al
        mov     esi, SCRATCH
        rep movsd
        ret
.load:  movzx   ecx, al
        mov     esi, edi
        mov     edi, SCRATCH
        rep movsb
        ret
.push:  push    dword [edi]
        pop     eax
        ret

; A register of the local APIC, often at its start.
access_apic:
        call    random
        and     eax, 0xFFF
        test    eax, 0x800
        jz      .at_start
        and     eax, 0x7FF
        jmp     .at
.at_start:
        and     eax, 0x3F0
.at:
        lea     edi, [APIC + eax]
        jmp     access_memory

; Any command, to any destination, but a startup IPI: see access_start.
access_icr:
        call    random
        and     eax, 0x03000000         ; mostly a CPU that exists
        mov     [APIC + ICR + 0x10], eax
        call    random
        and     eax, 0xCFFFF
        call    choose_mode
        je      access_start
        mov     [APIC + ICR], eax
        ret

; Sets ZF if the delivery mode of the command in EAX is startup; of 16 that are INIT, makes 15 fixed. Changes EDX.
choose_mode:
        mov     edx, eax
        and     edx, 0x700
        cmp     edx, 0x500
        jne     .compare
        test    eax, 0xF
        jz      .compare
        and     eax, ~0x700
.compare:
        cmp     edx, 0x600
        ret

access_icr_x2apic:
        call    random
        mov     ecx, eax
        call    random
        and     eax, 0xCCFFF
        call    choose_mode
        je      access_start
        mov     edx, ecx
        and     edx, 0x8000000F
        mov     ecx, 0x830
        wrmsr
        ret

access_x2apic:
        call    random
        mov     ecx, eax
        and     ecx, 0x3F
        or      ecx, 0x800
        call    random
        test    eax, 1
        jz      .read
        xor     edx, edx
        wrmsr
        ret
.read:  rdmsr
        ret

access_deadline:
        rdtsc
        mov     ecx, eax
        call    random
        and     eax, 0xFFFFF
        add     eax, ecx
        mov     ecx, 0x6E0
        xor     edx, edx
        wrmsr
        ret

; IA32_APIC_BASE: usually a valid state, at the usual address, or at a page of RAM or memory.
access_base:
        call    random
        mov     ecx, eax
        mov     eax, APIC
        test    ecx, 3 << 16
        jnz     .usual
        call    random
        and     eax, ~0xFFF
.usual:
        and     ecx, 0xC00
        or      eax, ecx
        or      eax, 0x100
        test    ebx, ebx
        jz      .first
        xor     eax, 0x100
.first:
        xor     edx, edx
        mov     ecx, 0x1B
        wrmsr
        ret

access_io_apic:
        call    random
        and     eax, 0x3F
        mov     [IO_APIC], eax
        call    random
        mov     edi, IO_APIC + 0x10
        test    eax, 3
        jnz     .data
        and     eax, 0xFF
        lea     edi, [IO_APIC + eax]
.data:
        jmp     access_memory

; A redirection entry with a valid vector, in any mode.
access_entry:
        call    random
        mov     ecx, eax
        and     ecx, 0x1F
        lea     ecx, [ecx * 2 + 0x10]
        mov     [IO_APIC], ecx
        call    random
        and     eax, 0xEFFF
        mov     [IO_APIC + 0x10], eax
        inc     ecx
        mov     [IO_APIC], ecx
        call    random
        and     eax, 0x0F000000
        mov     [IO_APIC + 0x10], eax
        ret

; A port of a device, with 1, 2 or 4 bytes. The UART sends dots; PM1 control does not sleep.
access_port:
        call    random
        movzx   ecx, al
        and     ecx, PORTS - 1
        movzx   ecx, word [ports + ecx * 2]
        and     eax, 0x300
        shr     eax, 8
        add     ecx, eax
        call    random
        mov     esi, eax
        call    random
        mov     edx, ecx
        cmp     edx, COM1
        jne     .sent
        mov     eax, "...."
.sent:
        mov     ecx, edx
        and     ecx, ~0xF
        cmp     ecx, 0x600
        jne     .awake
        and     eax, ~0x20202020
.awake:
        test    esi, 1
        jz      .read
        test    esi, 6
        jz      .long
        test    esi, 8
        jz      .word
        out     dx, al
        ret
.word:  out     dx, ax
        ret
.long:  out     dx, eax
        ret
.read:  test    esi, 6
        jz      .read_long
        in      al, dx
        ret
.read_long:
        in      eax, dx
        ret

; Memory beyond RAM.
access_nothing:
        call    random
        cmp     eax, MEMORY
        jbe     access_nothing
        mov     edi, eax
        jmp     access_memory

; The second CPU starts again, if it may. Waits for it.
access_start:
        mov     esi, [alive + 4]
        mov     dword [APIC + ICR + 0x10], 1 << 24
        mov     dword [APIC + ICR], ICR_INIT
        mov     dword [APIC + ICR], ICR_STARTUP | TRAMPOLINE >> 12
        mov     ecx, 3000
.wait:
        pause
        cmp     [alive + 4], esi
        loope   .wait
        ret

access_enable:
        mov     dword [APIC + SVR], 0x1FF
        ret

access_off:
        cli
        mov     ecx, 100
        loop    $
        sti
        nop
        ret

; Sets the seed from the hexadecimal number at ESI or, if there is none, from the time and RDRAND.
choose_seed:
        xor     ecx, ecx
.digit:
        movzx   eax, byte [esi]
        inc     esi
        sub     eax, "0"
        cmp     eax, 9
        jbe     .add
        sub     eax, "a" - "0" - 10
        cmp     eax, 15
        ja      .end
.add:
        shl     ecx, 4
        or      ecx, eax
        jmp     .digit
.end:
        test    ecx, ecx
        jnz     .chosen
        mov     esi, 3                  ; seconds, minutes, hours, by the clock's registers 0, 2, 4
        mov     edi, 4
.part:
        mov     eax, edi
        out     0x70, al
        in      al, 0x71
        shl     ecx, 8
        or      cl, al
        sub     edi, 2
        dec     esi
        jnz     .part
        shl     ecx, 8
        rdtsc
        xor     ecx, eax
        mov     esi, ecx
        mov     eax, 1                  ; an emulator's time may be the same at each start
        cpuid
        bt      ecx, 30                 ; RDRAND
        mov     ecx, esi
        jnc     .chosen
        rdrand  eax
        xor     ecx, eax
.chosen:
        mov     [seed], ecx
        ret

; Prints EAX in hexadecimal.
print_hexadecimal:
        mov     ecx, 8
.digit:
        rol     eax, 4
        push    eax
        and     al, 0xF
        add     al, "0"
        cmp     al, "9"
        jbe     .put
        add     al, "a" - "9" - 1
.put:
        call    put
        pop     eax
        loop    .digit
        ret

; Copied to REAL_START.
        bits    16
real_start:
        cli
        mov     esp, REAL_RETURN
        jmp     TRAMPOLINE >> 4:0
real_start_end:
        bits    32

%assign VECTORS 256
%include "exceptions.inc"
handler_64:
        bits    32

        hypercall_table
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

        align   4
accesses:
        dd      access_apic, access_apic, access_icr, access_icr, access_icr_x2apic, access_x2apic, access_deadline
        dd      access_base, access_io_apic, access_entry, access_port, access_port, access_enable, access_nothing
        dd      access_start, access_off
kinds:  dd      access_memory.read, access_memory.read_byte, access_memory.write, access_memory.write
        dd      access_memory.write, access_memory.write_byte, access_memory.write_word, access_memory.exchange
        dd      access_memory.or, access_memory.add, access_memory.compare, access_memory.bit, access_memory.store
        dd      access_memory.move, access_memory.load, access_memory.push
PORTS   equ     32                      ; to each of which up to 3 is added
ports:  dw      0x20, 0x21, 0xA0, 0xA1, 0x40, 0x40, 0x41, 0x43, 0x43, 0x60, 0x61, 0x70, 0x70, 0x71, 0x4D0, 0x80
        dw      0x3F8, 0x3F9, 0x3FC, 0x3F8, 0x600, 0x602, 0x604, 0x608, 0x60C, 0x1FF, 0xCF8, 0xE0, 0x510, 0x3FB, 0x4CE, 0x70
text_seed:      db "seed ", 0

        align   4
seed:           dd 0
rounds:         dd 0
states:         times CPUS dd 0
operations:     times CPUS dd 0
begins:         db 0
        align   16
idt:            times VECTORS dq 0
idt_64:         times VECTORS dq 0, 0
        align   4096
stacks:         times CPUS * 4096 db 0
