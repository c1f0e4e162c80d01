/* See operation.h. */
#include "svm/operation.h"

#include "cpu/percpu.h"
#include "svm/instructions.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

struct msr_write svm_operation_permit(void)
{
    const struct msr_reading vm_cr = msr_read_safe(MSR_VM_CR);

    if (vm_cr.state != MSR_READ || (vm_cr.value & VM_CR_SVMDIS) == 0)
        return (struct msr_write){0};
    return msr_write_try(MSR_VM_CR, vm_cr.value & ~VM_CR_SVMDIS);
}

void svm_operation_forbid(const struct msr_write *permit)
{
    if (permit->is_tried)
        (void)wrmsr_safe(MSR_VM_CR, permit->written | VM_CR_SVMDIS);
}

/*
 * Makes INIT raise #SX, which cpu/traps.c ignores, or reset the CPU as usual: SVM does
 * not block it as VMX root operation does.
 */
static void redirect_init(bool is_redirected)
{
    const struct msr_reading vm_cr = msr_read_safe(MSR_VM_CR);
    uint64_t others                = vm_cr.value & ~VM_CR_R_INIT;

    if (vm_cr.state == MSR_READ)
        (void)wrmsr_safe(MSR_VM_CR, others | (is_redirected ? VM_CR_R_INIT : 0));
}

/* Leaves SVM for panic, stop and reset, also inside an exit, where GIF is 0. */
static void leave_before_stop(void)
{
    (void)stgi_safe();
    redirect_init(false);
    (void)wrmsr_safe(MSR_VM_HSAVE_PA, 0);
    (void)wrmsr_safe(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) & ~EFER_SVME);
}

struct msr_write svm_operation_enter(void)
{
    /* Before the write, for an NMI right after it. */
    this_cpu()->leave_virtualization = leave_before_stop;
    struct msr_write efer =
        msr_write_try(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) | EFER_SVME);
    if (msr_write_succeeded(&efer))
        redirect_init(true);
    else
        this_cpu()->leave_virtualization = NULL;
    return efer;
}

struct msr_write svm_operation_leave(const struct msr_write *permit)
{
    stgi();
    redirect_init(false);
    this_cpu()->leave_virtualization = NULL;
    struct msr_write efer =
        msr_write_try(MSR_IA32_EFER, rdmsr(MSR_IA32_EFER) & ~EFER_SVME);
    svm_operation_forbid(permit);
    return efer;
}
