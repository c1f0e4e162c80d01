/*
 * The boot, from the first line of C to the verdict, as a table of contents: hymir_main,
 * at the end.
 *
 * The only file that knows every layer. Owns the options and the records of the CPUs.
 * What goes wrong on the way is said in the verdict; nothing here panics over it.
 */
#include "console/console.h"
#include "cpu/selftest.h"
#include "lib/log.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/panic.h"
#include "platform/power.h"
#include "platform/processors.h"
#include "platform/smp.h"
#include "report/json_report.h"
#include "report/verdict_sheet.h"
#include "runner/guests.h"
#include "runner/viewer.h"
#include "vmx/trial.h"
#include "vmx/verdict.h"

#include <stdatomic.h>

/* How long a CPU has for the whole check, which takes some hundred thousand instructions.
 */
#define TRIAL_TIMEOUT_US 2000000

/* machine_allocate gives pages, and free_request gives one of them back. */
_Static_assert(sizeof(struct trial_request) <= PAGE_SIZE, "a request is one page");

static struct options options;
static struct vmx_record *records; /* one for each CPU */

/* Does nothing if it was started before. */
static void start_screen(void)
{
    const struct multiboot2_information *boot = &machine_get()->boot;
    console_start_screen(&options, &boot->framebuffer, boot->is_efi);
}

/* Ends a boot that cannot even come to the check, if there is a problem. */
static void give_up_over(const char *problem)
{
    if (problem == NULL)
        return;
    start_screen();
    log_plain("hymir: verdict: FAILED: %s", problem);
    power_exit(options.exit, console_drain);
}

static void *allocate_or_give_up(uint64_t size)
{
    void *pages = NULL;
    if (machine_allocate(size, &pages) != STATUS_OK)
        give_up_over(MACHINE_NO_MEMORY);
    return pages;
}

/* Whoever names sinks of which none is there gets the screen; "none" gets none. */
static void start_streams(void)
{
    bool wants_stream = options.serial_port != SERIAL_PORT_NONE || options.debug_port;

    if (console_start_streams(&options) || options.screen || !wants_stream)
        return;
    log_warning("console: nothing that console= names is there; the screen is used");
    options.screen = true;
}

/* The options rule the console, so they are read before anything can be said. */
static void read_boot_information(uint32_t information)
{
    const char *problem = machine_read_boot_information(information);
    const struct multiboot2_information *boot = &machine_get()->boot;

    options_parse(boot->command_line, &options);
    log_set_level(options.log_level);
    start_streams();
    panic_set_exit(options.panic, start_screen, console_drain);
    give_up_over(problem);
    log_info("Hymir " HYMIR_VERSION ", loaded by \"%s\", command line \"%s\"",
             boot->loader_name, boot->command_line);
}

/* What is known of a CPU before its trial. */
static enum cpu_answer answer_of(const struct cpu *cpu)
{
    if (atomic_load(&cpu->state) == CPU_READY)
        return CPU_ANSWERED;
    return cpu->apic_id > XAPIC_MAX_ID && !apic_is_x2apic() ? CPU_NOT_ADDRESSED
                                                            : CPU_NO_ANSWER;
}

static bool selftest_was_reached;
static bool is_measured[CPUID_CORE_TYPES]; /* one trial runs at a time */

static void run_selftest(void)
{
    selftest_was_reached = true;
    selftest_run(options.selftest);
}

/* A trial on the CPU, in memory of its own: one that does not finish may still write
 * there. */
static struct trial_request *make_request(const struct cpu *cpu)
{
    bool has_selftest =
        options.selftest != SELFTEST_NONE && options.selftest_cpu == cpu->index;
    struct trial_request *request = allocate_or_give_up(sizeof(*request));

    request->record.apic_id    = cpu->apic_id;
    request->record.nolock     = options.nolock;
    request->vmxon_region      = allocate_or_give_up(PAGE_SIZE);
    request->pages             = allocate_or_give_up(TRIAL_PAGES * PAGE_SIZE);
    request->in_root_operation = has_selftest ? run_selftest : NULL;
    request->is_measured       = is_measured;
    return request;
}

static void free_request(struct trial_request *request)
{
    memory_free(request->pages, TRIAL_PAGES);
    memory_free(request->vmxon_region, 1);
    memory_free(request, 1);
}

/* Takes over what a trial that came to its end wrote down. */
static void keep_record(const struct cpu *cpu, struct trial_request *request,
                        struct vmx_record *record)
{
    *record = request->record;
    trial_log(record, cpu->index);
    if (cpu->leave_virtualization == NULL) /* else the CPU still owns its pages */
        free_request(request);
}

/* What there is of a trial that did not, on a CPU that can do no more. */
static void stop_and_give_up_on(struct cpu *cpu, const struct trial_request *request,
                                struct vmx_record *record)
{
    if (smp_stop(cpu) != STATUS_OK)
        log_error("cpu %u: apic %u: cannot be stopped, and may still be in VMX operation",
                  cpu->index, cpu->apic_id);
    *record        = request->record;
    record->answer = CPU_DID_NOT_FINISH;
    log_error("cpu %u: apic %u: did not finish the check within %d ms", cpu->index,
              cpu->apic_id, TRIAL_TIMEOUT_US / 1000);
}

/* Runs the trial on another CPU, if it answered, and fills in its record. */
static void try_other_cpu(struct cpu *cpu, struct vmx_record *record)
{
    *record = (struct vmx_record){.apic_id = cpu->apic_id, .answer = answer_of(cpu)};
    if (record->answer != CPU_ANSWERED)
        return;
    struct trial_request *request = make_request(cpu);
    enum status status            = smp_begin(cpu, trial_run, request);
    if (status == STATUS_OK)
        status = smp_wait(cpu, TRIAL_TIMEOUT_US);
    if (status == STATUS_OK) {
        keep_record(cpu, request, record);
        return;
    }
    stop_and_give_up_on(cpu, request, record);
}

static _Noreturn void finish(void);

/* The trial of the boot CPU, and whether it, or its watcher's patience, has ended. */
static struct trial_request *boot_request;
static atomic_bool boot_trial_ended;

/* Watches the boot CPU from another one, which finishes the boot if the first cannot. */
static void watch_boot_cpu(void *argument)
{
    struct deadline deadline = deadline_in(TRIAL_TIMEOUT_US);

    (void)argument;
    while (!deadline_has_passed(&deadline)) {
        if (atomic_load(&boot_trial_ended))
            return;
        cpu_pause();
    }
    if (atomic_exchange(&boot_trial_ended, true))
        return;
    stop_and_give_up_on(&boot_cpu, boot_request, &records[0]);
    finish();
}

/* Has the first other CPU that answered watch the boot CPU's; there may be none. */
static void start_watcher(void)
{
    for (size_t i = 1; i < smp_count(); i++) {
        if (records[i].answer == CPU_ANSWERED &&
            smp_begin(smp_cpu(i), watch_boot_cpu, NULL) == STATUS_OK)
            return;
    }
}

static void try_boot_cpu(void)
{
    boot_request = make_request(&boot_cpu);
    start_watcher();
    trial_run(boot_request);
    if (atomic_exchange(&boot_trial_ended, true))
        cpu_stop_this(); /* too late: the watcher has given up on this CPU */
    keep_record(&boot_cpu, boot_request, &records[0]);
}

/*
 * Tries all CPUs, one after the other: what one does wrong is then its own. The boot CPU
 * comes last, when the others can watch it.
 */
static void try_cpus(void)
{
    records    = allocate_or_give_up(smp_count() * sizeof(*records));
    records[0] = (struct vmx_record){.apic_id = boot_cpu.apic_id};
    for (size_t i = 1; i < smp_count(); i++)
        try_other_cpu(smp_cpu(i), &records[i]);
    try_boot_cpu();
}

static struct verdict_scope scope_of_check(const char *name)
{
    const struct processors *processors = processors_get();
    return (struct verdict_scope){.machine         = name,
                                  .nosmp           = options.nosmp,
                                  .no_cpu_list     = !processors->has_list,
                                  .broken_cpu_list = processors->has_broken_list,
                                  .no_start        = processors->cannot_start,
                                  .dropped         = processors->dropped};
}

/* The verdict's texts, and the facts that point to them. */
static struct {
    char machine[MACHINE_TEXT_SIZE], firmware[MACHINE_TEXT_SIZE];
    char verdict[CONSOLE_LINE_SIZE - 64];
    struct report_facts facts;
} result;

static void show_sheet(void)
{
    static struct sheet sheet;

    verdict_sheet_compose(&result.facts, &sheet);
    console_show(&sheet);
}

static void report_cpu(size_t index)
{
    TEXT_DECLARE(description, 320);
    verdict_describe_cpu(&records[index], &description);
    console_write_line("hymir: cpu %zu: apic %u: %s", index, records[index].apic_id,
                       description.buffer);
}

/* Why there may be CPUs that were not looked for, or NULL. */
static const char *unseen_cpus(const struct verdict_scope *scope)
{
    if (scope->nosmp)
        return "others were not looked for (nosmp)";
    if (scope->no_cpu_list)
        return "ACPI names no CPUs";
    if (scope->broken_cpu_list)
        return "ACPI's list of CPUs is broken";
    if (scope->no_start)
        return "others could not be started";
    return scope->dropped > 0 ? "there are more than Hymir supports" : NULL;
}

/* Comes to the verdict. */
static void judge(void)
{
    struct text verdict = {.buffer = result.verdict, .size = sizeof(result.verdict)};

    machine_describe(result.machine, result.firmware);
    struct verdict_scope scope = scope_of_check(result.machine);
    enum verdict_word word     = verdict_decide(records, smp_count(), &scope, &verdict);
    result.facts               = (struct report_facts){
                      .version      = HYMIR_VERSION,
                      .machine      = result.machine,
                      .firmware     = result.firmware,
                      .ram_bytes    = memory_ram_size(),
                      .used_bytes   = memory_used_size(),
                      .tsc_hz       = clock_frequency(),
                      .tsc_source   = clock_source(),
                      .has_acpi     = machine_get()->acpi != NULL,
                      .vt_d         = &machine_get()->vt_d,
                      .records      = records,
                      .count        = smp_count(),
                      .unseen       = unseen_cpus(&scope),
                      .verdict      = word,
                      .verdict_text = result.verdict,
    };
}

static void report_to_machines(void)
{
    static const char start[] = "hymir-report: ";

    console_write_data(start, sizeof(start) - 1);
    json_report_write(&result.facts, console_write_data);
    console_write_data("\n", 1);
}

/*
 * Shows the verdict on all screens and ends the serial output with the lines that scripts
 * rely on.
 */
static void report(void)
{
    show_sheet();
    report_to_machines();
    for (size_t i = 0; i < smp_count(); i++)
        report_cpu(i);
    console_write_line("hymir: verdict: %s: %s", verdict_name(result.facts.verdict),
                       result.verdict);
}

/* True of those that are not waited for in root operation. */
static bool is_selftest_elsewhere(void)
{
    return options.selftest == SELFTEST_NONE || options.selftest == SELFTEST_ABSENT_CPU ||
           options.selftest == SELFTEST_FIRMWARE_HANG ||
           options.selftest == SELFTEST_FIRMWARE_FAULT;
}

/* What the self-test has to say, if it is none that ended in a panic. */
static void report_selftest(void)
{
    if (options.selftest == SELFTEST_MEMORY)
        machine_check_memory();
    else if (!is_selftest_elsewhere() && !selftest_was_reached)
        log_warning("selftest: not reached: cpu %u did not come to VMX root operation",
                    options.selftest_cpu);
}

static void report_foreign_nmis(void)
{
    for (size_t i = 0; i < smp_count(); i++) {
        unsigned int nmis = atomic_load(&smp_cpu(i)->foreign_nmis);
        if (nmis > 0)
            log_warning("cpu %zu: %u NMIs that Hymir did not send; ignored", i, nmis);
    }
}

/* The verdict and what follows it, on the boot CPU or, if that is stuck, on another. */
static _Noreturn void finish(void)
{
    report_foreign_nmis();
    report_selftest();
    guests_explain(records);
    judge();
    bool waits = this_cpu() == &boot_cpu && options.exit == EXIT_HALT;
    if (waits)
        viewer_start(&options);
    if (waits && machine_get()->boot.module_count == 0)
        log_info(
            "keys 1 to 7 turn the report's pages, q ends it, here or at the keyboard");
    report();
    if (this_cpu() == &boot_cpu)
        guests_run(&options, records);
    if (waits)
        viewer_run(&result.facts);
    power_exit(options.exit, console_drain);
}

/*
 * Called by multiboot.asm on the boot CPU, in long mode, with the loader's magic already
 * checked.
 */
_Noreturn void hymir_main(uint32_t information, uint32_t image);

_Noreturn void hymir_main(uint32_t information, uint32_t image)
{
    machine_start_boot_cpu();           /* from here on an exception is caught */
    read_boot_information(information); /* options, log, serial line */
    machine_start_clock();
    give_up_over(machine_take_over_memory(information, image)); /* own address space */
    start_screen();
    machine_read_symbols();    /* names for backtraces */
    machine_read_platform();   /* ACPI: reset, power off */
    processors_list(&options); /* MADT, local APIC */
    processors_start();        /* INIT-SIPI-SIPI */
    try_cpus();                /* VMXON, a guest, VMXOFF */
    finish();                  /* the verdict, and the guests */
}
