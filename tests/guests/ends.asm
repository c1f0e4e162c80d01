; ends.asm: a guest that stops in the way that the first letter of its command line selects.
;
;       t  triple fault           k  reset by port 0x64            c  reset by port 0xCF9
;       w  an exception on a stack beyond its memory               r  page tables beyond its memory
;       x  execution beyond it
;       p  power-off by 0x604     P  power-off by 0xB004           8  "Shutdown" to port 0x8900
;       f  a value to port 0xF4   h  HLT with interrupts off       s  a hardware task switch
;       H  HLT with interrupts on
;       i  INSD across the end of its memory, and HLT              l  an endless loop
;       o  the letter o, and an endless loop with interrupts on
;       z  a timer that interrupts at each tick, and endless output
;       a  an alignment check whose delivery raises it again, endlessly
;       n  an invalid opcode whose delivery raises such an alignment check
;       d  a debug exception whose delivery raises it again, endlessly
;       u  endless PAUSE          e  endless exits, with an NMI at each round
;       q  HLT, with a timer that interrupts it
;       S  searches all addressable memory for a pattern of other guests

        bits    32
        org     0x100000

%include "multiboot_header.inc"
%include "hypercall.inc"

MEMORY  equ     0x1000000               ; the guest has 16 MiB
PATTERN equ     0x5EC2E7C0

entry:
        choose_hypercall
        mov     esp, stack_top
        mov     esi, [ebx + 16]         ; the command line
        mov     al, [esi]
        mov     ebx, table
.next:
        cmp     byte [ebx], 0
        je      .unknown
        cmp     al, [ebx]
        je      .found
        add     ebx, 5
        jmp     .next
.found:
        jmp     [ebx + 1]
.unknown:
        hlt

table:
        db      "t"
        dd      triple_fault
        db      "w"
        dd      write_beyond
        db      "r"
        dd      read_beyond
        db      "x"
        dd      execute_beyond
        db      "k"
        dd      reset_keyboard
        db      "c"
        dd      reset_chipset
        db      "p"
        dd      power_off_qemu
        db      "P"
        dd      power_off_piix
        db      "8"
        dd      shutdown
        db      "f"
        dd      debug_exit
        db      "h"
        dd      stop
        db      "H"
        dd      idle
        db      "s"
        dd      task_switch
        db      "i"
        dd      string_over_end
        db      "l"
        dd      loop_for_ever
        db      "o"
        dd      loop_after_output
        db      "z"
        dd      storm
        db      "a"
        dd      endless_exception
        db      "n"
        dd      nested_exception
        db      "d"
        dd      endless_debug_exception
        db      "u"
        dd      endless_pause
        db      "e"
        dd      endless_exits
        db      "q"
        dd      halted
        db      "S"
        dd      scan
        db      0

triple_fault:
        lidt    [empty]
        ud2
write_beyond:
        mov     word [idt + 6 * 8 + 2], 0x08
        mov     word [idt + 6 * 8 + 4], 0x8E00
        lgdt    [gdt_register]
        lidt    [idt_register]
        mov     esp, MEMORY + 4
        ud2
read_beyond:
        mov     eax, MEMORY + 0x1000
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 1 << 31
        mov     cr0, eax
execute_beyond:
        mov     eax, 0xFFFFFFF0
        jmp     eax
reset_keyboard:
        mov     al, 0xFE
        out     0x64, al
reset_chipset:
        mov     edx, 0xCF9
        mov     al, 6
        out     dx, al
power_off_qemu:
        mov     edx, 0x604
        mov     ax, 0x2000
        out     dx, ax
power_off_piix:
        mov     edx, 0xB004
        mov     ax, 0x2000
        out     dx, ax
shutdown:
        mov     esi, text_shutdown
        mov     ecx, 8
        mov     edx, 0x8900
        cld
        rep outsb
debug_exit:
        mov     eax, 0x1234
        out     0xF4, eax
stop:
        cli
        hlt
idle:
        sti
        hlt
task_switch:
        mov     dword [gdt_tss + 2], tss
        mov     byte [gdt_tss + 5], 0x89
        lgdt    [gdt_register]
        jmp     0x18:0
string_over_end:
        mov     edi, MEMORY - 2
        mov     edx, 0x80
        insd
        cli
        hlt
loop_after_output:
        mov     ax, "o" | 10 << 8
        mov     edx, 0x3F8
        out     dx, al
        mov     al, ah
        out     dx, al
        sti
loop_for_ever:
        jmp     loop_for_ever
storm:
        mov     al, 0x14                ; counter 0, low byte, mode 2
        out     0x43, al
        mov     al, 1
        out     0x40, al
        mov     edx, 0x3F8
.again:
        mov     al, "."
        out     dx, al
        mov     ecx, 10000
        loop    $
        jmp     .again

; Prints the letter in AL and a line feed.
print_letter:
        mov     edx, 0x3F8
        out     dx, al
        mov     al, 10
        out     dx, al
        ret

; Points the gate at EDI to the handler at EAX, in the segment ECX, with the access byte in ECX[31:24].
set_gate:
        mov     [edi], ax
        mov     [edi + 2], ecx
        shr     eax, 16
        mov     [edi + 6], ax
        ret

; Loads GDTR and IDTR, and CS from the GDT.
load_tables:
        lgdt    [gdt_register]
        lidt    [idt_register]
        jmp     0x08:.done
.done:  ret

; In ring 3 with a misaligned stack. The handlers are there too, so that the processor pushes its frame on that stack.
nested_exception:
        mov     dword [user_entry], user_undefined
endless_exception:
        mov     ecx, 0xEE000023
        mov     edi, idt + 17 * 8
        mov     eax, user
        call    set_gate
        mov     edi, idt + 6 * 8
        mov     eax, user
        call    set_gate
        lgdt    [gdt_register]
        lidt    [idt_register]
        mov     eax, cr0
        or      eax, 1 << 18            ; AM
        mov     cr0, eax
        push    dword 0x2B
        push    dword stack_top - 1
        push    dword 1 << 18 | 2       ; AC
        push    dword 0x23
        push    dword [user_entry]
        mov     al, [esi]
        call    print_letter
        iretd
user_undefined:
        ud2
user:   push    eax
        jmp     user

; Whatever the handler of #DB does, the processor pushes its frame first, on words with a data breakpoint.
endless_debug_exception:
        mov     al, [esi]
        call    print_letter
        mov     ecx, 0x8E000008
        mov     edi, idt + 1 * 8
        mov     eax, debug_handler
        call    set_gate
        call    load_tables
        mov     esp, stack_top
        mov     eax, stack_top - 4
        mov     dr0, eax
        mov     eax, 0xD0002            ; of writes to 4 bytes
        mov     dr7, eax
        push    eax
debug_handler:
        mov     esp, stack_top
        push    eax
        jmp     debug_handler

endless_pause:
        mov     al, [esi]
        call    print_letter
        sti                             ; Bochs: or an external interrupt would not cause an exit
.again:
        pause
        jmp     .again

endless_exits:
        mov     al, [esi]
        call    print_letter
        mov     ecx, 0x8E000008
        mov     edi, idt + 2 * 8
        mov     eax, nmi_handler
        call    set_gate
        call    load_tables
        sti
.again:
        mov     eax, 3                  ; an NMI to itself
        hypercall
        cpuid
        mov     ecx, 0x10
        rdmsr
        in      al, 0x80
        jmp     .again
nmi_handler:
        iretd

; The 8254 interrupts 18 times a second; the 8259A delivers it as vector 32.
halted:
        mov     ecx, 0x8E000008
        mov     edi, idt + 32 * 8
        mov     eax, timer_handler
        call    set_gate
        call    load_tables
        mov     al, 0x11
        out     0x20, al
        mov     al, 32
        out     0x21, al
        mov     al, 4
        out     0x21, al
        mov     al, 1
        out     0x21, al
        mov     al, 0xFE
        out     0x21, al
        mov     al, 0x34
        out     0x43, al
        xor     al, al
        out     0x40, al
        out     0x40, al
        mov     al, [esi]
        call    print_letter
        sti
.again:
        hlt
        jmp     .again
timer_handler:
        push    eax
        mov     al, 0x20
        out     0x20, al
        pop     eax
        iretd

; The 16 MiB contain only data of this guest. Each of these guests fills 16 KiB with a pattern, at an address that the
; digit after the S selects, and searches for it everywhere else.
scan:
        movzx   edx, byte [esi + 1]
        and     edx, 7
        shl     edx, 20
        add     edx, 0x800000
        mov     edi, edx
        mov     ecx, 0x1000
        mov     eax, PATTERN
        rol     eax, 1                  ; so that the image does not contain the pattern
        cld
        rep stosd
        mov     ecx, 2                  ; in the second round all guests have written the pattern
.again:
        xor     esi, esi
        xor     ebp, ebp
.next:
        cmp     esi, edx
        jne     .look
        add     esi, 0x4000
.look:
        cmp     [esi], eax
        jne     .over
        inc     ebp
.over:
        add     esi, 4
        cmp     esi, MEMORY
        jb      .next
        loop    .again
        mov     eax, 2
        mov     ebx, ebp                ; the number of matches
        hypercall

        hypercall_table
text_shutdown: db "Shutdown"

        align   8
gdt:
        dq      0
        dq      0x00CF9B000000FFFF
        dq      0x00CF93000000FFFF
gdt_tss:
        dq      0x0000890000000067
        dq      0x00CFFB000000FFFF
        dq      0x00CFF3000000FFFF
gdt_end:
gdt_register:
        dw      gdt_end - gdt - 1
        dd      gdt
empty:
        dw      0
        dd      0
idt_register:
        dw      33 * 8 - 1
        dd      idt

        align   8
idt:    times 33 dq 0
user_entry: dd user

        align   16
tss:    times 128 db 0
stack:  times 256 db 0
stack_top:
