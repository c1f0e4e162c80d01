; exits.asm: causes every kind of exit and checks the result that the guest sees.
;
; A Multiboot kernel that runs its tests in 32-bit protected mode, with PAE paging, in real mode and in
; 64-bit mode, and prints "ok: NAME" or "FAIL: NAME" for each. At the end it executes HLT with interrupts disabled.

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
CODE_16 equ     0x20
DATA_16 equ     0x28
DATA_LIMITED equ 0x30
TASK    equ     0x38
APIC_BASE equ   0x1B
APIC_BASE_EN equ 1 << 11

%include "multiboot_header.inc"
%include "raises.inc"
%include "hypercall.inc"
%include "emulator.inc"

%macro  raises_64 3+
        mov     qword [resume], %%resume
        mov     dword [vector], NOTHING
        %3
%%resume:
        cmp     dword [vector], %1
        check_64 %2
%endmacro

%macro  check_64 1
        pushfq
        mov     rax, %%name
        push    rax
        call    report_64
        jmp     %%over
%%name: db      %1, 0
%%over:
%endmacro

entry:
        choose_hypercall
        find_emulator
        mov     esp, stack_top
        lgdt    [gdt_register]
        jmp     CODE_32:.flat
.flat:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax
        call    build_idt
        lidt    [idt_register]

; ---- Instructions that CPUID does not announce

        raises  6, "VMXON is #UD", vmxon [memory]
        raises  6, "VMXOFF is #UD", vmxoff
        raises  6, "VMCLEAR is #UD", vmclear [memory]
        raises  6, "VMPTRLD is #UD", vmptrld [memory]
        raises  6, "VMPTRST is #UD", vmptrst [memory]
        raises  6, "VMREAD is #UD", vmread eax, ecx
        raises  6, "VMWRITE is #UD", vmwrite eax, ecx
        raises  6, "VMLAUNCH is #UD", vmlaunch
        raises  6, "VMRESUME is #UD", vmresume
        raises  6, "INVEPT is #UD", invept eax, [memory]
        raises  6, "INVVPID is #UD", invvpid eax, [memory]
        raises  6, "VMFUNC is #UD", db 0x0F, 0x01, 0xD4
        xor     eax, eax                ; an address that is not aligned is #GP, even before the intercept
        raises  6, "VMRUN is #UD", db 0x0F, 0x01, 0xD8
        raises  6, "VMLOAD is #UD", db 0x0F, 0x01, 0xDA
        raises  6, "VMSAVE is #UD", db 0x0F, 0x01, 0xDB
        raises  6, "STGI is #UD", stgi
        raises  6, "CLGI is #UD", clgi
        raises  6, "SKINIT is #UD", db 0x0F, 0x01, 0xDE
        raises  6, "INVLPGA is #UD", db 0x0F, 0x01, 0xDF
        cmp     dword [is_amd], 0
        jne     .without_vmcall
        raises  6, "VMMCALL is #UD", vmmcall
        jmp     .no_other_hypercall
.without_vmcall:
        raises  6, "VMCALL is #UD", vmcall
.no_other_hypercall:
        raises  6, "GETSEC is #UD", db 0x0F, 0x37
        raises  6, "RSM is #UD", db 0x0F, 0xAA
        raises  6, "MONITOR is #UD", db 0x0F, 0x01, 0xC8
        raises  6, "MWAIT is #UD", db 0x0F, 0x01, 0xC9
        raises  13, "RDPMC is #GP", rdpmc
        raises  NOTHING, "INVD does nothing", invd
        raises  NOTHING, "WBINVD does nothing", wbinvd
        raises  NOTHING, "PAUSE does nothing", pause
        mov     eax, memory
        raises  NOTHING, "INVLPG does nothing", invlpg [eax]

; ---- CPUID

        mov     eax, 0x40000000
        cpuid
        cmp     ebx, "Hymi"
        check   "CPUID 0x40000000 has Hymir's signature"
        mov     eax, 1
        cpuid
        test    ecx, ecx
        sets    al
        cmp     al, 1
        check   "CPUID 1 ECX[31] is 1"
        mov     eax, 1
        cpuid
        test    ecx, 1 << 5
        check   "CPUID 1 shows no VMX"
        call    compare_apic
        check   "CPUID 1 EDX[9] is IA32_APIC_BASE.EN"
        mov     ecx, APIC_BASE
        rdmsr
        and     eax, ~APIC_BASE_EN
        wrmsr
        call    compare_apic
        check   "CPUID 1 EDX[9] follows EN to 0"
        mov     ecx, APIC_BASE
        rdmsr
        or      eax, APIC_BASE_EN
        wrmsr
        call    compare_apic
        check   "CPUID 1 EDX[9] follows EN to 1"
        mov     eax, 1
        cpuid
        and     ecx, 1 << 21 | 1 << 24
        cmp     ecx, 1 << 21 | 1 << 24
        check   "CPUID 1 shows x2APIC and the TSC deadline"
        mov     eax, 6
        cpuid
        cmp     eax, 1 << 2
        check   "CPUID 6 shows ARAT"
        mov     eax, 1
        cpuid
        shr     ebx, 16
        cmp     ebx, 1
        check   "CPUID 1 EBX has APIC ID 0 and one processor"
        mov     eax, 0xB
        mov     ecx, 1
        cpuid
        sub     ecx, 0x201
        dec     ebx
        or      ebx, ecx
        check   "CPUID 0xB has one processor on the level of cores"
        mov     eax, 0x40000100
        cpuid
        cmp     edx, "M"
        check   "CPUID 0x40000100 has KVM's signature"
        mov     eax, 0x40000101
        cpuid
        or      eax, edx
        check   "CPUID 0x40000101 has none of KVM's features"
        call    all_cpuid_leaves
        check   "CPUID returns for every leaf"

; ---- Control registers

        mov     eax, cr0
        or      eax, 1 << 5
        mov     cr0, eax
        mov     eax, cr0
        and     eax, 1 << 5
        cmp     eax, 1 << 5
        check   "CR0.NE can be set"
        mov     eax, cr0
        and     eax, ~(1 << 5)
        mov     cr0, eax
        mov     eax, cr0
        test    eax, 1 << 5
        check   "CR0.NE can be cleared"
        cmp     dword [is_amd], 0       ; QEMU's TCG aborts, and Bochs requests interrupt 13 of the host
        jne     .has_ferr
        fninit
        fldcw   [unmasked]
        fld1
        fldz
        fdivp
        raises  16, "an x87 error is #MF also without CR0.NE", fwait
        fninit
.has_ferr:
        mov     eax, cr0
        or      eax, 3 << 29
        mov     cr0, eax
        mov     eax, cr0
        and     eax, 3 << 29
        cmp     eax, 3 << 29
        check   "CR0.CD and NW can be set"
        mov     eax, cr0
        and     eax, ~(3 << 29)
        mov     cr0, eax
        skip_in_tcg .over_cr0
        mov     eax, cr0
        or      eax, 1 << 29
        raises  13, "CR0.NW without CD is #GP", mov cr0, eax
        cmp     dword [is_amd], 0       ; Bochs enables paging in real mode
        jne     .over_cr0
        mov     eax, 1 << 31
        raises  13, "CR0.PG without PE is #GP", mov cr0, eax
.over_cr0:
        raises  NOTHING, "CLTS", clts
        smsw    ax
        or      ax, 8
        lmsw    ax
        smsw    ax
        and     ax, 8
        cmp     ax, 8
        check   "LMSW sets TS"
        clts
        smsw    ax
        test    ax, 8
        check   "CLTS clears TS"
        mov     eax, cr4
        or      eax, 1 << 13
        raises  13, "CR4.VMXE is #GP", mov cr4, eax
        mov     eax, cr4
        or      eax, 1 << 14
        raises  13, "CR4.SMXE is #GP", mov cr4, eax
        mov     eax, cr4
        or      eax, 1 << 6
        raises  13, "CR4.MCE is #GP", mov cr4, eax
        mov     eax, cr4
        or      eax, 1 << 31
        raises  13, "CR4 bit 31 is #GP", mov cr4, eax
        mov     eax, cr4
        test    eax, eax
        check   "CR4 is still 0"
        mov     eax, 0x12345000
        mov     cr3, eax
        mov     ebx, cr3
        cmp     eax, ebx
        check   "CR3 keeps its value"
        mov     eax, 0x12345678
        mov     dr0, eax
        mov     ebx, dr0
        cmp     eax, ebx
        check   "DR0 keeps its value"
        mov     eax, 0x402
        mov     dr7, eax
        mov     ecx, 1                  ; an exit between the two accesses
        xor     eax, eax
        cpuid
        mov     eax, dr7
        cmp     eax, 0x402
        check   "DR7 survives an exit"
        skip_in_tcg .over_debug
        mov     eax, 0x2400             ; general detect
        mov     dr7, eax
        raises  1, "MOV DR with DR7.GD is #DB", mov eax, dr0
        raises  NOTHING, "the #DB handler can use the debug registers", mov eax, dr6
        mov     eax, dr7
        test    eax, 0x2000
        check   "DR7.GD is clear in the #DB handler"
        xor     eax, eax
        mov     dr7, eax
        raises  1, "INT1 is #DB", db 0xF1
        mov     eax, [fault_eip]
        cmp     byte [eax - 1], 0xF1
        check   "#DB of INT1 is a trap"
.over_debug:

; ---- XSETBV, if the processor has XSAVE

        mov     eax, 1
        cpuid
        test    ecx, 1 << 26
        jz      .no_xsave
        xor     ecx, ecx
        mov     eax, 1
        xor     edx, edx
        raises  6, "XSETBV without CR4.OSXSAVE is #UD", xsetbv
        mov     eax, cr4
        or      eax, 1 << 18
        mov     cr4, eax
        mov     eax, 1
        cpuid
        and     ecx, 1 << 27
        cmp     ecx, 1 << 27
        check   "CPUID 1 shows OSXSAVE"
        xor     ecx, ecx
        mov     eax, 3
        xor     edx, edx
        raises  NOTHING, "XSETBV accepts x87 and SSE", xsetbv
        xor     ecx, ecx
        xgetbv
        cmp     eax, 3
        check   "XGETBV returns that value"
        xor     ecx, ecx
        mov     eax, 2
        xor     edx, edx
        raises  13, "XSETBV without x87 is #GP", xsetbv
        xor     ecx, ecx
        mov     eax, 5
        raises  13, "XSETBV with AVX and without SSE is #GP", xsetbv
        mov     ecx, 1
        mov     eax, 1
        raises  13, "XSETBV of XCR1 is #GP", xsetbv
        xor     ecx, ecx
        mov     eax, 1
        mov     edx, 0x80000000
        raises  13, "XSETBV with bit 63 is #GP", xsetbv
.no_xsave:

; ---- MSRs: supported ones can be read, all others raise #GP

        mov     eax, 7
        xor     ecx, ecx
        cpuid
        bt      ecx, 5                  ; WAITPKG, which has an MSR
        adc     dword [known_msrs], 0
        bt      edx, 29                 ; IA32_ARCH_CAPABILITIES
        adc     dword [known_msrs], 0
        mov     esi, edx
        mov     eax, 0x80000008
        cpuid
        bt      ebx, 25                 ; VIRT_SPEC_CTRL
        adc     dword [known_msrs], 0
        test    ebx, 1 << 14 | 1 << 15 | 1 << 24
        jnz     .spec_ctrl
        test    esi, 1 << 26 | 1 << 27 | 1 << 31
        jz      .no_spec_ctrl
.spec_ctrl:
        inc     dword [known_msrs]
.no_spec_ctrl:
        imul    eax, [is_amd], 7        ; the policy has seven more for AMD's
        add     [known_msrs], eax
        call    all_msrs
        cmp     eax, [known_msrs]
        check   "MSRs: all supported ones can be read"
        cmp     dword [bad_msrs], 0
        check   "MSRs: all others raise only #GP"
        call    random_msrs
        cmp     dword [bad_msrs], 0
        check   "MSRs: 100000 random ones raise only #GP"

; ---- Ports

        call    all_ports
        cmp     dword [bad_ports], 0
        check   "Ports: unclaimed ones read all ones"
        mov     eax, 0x11223344
        in      al, 0x80
        cmp     eax, 0x112233FF
        check   "IN AL preserves the rest of EAX"
        mov     eax, 0x11223344
        in      ax, 0x80
        cmp     eax, 0x1122FFFF
        check   "IN AX preserves the rest of EAX"
        mov     edi, memory
        mov     dword [memory], 0
        mov     ecx, 3
        mov     edx, 0x80
        cld
        rep insb
        cmp     dword [memory], 0x00FFFFFF
        check   "REP INSB reads three bytes"
        cmp     edi, memory + 3
        check   "REP INSB advances EDI"
        test    ecx, ecx
        check   "REP INSB decrements ECX"
        mov     esi, text_outs
        mov     ecx, text_outs_end - text_outs
        mov     edx, COM1
        rep outsb
        cmp     esi, text_outs_end
        check   "REP OUTSB advances ESI"
        mov     edi, memory + 4
        std
        mov     edx, 0x80
        insd
        cld
        cmp     edi, memory
        check   "INSD downward"

; ---- Exceptions

        raises  3, "INT3", int3
        raises  0, "divide error", div dword [zero]
        raises  13, "an invalid selector", mov ds, [bad_selector]
        mov     ax, DATA_32
        mov     ds, ax
        lidt    [idt_register_short]    ; excludes the vector of #GP, so that its delivery raises #GP again
        raises  8, "a fault in the delivery of #GP is #DF", mov ds, [bad_selector]
        lidt    [idt_register]
        mov     ax, DATA_32
        mov     ds, ax
        mov     ax, DATA_LIMITED
        mov     es, ax
        mov     edi, 0x1000
        mov     edx, 0x80
        raises  13, "INSB beyond its segment's limit is #GP", insb
        mov     ax, DATA_32
        mov     es, ax
        mov     dword [vector], NOTHING
        mov     dword [resume], .stepped
        pushfd
        or      dword [esp], 1 << 8
        popfd
        cpuid                           ; exits, and is single-stepped
        nop
.stepped:
        cmp     dword [vector], 1
        check   "a trap after an instruction that exits"
        cmp     dword [fault_eip], .stepped - 1
        check   "that trap is delivered at once"
        mov     eax, dr6
        and     eax, 1 << 14
        cmp     eax, 1 << 14
        check   "DR6.BS is set"

; ---- PAE paging, enabled together with NE, which causes an exit

        call    build_pae
        mov     eax, cr4
        or      eax, 1 << 5
        mov     cr4, eax
        mov     eax, pdpt
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 1 << 31 | 1 << 5
        mov     cr0, eax
        mov     eax, [0x40000000 + memory] ; the second GiB maps the first one
        cmp     eax, [memory]
        check   "PAE paging translates"
        raises  14, "a page fault", mov eax, [0x80000000]
        mov     eax, cr2
        cmp     eax, 0x80000000
        check   "CR2 has the address"
        mov     edi, 0x80000000
        mov     edx, 0x80
        raises  14, "INSB to an absent page is #PF", insb
        mov     dword [directory + 511 * 8], 0x83 ; the last 2 MiB of 4 GiB map the first 2 MiB
        mov     dword [pdpt + 24], directory + 1
        mov     eax, cr3
        mov     cr3, eax
        mov     word [0x1FFFFE], 0xA20F ; CPUID
        mov     byte [0], 0xC3          ; RET
        xor     eax, eax
        mov     edx, 0xFFFFFFFE
        call    edx
        cmp     ecx, [vendor]
        check   "an instruction at the end of 4 GiB continues at 0"
        mov     eax, cr0
        and     eax, ~(1 << 31 | 1 << 5)
        mov     cr0, eax
        mov     eax, cr0
        test    eax, 1 << 31
        check   "paging can be disabled"

; ---- Real mode and back

        jmp     CODE_16:real_mode_entry
        bits    16
real_mode_entry:
        mov     ax, DATA_16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, cr0
        and     eax, ~1
        mov     cr0, eax
        jmp     0xFFFF:(.real - 0xFFFF0)
.real:
        xor     eax, eax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7000
        mov     eax, 0x40000000
        cpuid                           ; an exit in real mode
        a32 mov [dword memory], ebx
        mov     eax, cr0
        or      eax, 1
        mov     cr0, eax
        jmp     dword CODE_32:.protected
        bits    32
.protected:
        mov     ax, DATA_32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, stack_top
        cmp     dword [memory], "Hymi"
        check   "CPUID in real mode"

; ---- 64-bit mode, entered together with NE, which causes an exit

        call    build_long
        mov     eax, pml4
        mov     cr3, eax
        mov     eax, cr4
        or      eax, 1 << 5
        mov     cr4, eax
        mov     ecx, 0xC0000080
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     dword [gdt_tss + 2], task
        mov     byte [gdt_tss + 5], 0x81 ; a 16-bit TSS, which is invalid in 64-bit mode
        mov     ax, TASK
        ltr     ax
        mov     eax, cr0
        or      eax, 1 << 31 | 1 << 5
        skip_in_tcg .over_tss
        raises  13, "long mode with a 16-bit TSS is #GP", mov cr0, eax
.over_tss:
        mov     byte [gdt_tss + 5], 0x89
        mov     ax, TASK
        ltr     ax
        mov     eax, cr0
        or      eax, 1 << 31 | 1 << 5
        mov     cr0, eax
        jmp     CODE_64:long_mode
        bits    64
long_mode:
        mov     rsp, stack_top
        lidt    [idt_register_64]
        mov     ecx, 0xC0000080
        rdmsr
        and     eax, 0x500
        cmp     eax, 0x500
        check_64 "EFER.LMA is set"
        mov     eax, 5
        mov     cr8, rax
        mov     rbx, cr8
        cmp     rbx, 5
        check_64 "CR8 keeps its value"
        mov     r13, 7
        mov     cr8, r13
        mov     r15, cr8
        cmp     r15, 7
        check_64 "CR8 from R13 to R15"
        mov     eax, 16
        raises_64 13, "CR8 above 15 is #GP", mov cr8, rax
        skip_in_tcg .over_reserved
        mov     rax, 0x100000001
        raises_64 13, "CR0 above 32 bits is #GP", mov cr0, rax
.over_reserved:
        mov     rbx, 0x1122334455667788
        mov     rbp, 0x2233445566778899
        mov     r12, 0x33445566778899AA
        mov     r14, 0x445566778899AABB
        mov     r8, 0x5566778899AABBCC
        xor     eax, eax
        hypercall                       ; the version: changes only RAX
        mov     rcx, 0x1122334455667788
        sub     rbx, rcx
        mov     rcx, 0x2233445566778899
        sub     rbp, rcx
        mov     rcx, 0x33445566778899AA
        sub     r12, rcx
        mov     rcx, 0x445566778899AABB
        sub     r14, rcx
        mov     rcx, 0x5566778899AABBCC
        sub     r8, rcx
        or      rbx, rbp
        or      rbx, r12
        or      rbx, r14
        or      rbx, r8
        sub     rax, 3
        or      rbx, rax
        check_64 "registers survive a hypercall"
        mov     eax, 12345
        hypercall
        inc     rax
        check_64 "an unknown hypercall is an error"
        mov     eax, 1
        mov     rbx, 0x123456789000
        mov     ecx, 16
        hypercall
        inc     rax
        check_64 "a hypercall with an address beyond RAM is an error"
        mov     eax, 0xFFFFFFFF
        in      eax, 0x80
        mov     rbx, 0xFFFFFFFF
        sub     rbx, rax
        check_64 "IN EAX clears the upper half of RAX"
        mov     rax, 0x1111111111111111
        mov     ecx, 0x1B
        rdmsr
        shr     rax, 32
        check_64 "RDMSR clears the upper half of RAX"
        mov     rdi, page_end - 2       ; across a page boundary; the next page is not contiguous in physical memory
        mov     edx, 0x80
        insd
        cmp     dword [page_end - 2], 0xFFFFFFFF
        check_64 "INSD across a page boundary"
        mov     byte [page_end - 1], 0x12
        mov     byte [page_end], 0x5A
        mov     rsi, page_end - 1
        mov     edx, COM1 + 6           ; the modem status register, which ignores writes, and the scratch register
        outsw
        mov     edx, COM1 + 7
        in      al, dx
        cmp     al, 0x5A
        check_64 "OUTSW across a page boundary"
        mov     rdi, 0x800000000000     ; not canonical
        mov     edx, 0x80
        raises_64 13, "INSB to a non-canonical address is #GP", insb
        cmp     dword [is_amd], 0       ; MFENCE with a prefix
        jne     .over_umwait
        raises_64 6, "UMWAIT or an undefined instruction is #UD", db 0xF2, 0x0F, 0xAE, 0xF0
.over_umwait:

        mov     rsi, text_done
.next:
        lodsb
        test    al, al
        jz      .end
        mov     edx, COM1
        out     dx, al
        jmp     .next
.end:
        cli
        hlt

; ---- Functions of the tests

        bits    32

        bits    64
report_64:
        mov     rsi, text_ok
        test    dword [rsp + 16], 1 << 6
        jnz     .say
        mov     rsi, text_fail
.say:
        call    print_64
        mov     rsi, [rsp + 8]
        call    print_64
        mov     al, 10
        mov     edx, COM1
        out     dx, al
        ret     16

print_64:
        lodsb
        test    al, al
        jz      .done
        mov     edx, COM1
        out     dx, al
        jmp     print_64
.done:
        ret

        bits    32

; ZF: CPUID 1 EDX[9] is IA32_APIC_BASE.EN.
compare_apic:
        mov     ecx, APIC_BASE
        rdmsr
        mov     esi, eax
        mov     eax, 1
        cpuid
        shl     edx, 11 - 9
        xor     edx, esi
        test    edx, APIC_BASE_EN
        ret

; Executes CPUID for all leaves up to both maxima and beyond, with 32 subleaves of the first ones. ZF: all returned.
all_cpuid_leaves:
        mov     ebp, 0
.basic:
        mov     eax, ebp
        shr     eax, 5
        mov     ecx, ebp
        and     ecx, 31
        cpuid
        inc     ebp
        cmp     ebp, 0x40 << 5
        jb      .basic
        mov     ebp, 0x40000000
.hypervisor:
        mov     eax, ebp
        xor     ecx, ecx
        cpuid
        inc     ebp
        cmp     ebp, 0x40000110
        jb      .hypervisor
        mov     ebp, 0x80000000
.extended:
        mov     eax, ebp
        xor     ecx, ecx
        cpuid
        inc     ebp
        cmp     ebp, 0x80000110
        jb      .extended
        mov     eax, 0xFFFFFFFF
        mov     ecx, 0xFFFFFFFF
        cpuid
        xor     eax, eax
        ret

; Reads the MSR in ECX and writes the value back, or 0. Counts readable MSRs in EBP, and counts
; exceptions other than #GP.
one_msr:
        mov     dword [vector], NOTHING
        mov     dword [resume], .read_failed
        rdmsr
        inc     ebp
        jmp     .write
.read_failed:
        xor     eax, eax
        xor     edx, edx
        cmp     dword [vector], 13
        je      .write
        inc     dword [bad_msrs]
.write:
        mov     dword [vector], NOTHING
        mov     dword [resume], .write_failed
        wrmsr
        ret
.write_failed:
        cmp     dword [vector], 13
        je      .done
        inc     dword [bad_msrs]
.done:
        ret

; Four ranges of MSRs; all but the second have bits in the MSR bitmap.
all_msrs:
        xor     ebp, ebp
        xor     ecx, ecx
.low:
        call    one_msr
        inc     ecx
        cmp     ecx, 0x2000
        jb      .low
        mov     ecx, 0x40000000
.middle:
        call    one_msr
        inc     ecx
        cmp     ecx, 0x40002000
        jb      .middle
        mov     ecx, 0xC0000000
.high:
        call    one_msr
        inc     ecx
        cmp     ecx, 0xC0002000
        jb      .high
        mov     ecx, 0xC0010000
.amd:
        call    one_msr
        inc     ecx
        cmp     ecx, 0xC0012000
        jb      .amd
        mov     eax, ebp
        ret

random_msrs:
        mov     ebx, 0x12345678
        mov     edi, 20000
.next:
        imul    ebx, ebx, 1664525
        add     ebx, 1013904223
        mov     ecx, ebx
        call    one_msr
        dec     edi
        jnz     .next
        ret

; Reads a byte from all ports except the one that would stop this guest. Only ports of devices may differ from all ones.
all_ports:
        xor     edx, edx
.next:
        cmp     edx, 0xF4
        je      .over
        xor     eax, eax
        out     dx, al
        in      al, dx
        cmp     al, 0xFF
        je      .over
        mov     esi, device_ports
.device:
        cmp     dx, [esi]
        jb      .bad
        cmp     dx, [esi + 2]
        jbe     .over
        add     esi, 4
        jmp     .device
.bad:
        inc     dword [bad_ports]
.over:
        inc     edx
        cmp     edx, 0x10000
        jb      .next
        ret

; First and last port of each device, in ascending order: 8259A, 8254, 8042, port B, 8042, clock, port A, 8259A, UART,
; edge or level, ACPI's PM1 registers and timer.
device_ports:
        dw      0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x64, 0x64, 0x70, 0x71, 0x92, 0x92, 0xA0, 0xA1
        dw      COM1, COM1 + 7, 0x4D0, 0x4D1, 0x600, 0x605, 0x608, 0x60B
        dw      0xFFFF, 0xFFFF

; Builds a PDPT with two entries for the same directory of 2-MiB pages.
build_pae:
        mov     dword [pdpt], directory + 1
        mov     dword [pdpt + 8], directory + 1
        mov     ecx, 512
        mov     edi, directory
        mov     eax, 0x83
.next:
        mov     [edi], eax
        mov     dword [edi + 4], 0
        add     eax, 1 << 21
        add     edi, 8
        loop    .next
        ret

; Does the same with a PML4, but maps the page after page_end to a distant one.
build_long:
        mov     dword [pdpt], directory + 7
        mov     dword [pdpt + 8], 0
        mov     dword [pml4], pdpt + 7
        mov     dword [directory], page_table + 7
        mov     ecx, 512
        mov     edi, page_table
        mov     eax, 7
.next:
        mov     [edi], eax
        add     eax, 4096
        add     edi, 8
        loop    .next
        mov     dword [page_table + (0x100000 + page_end - header) / 4096 * 8], 0x1FF007
        ret

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
        dq      0x008F9B000000FFFF      ; 16-bit code
        dq      0x00CF93000000FFFF
        dq      0x0040930000000FFF      ; data up to 0xFFF
gdt_tss:
        dq      0x0000890000000067
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
idt_register_short:
        dw      9 * 8 - 1
        dd      idt

        hypercall_table
        emulator_data
text_outs:      db "ok: this line came by REP OUTSB", 10
text_outs_end:
text_done:      db "all exits tried", 10, 0

        align   8
zero:           dd 0
bad_selector:   dw 0x1234
unmasked:       dw 0x037B               ; the x87 control word with division by zero unmasked
        align   4
known_msrs:     dd 23                   ; 13 passed through, 6 of the policy, 2 of the APIC, the time-stamp counter, DEBUGCTL
bad_msrs:       dd 0
bad_ports:      dd 0
memory:         times 64 db 0
task:           times 128 db 0

        align   4096
pml4:           times 4096 db 0
pdpt:           times 4096 db 0
directory:      times 4096 db 0
page_table:     times 4096 db 0
stack:          times 4096 db 0
stack_top:
page_start:     times 4096 db 0
page_end:       times 4096 db 0
