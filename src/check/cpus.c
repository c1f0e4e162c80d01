/* See cpus.h. */
#include "check/cpus.h"

#include "check/trial.h"
#include "check/tsc_synchrony.h"
#include "lib/log.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/returns.h"
#include "platform/smp.h"
#include "platform/tsc_exchange.h"
#include "virt/threads.h"

#include <stdatomic.h>

/* Timeout of a trial, which takes several hundred thousand instructions. */
#define TRIAL_TIMEOUT_US 2000000

_Static_assert(sizeof(struct trial) <= PAGE_SIZE, "a trial fits in one page");

static const struct virtualization *virtualization;
static const struct options *options;
static struct cpu_record *records;
static void (*finish_boot)(void);

struct cpu_record *cpus_records(void)
{
    return records;
}

/* Returns whether another CPU of the machine shares the core. */
static bool has_siblings(const struct cpu *cpu)
{
    unsigned int bits = threads_id_bits(cpuid);

    for (size_t i = 0; i < smp_count(); i++) {
        uint64_t difference = smp_cpu(i)->apic_id ^ cpu->apic_id;
        if (smp_cpu(i) != cpu && difference >> bits == 0)
            return true;
    }
    return false;
}

/* Fills in what is known of a CPU before its trial; the record is all zero. */
static void init_record(struct cpu_record *record, const struct cpu *cpu)
{
    record->virtualization    = virtualization;
    record->apic_id           = cpu->apic_id;
    record->nolock            = options->nolock;
    record->has_siblings      = has_siblings(cpu);
    record->had_cpuid_limit   = cpu->had_cpuid_limit;
    record->has_shadow_stacks = returns_has_shadow_stacks();
}

/* Returns whether a CPU started. */
static enum cpu_answer answer_of(const struct cpu *cpu)
{
    if (atomic_load(&cpu->state) == CPU_READY)
        return CPU_ANSWERED;
    return cpu->apic_id > XAPIC_MAX_ID && !apic_is_x2apic() ? CPU_NOT_ADDRESSED
                                                            : CPU_NO_ANSWER;
}

/* Allocates a trial for a CPU, never reused: one that times out may still write to it. */
static enum status create_trial(const struct cpu *cpu, struct trial **created)
{
    size_t pages = 1 + virtualization->trial_pages;
    void *memory;
    enum status status = machine_allocate(pages * PAGE_SIZE, &memory);

    if (status != STATUS_OK)
        return status;
    *created          = memory;
    (*created)->pages = (uint8_t *)memory + PAGE_SIZE;
    init_record(&(*created)->record, cpu);
    return STATUS_OK;
}

/* Copies the record of a trial that has ended. */
static void keep_record(const struct cpu *cpu, struct trial *trial)
{
    records[cpu->index] = trial->record;
    trial_log(&trial->record, cpu->index);
    if (cpu->leave_virtualization == NULL) /* otherwise the CPU still owns the pages */
        memory_free(trial, 1 + virtualization->trial_pages);
}

/* Stops a CPU whose trial timed out, and keeps its partial record. */
static void give_up_cpu(struct cpu *cpu, const struct trial *trial)
{
    if (smp_stop(cpu) != STATUS_OK)
        log_error("cpu %u: apic %u: cannot be stopped; it may still be virtualizing",
                  cpu->index, cpu->apic_id);
    records[cpu->index]        = trial->record;
    records[cpu->index].answer = CPU_DID_NOT_FINISH;
    log_error("cpu %u: apic %u: did not finish the check within %d ms", cpu->index,
              cpu->apic_id, TRIAL_TIMEOUT_US / 1000);
}

/* Runs the trial on another CPU, if it answered. */
static enum status try_other_cpu(struct cpu *cpu)
{
    struct cpu_record *record = &records[cpu->index];
    struct trial *trial;

    init_record(record, cpu);
    record->answer = answer_of(cpu);
    if (record->answer != CPU_ANSWERED)
        return STATUS_OK;
    enum status status = create_trial(cpu, &trial);
    if (status != STATUS_OK)
        return status;
    bool is_ready            = tsc_exchange_run(cpu) == STATUS_OK;
    trial->record.tsc_offset = cpu->tsc_offset;
    if (is_ready && smp_begin(cpu, trial_run, trial) == STATUS_OK &&
        smp_wait(cpu, TRIAL_TIMEOUT_US) == STATUS_OK)
        keep_record(cpu, trial);
    else
        give_up_cpu(cpu, trial);
    return STATUS_OK;
}

static struct trial *boot_trial;
static atomic_bool boot_trial_ended; /* it has, or its watcher timed out */

/* Watches the boot CPU from another one, which finishes the boot if the first cannot. */
static void watch_boot_cpu(void *argument)
{
    struct deadline deadline = deadline_in(TRIAL_TIMEOUT_US);

    (void)argument;
    while (!deadline_has_passed(&deadline) && !atomic_load(&boot_trial_ended))
        cpu_pause();
    if (atomic_exchange(&boot_trial_ended, true))
        return;
    give_up_cpu(&boot_cpu, boot_trial);
    finish_boot();
}

/* Starts the watcher on the first other CPU that answered, if any. */
static void start_watcher(void)
{
    for (size_t i = 1; i < smp_count(); i++) {
        if (records[i].answer == CPU_ANSWERED &&
            smp_begin(smp_cpu(i), watch_boot_cpu, NULL) == STATUS_OK)
            return;
    }
}

static enum status try_boot_cpu(void)
{
    enum status status = create_trial(&boot_cpu, &boot_trial);
    if (status != STATUS_OK)
        return status;
    start_watcher();
    trial_run(boot_trial);
    if (atomic_exchange(&boot_trial_ended, true))
        cpu_stop_this(); /* too late: the watcher has given up this CPU */
    keep_record(&boot_cpu, boot_trial);
    return STATUS_OK;
}

static void log_tscs(void)
{
    TEXT_DECLARE(text, LOG_LINE_SIZE);
    struct tsc_synchrony_summary summary = tsc_synchrony_summarize(records, smp_count());

    tsc_synchrony_describe(&summary, records, &text);
    if (tsc_synchrony_is_bad(&summary))
        log_warning("%s", text.buffer);
    else if (summary.compared > 0 || summary.missing > 0)
        log_debug("%s", text.buffer);
}

enum status cpus_check(const struct virtualization *const *vendors, size_t count,
                       const struct options *boot_options, void (*finish)(void))
{
    void *pages;
    enum status status = machine_allocate(smp_count() * sizeof(*records), &pages);

    virtualization = virtualization_find(vendors, count, &machine_get()->cpuid);
    options        = boot_options;
    finish_boot    = finish;
    records        = pages;
    if (status == STATUS_OK)
        init_record(&records[0], &boot_cpu);
    for (size_t i = 1; i < smp_count() && status == STATUS_OK; i++)
        status = try_other_cpu(smp_cpu(i));
    if (status == STATUS_OK)
        status = try_boot_cpu();
    if (status == STATUS_OK)
        log_tscs();
    return status;
}

void cpus_choose_measures(const struct isolation_options *isolation)
{
    for (size_t i = 0; i < smp_count(); i++) {
        const struct isolation found = isolation_of(&records[i], isolation);
        if (records[i].answer == CPU_ANSWERED)
            smp_cpu(i)->controls = isolation_controls(&found);
    }
    isolation_log(records, smp_count(), isolation);
}
