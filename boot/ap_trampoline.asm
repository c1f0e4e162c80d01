; ap_trampoline.asm: the real-mode entry of the application processors.
;
; smp_place_trampoline copies ap_trampoline_start to ap_trampoline_end to a page below 1 MiB and fills in
; struct ap_boot_parameters at its end. A startup IPI starts a CPU there in real mode, with CS:IP at the
; start of the page. Steps, as required by SDM 3A, "Initializing IA-32e Mode":
;
; 1. Switch from real mode to 32-bit protected mode. The page's address is computed from CS and kept in
;    EBX; all other addresses are relative to it.
; 2. Load CR4, CR3, EFER and CR0 as on the boot CPU; jump to 64-bit code in the page, then to Hymir's
;    linked address.
; 3. Exchange the ticket, a pointer to the CPU's struct cpu, with 0. If it was 0, the CPU started too
;    late and halts.
; 4. Call   _Noreturn void smp_ap_main(struct cpu *cpu);   on the CPU's own stack.

%include "constants.inc"

        section .rodata

        global  ap_trampoline_start
        global  ap_trampoline_parameters
        global  ap_trampoline_end

%define OFFSET(label) ((label) - ap_trampoline_start)

        bits    16
ap_trampoline_start:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        movzx   ebx, ax
        shl     ebx, 4
        lea     eax, [ebx + OFFSET(gdt)]
        mov     [OFFSET(gdt_register.base)], eax
        lea     eax, [ebx + OFFSET(protected_mode)]
        mov     [OFFSET(protected_mode_pointer)], eax
        lea     eax, [ebx + OFFSET(long_mode)]
        mov     [OFFSET(long_mode_pointer)], eax
        o32 lgdt [OFFSET(gdt_register)]
        mov     eax, HYMIR_CR0_PE
        mov     cr0, eax
        jmp     dword far [OFFSET(protected_mode_pointer)]

        bits    32
protected_mode:
        mov     eax, HYMIR_SELECTOR_DATA
        mov     ds, eax
        mov     ss, eax
        mov     eax, HYMIR_CR4_INITIAL
        mov     cr4, eax
        mov     eax, [ebx + OFFSET(ap_trampoline_parameters) + HYMIR_AP_BOOT_CR3]
        mov     cr3, eax
        mov     ecx, HYMIR_MSR_IA32_EFER
        xor     edx, edx
        mov     eax, [ebx + OFFSET(ap_trampoline_parameters) + HYMIR_AP_BOOT_EFER]
        wrmsr
        mov     eax, HYMIR_CR0_INITIAL
        mov     cr0, eax
        jmp     far [ebx + OFFSET(long_mode_pointer)]

        bits    64
long_mode:
        mov     rax, ap_long_mode_entry
        jmp     rax

        align   8
gdt:
        dq      0
        dq      HYMIR_CODE_DESCRIPTOR           ; HYMIR_SELECTOR_CODE
        dq      HYMIR_DATA_DESCRIPTOR_32        ; HYMIR_SELECTOR_DATA
        dq      HYMIR_CODE_DESCRIPTOR_32
gdt_register:
        dw      gdt_register - gdt - 1
.base:
        dd      0
protected_mode_pointer:
        dd      0
        dw      3 * 8
long_mode_pointer:
        dd      0
        dw      HYMIR_SELECTOR_CODE

        align   8
ap_trampoline_parameters:
        times HYMIR_AP_BOOT_SIZE db 0
ap_trampoline_end:

        bits    64
        section .text

        extern  ap_boot_ticket
        extern  smp_ap_main

ap_long_mode_entry:
        mov     eax, HYMIR_SELECTOR_DATA
        mov     es, eax
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
        xor     edi, edi
        xchg    [ap_boot_ticket], rdi
        test    rdi, rdi
        jz      .too_late
        mov     rsp, [rdi + HYMIR_CPU_STACKS]
        add     rsp, HYMIR_STACK_TOP
        xor     ebp, ebp                ; terminates backtraces
        call    smp_ap_main
.too_late:
        cli
        hlt
        jmp     .too_late

        section .note.GNU-stack noalloc noexec nowrite progbits
