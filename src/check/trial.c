/* See trial.h. */
#include "check/trial.h"

#include "check/stopwatch.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "x86/cpuid.h"
#include "x86/msr.h"

/*
 * Returns whether IA32_PRED_CMD accepts SBPB. AMD's processors from family 19H on do so
 * with the microcode whose IBPB clears all types of branches, even if CPUID reports
 * neither; a hypervisor reports what it supports. The command changes no register.
 */
static bool accepts_sbpb(const struct cpuid_snapshot *cpuid)
{
    return cpuid_is_amd(cpuid) && cpuid_signature(cpuid).family >= CPUID_FAMILY_19H &&
           !cpuid_has_hypervisor(cpuid) &&
           (cpuid->leaf_80000021.eax & CPUID_80000021_EAX_IBPB_BRTYPE) == 0 &&
           wrmsr_safe(MSR_IA32_PRED_CMD, PRED_CMD_SBPB) == FAULT_NONE;
}

static void read_registers(struct cpu_record *record)
{
    cpuid_snapshot_read(&record->cpuid);
    record->cr0 = read_cr0();
    record->cr4 = read_cr4();
    if ((record->cpuid.leaf_7.edx & CPUID_7_EDX_ARCH_CAPABILITIES) != 0)
        record->arch_capabilities = msr_read_safe(MSR_IA32_ARCH_CAPABILITIES);
    if ((record->cpuid.leaf_7.ebx & CPUID_7_EBX_TSC_ADJUST) != 0)
        record->tsc_adjust = msr_read_safe(MSR_IA32_TSC_ADJUST);
    if ((record->cpuid.leaf_7.edx & CPUID_7_EDX_SRBDS_CTRL) != 0 ||
        (record->arch_capabilities.value & ARCH_CAPABILITIES_GDS_CTRL) != 0)
        record->mcu_opt_ctrl = msr_read_safe(MSR_IA32_MCU_OPT_CTRL);
    record->accepts_sbpb = accepts_sbpb(&record->cpuid);
    record->virtualization->read_registers(record);
}

static bool perform_check(struct trial *trial, const struct check_row *check)
{
    TEXT_DECLARE(detail, 256);

    if (check->perform != NULL)
        check->perform(trial);
    return check->passes(&trial->record, &detail);
}

/* Measures the first CPU of each core type. */
static void measure(struct trial *trial)
{
    static bool is_measured[CPUID_CORE_TYPES];
    uint32_t type = cpuid_core_type(&trial->record.cpuid);

    if (is_measured[type])
        return;
    is_measured[type] = true;
    stopwatch_run(trial);
}

void trial_run(void *argument)
{
    struct trial *trial                         = argument;
    const struct virtualization *virtualization = trial->record.virtualization;
    const struct check_row *leave =
        &virtualization->checks[virtualization->check_count - 1];
    const struct check_row *check = virtualization->checks;

    read_registers(&trial->record);
    while (check != leave && perform_check(trial, check)) {
        check++;
        if (check == &virtualization->checks[virtualization->guest_check] &&
            test_hook_enter_virtualization != NULL)
            test_hook_enter_virtualization();
    }
    if (check == leave)
        measure(trial);
    if (check > &virtualization->checks[virtualization->enter_check])
        leave->perform(trial);
}

static void log_leaf(const char *what, uint32_t leaf, const struct cpuid_result *result)
{
    log_debug("%s: CPUID 0x%x = %08x %08x %08x %08x", what, leaf, result->eax,
              result->ebx, result->ecx, result->edx);
}

static void log_registers(const char *what, const struct cpu_record *record)
{
    const struct virtualization *virtualization = record->virtualization;
    const struct cpuid_snapshot *cpuid          = &record->cpuid;

    log_leaf(what, 0, &cpuid->leaf_0);
    log_leaf(what, CPUID_LEAF_FEATURES, &cpuid->leaf_1);
    log_leaf(what, CPUID_LEAF_STRUCTURED_FEATURES, &cpuid->leaf_7);
    log_leaf(what, CPUID_LEAF_EXTENDED_STATE, &cpuid->leaf_d_1);
    log_leaf(what, CPUID_LEAF_NATIVE_MODEL, &cpuid->leaf_1a);
    if (cpuid_has_hypervisor(cpuid))
        log_leaf(what, CPUID_LEAF_HYPERVISOR, &cpuid->leaf_hypervisor);
    log_leaf(what, CPUID_LEAF_EXTENDED_FEATURES, &cpuid->leaf_80000001);
    log_leaf(what, CPUID_LEAF_ADDRESS_SIZES, &cpuid->leaf_80000008);
    if (record->tsc_adjust.state == MSR_READ)
        log_debug("%s: MSR 0x%x = 0x%016lx", what, MSR_IA32_TSC_ADJUST,
                  record->tsc_adjust.value);
    log_debug("%s: CR0 = 0x%lx, CR4 = 0x%lx, microcode 0x%x", what, record->cr0,
              record->cr4, record->microcode);
    for (size_t i = 0; i < virtualization->register_count; i++) {
        uint32_t msr                     = virtualization->registers[i].msr;
        const struct msr_reading reading = record_msr(record, msr);
        if (reading.state == MSR_READ)
            log_debug("%s: MSR 0x%x = 0x%016lx", what, msr, reading.value);
        else if (reading.state == MSR_FAULTED)
            log_debug("%s: MSR 0x%x faults, vector %u", what, msr, reading.vector);
    }
}

void trial_log(const struct cpu_record *record, uint32_t cpu)
{
    const struct check_row *check = record->virtualization->checks;
    const struct check_row *end   = check + record->virtualization->check_count;
    bool passes                   = true;
    char what[16];

    format_text(what, sizeof(what), "cpu %u", cpu);
    log_registers(what, record);
    for (; check < end && passes; check++) {
        TEXT_DECLARE(detail, 160);
        passes = check->passes(record, &detail);
        log_debug("%s: %s: %s (%s)", what, check->name, detail.buffer, check->source);
    }
}
