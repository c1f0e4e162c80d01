/* See boot_next.h. */
#include "runner/boot_next.h"

#include "console/console.h"
#include "cpu/instructions.h"
#include "cpu/traps.h"
#include "firmware/efi.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "lib/ticks.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/panic.h"
#include "platform/power.h"
#include "platform/smp.h"
#include "runner/input.h"
#include "x86/control_registers.h"

#include <stdatomic.h>

/* Twice what UEFI 2.10, "Detailed Calling Conventions", requires. */
#define STACK_PAGES    64
#define EXCHANGE_PAGES 1
_Static_assert(sizeof(struct efi_exchange) <= EXCHANGE_PAGES * PAGE_SIZE, "one page");

/* Writing a variable to flash memory takes some hundred milliseconds. */
#define FIRMWARE_TIMEOUT_US 10000000

/* src/cpu/firmware_call.asm: calls with interrupts enabled. */
uint64_t firmware_call(uint64_t function, const uint64_t arguments[EFI_ARGUMENTS],
                       void *stack_end);

static void *memory; /* the exchange, below firmware's stack; kept for later calls */
static struct deadline deadline;

/* Returns whether a range overlaps RAM that Hymir uses. */
static bool is_hymir_ram(uint64_t start, uint64_t end)
{
    return memory_map_overlaps(memory_get_map(), MEMORY_USABLE, start, end);
}

/* Continues if a region cannot be mapped: firmware faults only if it needs it. */
static enum status map_region(const struct efi_region *region)
{
    uint64_t start = region->start, size = region->size;
    bool is_mapped = region->is_device
                         ? address_space_map_device(start, size) != NULL
                         : size <= DEVICE_MAX_SIZE &&
                               !is_hymir_ram(start, range_end(start, size)) &&
                               address_space_map(start, size, PAGE_FIRMWARE) == STATUS_OK;
    if (is_mapped)
        log_debug("firmware: runtime region 0x%lx, size 0x%lx%s", start, size,
                  region->is_device ? ", device" : "");
    else
        log_warning("firmware: cannot map runtime region 0x%lx, size 0x%lx", start, size);
    return STATUS_OK;
}

static _Noreturn void reboot_machine(void)
{
    power_exit(END_REBOOT, console_drain);
}

static atomic_bool has_returned;

static void reboot_if_late(void)
{
    if (!deadline_has_passed(&deadline))
        return;
    log_error("firmware did not return within %d ms; rebooting",
              FIRMWARE_TIMEOUT_US / 1000);
    reboot_machine();
}

/* Watches firmware on another CPU, which firmware cannot stop. */
static void watch_firmware(void *argument)
{
    (void)argument;
    while (!atomic_load(&has_returned)) {
        reboot_if_late();
        cpu_pause();
    }
}

/* Watches firmware by the timer, on the boot CPU. */
static void handle_timer(void)
{
    reboot_if_late();
    apic_set_timer(clock_frequency());
}

/* Returns the watching CPU, or NULL if the timer watches, which requires interrupts. */
static struct cpu *start_watch(void)
{
    deadline = deadline_in(FIRMWARE_TIMEOUT_US);
    atomic_store(&has_returned, false);
    for (size_t i = 1; i < smp_count(); i++) {
        if (smp_begin(smp_cpu(i), watch_firmware, NULL) == STATUS_OK)
            return smp_cpu(i);
    }
    trap_set_handler(VECTOR_TIMER, handle_timer);
    handle_timer();
    return NULL;
}

static void end_watch(struct cpu *watcher)
{
    atomic_store(&has_returned, true);
    if (watcher == NULL)
        apic_set_timer(TICKS_NEVER);
    else if (smp_wait(watcher, FIRMWARE_TIMEOUT_US) != STATUS_OK)
        log_warning("cpu %u: still watching firmware", watcher->index);
}

/* ------------------------------------------------------------------------------------ */

static uint64_t call_service(uint64_t service, const uint64_t arguments[EFI_ARGUMENTS])
{
    if (test_hook_call_firmware != NULL)
        service = test_hook_call_firmware(service);
    return firmware_call(service, arguments,
                         (uint8_t *)memory + (EXCHANGE_PAGES + STACK_PAGES) * PAGE_SIZE);
}

/* Maps firmware's regions and allocates its memory. Returns NULL, or why it failed. */
static const char *prepare_firmware(struct efi_services *services)
{
    const struct multiboot2_information *boot = &machine_get()->boot;

    if (boot->efi_system_table == 0 || boot->efi_memory_map == NULL)
        return "requires 64-bit UEFI; use the firmware's boot menu";
    if (!apic_is_enabled())
        return "requires a local APIC; use the firmware's boot menu";
    if (efi_find_services(boot->efi_system_table, address_space_map_firmware, services) !=
            STATUS_OK ||
        efi_visit_runtime(boot->efi_memory_map, boot->efi_memory_map_size,
                          boot->efi_descriptor_size, map_region) != STATUS_OK)
        return "invalid firmware tables; use the firmware's boot menu";
    if (memory == NULL && machine_allocate((EXCHANGE_PAGES + STACK_PAGES) * PAGE_SIZE,
                                           &memory) != STATUS_OK)
        return "out of memory; use the firmware's boot menu";
    return NULL;
}

const char *boot_next(void)
{
    struct efi_services services;
    uint16_t entry      = 0;
    const char *problem = prepare_firmware(&services);

    if (problem != NULL)
        return problem;
    enum end_action on_panic = panic_set_action(END_REBOOT); /* if firmware faults */
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);     /* firmware may use SSE */
    input_stop_polling(); /* firmware enables interrupts */
    struct cpu *watcher = start_watch();
    enum status status  = efi_boot_next(&services, call_service, memory, &entry);
    end_watch(watcher);
    panic_set_action(on_panic);
    if (status == STATUS_NOT_FOUND)
        return "firmware has no other boot entry";
    if (status != STATUS_OK)
        return "firmware rejected the request; use its boot menu";
    log_info("firmware boots entry Boot%04X next", entry);
    reboot_machine();
}
