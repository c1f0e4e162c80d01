; fuzz.asm: a guest that executes bytes generated from the seed in its command line.
;
; The first letter is the mode, the rest is the seed: "r12" in real mode, "p12" in 32-bit protected mode,
; "l12" in 64-bit mode. If it is "?", the guest asks COM1 for it, stops itself earlier, and an NMI 200 times a second
; ends loops. The bytes are random, mixed with opcodes that cause exits. After an exception the
; guest continues at the next byte; after 20000 exceptions it stops itself. The bytes may corrupt the guest's memory, its
; tables and its handler, so it may stop in any way or never; Hymir must keep working.

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
CODE_16 equ     0x20
DATA_16 equ     0x28
LIMIT   equ     20000                   ; exceptions
ASKED_LIMIT equ 1000                    ; the same if the seed was asked for
IO_APIC equ     0xFEC00000
BYTES   equ     0x4000                  ; generated
REAL    equ     0x20000                 ; their address in real mode, 0x2000:0

%include "multiboot_header.inc"
%include "hypercall.inc"

; Starts the 8254's counter 0, once exceptions have a handler.
%macro  start_counter 0
        mov     al, 0x34
        out     0x43, al
        mov     al, 1193182 / 200 & 0xFF
        out     0x40, al
        mov     al, 1193182 / 200 >> 8
        out     0x40, al
%endmacro

entry:
        choose_hypercall
        mov     esp, stack_top
        mov     esi, [ebx + 16]
        cmp     byte [esi], '?'
        jne     .named
        call    ask
        mov     word [limit], ASKED_LIMIT
        mov     word [real_limit], ASKED_LIMIT
        mov     dword [IO_APIC], 0x14   ; input 2, the 8254's counter 0, as an NMI
        mov     dword [IO_APIC + 0x10], 0x400
.named:
        movzx   ebp, byte [esi]         ; the mode
        xor     edx, edx
.digit:
        inc     esi
        movzx   eax, byte [esi]
        sub     eax, '0'
        cmp     eax, 9
        ja      .seeded
        imul    edx, edx, 10
        add     edx, eax
        jmp     .digit
.seeded:
        imul    edx, edx, 0x9E3779B1
        xor     edx, ebp
        or      edx, 1
        mov     [state], edx

        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax

        ; One in four is an opcode from the table, the others are random bytes.
        mov     edi, code
.fill:
        call    random
        test    al, 3
        jnz     .byte
        shr     eax, 8
        and     eax, 31
        mov     ebx, [opcodes + eax * 4]
        mov     [edi], ebx
        add     edi, 3
        jmp     .filled
.byte:
        mov     [edi], ah
        inc     edi
.filled:
        cmp     edi, code + BYTES
        jb      .fill

        cmp     ebp, 'r'
        je      real_mode
        call    build_idt
        cmp     ebp, 'l'
        je      enter_long_mode
        lidt    [idt_register]

        ; Maps every address into the 4 MiB of memory.
        mov     edi, directory
        mov     ecx, 1024
        mov     eax, 0x87
        rep stosd
        mov     eax, directory
        mov     cr3, eax
        mov     eax, 1 << 4
        mov     cr4, eax
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        start_counter
        jmp     code

; Returns in ESI the line that COM1 receives next, of up to 15 characters. Interrupts are on, although there are none: with
; IF=0, Bochs 2.7 may not exit for Hymir's, so that the guest would not see what is typed.
ask:
        sti
        mov     esi, question
        mov     dx, 0x3F8
        mov     ecx, question_end - question
        rep outsb
        mov     edi, answer
.wait:
        mov     dx, 0x3FD
        in      al, dx
        test    al, 1
        jz      .wait
        mov     dx, 0x3F8
        in      al, dx
        cmp     al, 13
        je      .asked
        cmp     edi, answer + 15
        je      .wait
        stosb
        jmp     .wait
.asked:
        cli
        mov     esi, answer
        ret

question:
        db      "seed?", 10
question_end:

; Returns a random number in EAX: xorshift.
random:
        mov     eax, [state]
        mov     edx, eax
        shl     edx, 13
        xor     eax, edx
        mov     edx, eax
        shr     edx, 17
        xor     eax, edx
        mov     edx, eax
        shl     edx, 5
        xor     eax, edx
        mov     [state], eax
        ret

        align   4
opcodes:
        dd      0x00A20F                ; CPUID
        dd      0x00320F                ; RDMSR
        dd      0x00300F                ; WRMSR
        dd      0xC0220F                ; MOV CR0, EAX
        dd      0xD8220F                ; MOV CR3, EAX
        dd      0xE0220F                ; MOV CR4, EAX
        dd      0xC0200F                ; MOV EAX, CR0
        dd      0xC0220F44              ; MOV CR8, RAX
        dd      0x060F                  ; CLTS
        dd      0xF0010F                ; LMSW AX
        dd      0xC0230F                ; MOV DR0, EAX
        dd      0xF8230F                ; MOV DR7, EAX
        dd      0xD1010F                ; XSETBV
        hypercall
        db      0
        dd      0xC2010F                ; VMLAUNCH
        dd      0xC7C70F                ; a VMX instruction, or RDRAND
        dd      0x080F                  ; INVD
        dd      0x090F                  ; WBINVD
        dd      0x330F                  ; RDPMC
        dd      0x310F                  ; RDTSC
        dd      0xC8010F                ; MONITOR
        dd      0x370F                  ; GETSEC
        dd      0xE4                    ; IN AL, imm8
        dd      0xE6                    ; OUT imm8, AL
        dd      0xEFED                  ; IN, OUT by DX
        dd      0x6CF3                  ; REP INSB
        dd      0x6FF3                  ; REP OUTSD
        dd      0xCD                    ; INT imm8
        dd      0x9DFB9C                ; PUSHF, STI, POPF
        dd      0xD08E                  ; MOV SS, AX
        dd      0xCF                    ; IRET
        dd      0xD8010F                ; an SVM instruction

handler:
        push    eax
        push    ecx
        mov     ax, DATA_32
        mov     ds, ax
        inc     dword [exceptions]
        mov     ecx, [limit]
        cmp     [exceptions], ecx
        jae     end
        mov     eax, [esp + 16]         ; EIP, after the vector and the error code
        inc     eax
        lea     ecx, [eax - code]
        cmp     ecx, BYTES
        jb      .inside
        mov     eax, code
.inside:
        mov     [esp + 16], eax
        mov     dword [esp + 20], CODE_32
        and     dword [esp + 24], 0xFFF ; no VM86, no RF
        pop     ecx
        pop     eax
        add     esp, 8
        iretd

end:
        mov     eax, 2
        mov     ebx, [exceptions]
        hypercall
        jmp     end

; ---- Real mode

real_mode:
        cld
        mov     esi, code
        mov     edi, REAL
        mov     ecx, BYTES / 4
        rep movsd
        mov     esi, real_handler
        mov     edi, 0x1000
        mov     ecx, real_handler_end - real_handler
        rep movsb
        xor     edi, edi
        mov     ecx, 256
.vector:
        mov     dword [edi], 0x00001000 ; 0:0x1000
        add     edi, 4
        loop    .vector
        jmp     CODE_16:.leave
        bits    16
.leave:
        mov     ax, DATA_16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, cr0
        and     eax, ~1
        mov     cr0, eax
        jmp     0xFFFF:(.real - 0xFFFF0)
.real:
        a32 lidt [dword real_idt]
        xor     ax, ax
        mov     ss, ax
        mov     sp, 0x7000
        mov     ax, REAL >> 4
        mov     ds, ax
        mov     es, ax
        start_counter
        jmp     (REAL >> 4):0

; Located at 0:0x1000: continues at the next byte, whatever it is; stops when the count at 0:0x1F00 reaches its limit.
real_handler:
        push    bp
        mov     bp, sp
        push    ax
        push    ds
        xor     ax, ax
        mov     ds, ax
        inc     word [0x1F00]
        db      0x81, 0x3E              ; CMP word [0x1F00],
        dw      0x1F00
real_limit:
        dw      LIMIT
        jae     .end
        inc     word [bp + 2]
        mov     word [bp + 4], REAL >> 4
        and     word [bp + 6], ~0x100
        pop     ds
        pop     ax
        pop     bp
        iret
.end:
        mov     eax, 2
        mov     bx, [0x1F00]
        hypercall
        jmp     .end
real_handler_end:

; ---- 64-bit mode

        bits    32
enter_long_mode:
        xor     ecx, ecx                ; maps every address into the 4 MiB of memory
.next:
        mov     dword [pml4 + ecx * 8], pdpt + 7
        mov     dword [pdpt + ecx * 8], directory + 7
        mov     eax, ecx
        and     eax, 1
        shl     eax, 21
        or      eax, 0x87
        mov     [directory + ecx * 8], eax
        inc     ecx
        cmp     ecx, 512
        jb      .next
        mov     eax, pml4
        mov     cr3, eax
        mov     eax, 1 << 5
        mov     cr4, eax
        mov     ecx, 0xC0000080
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        jmp     CODE_64:.long
        bits    64
.long:
        mov     rsp, stack_top
        lidt    [idt_register_64]
        start_counter
        jmp     code

handler_64:
        push    rax
        push    rcx
        inc     dword [abs exceptions]
        mov     ecx, [abs limit]
        cmp     [abs exceptions], ecx
        jae     .end
        mov     rax, [rsp + 32]
        inc     rax
        lea     rcx, [rax - code]
        cmp     rcx, BYTES
        jb      .inside
        mov     eax, code
.inside:
        mov     [rsp + 32], rax
        mov     qword [rsp + 40], CODE_64
        and     qword [rsp + 48], 0xFFF
        mov     rax, stack_top
        mov     [rsp + 56], rax
        mov     qword [rsp + 64], DATA_32
        pop     rcx
        pop     rax
        add     rsp, 16
        iretq
.end:
        mov     eax, 2
        mov     ebx, [abs exceptions]
        hypercall
        jmp     .end

; ---- Tables

%assign VECTORS 256
%include "exceptions.inc"

        hypercall_table
        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
        dq      0x008F9B000000FFFF
        dq      0x00CF93000000FFFF
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
idt_register:
        dw      256 * 8 - 1
        dd      idt
idt_register_64:
        dw      256 * 16 - 1
        dq      idt_64
real_idt:
        dw      256 * 4 - 1
        dd      0

        align   8
answer:         times 16 db 0
state:          dd 1
exceptions:     dd 0
limit:          dd LIMIT

        align   16
idt:            times 256 * 8 db 0
idt_64:         times 256 * 16 db 0
        align   4096
pml4:           times 4096 db 0
pdpt:           times 4096 db 0
directory:      times 4096 db 0
                times 4096 db 0
stack:          times 8192 db 0
stack_top:      times 4096 db 0
code:           times BYTES + 16 db 0x90
