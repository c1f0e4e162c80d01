/* See verdict.h. */
#include "vmx/verdict.h"

#include "lib/string.h"
#include "vmx/feature_control.h"
#include "vmx/outer_hypervisor.h"
#include "x86/control_registers.h"

const char *verdict_name(enum verdict_word word)
{
    switch (word) {
    case VERDICT_READY:
        return "READY";
    case VERDICT_NOT_INTEL:
        return "NOT-INTEL";
    case VERDICT_NO_VMX:
        return "NO-VMX";
    case VERDICT_HIDDEN_BY_HYPERVISOR:
        return "HIDDEN-BY-HYPERVISOR";
    case VERDICT_LOCKED_OFF:
        return "LOCKED-OFF";
    case VERDICT_TXT_ONLY:
        return "TXT-ONLY";
    case VERDICT_UNLOCKED:
        return "UNLOCKED";
    case VERDICT_MIXED:
        return "MIXED";
    case VERDICT_FAILED:
        return "FAILED";
    }
    return "FAILED";
}

/* The makers whose processors have SVM in the place of VMX. */
static bool is_svm_vendor(const struct cpuid_snapshot *cpuid)
{
    char vendor[CPUID_VENDOR_SIZE];
    cpuid_vendor(cpuid, vendor);
    return strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0;
}

/* Why CPUID shows no VMX. */
static enum verdict_word word_without_vmx(const struct cpuid_snapshot *cpuid)
{
    if (is_svm_vendor(cpuid))
        return VERDICT_NOT_INTEL;
    return cpuid_has_hypervisor(cpuid) ? VERDICT_HIDDEN_BY_HYPERVISOR : VERDICT_NO_VMX;
}

/* What IA32_FEATURE_CONTROL stands in the way with. */
static enum verdict_word word_of_feature_control(const struct vmx_record *record)
{
    if (record->before.feature_control.state != MSR_READ)
        return VERDICT_FAILED;
    switch (feature_control_state(record->before.feature_control.value)) {
    case FEATURE_CONTROL_LOCKED_OFF:
        return VERDICT_LOCKED_OFF;
    case FEATURE_CONTROL_TXT_ONLY:
        return VERDICT_TXT_ONLY;
    case FEATURE_CONTROL_UNLOCKED:
        return record->nolock ? VERDICT_UNLOCKED : VERDICT_FAILED;
    case FEATURE_CONTROL_ENABLED:
        return VERDICT_FAILED;
    }
    return VERDICT_FAILED;
}

enum verdict_word verdict_of_cpu(const struct vmx_record *record)
{
    TEXT_DECLARE(detail, 256);

    if (record->answer != CPU_ANSWERED)
        return VERDICT_FAILED;
    switch (vmx_check_first_failure(record, &detail)) {
    case CHECK_COUNT:
        return VERDICT_READY;
    case CHECK_CPUID:
        return word_without_vmx(&record->before.cpuid);
    case CHECK_FEATURE_CONTROL:
        return word_of_feature_control(record);
    case CHECK_BASIC:
    case CHECK_CR0:
    case CHECK_CR4:
    case CHECK_INTEL_PT:
    case CHECK_VMXON:
    case CHECK_ROOT_OPERATION:
    case CHECK_GUEST:
    case CHECK_VMXOFF:
        return VERDICT_FAILED;
    }
    return VERDICT_FAILED;
}

/* What VMXON and all behind it rest on; the details of earlier checks have theirs. */
static void append_raw_values(const struct vmx_record *record, struct text *text)
{
    const struct vmx_snapshot *before = &record->before;
    const struct msr_reading *control = record->trial.feature_control_written
                                            ? &record->trial.feature_control
                                            : &before->feature_control;
    text_append(
        text,
        " (CR0 = 0x%lx, CR4 = 0x%lx, IA32_FEATURE_CONTROL = 0x%lx, IA32_VMX_BASIC = "
        "0x%lx)",
        vmx_check_cr0(record), vmx_check_cr4(record), control->value,
        vmx_capability_value(&before->capabilities, MSR_IA32_VMX_BASIC));
}

/* Appends what is wrong with a CPU that is not READY. */
static void append_finding(const struct vmx_record *record, struct text *text)
{
    switch (record->answer) {
    case CPU_NO_ANSWER:
        text_append(text, "no answer to INIT-SIPI-SIPI");
        return;
    case CPU_NOT_ADDRESSED:
        text_append(text, "not reachable: its APIC ID needs x2APIC mode");
        return;
    case CPU_DID_NOT_FINISH:
        text_append(text, "started, but did not finish the check");
        return;
    case CPU_ANSWERED:
        break;
    }
    TEXT_DECLARE(detail, 256);
    enum vmx_check check = vmx_check_first_failure(record, &detail);
    /* The other checks' details name their subject. */
    bool needs_name = check == CHECK_FEATURE_CONTROL || check == CHECK_BASIC;
    text_append(text, "%s%s%s", needs_name ? vmx_check_name(check) : "",
                needs_name ? " = " : "", detail.buffer);
    if (check >= CHECK_VMXON)
        append_raw_values(record, text);
}

void verdict_describe_cpu(const struct vmx_record *record, struct text *text)
{
    enum verdict_word word = verdict_of_cpu(record);
    if (word == VERDICT_READY) {
        text_append(text, "ok");
        return;
    }
    text_append(text, "%s: ", verdict_name(word));
    append_finding(record, text);
}

/* What to do when a step failed that works on a sound machine. */
static const char *advice_after_failure(const struct vmx_record *record)
{
    TEXT_DECLARE(detail, 256);

    if (record->answer == CPU_ANSWERED) {
        enum vmx_check check = vmx_check_first_failure(record, &detail);
        if (check == CHECK_CR4 && (record->before.cr4 & CR4_VMXE) != 0)
            return "power off fully and boot Hymir first";
        if (cpuid_has_hypervisor(&record->before.cpuid))
            return "the outer hypervisor's nesting is incomplete; update it, or boot "
                   "Hymir on "
                   "the bare machine";
    }
    return "update the firmware; if that does not help, report this with the whole log";
}

/* What to do about IA32_FEATURE_CONTROL as firmware, real or virtual, locked it. */
static void append_firmware_advice(const struct vmx_record *record, const char *machine,
                                   const char *advice, struct text *text)
{
    const struct cpuid_snapshot *cpuid = &record->before.cpuid;
    if (cpuid_has_hypervisor(cpuid))
        outer_hypervisor_advise(cpuid, machine, "locks", text);
    else
        text_append(
            text,
            "%s in the firmware setup, save and power off fully: a warm reboot is "
            "not enough",
            advice);
}

static void append_vendor_advice(const struct cpuid_snapshot *cpuid, struct text *text)
{
    char vendor[CPUID_VENDOR_SIZE];

    cpuid_vendor(cpuid, vendor);
    text_append(text,
                "%s processors have AMD-V, not VT-x; use an Intel machine, or a "
                "hypervisor for AMD-V",
                vendor);
    if (cpuid_has_hypervisor(cpuid))
        text_append(text,
                    "; this is a virtual machine: on an Intel host give it the host's "
                    "CPU model");
}

static void append_advice(enum verdict_word word, const struct vmx_record *record,
                          const char *machine, struct text *text)
{
    switch (word) {
    case VERDICT_NOT_INTEL:
        append_vendor_advice(&record->before.cpuid, text);
        break;
    case VERDICT_NO_VMX:
        text_append(text,
                    "this processor has no VT-x, or firmware hides it; look for Intel "
                    "Virtualization Technology in the firmware setup, or in a virtual "
                    "machine for nesting, else use another one");
        break;
    case VERDICT_HIDDEN_BY_HYPERVISOR:
        outer_hypervisor_advise(&record->before.cpuid, machine, "hides", text);
        break;
    case VERDICT_LOCKED_OFF:
        append_firmware_advice(
            record, machine, "enable Intel Virtualization Technology (VT-x, VMX)", text);
        break;
    case VERDICT_TXT_ONLY:
        append_firmware_advice(record, machine,
                               "VT-x works only after a TXT launch; enable VT-x outside "
                               "TXT, or switch TXT off,",
                               text);
        break;
    case VERDICT_UNLOCKED:
        text_append(text, "VT-x is there and not enabled, and nolock keeps Hymir from "
                          "enabling it; boot without nolock");
        break;
    case VERDICT_READY:
    case VERDICT_MIXED:
    case VERDICT_FAILED:
        text_append(text, "%s", advice_after_failure(record));
        break;
    }
}

/* How many CPUs come to the word. */
static size_t count_word(const struct vmx_record *records, size_t count,
                         enum verdict_word word)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += verdict_of_cpu(&records[i]) == word ? 1 : 0;
    return found;
}

/* The first CPU that does not come to the word, which one does. */
static size_t first_other(const struct vmx_record *records, size_t count,
                          enum verdict_word word)
{
    size_t i = 0;
    while (i < count && verdict_of_cpu(&records[i]) == word)
        i++;
    return i;
}

static void append_scope(const struct verdict_scope *scope, struct text *text)
{
    if (scope->nosmp)
        text_append(text, "; nosmp: only the boot CPU was checked");
    else if (scope->no_cpu_list)
        text_append(text, "; no MADT: only the boot CPU was checked");
    else if (scope->broken_cpu_list)
        text_append(text, "; the MADT is broken: CPUs behind its broken entry were not "
                          "checked");
    else if (scope->no_start)
        text_append(text, "; the other CPUs could not be started: only the boot CPU was "
                          "checked");
    if (scope->dropped > 0)
        text_append(
            text,
            "; %zu more CPUs are beyond what Hymir supports or has memory for, and "
            "were not checked",
            scope->dropped);
}

/* The first CPU whose IA32_FEATURE_CONTROL firmware left unlike the boot CPU's, or count.
 */
static size_t first_unlike_boot_cpu(const struct vmx_record *records, size_t count)
{
    const struct msr_reading *boot_cpu = &records[0].before.feature_control;
    for (size_t i = 1; i < count; i++) {
        const struct msr_reading *other = &records[i].before.feature_control;
        if (boot_cpu->state == MSR_READ && other->state == MSR_READ &&
            other->value != boot_cpu->value)
            return i;
    }
    return count;
}

/* What Hymir did to IA32_FEATURE_CONTROL, and what firmware did not do everywhere alike.
 */
static void append_lock_findings(const struct vmx_record *records, size_t count,
                                 struct text *text)
{
    size_t locked = 0;
    size_t other  = first_unlike_boot_cpu(records, count);

    for (size_t i = 0; i < count; i++) {
        const struct vmx_trial *trial = &records[i].trial;
        if (trial->feature_control_written &&
            (trial->feature_control.value & FEATURE_CONTROL_LOCK) != 0)
            locked++;
    }
    if (locked > 0)
        text_append(
            text,
            "; Hymir set the lock bit of IA32_FEATURE_CONTROL on %zu of %zu CPUs: it "
            "stays set until reset",
            locked, count);
    if (other < count)
        text_append(text,
                    "; firmware left IA32_FEATURE_CONTROL = 0x%lx on cpu 0 and 0x%lx on "
                    "cpu %zu",
                    records[0].before.feature_control.value,
                    records[other].before.feature_control.value, other);
}

static enum verdict_word decide_mixed(const struct vmx_record *records, size_t count,
                                      size_t ready, const char *machine,
                                      struct text *text)
{
    size_t other = first_other(records, count, VERDICT_READY);

    text_append(text,
                "VMX root operation entered and left on %zu of %zu CPUs; cpu %zu (apic "
                "%u): ",
                ready, count, other, records[other].apic_id);
    verdict_describe_cpu(&records[other], text);
    text_append(text, "; ");
    append_advice(verdict_of_cpu(&records[other]), &records[other], machine, text);
    return VERDICT_MIXED;
}

enum verdict_word verdict_decide(const struct vmx_record *records, size_t count,
                                 const struct verdict_scope *scope, struct text *text)
{
    enum verdict_word word = verdict_of_cpu(&records[0]);
    size_t ready           = count_word(records, count, VERDICT_READY);

    if (count_word(records, count, word) != count) {
        word = decide_mixed(records, count, ready, scope->machine, text);
    } else if (word == VERDICT_READY) {
        text_append(text, "VMX root operation entered and left on %zu of %zu CPUs", ready,
                    count);
    } else {
        append_finding(&records[0], text);
        text_append(text, "; ");
        append_advice(word, &records[0], scope->machine, text);
    }
    append_lock_findings(records, count, text);
    append_scope(scope, text);
    return word;
}
