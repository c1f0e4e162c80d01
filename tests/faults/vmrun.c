/*
 * selftest=entry-control, entry-guest, trial-entry: failing VMRUNs. APM 2,
 * "Canonicalization and Consistency Checks".
 */
#include "selftest.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "svm/vcpu.h"
#include "x86/msr.h"

void selftest_spoil_vmcb(struct vcpu *vcpu)
{
    struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    if (selftest.kind == SELFTEST_ENTRY_CONTROL)
        vmcb->asid = 0; /* the host's */
    else if (selftest.kind == SELFTEST_ENTRY_GUEST)
        vmcb->cr0 |= BIT(32); /* reserved */
}

/* Violates two rules. */
void test_hook_enter_trial_vmcb(struct vmcb *vmcb)
{
    if (selftest.kind != SELFTEST_TRIAL_ENTRY)
        return;
    vmcb->cr4 &= ~(uint64_t)CR4_PAE;
    vmcb->dr7 |= BIT(32); /* reserved */
}

void selftest_log_host_save_area(void)
{
    bool has_svm =
        (cpuid(CPUID_LEAF_EXTENDED_FEATURES, 0).ecx & CPUID_80000001_ECX_SVM) != 0;

    if (has_svm)
        log_debug("selftest: VM_HSAVE_PA is 0x%lx", msr_read_safe(MSR_VM_HSAVE_PA).value);
}
