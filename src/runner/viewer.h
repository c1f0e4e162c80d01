/*
 * Shows the report page by page on the screen and the serial line until a key ends it.
 */
#ifndef HYMIR_RUNNER_VIEWER_H
#define HYMIR_RUNNER_VIEWER_H

#include "lib/options.h"
#include "report/facts.h"

/*
 * Starts queueing keys for viewer_run. On the boot CPU, before the verdict is shown, so
 * that messages about the keyboard appear above it.
 */
void viewer_start(const struct options *options);

/*
 * Shows the verdict, with the newest error below it, if any, and the keys in the last row
 * of the screen, and the pages that keys
 * select, until a key powers off or reboots the machine. The serial line shows a page
 * only after a key press. On the boot CPU.
 */
_Noreturn void viewer_run(const struct report_facts *facts);

#endif
