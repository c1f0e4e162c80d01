/*
 * The boot, from the first line of C to the verdict, as a table of contents: hymir_main,
 * at the end.
 *
 * The only file that includes every layer. Owns the options. The verdict reports errors
 * of the boot; nothing here panics.
 */
#include "check/cpus.h"
#include "check/isolation.h"
#include "console/console.h"
#include "cpu/shadow_stack.h"
#include "cpu/speculation.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "platform/machine.h"
#include "platform/panic.h"
#include "platform/power.h"
#include "platform/processors.h"
#include "platform/returns.h"
#include "platform/smp.h"
#include "report/json_report.h"
#include "report/verdict_sheet.h"
#include "runner/facts.h"
#include "runner/guests.h"
#include "runner/report_store.h"
#include "runner/viewer.h"
#include "svm/svm.h"
#include "vmx/vmx.h"

static const struct virtualization *const vendors[] = {&vt_x, &amd_v};
static struct options options;
static struct report_facts facts;

/* Starts the screen, unless it was started before. */
static void start_screen(void)
{
    console_start_screen(&options);
}

/* Ends the boot with a FAILED verdict if there is a problem. */
static void boot_fail_if(const char *problem)
{
    if (problem == NULL)
        return;
    start_screen();
    log_plain("hymir: verdict: FAILED: %s", problem);
    power_exit(options.exit, console_drain);
}

/* Parses the options before anything is printed, because they select the console. */
static void read_boot_information(uint32_t information)
{
    const char *problem = machine_read_boot_information(information);
    const struct multiboot2_information *boot = &machine_get()->boot;

    options_parse(boot->command_line, &options);
    machine_set_tables(options.rsdp, options.smbios);
    log_set_level(options.log_level);
    console_start_streams(&options);
    panic_set_exit(options.panic, start_screen, console_drain);
    boot_fail_if(problem);
    log_info("Hymir " HYMIR_VERSION ", loaded by \"%s\", command line \"%s\"",
             boot->loader_name, boot->command_line);
}

/* Chooses how Hymir's code returns and branches, before that code is read-only. */
static void choose_returns(void)
{
    uint64_t capabilities = speculation_capabilities();

    returns_choose(&options, capabilities,
                   isolation_aligns_returns(&machine_get()->cpuid, capabilities,
                                            options.mitigations));
}

/* Shows the verdict, and ends the serial output with the lines that scripts rely on. */
static void show_verdict(void)
{
    static struct sheet sheet;

    verdict_sheet_compose(&facts, &sheet);
    console_show(&sheet);
    json_report_write_line(&facts, console_write_data);
    verdict_sheet_write_lines(&facts, console_write_line);
}

/* Ends the boot if firmware does not return while the report is stored. */
static void finish_without_firmware(void)
{
    show_verdict();
    power_exit(options.exit, console_drain);
}

/* Shows the verdict and runs the guests, on the boot CPU or, if it hangs, on another. */
static _Noreturn void finish(void)
{
    static const struct firmware_hang hang = {
        "report not stored; use " REPORT_WITHOUT_EFI, finish_without_firmware};
    bool waits = this_cpu() == &boot_cpu && options.exit == END_HALT;

    if (this_cpu() == &boot_cpu)
        machine_finish_clock();
    machine_report_interrupts();
    if (test_hook_finish_trials != NULL)
        test_hook_finish_trials();
    facts_collect(&options, &facts);
    guests_log_missing(&facts.records[0]);
    cpus_choose_measures(&facts.isolation);
    report_store(&options, &facts, &hang);
    if (waits)
        viewer_start(&options);
    show_verdict();
    if (this_cpu() == &boot_cpu)
        guests_run(&options, &facts);
    if (waits)
        viewer_run(&facts);
    power_exit(options.exit, console_drain);
}

/* Called by multiboot.asm on the boot CPU in long mode, after it checked the magic. */
_Noreturn void hymir_main(uint32_t information, uint32_t image);

_Noreturn void hymir_main(uint32_t information, uint32_t image)
{
    machine_start_boot_cpu();           /* from here on exceptions are caught */
    read_boot_information(information); /* options, log, serial line */
    machine_start_clock();
    choose_returns();
    boot_fail_if(machine_take_over_memory(information, image, options.report_ram));
    returns_protect(&boot_cpu);
    shadow_stack_enable(&boot_cpu); /* here, because this function never returns */
    start_screen();
    machine_read_symbols();             /* names for backtraces */
    machine_read_platform();            /* ACPI: reset, power off */
    console_find_serial_port(&options); /* SPCR, PCI */
    processors_list(&options);          /* MADT, local APIC */
    processors_start();                 /* INIT-SIPI-SIPI */
    if (cpus_check(vendors, ARRAY_SIZE(vendors), &options, finish) != STATUS_OK)
        boot_fail_if(MACHINE_NO_MEMORY);
    finish(); /* the verdict, and the guests */
}
