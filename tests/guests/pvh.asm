; pvh.asm: a PVH guest, a hand-written 64-bit ELF file, that prints its command line, the string and the first line of each
; of its modules, and the memory that the map has above 1 MiB, in MiB.

        bits    32
        org     0x200000                ; the load address of the only segment, which includes the file header

%include "hypercall.inc"

file:
        db      0x7F, "ELF", 2, 1, 1, 0
        dq      0
        dw      2, 62                   ; executable, x86-64
        dd      1
        dq      0xFFFFFFFF80200000      ; unused: the note has the entry point
        dq      segments - file
        dq      0
        dd      0
        dw      64, 56, 2, 0, 0, 0
segments:
        dd      1, 7                    ; PT_LOAD
        dq      0, 0xFFFFFFFF80200000, file, file_end - file, memory_end - file, 4096
        dd      4, 4                    ; PT_NOTE
        dq      note - file, 0, 0, note_end - note, note_end - note, 4
note:
        dd      4, 4, 18
        db      "Xen", 0
        dd      entry
note_end:

%include "print.inc"

entry:
        choose_hypercall
        mov     esp, memory_end
        mov     ebp, ebx
        mov     edx, COM1
        cld
        cmp     dword [ebp], 0x336EC578
        jne     .end
        mov     esi, text_command_line
        call    print_line
        mov     esi, [ebp + 24]
        call    print_line
        mov     ebx, [ebp + 16]         ; the list of modules
        mov     ecx, [ebp + 12]         ; their number
        jecxz   .memory
.module:
        mov     esi, text_module
        call    print_line
        mov     esi, [ebx + 16]
        call    print_line
        mov     esi, text_contents
        call    print_line
        mov     esi, [ebx]
        call    print_line
        add     ebx, 32
        loop    .module
.memory:
        mov     esi, text_memory
        call    print_line
        mov     esi, [ebp + 40]         ; the memory map: its last entry
        mov     eax, [esi + 2 * 24 + 8]
        shr     eax, 20
        call    print_number
        mov     al, 10
        out     dx, al
.end:
        mov     eax, 2
        mov     ebx, 7
        hypercall
        hlt

; Prints up to a NUL or the end of the line.
print_line:
        lodsb
        cmp     al, ' '
        jb      .done
        out     dx, al
        jmp     print_line
.done:
        ret

        hypercall_table
text_command_line:      db "command line: ", 0
text_module:            db "; module (", 0
text_contents:          db "): ", 0
text_memory:            db "; memory: ", 0
file_end:

        times 256 db 0                  ; the stack, which follows the file in memory
memory_end:
