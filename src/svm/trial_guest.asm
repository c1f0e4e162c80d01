; trial_guest.asm: the guests of AMD-V's trial. trial_guest.c copies them into the guest's memory.
;
; The first is the guest of two instructions, CPUID and HLT, which exit because they are intercepted. The second
; reads the quadword at RBX and ends by VMMCALL, which is intercepted too.

        bits    64
        section .rodata

        global  svm_trial_guest_start
        global  svm_trial_guest_read
        global  svm_trial_guest_vmmcall
        global  svm_trial_guest_end
svm_trial_guest_start:
        cpuid
        hlt
svm_trial_guest_read:
        mov     rax, [rbx]
svm_trial_guest_vmmcall:
        vmmcall
svm_trial_guest_end:

        section .note.GNU-stack noalloc noexec nowrite progbits
