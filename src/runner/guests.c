/* See runner/guests.h. */
#include "runner/guests.h"

#include "check/verdict.h"
#include "console/console.h"
#include "cpu/machine_check.h"
#include "cpu/traps.h"
#include "guest/vm.h"
#include "lib/log.h"
#include "platform/machine.h"
#include "platform/smp.h"
#include "runner/guest_console.h"
#include "runner/guest_maker.h"
#include "runner/guest_placement.h"
#include "runner/input.h"

#include <stdatomic.h>

static struct vm *guests[GUEST_MAKER_MAX];
static size_t guest_count;
static atomic_size_t running_count; /* guests whose last line is not logged yet */
static bool wants_stats;

/* The vCPU that the boot CPU runs, and whether it is time to. */
static struct vm_cpu *own;
static atomic_bool own_is_due;

/* Logs the exits of the CPU's vCPU, at a panic while an exit is handled. */
static void log_vcpu(const void *activity)
{
    vm_cpu_log_exits(activity, true);
}

static void set_activity(const struct vm_cpu *cpu)
{
    this_cpu()->activity     = cpu;
    this_cpu()->log_activity = cpu == NULL ? NULL : log_vcpu;
}

/* Appends which CPU's TSC may differ from that of guests on other CPUs, if any. */
static void append_tsc(const struct vm *vm, struct text *text)
{
    for (size_t i = 0; i < vm->cpu_count; i++) {
        const struct cpu *cpu        = smp_cpu(vm->cpu[i]->vcpu.id);
        enum tsc_synchrony synchrony = tsc_offset_synchrony(&cpu->tsc_offset);
        if (synchrony != TSC_NOT_IN_STEP && synchrony != TSC_DRIFTS)
            continue;
        if (vm->cpu_count == 1)
            text_append(text, "; its CPU's TSC is ");
        else
            text_append(text, "; the TSC of cpu %u is ", cpu->index);
        tsc_offset_describe(&cpu->tsc_offset, text);
        return;
    }
}

static void log_start(const struct vm *vm)
{
    TEXT_DECLARE(tsc, 80);

    append_tsc(vm, &tsc);
    log_plain("hymir: vm %s: started: %s, %zu vCPU%s, %lu MiB%s", vm->name, vm->kind,
              vm->cpu_count, vm->cpu_count == 1 ? "" : "s", vm->memory.size >> 20,
              tsc.buffer);
}

/* Makes a guest unable to start again. */
static void forbid_restart(struct vm *vm)
{
    vm->cpu[0]->vcpu.id = VCPU_WITHOUT_CPU;
    atomic_store(&vm->is_to_restart, false);
    vm->restarts = false;
}

/* Runs a guest until it ends, and logs the reason. */
static void run_once(struct vm *vm)
{
    log_start(vm);
    set_activity(vm->cpu[0]);
    if (vm_run(vm) != STATUS_OK) {
        log_error("vm %s: a vCPU does not stop; the guest cannot start again until Hymir "
                  "is restarted",
                  vm->name);
        forbid_restart(vm);
    } else if (atomic_load(&vm->has_memory_error)) {
        forbid_restart(vm);
    }
    set_activity(NULL);
    if (vm->end.kind == GUEST_END_RESET && vm->restarts && !atomic_load(&vm->is_to_stop))
        atomic_store(&vm->is_to_restart, true);
    guest_console_end(vm, atomic_load(&vm->is_to_restart));
    if (vm->end.kind == GUEST_END_ABNORMAL)
        vm_log_abnormal_end(vm);
    log_plain("hymir: vm %s: stopped: %s", vm->name, vm->end.text);
    if (wants_stats)
        vm_log_stats(vm);
}

/*
 * Runs a guest with its first vCPU on this CPU. Logs the last line before decrementing
 * running_count: at zero, Hymir may exit.
 */
static void run_guest(struct vm *vm)
{
    do {
        if (!guest_maker_prepare(vm))
            break;
        run_once(vm);
    } while (atomic_load(&vm->is_to_restart));
    vm_release(vm);
    console_finish();
    atomic_fetch_sub(&running_count, 1);
    if (this_cpu() != &boot_cpu && smp_wake(&boot_cpu) != STATUS_OK)
        log_error("cpu %u: cannot interrupt the boot CPU", this_cpu()->index);
}

/* A cpu_work: runs a vCPU on this CPU. */
static void run_vcpu(void *argument)
{
    struct vm_cpu *cpu = argument;

    if (cpu->index == 0) {
        run_guest(cpu->vcpu.vm);
        return;
    }
    set_activity(cpu);
    vm_cpu_run_others(cpu);
    set_activity(NULL);
}

/* Makes a CPU run its vCPU; the boot CPU does so in run_until_done. */
static bool start_vcpu(struct vm_cpu *vcpu)
{
    struct cpu *cpu = smp_cpu(vcpu->vcpu.id);

    if (cpu != &boot_cpu)
        return smp_begin(cpu, run_vcpu, vcpu) == STATUS_OK;
    own = vcpu;
    atomic_store(&own_is_due, true);
    return true;
}

/* Starts a guest on its CPUs, the first vCPU last. Returns whether that worked. */
static bool start_guest(struct vm *vm)
{
    size_t started = vm->cpu_count;

    atomic_fetch_add(&running_count, 1);
    atomic_store(&vm->is_released, false);
    while (started > 0 && start_vcpu(vm->cpu[started - 1]))
        started--;
    if (started == 0)
        return true;
    log_error("vm %s: cannot interrupt cpu %u", vm->name, vm->cpu[started - 1]->vcpu.id);
    vm_release(vm);
    atomic_fetch_sub(&running_count, 1);
    return false;
}

/* Returns whether the CPUs of a guest that has ended are free. */
static bool has_left_cpus(const struct vm *vm)
{
    for (size_t i = 0; i < vm->cpu_count; i++) {
        const struct cpu *cpu = smp_cpu(vm->cpu[i]->vcpu.id);
        if (atomic_load(&cpu->work) != NULL || cpu->activity == vm->cpu[i])
            return false;
    }
    return true;
}

/* Restarts a guest that has ended; the boot CPU polls own_is_due. */
static void restart_guest(struct vm *vm)
{
    if (vm->cpu[0]->vcpu.id == VCPU_WITHOUT_CPU || atomic_load(&vm->has_memory_error)) {
        log_plain("hymir: vm %s: cannot start: %s", vm->name, vm->end.text);
    } else if (!has_left_cpus(vm)) {
        log_plain("hymir: vm %s: still stopping; try again", vm->name);
    } else {
        (void)start_guest(vm);
    }
}

/* A machine_check_owner. Running or not, the guest must not use this memory again. */
static bool own_error(uint64_t address, bool is_to_end)
{
    for (size_t i = 0; i < guest_count; i++) {
        struct vm *vm = guests[i];
        if (!guest_memory_has_host(&vm->memory, hpa(address)))
            continue;
        if (is_to_end) {
            atomic_store(&vm->has_memory_error, true);
            vcpu_end_abnormally(&vm->cpu[0]->vcpu,
                                "uncorrected error of the machine's memory at 0x%lx",
                                address);
            vm_kick(vm);
        }
        return true;
    }
    return false;
}

/* Starts each guest that has CPUs. Returns how many have them. */
static size_t start_guests(void)
{
    size_t placed = 0;

    guest_placement_place(guests, guest_count);
    for (size_t i = 0; i < guest_count; i++)
        placed +=
            guests[i]->cpu[0]->vcpu.id != VCPU_WITHOUT_CPU && start_guest(guests[i]);
    return placed;
}

void guests_log_missing(const struct cpu_record *record)
{
    TEXT_DECLARE(missing, LOG_LINE_SIZE);

    if (verdict_is_ready(record) &&
        record->virtualization->find_missing(record, &missing) != STATUS_OK)
        log_info("guests cannot run here: the processor lacks %s", missing.buffer);
}

/*
 * Runs the boot CPU's own vCPU, if it has one, each time it is due, until no guest runs;
 * forever if waits_for_keys.
 */
static void run_until_done(bool waits_for_keys)
{
    while (atomic_load(&running_count) > 0 || waits_for_keys) {
        if (atomic_exchange(&own_is_due, false))
            run_vcpu(own);
        else
            input_wait();
    }
}

/* Says how to type if no keyboard answers, below the verdict. */
static void log_missing_keyboard(void)
{
    TEXT_DECLARE(remedy, LOG_LINE_SIZE);

    key_hint_append_remedy(input_sources(), &remedy);
    if (remedy.length > 0)
        log_plain("hymir: %s", remedy.buffer);
}

void guests_run(const struct options *options, const struct report_facts *facts)
{
    const struct cpu_record *records = facts->records;

    if (machine_get()->boot.module_count == 0)
        return;
    if (verdict_count(records, smp_count(), VERDICT_READY) == 0) {
        log_plain("hymir: no guests started: %s is not usable",
                  virtualization_name(&records[0]));
        return;
    }
    wants_stats = options->stats;
    guest_count =
        guest_maker_create(options, &records[0], guest_placement_find(facts), guests);
    if (guest_count == 0)
        return; /* the report keeps screen and keys */
    machine_check_set_owner(own_error);
    guest_console_start(restart_guest);
    input_start(options, guest_console_type, guest_console_serve);
    log_missing_keyboard();
    size_t placed = start_guests();
    run_until_done(options->exit == END_HALT && placed > 0);
    console_drain();
}
