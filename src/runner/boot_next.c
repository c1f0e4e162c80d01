/* See runner/boot_next.h. */
#include "runner/boot_next.h"

#include "console/console.h"
#include "cpu/instructions.h"
#include "cpu/traps.h"
#include "cpu/vectors.h"
#include "firmware/efi_boot.h"
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
#include "x86/control_registers.h"

#include <stdatomic.h>

/* What UEFI 2.10 wants, "Detailed Calling Conventions", and as much again. */
#define STACK_PAGES    64
#define EXCHANGE_PAGES 1
_Static_assert(sizeof(struct efi_exchange) <= EXCHANGE_PAGES * PAGE_SIZE, "one page");

/* Writing a variable takes flash memory some hundred milliseconds. */
#define FIRMWARE_TIMEOUT_US 10000000

/* src/cpu/firmware_call.asm; with interrupts on meanwhile. */
uint64_t firmware_call(uint64_t function, const uint64_t arguments[EFI_ARGUMENTS],
                       void *stack_end);

static uint8_t *memory; /* the exchange, and the stack above it */
static struct deadline deadline;

/* True if Hymir takes the range, or a part of it, for RAM that is its own. */
static bool is_ours(uint64_t start, uint64_t end)
{
    const struct memory_map *map = memory_get_map();

    for (size_t i = 0; i < map->count; i++) {
        if (map->region[i].type == MEMORY_USABLE && map->region[i].start < end &&
            start < map->region[i].end)
            return true;
    }
    return false;
}

/* What cannot be mapped, firmware may not need: if it does, it faults. */
static enum status map_region(const struct efi_region *region)
{
    enum status status = STATUS_OUT_OF_RANGE;

    if (region->is_device)
        status = address_space_map_device(region->start, region->size) != NULL
                     ? STATUS_OK
                     : STATUS_OUT_OF_RANGE;
    else if (region->size <= DEVICE_MAX_SIZE &&
             !is_ours(region->start, range_end(region->start, region->size)))
        status = address_space_map(region->start, region->size, PAGE_FIRMWARE);
    if (status == STATUS_OK)
        log_debug("firmware: 0x%lx, 0x%lx bytes%s", region->start, region->size,
                  region->is_device ? ", a device" : "");
    else
        log_warning("firmware wants 0x%lx, 0x%lx bytes: they cannot be mapped",
                    region->start, region->size);
    return STATUS_OK;
}

static _Noreturn void reboot(void)
{
    power_exit(EXIT_REBOOT, console_drain);
}

/* ---- The watch --------------------------------------------------------------------- */

static atomic_bool is_back;

static void reboot_if_late(void)
{
    if (!deadline_has_passed(&deadline))
        return;
    log_error("firmware did not come back within %d ms; the machine reboots",
              FIRMWARE_TIMEOUT_US / 1000);
    reboot();
}

/* Another CPU's work, which nothing that the boot CPU does can stop. */
static void watch(void *argument)
{
    (void)argument;
    while (!atomic_load(&is_back)) {
        reboot_if_late();
        cpu_pause();
    }
}

/* The timer's, on the boot CPU. */
static void look(void)
{
    reboot_if_late();
    apic_set_timer(clock_frequency());
}

/* The CPU that watches, or NULL: then the timer does, which wants interrupts. */
static struct cpu *start_watch(void)
{
    deadline = deadline_in(FIRMWARE_TIMEOUT_US);
    atomic_store(&is_back, false);
    for (size_t i = 1; i < smp_count(); i++) {
        if (smp_begin(smp_cpu(i), watch, NULL) == STATUS_OK)
            return smp_cpu(i);
    }
    trap_set_handler(VECTOR_TIMER, look);
    look();
    return NULL;
}

static void end_watch(struct cpu *watcher)
{
    atomic_store(&is_back, true);
    if (watcher == NULL)
        apic_set_timer(TICKS_NEVER);
    else if (smp_wait(watcher, FIRMWARE_TIMEOUT_US) != STATUS_OK)
        log_warning("cpu %u does not end its watch", watcher->index);
}

/* ------------------------------------------------------------------------------------ */

static uint64_t call(uint64_t service, const uint64_t arguments[EFI_ARGUMENTS])
{
    if (test_hook_call_firmware != NULL)
        service = test_hook_call_firmware(service);
    return firmware_call(service, arguments,
                         memory + (EXCHANGE_PAGES + STACK_PAGES) * PAGE_SIZE);
}

/* Maps what firmware needs, and allocates what it gets; NULL, or what is missing. */
static const char *prepare(struct efi_services *services)
{
    const struct multiboot2_information *boot = &machine_get()->boot;
    void *pages                               = NULL;

    if (boot->efi_system_table == 0 || boot->efi_memory_map == NULL)
        return "only UEFI can be told, 64-bit: choose it in the boot menu";
    if (!apic_is_enabled())
        return "nothing could stop firmware without a local APIC: choose it in the boot "
               "menu";
    if (efi_find_services(boot->efi_system_table, address_space_map_firmware, services) !=
            STATUS_OK ||
        efi_visit_runtime(boot->efi_memory_map, boot->efi_memory_map_size,
                          boot->efi_descriptor_size, map_region) != STATUS_OK)
        return "firmware's tables make no sense: choose it in the boot menu";
    if (memory != NULL)
        return NULL; /* from the last time */
    if (machine_allocate((EXCHANGE_PAGES + STACK_PAGES) * PAGE_SIZE, &pages) != STATUS_OK)
        return "no memory is left for firmware: choose it in the boot menu";
    memory = pages;
    return NULL;
}

const char *boot_next(void)
{
    struct efi_services services;
    uint16_t entry      = 0;
    const char *problem = prepare(&services);

    if (problem != NULL)
        return problem;
    enum exit_action on_panic = panic_set_action(EXIT_REBOOT); /* a fault of firmware's */
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);       /* firmware may use SSE */
    struct cpu *watcher = start_watch();
    enum status status =
        efi_boot_next(&services, call, (struct efi_exchange *)memory, &entry);
    end_watch(watcher);
    panic_set_action(on_panic);
    if (status == STATUS_NOT_FOUND)
        return "firmware has no other entry that it would boot";
    if (status != STATUS_OK)
        return "firmware refused: choose it in the boot menu";
    log_info("firmware boots entry Boot%04X next", entry);
    reboot();
}
