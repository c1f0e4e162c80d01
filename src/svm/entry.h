/*
 * The loop of VM entries and VM exits.
 */
#ifndef HYMIR_SVM_ENTRY_H
#define HYMIR_SVM_ENTRY_H

#include "svm/vmcb.h"
#include "virt/vcpu.h"

/*
 * Enters the guest of *guest by VMRUN, and calls run->on_exit at each VM exit, on the
 * caller's stack, until that returns RUN_STOP. Also a failed entry calls it, with the
 * code VMEXIT_INVALID. *host is a page for the state of the host that VMSAVE saves. With
 * EFER.SVME and VM_HSAVE_PA set and interrupts off; handlers run with GIF set.
 */
void svm_run(struct vcpu_run *run, struct vmcb *guest, struct vmcb *host);

#endif
