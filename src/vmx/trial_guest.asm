; trial_guest.asm: the guest of two instructions, CPUID and HLT, and VMCALL, which is only timed. trial_guest.c
; copies them into the guest's memory.
;
; CPUID and VMCALL always cause a VM exit; HLT does if the control "HLT exiting" is 1.

        bits    64
        section .rodata

        global  trial_guest_start
        global  trial_guest_vmcall
        global  trial_guest_end
trial_guest_start:
        cpuid
        hlt
trial_guest_vmcall:
        vmcall
trial_guest_end:

        section .note.GNU-stack noalloc noexec nowrite progbits
