/*
 * Calls UEFI's runtime services, while another CPU, or else the local APIC's timer,
 * watches that firmware returns.
 *
 * Owns the memory for the calls. Neither detects a hang in System Management Mode. A call
 * in which firmware raises an exception is abandoned, and firmware not called again. On
 * the boot CPU, with interrupts disabled; firmware may enable them. UEFI 2.10, "Runtime
 * Services Rules and Restrictions", "x64 Platforms".
 */
#ifndef HYMIR_RUNNER_FIRMWARE_SERVICES_H
#define HYMIR_RUNNER_FIRMWARE_SERVICES_H

#include "firmware/efi_variables.h"

/* What to do if firmware does not return from a call within ten seconds. */
struct firmware_hang {
    const char *text;     /* for the log */
    void (*handle)(void); /* on any CPU; must not return */
};

/*
 * Finds the services and maps firmware's regions. Returns NULL and sets *firmware, or the
 * reason why there are none.
 */
const char *firmware_services_find(struct efi_firmware *firmware);

/*
 * Surround the calls: prepare the CPU and start the watch; end them. The latter returns
 * NULL, or the exception that firmware has raised. Input is not looked at until the next
 * input_start.
 */
void firmware_services_begin(const struct firmware_hang *hang);
const char *firmware_services_end(void);

#endif
