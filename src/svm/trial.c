/* See trial.h. */
#include "svm/trial.h"

#include "cpu/traps.h"
#include "platform/apic.h"
#include "svm/instructions.h"
#include "svm/operation.h"
#include "svm/record.h"
#include "svm/vm_control.h"
#include "x86/control_registers.h"
#include "x86/cpuid.h"

static struct svm_steps *steps_of(struct trial *trial)
{
    return &svm_record_of(&trial->record)->steps;
}

void svm_trial_read_registers(struct cpu_record *record)
{
    struct svm_record *own = svm_record_of(record);

    if (cpuid_is_amd(&record->cpuid)) {
        record->microcode = (uint32_t)msr_read_safe(MSR_AMD_PATCH_LEVEL).value;
        own->syscfg       = msr_read_safe(MSR_SYSCFG);
    }
    if ((record->cpuid.leaf_80000001.ecx & CPUID_80000001_ECX_SVM) == 0)
        return;
    own->vm_cr       = msr_read_safe(MSR_VM_CR);
    own->efer        = msr_read_safe(MSR_IA32_EFER);
    own->vm_hsave_pa = msr_read_safe(MSR_VM_HSAVE_PA);
}

void svm_trial_permit(struct trial *trial)
{
    if (vm_control_is_write_needed(&trial->record))
        steps_of(trial)->vm_cr = svm_operation_permit();
}

void svm_trial_enter(struct trial *trial)
{
    struct svm_steps *steps = steps_of(trial);

    steps->efer = svm_operation_enter();
    if (!msr_write_succeeded(&steps->efer))
        svm_operation_forbid(&steps->vm_cr);
}

void svm_trial_set_host_save_area(struct trial *trial)
{
    hpa_t area = hpa_of(trial_page(trial, TRIAL_PAGE_HSAVE));

    steps_of(trial)->vm_hsave_pa = msr_write_try(MSR_VM_HSAVE_PA, area.value);
}

static volatile uint32_t interrupts_taken;

static void count_interrupt(void)
{
    interrupts_taken++;
}

/* The APIC delivers within a few instructions; its registers are read meanwhile. */
static void wait_for_delivery(void)
{
    for (int i = 0; i < 1000; i++)
        cpu_pause();
}

void svm_trial_prove_gif(struct trial *trial)
{
    struct gif_trial *gif = &steps_of(trial)->gif;

    interrupts_taken = 0;
    trap_set_handler(VECTOR_TRIAL, count_interrupt);
    clgi();
    gif->is_sent =
        apic_send(trial->record.apic_id, ICR_FIXED | VECTOR_TRIAL) == STATUS_OK;
    if (gif->is_sent)
        wait_for_delivery();
    interrupts_handle_pending();
    gif->is_taken_early = interrupts_taken > 0;
    stgi();
    interrupts_handle_pending();
    gif->is_taken = interrupts_taken > 0;
    gif->is_tried = true;
    trap_set_handler(VECTOR_TRIAL, NULL);
}

void svm_trial_leave(struct trial *trial)
{
    struct svm_steps *steps = steps_of(trial);

    steps->last_vm_hsave_pa =
        msr_write_try(MSR_VM_HSAVE_PA, svm_record(&trial->record)->vm_hsave_pa.value);
    steps->last_efer  = svm_operation_leave(&steps->vm_cr);
    steps->after_svme = clgi_try();
}

/* ---- Timings */

static bool execute_vmsave(struct trial *trial)
{
    vmsave(hpa_of(trial_page(trial, TRIAL_PAGE_HOST_VMCB)));
    return true;
}

static bool execute_vmload(struct trial *trial)
{
    vmload(hpa_of(trial_page(trial, TRIAL_PAGE_HOST_VMCB)));
    return true;
}

static bool execute_clgi_stgi(struct trial *trial)
{
    (void)trial;
    clgi();
    stgi();
    return true;
}

static bool execute_invlpga(struct trial *trial)
{
    invlpga(hpa_of(trial->pages).value, 1);
    return true;
}

const struct timing_row svm_timings[SVM_TIMINGS] = {
    {.name = "VM exit by CPUID", .run = svm_trial_exit_by_cpuid},
    {.name = "VM exit by VMMCALL", .run = svm_trial_exit_by_vmmcall},
    {.name = "VMSAVE", .execute = execute_vmsave},
    {.name = "VMLOAD", .execute = execute_vmload},
    {.name = "CLGI, STGI", .execute = execute_clgi_stgi, .is_pair = true},
    {.name = "INVLPGA", .execute = execute_invlpga},
};
