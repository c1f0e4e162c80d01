; reset.asm: reads every register at the start of a guest, then changes them all and ends in the way that the command
; line says, so that the console can reset the guest and the registers are read again.
;
; A Multiboot kernel. Prints "ok: NAME" or "FAIL: NAME" for each check. The values are those of SDM 3A, "Processor State
; After Reset", except what the boot protocol defines (CR0, the segments, EAX and EBX) and the x87 control word, which is
; as FNINIT leaves it. The first letter of the command line: s spins, t causes a triple fault, p resets by port 0xCF9.

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
TASK    equ     0x20

%include "multiboot_header.inc"
%include "report.inc"

; same VALUE, EXPECTED, NAME: compares a register or a word in memory.
%macro  same 3
        cmp     %1, %2
        check   %3
%endmacro

; reads NUMBER, LOW, HIGH, NAME: compares an MSR.
%macro  reads 4
        mov     ecx, %1
        rdmsr
        sub     eax, %2
        sub     edx, %3
        or      eax, edx
        check   %4
%endmacro

%macro  writes 3
        mov     ecx, %1
        mov     eax, %2
        mov     edx, %3
        wrmsr
%endmacro

MXCSR           equ 0x1F80
IA32_UMWAIT     equ 0xE1
IA32_SYSENTER_CS equ 0x174
IA32_DEBUGCTL   equ 0x1D9
IA32_PAT        equ 0x277
IA32_EFER       equ 0xC0000080
IA32_STAR       equ 0xC0000081
IA32_FS_BASE    equ 0xC0000100
IA32_TSC_AUX    equ 0xC0000103

entry:
        mov     [information], ebx
        mov     esp, stack_top
        pushfd
        pop     dword [flags]
        or      ecx, edx
        or      ecx, esi
        or      ecx, edi
        or      ecx, ebp
        mov     [others], ecx
        sidt    [table]
        mov     eax, 0
        sldt    ax
        mov     [ldt], eax
        str     ax
        mov     [task_register], eax
        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax

        same    dword [others], 0, "the other general registers are 0"
        same    dword [flags], 2, "EFLAGS is 2"
        same    dword [ldt], 0, "LDTR is null"
        same    dword [task_register], 0, "TR is null"
        same    word [table], 0xFFFF, "the IDT's limit is 0xFFFF"
        same    dword [table + 2], 0, "the IDT's base is 0"
        mov     eax, cr2
        same    eax, 0, "CR2 is 0"
        mov     eax, cr3
        same    eax, 0, "CR3 is 0"
        mov     eax, cr4
        same    eax, 0, "CR4 is 0"
        mov     eax, dr0
        mov     ebx, dr1
        or      eax, ebx
        mov     ebx, dr2
        or      eax, ebx
        mov     ebx, dr3
        or      eax, ebx
        check   "DR0 to DR3 are 0"
        mov     eax, dr6
        same    eax, 0xFFFF0FF0, "DR6 is FFFF0FF0H"
        mov     eax, dr7
        same    eax, 0x400, "DR7 is 400H"

; ---- x87, SSE and AVX

        fnstenv [environment]
        same    word [environment], 0x37F, "FCW is 37FH"
        same    word [environment + 4], 0, "FSW is 0"
        same    word [environment + 8], 0xFFFF, "FTW is FFFFH"
        mov     eax, [environment + 12]
        or      eax, [environment + 20]
        check   "the x87 instruction and data pointers are 0"
        mov     eax, cr4
        or      eax, 3 << 9             ; OSFXSR and OSXMMEXCPT
        mov     cr4, eax
        stmxcsr [memory]
        same    dword [memory], MXCSR, "MXCSR is 1F80H"
        mov     eax, 1
        cpuid
        mov     [features], ecx
        test    ecx, 1 << 26
        jz      .no_xsave
        mov     eax, cr4
        or      eax, 1 << 18            ; OSXSAVE
        mov     cr4, eax
        xor     ecx, ecx
        xgetbv
        same    eax, 1, "XCR0 is 1"
        test    dword [features], 1 << 28
        jz      .no_xsave
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, 7
        xsetbv
        xor     ebx, ebx
%assign i 0
%rep 8
        vptest  ymm %+ i, ymm %+ i
        setnz   al
        or      bl, al
%assign i i + 1
%endrep
        test    bl, bl
        check   "YMM0 to YMM7 are 0"
.no_xsave:

; ---- MSRs

%assign i 0
%rep 3
        reads   IA32_SYSENTER_CS + i, 0, 0, "a SYSENTER MSR is 0"
%assign i i + 1
%endrep
        reads   IA32_DEBUGCTL, 0, 0, "IA32_DEBUGCTL is 0"
        reads   IA32_PAT, 0x00070406, 0x00070406, "IA32_PAT is as after reset"
        reads   IA32_EFER, 0, 0, "IA32_EFER is 0"
%assign i 0
%rep 4
        reads   IA32_STAR + i, 0, 0, "a SYSCALL MSR is 0"
%assign i i + 1
%endrep
%assign i 0
%rep 3
        reads   IA32_FS_BASE + i, 0, 0, "FS, GS or kernel GS base is 0"
%assign i i + 1
%endrep
        call    has_rdtscp
        jz      .no_rdtscp
        reads   IA32_TSC_AUX, 0, 0, "IA32_TSC_AUX is 0"
.no_rdtscp:
        call    has_waitpkg
        jz      .no_waitpkg
        reads   IA32_UMWAIT, 0, 0, "IA32_UMWAIT_CONTROL is 0"
.no_waitpkg:
        rdtsc
        same    edx, 0, "the TSC started at 0"

; ---- 64-bit mode: the registers that only it has

        mov     edi, directory
        mov     eax, 0x83
        mov     ecx, 512
.map:
        mov     [edi], eax
        add     eax, 1 << 21
        add     edi, 8
        loop    .map
        mov     dword [pdpt], directory + 3
        mov     dword [pml4], pdpt + 3
        mov     eax, cr4
        or      eax, 1 << 5
        mov     cr4, eax
        mov     eax, pml4
        mov     cr3, eax
        writes  IA32_EFER, 0x101, 0
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
        jmp     CODE_64:.long
        bits    64
.long:
        mov     rsp, stack_top
        mov     rax, r8
%assign i 9
%rep 7
        or      rax, r %+ i
%assign i i + 1
%endrep
        mov     [others], rax
        mov     rax, cr8
        mov     [memory], rax
        fxsave64 [area]
        xor     eax, eax
%assign i 0
%rep 32                                 ; XMM0 to XMM15
        or      rax, [area + 160 + 8 * i]
%assign i i + 1
%endrep
        mov     [memory + 8], rax

; ---- Change everything, in 64-bit mode

        mov     rax, 0x1122334455667788
        mov     cr2, rax
        mov     dr0, rax
        mov     dr1, rax
        mov     dr2, rax
        mov     dr3, rax
        mov     eax, 0xFFFF4FFF
        mov     dr6, rax
        mov     eax, 0x4AA
        mov     dr7, rax
        mov     eax, 5
        mov     cr8, rax
        fld1
        fldpi
        fldcw   [control_word]
        mov     dword [area], MXCSR ^ 0x80
        ldmxcsr [area]
        mov     rax, -1
%assign i 0
%rep 16
        movq    xmm %+ i, rax
%assign i i + 1
%endrep
        test    dword [features], 1 << 28
        jz      .no_avx
%assign i 0
%rep 16
        vcmpps  ymm %+ i, ymm %+ i, ymm %+ i, 0xF ; all ones
%assign i i + 1
%endrep
.no_avx:
%assign i 0
%rep 3
        writes  IA32_SYSENTER_CS + i, 0x1230, 0x12
%assign i i + 1
%endrep
        writes  IA32_PAT, 0x01010101, 0x01010101
        writes  IA32_STAR, 0x1230, 0x12
        writes  IA32_STAR + 1, 0x1230, 0x12
        writes  IA32_STAR + 2, 0x1230, 0x12
        writes  IA32_STAR + 3, 0x1230, 0
        writes  IA32_FS_BASE, 0x1230, 0x12
        writes  IA32_FS_BASE + 1, 0x1230, 0x12
        writes  IA32_FS_BASE + 2, 0x1230, 0x12
        writes  IA32_EFER, 0x901, 0     ; SCE, LME, NXE
        writes  0x10, 0, 0x1000         ; the TSC
        writes  IA32_DEBUGCTL, 2, 0     ; BTF
        jmp     far dword [to_32]
to_32:  dd      .compatible, CODE_32

        bits    32
.compatible:
        call    has_rdtscp
        jz      .no_tsc_aux
        writes  IA32_TSC_AUX, 0x1230, 0
.no_tsc_aux:
        call    has_waitpkg
        jz      .no_umwait
        writes  IA32_UMWAIT, 0x1230, 0
.no_umwait:
        mov     dword [gdt_task + 2], task
        mov     byte [gdt_task + 5], 0x89
        mov     ax, TASK
        ltr     ax
        lidt    [no_idt]

; ---- Outside 64-bit mode again: report what it found, and end

        same    dword [others], 0, "R8 to R15 are 0"
        same    dword [memory], 0, "CR8 is 0"
        same    dword [memory + 8], 0, "XMM0 to XMM15 are 0"
        same    dword [memory + 12], 0, "XMM0 to XMM15 are 0 in their upper halves"
        mov     esi, text_changed
        call    print
        mov     ebx, [information]
        mov     eax, [ebx + 16]         ; the command line: the name and the letter
        mov     al, [eax]
        cmp     al, 't'
        je      .triple_fault
        cmp     al, 'p'
        je      .port
        sti                             ; no device interrupts; in Bochs the console reaches only guests with IF set
.spin:
        pause
        in      al, 0x80
        jmp     .spin
.triple_fault:
        ud2
.port:
        mov     al, 6
        mov     edx, 0xCF9
        out     dx, al
        jmp     .spin

; Clear ZF if the processor has RDTSCP or WAITPKG.
has_rdtscp:
        mov     eax, 0x80000001
        cpuid
        test    edx, 1 << 27
        ret
has_waitpkg:
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        test    ecx, 1 << 5
        ret

text_changed:   db "all registers changed", 10, 0
control_word:   dw 0x77E

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
gdt_task:
        dq      0x0000890000000067
        dq      0
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
no_idt: dw      0
        dd      0x1234
        dd      0

        align   8
information:    dd 0
flags:          dd 0
ldt:            dd 0
task_register:  dd 0
features:       dd 0
others:         dq 0
table:          dw 0
                dd 0
                dw 0
environment:    times 28 db 0
        align   16
memory:         times 16 db 0
area:           times 512 db 0
task:           times 128 db 0
        align   4096
pml4:           times 4096 db 0
pdpt:           times 4096 db 0
directory:      times 4096 db 0
stack:          times 1024 db 0
stack_top:
