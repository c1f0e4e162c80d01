; trial_guest.asm: the guest of two instructions. trial_guest.c copies it into the guest's memory.
;
; CPUID always causes a VM exit, HLT does if the control "HLT exiting" is 1.

        bits    64
        section .rodata

        global  trial_guest_start
        global  trial_guest_end
trial_guest_start:
        cpuid
        hlt
trial_guest_end:

        section .note.GNU-stack noalloc noexec nowrite progbits
