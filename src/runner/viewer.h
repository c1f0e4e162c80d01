/*
 * The report on the screen and the serial line, page by page, until a key ends it.
 *
 * Beside main.c, because it brings console, input and power together.
 */
#ifndef HYMIR_RUNNER_VIEWER_H
#define HYMIR_RUNNER_VIEWER_H

#include "lib/options.h"
#include "report/facts.h"

/*
 * Has keys come, from here on; what is pressed is seen in viewer_run. On the boot CPU,
 * before the verdict is shown, so that what it has to say about a keyboard stands above.
 */
void viewer_start(const struct options *options);

/*
 * Shows the verdict, now with the keys in the last row of the screen, and the pages that
 * are asked for, for as long as nobody powers off or reboots the machine. The serial line
 * gets a page only when a key was pressed. On the boot CPU.
 */
_Noreturn void viewer_run(const struct report_facts *facts);

#endif
