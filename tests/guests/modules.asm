; modules.asm: a Multiboot 1 guest that prints its command line, and the string, the size and the first line of each of
; its modules.

        bits    32
        org     0x100000

%include "multiboot_header.inc"
%include "hypercall.inc"
%include "report.inc"

entry:
        mov     [magic], eax
        choose_hypercall
        mov     esp, stack_end
        cld
        cmp     dword [magic], 0x2BADB002
        check   "the magic number"
        mov     eax, [ebx]
        and     eax, 0x24D
        cmp     eax, 0x24D
        check   "memory, command line, modules, memory map and loader name"
        mov     esi, text_command_line
        call    print
        mov     esi, [ebx + 16]
        call    print
        call    end_line
        mov     ebp, [ebx + 20]
        mov     ebx, [ebx + 24]
.next:
        test    ebp, ebp
        jz      .end
        test    dword [ebx], 0xFFF
        check   "aligned to a page"
        mov     esi, text_module
        call    print
        mov     esi, [ebx + 8]
        call    print
        mov     esi, text_bytes
        call    print
        mov     eax, [ebx + 4]
        sub     eax, [ebx]
        call    print_number
        mov     esi, text_contents
        call    print
        mov     esi, [ebx]
        call    print_line
        add     ebx, 16
        dec     ebp
        jmp     .next
.end:
        mov     eax, 2
        mov     ebx, 5
        hypercall
        hlt

; Prints the text at ESI up to a control character, and ends the line.
print_line:
        lodsb
        cmp     al, ' '
        jb      end_line
        call    put
        jmp     print_line
end_line:
        mov     al, 10
        jmp     put

        hypercall_table
magic:                  dd 0
text_command_line:      db "command line: ", 0
text_module:            db "module: ", 0
text_bytes:             db ", bytes: ", 0
text_contents:          db ", contents: ", 0
                        times 256 db 0
stack_end:
