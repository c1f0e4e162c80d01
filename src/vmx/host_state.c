/* See host_state.h. */
#include "vmx/host_state.h"

#include "cpu/percpu.h"
#include "cpu/setup.h"
#include "vmx/vmcs.h"
#include "x86/msr.h"

enum status host_state_write(void)
{
    const struct cpu *cpu        = this_cpu();
    const struct vmcs_row rows[] = {
        {VMCS_HOST_CR0, read_cr0()},
        {VMCS_HOST_CR3, read_cr3()},
        {VMCS_HOST_CR4, read_cr4()},
        {VMCS_HOST_ES_SELECTOR, SELECTOR_DATA},
        {VMCS_HOST_CS_SELECTOR, SELECTOR_CODE},
        {VMCS_HOST_SS_SELECTOR, SELECTOR_DATA},
        {VMCS_HOST_DS_SELECTOR, SELECTOR_DATA},
        {VMCS_HOST_FS_SELECTOR, SELECTOR_NULL},
        {VMCS_HOST_GS_SELECTOR, SELECTOR_NULL},
        {VMCS_HOST_TR_SELECTOR, SELECTOR_TSS},
        {VMCS_HOST_FS_BASE, rdmsr(MSR_IA32_FS_BASE)},
        {VMCS_HOST_GS_BASE, rdmsr(MSR_IA32_GS_BASE)},
        {VMCS_HOST_TR_BASE, (uintptr_t)&cpu->tss},
        {VMCS_HOST_GDTR_BASE, (uintptr_t)cpu->gdt},
        {VMCS_HOST_IDTR_BASE, cpu_idt_base()},
        {VMCS_HOST_IA32_SYSENTER_CS, rdmsr(MSR_IA32_SYSENTER_CS)},
        {VMCS_HOST_IA32_SYSENTER_ESP, rdmsr(MSR_IA32_SYSENTER_ESP)},
        {VMCS_HOST_IA32_SYSENTER_EIP, rdmsr(MSR_IA32_SYSENTER_EIP)},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}
