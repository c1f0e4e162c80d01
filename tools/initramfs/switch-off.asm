; switch-off, of the Linux guest on the boot medium: powers the machine off. Linux does that by ACPI, which a
; guest of Hymir's does not have, and Debian's cloud kernel has no /dev/port; so this writes to the port itself.
; Linux's system calls take their number in RAX and the first argument in RDI.

bits 64

SYS_EXIT    equ 60
SYS_IOPL    equ 172
PM1_CONTROL equ 0x604           ; docs/GUESTS.md, "Ends"
PM1_SLP_EN  equ 0x2000

global _start
_start:
        mov     eax, SYS_IOPL   ; OUT for this process, if root runs it
        mov     edi, 3
        syscall
        test    rax, rax
        jnz     .exit
        mov     dx, PM1_CONTROL
        mov     ax, PM1_SLP_EN
        out     dx, ax
.exit:
        mov     eax, SYS_EXIT
        mov     edi, 1          ; the machine is still on
        syscall
