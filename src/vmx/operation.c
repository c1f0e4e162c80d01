/* See operation.h. */
#include "vmx/operation.h"

#include "cpu/percpu.h"
#include "x86/control_registers.h"

void vmx_write_revision(void *region, uint32_t revision)
{
    *(volatile uint32_t *)region = revision;
}

/*
 * Leaves VMX operation for panic, stop and reset, which ignore failures. VMPTRST shows
 * whether the CPU is already in VMX operation, and whether a VMCS is current.
 */
static void leave_before_stop(void)
{
    uint64_t pointer           = UINT64_MAX;
    struct vmx_attempt vmptrst = vmptrst_try(&pointer);

    if (vmx_attempt_succeeded(&vmptrst) && pointer != UINT64_MAX)
        (void)!vmclear(hpa(pointer));
    (void)vmx_operation_leave();
}

uint32_t vmx_operation_allow(uint64_t cr0, uint64_t cr4)
{
    uint32_t fault = write_cr0_safe(cr0);
    return fault != FAULT_NONE ? fault : write_cr4_safe(cr4);
}

struct vmx_attempt vmx_operation_enter(void *region, uint32_t revision)
{
    vmx_write_revision(region, revision);
    /* Before VMXON, for an NMI right after it. */
    this_cpu()->leave_virtualization = leave_before_stop;
    struct vmx_attempt vmxon         = vmxon_try(hpa_of(region));
    if (!vmx_attempt_succeeded(&vmxon)) {
        this_cpu()->leave_virtualization = NULL;
        write_cr4(read_cr4() & ~(uint64_t)CR4_VMXE);
    }
    return vmxon;
}

struct vmx_attempt vmx_operation_leave(void)
{
    struct vmx_attempt vmxoff = vmxoff_try();
    if (vmx_attempt_succeeded(&vmxoff)) {
        this_cpu()->leave_virtualization = NULL;
        write_cr4(read_cr4() & ~(uint64_t)CR4_VMXE);
    }
    return vmxoff;
}
