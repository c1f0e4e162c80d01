; mach_task.asm: a task for GNU Mach, a hand-written 32-bit ELF file. It makes a system call with the number of its
; arguments in EBX, and a number in EAX by which the scenario knows it. Mach's 64-bit port of 2022 has no system calls
; yet: their entry is UD2, at which it panics with the registers.

        bits    32
        org     0x10000

file:
        db      0x7F, "ELF", 1, 1, 1, 0
        dq      0
        dw      2, 3                    ; executable, 386
        dd      1, entry, segments - file, 0, 0
        dw      52, 32, 1, 0, 0, 0
segments:
        dd      1, 0, file, file, file_end - file, file_end - file, 7, 4096

entry:
        mov     ebx, [esp]
        mov     eax, 0x7A5C0DE
        call    7:0
.done:  pause
        jmp     .done
file_end:
