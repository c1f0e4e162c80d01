; corners.asm: rare cases at the edge of what causes VM exits, in which a guest must see what a processor shows.
;
; A Multiboot kernel that prints "ok: NAME" or "FAIL: NAME" for each test; at the end it halts with interrupts disabled.

        bits    32
        org     0x100000

CODE_32 equ     0x08
DATA_32 equ     0x10
CODE_64 equ     0x18
TASK    equ     0x20
OTHER_TASK equ  0x28
TASK_GATE equ   0x30
CR0_NE  equ     1 << 5
CR0_CD  equ     1 << 30
CR0_PG  equ     1 << 31

%include "multiboot_header.inc"
%include "raises.inc"
%include "hypercall.inc"
%include "emulator.inc"

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
        mov     ss, ax
        call    build_idt
        lidt    [idt_register]

; ---- Instructions that processors have and guests are not offered

        raises  6, "TDCALL is #UD", db 0x66, 0x0F, 0x01, 0xCC
        raises  6, "SEAMCALL is #UD", db 0x66, 0x0F, 0x01, 0xCF
        raises  6, "ENCLS is #UD", db 0x0F, 0x01, 0xCF
        raises  6, "ENCLV is #UD", db 0x0F, 0x01, 0xC0
        raises  6, "PCONFIG is #UD", db 0x0F, 0x01, 0xC5
        raises  6, "LOADIWKEY is #UD", db 0xF3, 0x0F, 0x38, 0xDC, 0xC1

; ---- Debug exceptions

        skip_in_tcg .over_int1
        mov     eax, 0xFFFF0FF0
        mov     dr6, eax
        pushfd
        or      dword [esp], 1 << 8     ; TF
        mov     dword [vector], NOTHING
        mov     dword [resume], .after_int1
        popfd
        db      0xF1                    ; INT1
.after_int1:
        cmp     dword [vector], 1
        check   "INT1 of a guest that single-steps is #DB"
        mov     eax, dr6
        test    eax, 1 << 14
        check   "INT1 does not set DR6.BS"
.over_int1:
        mov     ecx, 0x1D9
        mov     eax, 2
        xor     edx, edx
        raises  NOTHING, "IA32_DEBUGCTL.BTF can be set", wrmsr
        mov     ecx, 0x1D9
        rdmsr
        cmp     eax, 2
        check   "IA32_DEBUGCTL.BTF reads as 1"
        xor     eax, eax
        mov     ecx, 0x1D9
        wrmsr
        mov     eax, 1 << 6
        raises  13, "IA32_DEBUGCTL.TR is #GP", wrmsr

; ---- A hardware task switch: AMD-V performs it, under VT-x it is #GP with the selector of the TSS

        mov     dword [gdt_task + 2], task
        mov     byte [gdt_task + 5], 0x89
        mov     dword [gdt_other_task + 2], other_task
        mov     byte [gdt_other_task + 5], 0x89
        mov     ax, TASK
        ltr     ax
        cmp     dword [is_amd], 0
        je      .task_switches_fault
        mov     dword [other_task + 32], .other_task
        mov     dword [other_task + 36], 2 ; EFLAGS
        mov     dword [other_task + 76], CODE_32 ; CS
        mov     dword [other_task + 80], DATA_32 ; SS
        mov     dword [other_task + 84], DATA_32 ; DS
        mov     dword [vector], 0
        jmp     OTHER_TASK:0
        cmp     dword [vector], OTHER_TASK
        check   "JMP to a TSS switches tasks, and back"
        jmp     .task_switches_tried
.other_task:
        str     [vector]
        jmp     TASK:0
.task_switches_fault:
        mov     dword [code], NOTHING
        raises  13, "JMP to a TSS is #GP", jmp OTHER_TASK:0
        cmp     dword [code], OTHER_TASK
        check   "its error code is the selector"
        raises  13, "CALL of a TSS is #GP", call OTHER_TASK:0
        mov     dword [idt + 0x1F * 8], OTHER_TASK << 16
        mov     dword [idt + 0x1F * 8 + 4], 0x8500 ; a task gate
        raises  13, "INT through a task gate is #GP", int 0x1F
        cmp     dword [code], 0x1F << 3 | 2
        check   "its error code is the vector"
        raises  13, "CALL of a task gate is #GP", call TASK_GATE:0
        cmp     dword [code], OTHER_TASK
        check   "its error code is the selector of the gate's TSS"
        mov     dword [task], OTHER_TASK ; the link
        mov     byte [gdt_other_task + 5], 0x8B ; busy
        pushfd
        or      dword [esp], 1 << 14    ; NT
        popfd
        mov     dword [code], NOTHING
        raises  13, "IRET to the task before is #GP", iretd
        pushfd
        btr     dword [esp], 14
        setc    al
        popfd
        cmp     al, 1
        check   "NT is still set"
        cmp     dword [code], OTHER_TASK
        check   "its error code is the link"
        mov     byte [gdt_other_task + 5], 0x89
        mov     dword [idt + 6 * 8], OTHER_TASK << 16
        mov     dword [idt + 6 * 8 + 4], 0x8500
        raises  13, "#UD through a task gate is #GP", ud2
        cmp     dword [code], 6 << 3 | 2 | 1
        check   "its error code is the vector, and that no instruction called it"
        mov     dword [idt], OTHER_TASK << 16
        mov     dword [idt + 4], 0x8500
        xor     ecx, ecx
        raises  8, "#DE through a task gate is #DF", div ecx
        cmp     dword [code], 0
        check   "its error code is 0"
        call    build_idt
.task_switches_tried:

; ---- PAE paging: changing CR0.CD loads the PDPTEs

        call    build_pae
        mov     eax, cr4
        or      eax, 1 << 5
        mov     cr4, eax
        mov     eax, pdpt
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        mov     dword [pdpt + 8], directory_2 + 1 ; the second GiB now maps from 2 MiB on
        mov     eax, cr0
        or      eax, CR0_CD
        mov     cr0, eax
        mov     eax, [0x40000000]
        cmp     eax, [0x00200000]
        check   "changing CR0.CD loads the PDPTEs"
        mov     eax, cr0
        and     eax, ~CR0_CD
        cmp     dword [is_amd], 0       ; with nested paging, PDPTEs are checked when they are used
        jne     .over_invalid_pdpte
        mov     dword [pdpt + 8], directory_2 + 1 + 2 ; a reserved bit
        raises  13, "changing CR0.CD with invalid PDPTEs is #GP", mov cr0, eax
.over_invalid_pdpte:
        mov     dword [pdpt + 8], directory + 1
        mov     cr0, eax
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax

; ---- 64-bit mode, and 32-bit code with values in the upper halves of the registers

        mov     dword [pdpt], directory + 3
        mov     dword [pdpt + 8], 0
        mov     dword [pml4], pdpt + 3
        mov     dword [pml4 + 255 * 8], pdpt_end + 3 ; the end of the lower half maps the first 2 MiB
        mov     dword [pdpt_end + 511 * 8], directory_end + 3
        mov     dword [directory_end + 511 * 8], 0x83
        mov     eax, pml4
        mov     cr3, eax
        mov     ecx, 0xC0000080
        rdmsr
        or      eax, 1 << 8
        wrmsr
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        jmp     CODE_64:.long
        bits    64
.long:
        mov     rsp, stack_top
        lidt    [idt_register_64]
        mov     rbx, cr0
        xor     rbx, CR0_NE
        mov     rax, 0x1234567800000000
        or      rbx, rax
        jmp     far dword [to_compatible]
        bits    32
compatible:
        hypercall                       ; the version, 0 in EAX
        mov     [version], eax
        lidt    [idt_register]          ; unused: in long mode, gates have 16 bytes
        mov     cr0, ebx
        jmp     CODE_64:.back
        bits    64
.back:
        lidt    [idt_register_64]
        mov     rax, cr0
        xor     rax, rbx
        mov     [difference], eax
        mov     word [0x1FFFFE], 0xA20F ; CPUID at the end of the lower half of the address space
        mov     rax, 0x7FFFFFFFFFFE
        mov     dword [vector], NOTHING
        mov     qword [resume], .after_edge
        xor     ecx, ecx
        push    rax
        xor     eax, eax
        ret
.after_edge:
        cmp     ecx, [vendor]
        sete    [edge_executed]
        mov     eax, [vector]
        mov     [edge_vector], eax
        jmp     far dword [to_compatible_2]
        bits    32
compatible_2:
        cmp     dword [version], 3
        check   "a hypercall of 32-bit code takes EAX, not RAX"
        cmp     dword [difference], 0
        check   "MOV to CR0 of 32-bit code takes 32 bits"
        cmp     byte [edge_executed], 1
        check   "CPUID at the end of the lower half is executed"
        cmp     dword [edge_vector], 13
        check   "the fetch after it is #GP"
        mov     esi, text_done
        call    print
        cli
        hlt

; Fills the directories with 2-MiB pages: from 0 on and from 2 MiB on.
build_pae:
        mov     dword [pdpt], directory + 1
        mov     dword [pdpt + 8], directory + 1
        mov     ecx, 512
        mov     edi, directory
        mov     eax, 0x83
.next:
        mov     [edi], eax
        add     eax, 1 << 21
        mov     [edi + directory_2 - directory], eax
        add     edi, 8
        loop    .next
        mov     dword [0x00200000], 0x600D600D
        ret

        hypercall_table
        emulator_data
text_done:      db "all corners tried", 10, 0

        align   8
to_compatible:  dd compatible, CODE_32
to_compatible_2: dd compatible_2, CODE_32
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
        dq      0x00AF9B000000FFFF
gdt_task:
        dq      0x0000890000000067
gdt_other_task:
        dq      0x0000890000000067
        dq      0x0000850000000000 | OTHER_TASK << 16
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt

        align   8
version:        dd 0
difference:     dd 1
edge_vector:    dd NOTHING
edge_executed:  dd 0
task:           times 128 db 0
other_task:     times 128 db 0
        align   4096
pml4:           times 4096 db 0
pdpt:           times 4096 db 0
pdpt_end:       times 4096 db 0
directory:      times 4096 db 0
directory_2:    times 4096 db 0
directory_end:  times 4096 db 0
stack:          times 4096 db 0
stack_top:
