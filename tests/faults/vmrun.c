/*
 * selftest=entry-control, entry-guest: failing VMRUNs of the first guest. APM 2,
 * "Canonicalization and Consistency Checks".
 */
#include "selftest.h"

#include "svm/vcpu.h"

void selftest_spoil_vmcb(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    if (selftest.kind == SELFTEST_ENTRY_CONTROL)
        vmcb->asid = 0; /* the host's */
    else if (selftest.kind == SELFTEST_ENTRY_GUEST)
        vmcb->cr0 |= BIT(32); /* reserved */
}
