/* See boot_next.h. */
#include "runner/boot_next.h"

#include "console/console.h"
#include "lib/log.h"
#include "platform/power.h"
#include "runner/firmware_services.h"

static void reboot_machine(void)
{
    power_exit(END_REBOOT, console_drain);
}

/* Returns a reason, and the other way. */
static const char *refuse(const char *reason)
{
    static char problem[LOG_LINE_SIZE];

    format_text(problem, sizeof(problem), "%s; use the firmware's boot menu", reason);
    return problem;
}

const char *boot_next(void)
{
    static const struct firmware_hang hang = {"rebooting", reboot_machine};
    struct efi_firmware firmware;
    uint16_t entry     = 0;
    const char *reason = firmware_services_find(&firmware);

    if (reason != NULL)
        return refuse(reason);
    firmware_services_begin(&hang);
    enum status status =
        efi_boot_next(&firmware.services, firmware.call, firmware.exchange, &entry);
    reason = firmware_services_end();
    if (reason != NULL) {
        log_error("%s", reason);
        return refuse(reason);
    }
    if (status == STATUS_NOT_FOUND)
        return "firmware has no other boot entry";
    if (status != STATUS_OK)
        return "firmware rejected the request; use its boot menu";
    log_info("firmware boots entry Boot%04X next", entry);
    power_exit(END_REBOOT, console_drain);
}
