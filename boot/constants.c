/*
 * Exports C constants to assembly. This file is compiled to assembly and never linked;
 * the build turns each "constant" line of the output into a NASM %define HYMIR_name, so
 * that no number is written twice.
 */
#include "console/serial.h"
#include "cpu/cpuid.h"
#include "cpu/setup.h"
#include "cpu/thunks.h"
#include "lib/multiboot2.h"
#include "platform/ap_boot.h"
#include "svm/vmcb.h"
#include "virt/vcpu.h"
#include "vmx/instructions.h"
#include "vmx/vmcs.h"
#include "x86/msr.h"

#define CONSTANT(name, value) __asm__ volatile("constant " #name " %0" : : "i"(value))

void constants(void);

void constants(void)
{
    CONSTANT(MULTIBOOT2_MAGIC, MULTIBOOT2_MAGIC);

    CONSTANT(CR0_INITIAL, CR0_INITIAL);
    CONSTANT(CR0_PE, CR0_PE);
    CONSTANT(CR0_WP, CR0_WP);
    CONSTANT(CR4_INITIAL, CR4_INITIAL);
    CONSTANT(CR4_VMXE, CR4_VMXE);
    CONSTANT(EFER_LME, EFER_LME);
    CONSTANT(EFER_NXE, EFER_NXE);
    CONSTANT(MSR_IA32_EFER, MSR_IA32_EFER);
    CONSTANT(CPUID_LONG_MODE, CPUID_80000001_EDX_LONG_MODE);
    CONSTANT(CPUID_NX, CPUID_80000001_EDX_NX);

    CONSTANT(SELECTOR_CODE, SELECTOR_CODE);
    CONSTANT(SELECTOR_DATA, SELECTOR_DATA);
    CONSTANT(CODE_DESCRIPTOR, CODE_DESCRIPTOR);
    CONSTANT(CODE_DESCRIPTOR_32, CODE_DESCRIPTOR_32);
    CONSTANT(DATA_DESCRIPTOR_32, DATA_DESCRIPTOR_32);
    CONSTANT(SERIAL_COM1, UART_COM1);
    CONSTANT(SERIAL_WAIT_READS, SERIAL_WAIT_READS);
    CONSTANT(LINE_STATUS_HOLDING_EMPTY, LINE_STATUS_HOLDING_EMPTY);
    CONSTANT(STACK_TOP, offsetof(struct cpu_stacks, main) + MAIN_STACK_SIZE);
    CONSTANT(CPU_STACKS, offsetof(struct cpu, stacks));
    CONSTANT(AP_BOOT_CR3, offsetof(struct ap_boot_parameters, cr3));
    CONSTANT(AP_BOOT_EFER, offsetof(struct ap_boot_parameters, efer));
    CONSTANT(AP_BOOT_SIZE, sizeof(struct ap_boot_parameters));

    CONSTANT(VMX_SUCCEED, VMX_SUCCEED);
    CONSTANT(VMX_FAIL_INVALID, VMX_FAIL_INVALID);
    CONSTANT(VMX_FAIL_VALID, VMX_FAIL_VALID);
    CONSTANT(VMCS_HOST_RSP, VMCS_HOST_RSP);
    CONSTANT(VMCS_HOST_RIP, VMCS_HOST_RIP);
    CONSTANT(VMCB_RAX, offsetof(struct vmcb, rax));
    CONSTANT(RUN_AGAIN, RUN_AGAIN);
    CONSTANT(RUN_ALL_REGISTERS, RUN_ALL_REGISTERS);
    CONSTANT(RUN_ENTRY, offsetof(struct vcpu_run, entry));
    CONSTANT(RUN_SPEC_CTRL, offsetof(struct vcpu_run, spec_ctrl));
    CONSTANT(ENTRY_VERW, BIT(ENTRY_VERW));
    CONSTANT(ENTRY_FLUSH_L1D, BIT(ENTRY_FLUSH_L1D));
    CONSTANT(ENTRY_FILL_RSB, BIT(ENTRY_FILL_RSB));
    CONSTANT(ENTRY_IBRS, BIT(ENTRY_IBRS));
    CONSTANT(ENTRY_IBPB, BIT(ENTRY_IBPB));
    CONSTANT(ENTRY_DROP_SHADOW, BIT(ENTRY_DROP_SHADOW));
    CONSTANT(INDIRECT_THUNK_SIZE, INDIRECT_THUNK_SIZE);
    CONSTANT(RETPOLINE_START, RETPOLINE_START);
    CONSTANT(INDIRECT_JUMP_SIZE, INDIRECT_JUMP_SIZE);
    CONSTANT(CR4_CET, CR4_CET);
    CONSTANT(ENTRIES, BIT(ENTRY_MEASURES));
    CONSTANT(MSR_IA32_SPEC_CTRL, MSR_IA32_SPEC_CTRL);
    CONSTANT(SPEC_CTRL_IBRS, SPEC_CTRL_IBRS);
    CONSTANT(MSR_IA32_PRED_CMD, MSR_IA32_PRED_CMD);
    CONSTANT(PRED_CMD_IBPB, PRED_CMD_IBPB);
    CONSTANT(MSR_IA32_FLUSH_CMD, MSR_IA32_FLUSH_CMD);
    CONSTANT(FLUSH_CMD_L1D, FLUSH_CMD_L1D);
    CONSTANT(RUN_ON_EXIT, offsetof(struct vcpu_run, on_exit));
    CONSTANT(RUN_IS_LAUNCHED, offsetof(struct vcpu_run, is_launched));
    CONSTANT(RUN_HAS_ALL_REGISTERS, offsetof(struct vcpu_run, has_all_registers));
}
