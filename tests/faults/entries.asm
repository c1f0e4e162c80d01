; entries.asm: entry points of the test image that leave a machine as other software may, and then start Hymir.
;
; A scenario's key `start` makes one of them the entry of the ELF file. The boot loader enters them as it enters
; boot_entry: in 32-bit protected mode without paging, with the Multiboot2 magic in EAX and the address of the boot
; information in EBX, both of which boot_entry gets.

%include "constants.inc"

CR0_NE                  equ     1 << 5
MSR_IA32_VMX_BASIC      equ     0x480

; Conventional memory that no boot loader has used when it starts an image.
SCRATCH                 equ     0x50000
VMXON_POINTER           equ     SCRATCH + 0x1000

TAG_END                 equ     0
TAG_MEMORY_MAP          equ     6
MEMORY_BAD              equ     5
ENTRY_SIZE              equ     24

; The pages that are added to the memory map as defective RAM, and their distance.
HOLES                   equ     1300
FIRST_HOLE              equ     64 << 20
HOLE_DISTANCE           equ     64 << 10
HOLE_SIZE               equ     4 << 10

        section .boot.entries progbits alloc exec nowrite align=16
        bits    32
        extern  boot_entry

; CR4.VMXE is set, but the processor is not in VMX operation.
        global  start_with_vmxe
start_with_vmxe:
        mov     ecx, cr4
        or      ecx, HYMIR_CR4_VMXE
        mov     cr4, ecx
        jmp     boot_entry

; The processor is in VMX root operation. (It could not be on hardware, where this requires CR0.PG.)
        global  start_in_vmx_operation
start_in_vmx_operation:
        mov     esi, eax
        mov     eax, cr4
        or      eax, HYMIR_CR4_VMXE
        mov     cr4, eax
        mov     eax, cr0
        or      eax, CR0_NE
        mov     cr0, eax
        mov     ecx, MSR_IA32_VMX_BASIC
        rdmsr
        mov     [SCRATCH], eax                          ; the VMCS revision
        mov     dword [VMXON_POINTER], SCRATCH
        mov     dword [VMXON_POINTER + 4], 0
        vmxon   [VMXON_POINTER]
        mov     eax, esi
        jmp     boot_entry

; The memory map has HOLES entries more. The boot information is copied, with the memory map as its last tag.
        global  start_with_long_map
start_with_long_map:
        cld
        lea     esi, [ebx + 8]
        mov     edi, SCRATCH + 8
.next_tag:
        mov     edx, [esi + 4]                          ; size
        add     edx, 7
        and     edx, -8
        mov     ecx, edx
        cmp     dword [esi], TAG_END
        je      .copied
        cmp     dword [esi], TAG_MEMORY_MAP
        jne     .copy
        mov     ebp, esi
        add     esi, edx
        jmp     .next_tag
.copy:
        rep movsb
        jmp     .next_tag
.copied:
        mov     ebx, edi                                ; the new tag
        mov     esi, ebp
        mov     ecx, [esi + 4]
        rep movsb
        mov     edx, FIRST_HOLE
        mov     ecx, HOLES
.next_hole:
        mov     [edi], edx
        mov     dword [edi + 4], 0
        mov     dword [edi + 8], HOLE_SIZE
        mov     dword [edi + 12], 0
        mov     dword [edi + 16], MEMORY_BAD
        add     edi, ENTRY_SIZE
        add     edx, HOLE_DISTANCE
        loop    .next_hole
        mov     edx, edi
        sub     edx, ebx
        mov     [ebx + 4], edx
        mov     dword [edi], TAG_END
        mov     dword [edi + 4], 8
        lea     edx, [edi + 8 - SCRATCH]
        mov     ebx, SCRATCH
        mov     [ebx], edx
        mov     dword [ebx + 4], 0
        jmp     boot_entry

; ---------------------------------------------------------------------------------------------------

; A function of firmware that a shadow stack would not let return: virtualization.c.
        section .text
        bits    64
        global  firmware_with_own_returns
firmware_with_own_returns:
        lea     rax, [rel .back]
        push    rax
        ret
.back:
        mov     eax, 42
        ret

        section .note.GNU-stack noalloc noexec nowrite progbits
