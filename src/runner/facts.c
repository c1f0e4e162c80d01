/* See facts.h. */
#include "runner/facts.h"

#include "check/cpus.h"
#include "check/verdict.h"
#include "console/console.h"
#include "mm/memory.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/processors.h"
#include "platform/smp.h"
#include "platform/wall_clock.h"

/* Returns the time of day, or 0 if it is not known. */
static uint64_t read_time(void)
{
    uint64_t seconds;

    return this_cpu() == &boot_cpu && wall_clock_read(&seconds) == STATUS_OK ? seconds
                                                                             : 0;
}

void facts_collect(const struct options *options, struct report_facts *facts)
{
    static char machine[MACHINE_TEXT_SIZE], firmware[MACHINE_TEXT_SIZE];
    static char verdict[CONSOLE_LINE_SIZE - 64];
    struct text text                    = {.buffer = verdict, .size = sizeof(verdict)};
    const struct processors *processors = processors_get();
    const struct verdict_scope scope    = {.machine         = machine,
                                           .nosmp           = options->nosmp,
                                           .no_cpu_list     = !processors->has_list,
                                           .broken_cpu_list = processors->has_broken_list,
                                           .no_start        = processors->cannot_start,
                                           .dropped         = processors->dropped};

    machine_describe(machine, firmware);
    *facts = (struct report_facts){
        .version      = HYMIR_VERSION,
        .machine      = machine,
        .firmware     = firmware,
        .time         = read_time(),
        .ram_bytes    = memory_ram_size(),
        .used_bytes   = memory_used_size(),
        .tsc_hz       = clock_tsc()->hz,
        .tsc_ppm      = clock_tsc()->uncertainty_ppm,
        .tsc_source   = clock_source(),
        .has_acpi     = machine_get()->acpi != NULL,
        .iommus       = &machine_get()->iommus,
        .records      = cpus_records(),
        .count        = smp_count(),
        .isolation    = isolation_options_of(options),
        .unseen       = verdict_unseen_cpus(&scope),
        .verdict      = verdict_decide(cpus_records(), smp_count(), &scope, &text),
        .verdict_text = verdict,
    };
}
