/* See runner/guests.h. */
#include "runner/guests.h"

#include "check/verdict.h"
#include "console/console.h"
#include "cpu/traps.h"
#include "guest/vm.h"
#include "lib/log.h"
#include "platform/machine.h"
#include "platform/smp.h"
#include "runner/guest_console.h"
#include "runner/guest_maker.h"
#include "runner/input.h"

#include <stdatomic.h>

static struct vm *guests[GUEST_MAKER_MAX];
static size_t guest_count;
static atomic_size_t running_count; /* guests whose last line is not logged yet */
static bool wants_stats;

/* Logs the exits of the CPU's guest, at a panic while an exit is handled. */
static void log_guest(const void *activity)
{
    vm_log_exits(activity, true);
}

/* Logs a guest's start, also if its time may differ from that of guests on other CPUs. */
static void log_start(const struct vm *vm)
{
    const struct tsc_offset *offset = &this_cpu()->tsc_offset;
    enum tsc_synchrony synchrony    = tsc_offset_synchrony(offset);
    TEXT_DECLARE(tsc, 80);

    if (synchrony == TSC_NOT_IN_STEP || synchrony == TSC_DRIFTS) {
        text_append(&tsc, "; its CPU's TSC is ");
        tsc_offset_describe(offset, &tsc);
    }
    log_plain("hymir: vm %s: started: %s, 1 vCPU, %lu MiB%s", vm->name, vm->kind,
              vm->memory.size >> 20, tsc.buffer);
}

/* Runs a guest until it ends, and logs the reason. */
static void run_once(struct vm *vm)
{
    log_start(vm);
    this_cpu()->activity     = vm;
    this_cpu()->log_activity = log_guest;
    vm_run(vm);
    this_cpu()->log_activity = NULL;
    guest_console_end(vm, atomic_load(&vm->is_to_restart));
    if (vm->vcpu.end_is_abnormal)
        vm_log_exits(vm, false);
    log_plain("hymir: vm %s: stopped: %s", vm->name, vm->vcpu.end);
    if (wants_stats)
        vm_log_stats(vm);
}

/*
 * A cpu_work. Logs the last line before decrementing running_count: at zero, Hymir may
 * exit.
 */
static void run_guest(void *argument)
{
    struct vm *vm = argument;

    do {
        if (!guest_maker_prepare(vm))
            break;
        run_once(vm);
    } while (atomic_load(&vm->is_to_restart));
    console_finish();
    atomic_fetch_sub(&running_count, 1);
    if (this_cpu() != &boot_cpu && smp_wake(&boot_cpu) != STATUS_OK)
        log_error("cpu %u: cannot interrupt the boot CPU", this_cpu()->index);
}

/*
 * Starts a guest on its CPU. The boot CPU starts its own, in run_until_done. Returns
 * whether that worked.
 */
static bool start_guest(struct vm *vm)
{
    struct cpu *cpu = smp_cpu(vm->vcpu.id);

    atomic_fetch_add(&running_count, 1);
    if (cpu == &boot_cpu || smp_begin(cpu, run_guest, vm) == STATUS_OK)
        return true;
    atomic_fetch_sub(&running_count, 1);
    return false;
}

/* Restarts a guest that has ended; the boot CPU polls is_to_restart. */
static void restart_guest(struct vm *vm)
{
    if (vm->vcpu.id == VCPU_WITHOUT_CPU) {
        log_plain("hymir: vm %s: cannot start: %s", vm->name, vm->vcpu.end);
    } else if (atomic_load(&smp_cpu(vm->vcpu.id)->work) != NULL) {
        log_plain("hymir: vm %s: still stopping; try again", vm->name);
    } else {
        atomic_store(&vm->is_to_restart, true);
        if (!start_guest(vm))
            log_error("vm %s: cannot interrupt cpu %u", vm->name, vm->vcpu.id);
    }
}

/* Returns whether a CPU can run guests. */
static bool is_usable(const struct cpu_record *record)
{
    TEXT_DECLARE(missing, LOG_LINE_SIZE);

    return verdict_is_ready(record) &&
           record->virtualization->find_missing(record, &missing) == STATUS_OK;
}

/*
 * Starts each guest on a usable CPU, the boot CPU last; sets *own to the
 * guest for the boot CPU, if any. Returns how many guests have a CPU.
 */
static size_t place_guests(const struct cpu_record *records, struct vm **own)
{
    size_t placed = 0;

    for (size_t i = 1; i <= smp_count() && placed < guest_count; i++) {
        size_t index = i % smp_count();
        if (!is_usable(&records[index]))
            continue;
        guests[placed]->vcpu.id = (uint32_t)index;
        if (start_guest(guests[placed]))
            placed++;
        if (index == 0)
            *own = guests[placed - 1];
    }
    for (size_t i = placed; i < guest_count; i++) {
        guests[i]->vcpu.id = VCPU_WITHOUT_CPU;
        vcpu_end(&guests[i]->vcpu, "no CPU left: all usable CPUs run guests (%zu)",
                 placed);
        log_error("vm %s: %s", guests[i]->name, guests[i]->vcpu.end);
    }
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
 * Runs the boot CPU's own guest, if any, each time it is started, until no guest runs;
 * forever if waits_for_keys.
 */
static void run_until_done(struct vm *own, bool waits_for_keys)
{
    bool is_due = own != NULL;

    while (atomic_load(&running_count) > 0 || waits_for_keys) {
        if (is_due)
            run_guest(own);
        else
            input_wait();
        is_due = own != NULL && atomic_load(&own->is_to_restart);
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

void guests_run(const struct options *options, const struct cpu_record *records)
{
    struct vm *own = NULL;

    if (machine_get()->boot.module_count == 0)
        return;
    if (verdict_count(records, smp_count(), VERDICT_READY) == 0) {
        log_plain("hymir: no guests started: %s is not usable",
                  virtualization_name(&records[0]));
        return;
    }
    wants_stats = options->stats;
    guest_count = guest_maker_create(options, &records[0], guests);
    if (guest_count == 0)
        return; /* the report keeps screen and keys */
    guest_console_start(restart_guest);
    input_start(options, guest_console_type, guest_console_serve);
    log_missing_keyboard();
    size_t placed = place_guests(records, &own);
    run_until_done(own, options->exit == END_HALT && placed > 0);
    console_drain();
}
