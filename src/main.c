/*
 * The boot, from the first line of C to the verdict, as a table of contents: hymir_main,
 * at the end.
 *
 * The only file that knows every layer. Owns the options and the records of the CPUs.
 * What goes wrong on the way is said in the verdict; nothing here panics over it.
 */
#include "console/console.h"
#include "cpu/apic.h"
#include "cpu/panic.h"
#include "cpu/power.h"
#include "cpu/selftest.h"
#include "cpu/smp.h"
#include "lib/log.h"
#include "machine.h"
#include "mm/memory.h"
#include "vmx/trial.h"
#include "vmx/verdict.h"
#include "vmx/verdict_sheet.h"

/* How long a CPU has for the whole check, which takes some hundred thousand instructions.
 */
#define TRIAL_TIMEOUT_US 2000000

/* machine_allocate gives pages, and free_request gives one of them back. */
_Static_assert(sizeof(struct trial_request) <= PAGE_SIZE, "a request is one page");

static struct options options;
static struct vmx_record *records; /* one for each CPU */

/* Ends a boot that cannot even come to the check, if there is a problem. */
static void give_up_over(const char *problem)
{
    const struct multiboot2_information *boot = &machine_get()->boot;

    if (problem == NULL)
        return;
    console_start_screen(&options, &boot->framebuffer, boot->is_efi);
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

/* The options rule the console, so they are read before anything can be said. */
static void read_boot_information(uint32_t information)
{
    const char *problem = machine_read_boot_information(information);
    const struct multiboot2_information *boot = &machine_get()->boot;

    options_parse(boot->command_line, &options);
    log_set_level(options.log_level);
    console_start_streams(&options);
    panic_set_exit(options.panic, console_drain);
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

static void run_selftest(void)
{
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
    return request;
}

static void free_request(struct trial_request *request)
{
    memory_free(request->pages, TRIAL_PAGES);
    memory_free(request->vmxon_region, 1);
    memory_free(request, 1);
}

/* Runs the trial on a CPU, if it answered, and fills in its record. */
static void try_cpu(struct cpu *cpu, struct vmx_record *record)
{
    *record = (struct vmx_record){.apic_id = cpu->apic_id, .answer = answer_of(cpu)};
    if (record->answer != CPU_ANSWERED)
        return;
    struct trial_request *request = make_request(cpu);
    if (smp_run(cpu, trial_run, request, TRIAL_TIMEOUT_US) == STATUS_OK) {
        *record = request->record;
        trial_log(record, cpu->index);
        if (cpu->leave_virtualization == NULL) /* else the CPU still owns its pages */
            free_request(request);
        return;
    }
    record->answer = CPU_DID_NOT_FINISH;
    log_error("cpu %u: apic %u: did not finish the check within %d ms", cpu->index,
              cpu->apic_id, TRIAL_TIMEOUT_US / 1000);
    if (smp_stop(cpu) != STATUS_OK)
        log_error("cpu %u: apic %u: cannot be stopped either", cpu->index, cpu->apic_id);
}

/* Tries all CPUs, one after the other: what one does wrong is then its own. */
static void try_cpus(void)
{
    records = allocate_or_give_up(smp_count() * sizeof(*records));
    for (size_t i = 0; i < smp_count(); i++)
        try_cpu(smp_cpu(i), &records[i]);
}

static struct verdict_scope scope_of_check(void)
{
    const struct machine *machine = machine_get();
    return (struct verdict_scope){.nosmp       = options.nosmp,
                                  .no_cpu_list = !machine->has_cpu_list,
                                  .no_start    = machine->cannot_start,
                                  .dropped     = machine->dropped_cpus};
}

static void show_sheet(enum verdict_word word, const char *verdict)
{
    static struct sheet sheet;
    char machine[MACHINE_TEXT_SIZE], firmware[MACHINE_TEXT_SIZE];

    machine_describe(machine, firmware);
    const struct machine_facts facts = {.version    = HYMIR_VERSION,
                                        .machine    = machine,
                                        .firmware   = firmware,
                                        .ram_bytes  = memory_ram_size(),
                                        .used_bytes = memory_used_size()};
    verdict_sheet_compose(&facts, records, smp_count(), word, verdict, &sheet);
    console_show(&sheet);
}

static void report_cpu(size_t index)
{
    TEXT_DECLARE(description, 320);
    verdict_describe_cpu(&records[index], &description);
    console_write_line("hymir: cpu %zu: apic %u: %s", index, records[index].apic_id,
                       description.buffer);
}

/*
 * Shows the verdict on all screens and ends the serial output with the lines that scripts
 * rely on.
 */
static void report(void)
{
    static char buffer[640];
    struct text verdict        = {.buffer = buffer, .size = sizeof(buffer)};
    struct verdict_scope scope = scope_of_check();
    enum verdict_word word     = verdict_decide(records, smp_count(), &scope, &verdict);

    show_sheet(word, verdict.buffer);
    for (size_t i = 0; i < smp_count(); i++)
        report_cpu(i);
    console_write_line("hymir: verdict: %s: %s", verdict_name(word), verdict.buffer);
}

/*
 * Called by multiboot.asm on the boot CPU, in long mode, with the loader's magic already
 * checked.
 */
_Noreturn void hymir_main(uint32_t information, uint32_t image);

_Noreturn void hymir_main(uint32_t information, uint32_t image)
{
    const struct multiboot2_information *boot = &machine_get()->boot;

    machine_start_boot_cpu();           /* from here on an exception is a report */
    read_boot_information(information); /* options, log, serial line */
    machine_start_clock();
    give_up_over(machine_take_over_memory(information, image)); /* own address space */
    console_start_screen(&options, &boot->framebuffer, boot->is_efi);
    machine_read_symbols();             /* names for backtraces */
    machine_read_platform();            /* ACPI: reset, power off */
    machine_list_cpus(&options);        /* MADT, local APIC */
    give_up_over(machine_start_cpus()); /* INIT-SIPI-SIPI */
    try_cpus();                         /* VMXON, a guest, VMXOFF */
    report();
    power_exit(options.exit, console_drain);
}
