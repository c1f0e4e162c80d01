/*
 * The checks of AMD-V, from CPUID to the end of SVM, in order.
 *
 * Pure: functions of a record. svm/trial.c performs the steps.
 */
#include "svm/checks.h"

#include "svm/record.h"
#include "svm/trial.h"
#include "svm/vm_control.h"
#include "svm/vmcb.h"
#include "virt/exception_rules.h"
#include "x86/cpuid.h"
#include "x86/svm_capabilities.h"

static const struct svm_steps *steps_of(const struct cpu_record *record)
{
    return &svm_record(record)->steps;
}

static bool check_cpuid(const struct cpu_record *record, struct text *detail)
{
    uint32_t ecx = record->cpuid.leaf_80000001.ecx;
    bool has_svm = (ecx & CPUID_80000001_ECX_SVM) != 0;

    text_append(detail, "CPUID.80000001H:ECX[2] = %d (ECX = 0x%08x)", has_svm ? 1 : 0,
                ecx);
    return has_svm;
}

static bool check_features(const struct cpu_record *record, struct text *detail)
{
    const struct cpuid_result *leaf = &record->cpuid.leaf_8000000a;
    uint64_t revision               = BITS_GET(leaf->eax, 7, 0);

    text_append(detail, "revision %lu, %u ASIDs, features 0x%08x", revision, leaf->ebx,
                leaf->edx);
    if (revision == 0)
        return TEXT_FAIL(detail, "; CPUID.8000000AH reports no SVM revision");
    if (leaf->ebx < 2)
        return TEXT_FAIL(detail, "; a guest needs an ASID other than the host's");
    return true;
}

/* Appends the value of VM_CR, and its meaning. */
static void append_vm_cr(const struct msr_reading *vm_cr, bool has_key,
                         struct text *detail)
{
    static const char *const words[] = {
        [VM_CONTROL_ENABLED]    = "SVM not disabled",
        [VM_CONTROL_DISABLED]   = "SVM disabled, not locked",
        [VM_CONTROL_LOCKED_OFF] = "SVM disabled and locked",
        [VM_CONTROL_UNKNOWN]    = "",
    };
    enum vm_control_state state = vm_control_state(vm_cr);

    if (state == VM_CONTROL_UNKNOWN) {
        text_append(detail, "RDMSR of VM_CR raised %s; assumed enabled",
                    exception_mnemonic(vm_cr->vector));
        return;
    }
    text_append(detail, "0x%lx: %s", vm_cr->value, words[state]);
    if (state == VM_CONTROL_LOCKED_OFF)
        text_append(detail, "%s", has_key ? ", with a key that only firmware has" : "");
}

/* Judges the value that was read back if Hymir wrote the register, else the one found. */
static bool check_vm_cr(const struct cpu_record *record, struct text *detail)
{
    const struct svm_record *own  = svm_record(record);
    const struct msr_write *write = &own->steps.vm_cr;
    enum vm_control_state state   = vm_control_state(&own->vm_cr);

    append_vm_cr(&own->vm_cr,
                 (record->cpuid.leaf_8000000a.edx & SVM_FEATURE_SVM_LOCK) != 0, detail);
    if (!write->is_tried)
        return state == VM_CONTROL_ENABLED || state == VM_CONTROL_UNKNOWN;
    if (write->fault != FAULT_NONE)
        return TEXT_FAIL(detail, "; WRMSR of 0x%lx raised %s", write->written,
                         exception_mnemonic(FAULT_VECTOR(write->fault)));
    if (vm_control_state(&write->reading) != VM_CONTROL_ENABLED)
        return TEXT_FAIL(detail, "; written 0x%lx, but reads 0x%lx", write->written,
                         write->reading.value);
    text_append(detail, "; cleared by Hymir");
    return true;
}

/* Returns whether a register accepted what was written; if not, appends the reason. */
static bool has_accepted(const struct msr_write *write, const char *name,
                         struct text *detail)
{
    if (!write->is_tried)
        return TEXT_FAIL(detail, "WRMSR of %s was not reached", name);
    if (write->fault != FAULT_NONE)
        return TEXT_FAIL(detail, "WRMSR of %s = 0x%lx raised %s", name, write->written,
                         exception_mnemonic(FAULT_VECTOR(write->fault)));
    if (!msr_write_succeeded(write))
        return TEXT_FAIL(detail, "%s was set to 0x%lx, but reads 0x%lx", name,
                         write->written, write->reading.value);
    return true;
}

static bool check_svme(const struct cpu_record *record, struct text *detail)
{
    const struct svm_record *own = svm_record(record);

    if (own->efer.state == MSR_READ && (own->efer.value & EFER_SVME) != 0)
        return TEXT_FAIL(detail,
                         "EFER.SVME is set and cannot be cleared (EFER = 0x%lx): "
                         "software started before Hymir may be using SVM",
                         own->efer.value);
    if (!has_accepted(&own->steps.efer, "EFER", detail))
        return false;
    text_append(detail, "set: EFER = 0x%lx", own->steps.efer.reading.value);
    return true;
}

static bool check_hsave(const struct cpu_record *record, struct text *detail)
{
    const struct msr_write *write = &steps_of(record)->vm_hsave_pa;

    if (!has_accepted(write, "VM_HSAVE_PA", detail))
        return false;
    text_append(detail, "set to 0x%lx", write->reading.value);
    return true;
}

static bool check_gif(const struct cpu_record *record, struct text *detail)
{
    const struct gif_trial *gif = &steps_of(record)->gif;

    if (!gif->is_tried)
        return TEXT_FAIL(detail, "CLGI was not reached");
    if (gif->is_taken_early)
        return TEXT_FAIL(detail, "an interrupt was taken between CLGI and STGI");
    if (gif->is_sent && !gif->is_taken)
        return TEXT_FAIL(detail, "an interrupt sent after CLGI was not taken after STGI");
    text_append(detail, "%s",
                gif->is_sent ? "CLGI held an interrupt back until STGI"
                             : "CLGI, STGI executed; not proved without an APIC");
    return true;
}

static void append_exits(const struct guest_trial *guest, struct text *detail)
{
    trial_exits_append(&guest->exits, "code", detail);
    if (guest->exits.count > 0)
        text_append(detail, ", EXITINFO 0x%lx and 0x%lx", guest->exit_info[0],
                    guest->exit_info[1]);
}

/* Returns whether the guest ran at all; if not, appends the reason. */
static bool has_run(const struct cpu_record *record, const struct guest_trial *guest,
                    struct text *detail)
{
    if (!guest->is_tried)
        return TEXT_FAIL(detail, "VMRUN was not reached");
    if (!guest_trial_entry_failed(guest))
        return true;
    text_append(detail,
                "VMRUN failed with VMEXIT_INVALID: the processor rejected the VMCB");
    entry_summary_append(&record->entry_violations, detail);
    return false;
}

static bool check_guest(const struct cpu_record *record, struct text *detail)
{
    const struct guest_trial *guest = &steps_of(record)->guest;

    if (!has_run(record, guest, detail))
        return false;
    if (guest->exits.count != 2 || guest->exits.number[0] != SVM_EXIT_CPUID ||
        guest->exits.number[1] != SVM_EXIT_HLT) {
        append_exits(guest, detail);
        return TEXT_FAIL(detail, "; expected 0x72 (CPUID), 0x78 (HLT)");
    }
    if (guest->rax != TRIAL_MARK_GUEST)
        return TEXT_FAIL(detail, "RAX changed across VM entry and VM exit");
    text_append(detail, "exits 0x72 (CPUID) and 0x78 (HLT)");
    return true;
}

bool svm_has_nested_paging(const struct cpu_record *record)
{
    const struct guest_trial *nested = &steps_of(record)->nested;

    return nested->exits.count == 1 && nested->exits.number[0] == SVM_EXIT_VMMCALL &&
           nested->rax == TRIAL_MARK_TARGET;
}

/* A processor without nested paging passes, though it cannot run guests here. */
static bool check_nested_paging(const struct cpu_record *record, struct text *detail)
{
    const struct guest_trial *nested = &steps_of(record)->nested;
    bool is_reported = (record->cpuid.leaf_8000000a.edx & SVM_FEATURE_NESTED_PAGING) != 0;

    if (svm_has_nested_paging(record)) {
        text_append(detail, "%s",
                    is_reported ? "works: a mapped page was read"
                                : "not advertised, works: a mapped page was read");
        return true;
    }
    if (!is_reported) {
        text_append(detail, "not advertised, and does not work");
        return true;
    }
    if (!has_run(record, nested, detail))
        return false;
    if (nested->rax == TRIAL_MARK_PROBE)
        return TEXT_FAIL(detail, "advertised, but NP_ENABLE had no effect");
    append_exits(nested, detail);
    return TEXT_FAIL(detail, "; expected 0x81 (VMMCALL)");
}

static bool check_leave(const struct cpu_record *record, struct text *detail)
{
    const struct svm_steps *steps = steps_of(record);

    if (!has_accepted(&steps->last_vm_hsave_pa, "VM_HSAVE_PA", detail) ||
        !has_accepted(&steps->last_efer, "EFER", detail))
        return false;
    if (steps->after_svme != (FAULT_RAISED | VECTOR_UD))
        return TEXT_FAIL(detail, "CLGI after EFER.SVME was cleared raised no #UD");
    text_append(detail, "SVM left: CLGI raises #UD");
    return true;
}

/* ---- The meaning of a failed check */

static enum verdict_word word_of_vm_cr(const struct cpu_record *record)
{
    enum vm_control_state state = vm_control_state(&svm_record(record)->vm_cr);

    if (state == VM_CONTROL_LOCKED_OFF)
        return VERDICT_LOCKED_OFF;
    return state == VM_CONTROL_DISABLED && record->nolock ? VERDICT_UNLOCKED
                                                          : VERDICT_FAILED;
}

/* EFER.SVME that cannot be set though CPUID and VM_CR offer it. */
static bool is_svme_withheld(const struct cpu_record *record)
{
    return steps_of(record)->efer.fault != FAULT_NONE;
}

/* Appends the registers on which VMRUN depends. */
static void append_registers(const struct cpu_record *record, struct text *text)
{
    const struct svm_record *own = svm_record(record);

    text_append(text,
                " (CR0 = 0x%lx, CR4 = 0x%lx, VM_CR = 0x%lx, EFER = 0x%lx, "
                "VM_HSAVE_PA = 0x%lx)",
                record->cr0, record->cr4, own->vm_cr.value, own->steps.efer.reading.value,
                own->steps.vm_hsave_pa.reading.value);
}

static const char *advise_about_svme(const struct cpu_record *record)
{
    return (svm_record(record)->efer.value & EFER_SVME) != 0
               ? "power off fully and boot Hymir first"
               : NULL;
}

#define APM_ENABLING "APM 2, \"Enabling SVM\""

const struct check_row svm_checks[SVM_CHECK_COUNT] = {
    [SVM_CHECK_CPUID]    = {"SVM in CPUID", APM_ENABLING, check_cpuid,
                            .word = virtualization_word_if_not_offered},
    [SVM_CHECK_FEATURES] = {"SVM features",
                            "APM 3, \"Function 8000_000Ah: SVM Features\"",
                            check_features, .word = NULL},
    [SVM_CHECK_VM_CR] = {"VM_CR", "APM 2, \"VM_CR MSR\"", check_vm_cr, svm_trial_permit,
                         word_of_vm_cr},
    [SVM_CHECK_SVME]  = {"EFER.SVME", APM_ENABLING, check_svme, svm_trial_enter,
                         .advice = advise_about_svme, .is_withheld = is_svme_withheld},
    [SVM_CHECK_HSAVE] = {"VM_HSAVE_PA", "APM 2, \"VM_HSAVE_PA MSR\"", check_hsave,
                         svm_trial_set_host_save_area, .append_state = append_registers},
    [SVM_CHECK_GIF]   = {"GIF, CLGI, STGI",
                         "APM 2, \"Global Interrupt Flag, STGI and CLGI Instructions\"",
                         check_gif, svm_trial_prove_gif, .append_state = append_registers},
    [SVM_CHECK_GUEST] = {"VMRUN, #VMEXIT", "APM 2, \"VMRUN Instruction\", \"#VMEXIT\"",
                         check_guest, svm_trial_run_guest,
                         .append_state = append_registers},
    [SVM_CHECK_NESTED_PAGING] = {"Nested paging", "APM 2, \"Nested Paging\"",
                                 check_nested_paging, svm_trial_prove_nested_paging,
                                 .append_state = append_registers},
    [SVM_CHECK_LEAVE]         = {"SVM left", APM_ENABLING, check_leave, svm_trial_leave,
                                 .append_state = append_registers},
};
