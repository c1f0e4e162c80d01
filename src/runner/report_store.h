/*
 * Stores the JSON report where an operating system that boots later finds it: in UEFI
 * variables and in RAM, as report= selects. tools/report reads it there.
 */
#ifndef HYMIR_RUNNER_REPORT_STORE_H
#define HYMIR_RUNNER_REPORT_STORE_H

#include "lib/options.h"
#include "report/facts.h"
#include "runner/firmware_services.h"

/* The other ways to get the report if it cannot be stored in UEFI variables. */
#define REPORT_WITHOUT_EFI "report=ram, report=json or the QR code"

/*
 * Stores the report, and logs where, or why not. Writes nothing unless the options select
 * it. Calls hang->handle if firmware does not return; firmware is called only on the boot
 * CPU. Before input_start.
 */
void report_store(const struct options *options, const struct report_facts *facts,
                  const struct firmware_hang *hang);

#endif
