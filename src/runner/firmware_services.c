/* See firmware_services.h. */
#include "runner/firmware_services.h"

#include "cpu/instructions.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "lib/ticks.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/machine.h"
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

/*
 * src/cpu/firmware_call.asm: calls with interrupts enabled; the stack of the call that is
 * not over, and where it goes on.
 */
uint64_t firmware_call(uint64_t function, const uint64_t arguments[EFI_ARGUMENTS],
                       void *stack_end);
extern const uint64_t firmware_call_stack;
extern const uint8_t firmware_call_end[];

static void *memory; /* the exchange, below firmware's stack; kept for later calls */

/* ---- The watch --------------------------------------------------------------------- */

static const struct firmware_hang *on_hang;
static struct cpu *watcher;      /* NULL: the timer watches */
static atomic_uint call_count;   /* calls begun */
static atomic_bool has_returned; /* from the last call */

/* The call that is watched, by the one CPU that watches. */
static struct {
    unsigned int call;
    struct deadline deadline;
} watched;

static void watch_call(void)
{
    unsigned int call = atomic_load(&call_count);

    if (call != watched.call) {
        watched.call     = call;
        watched.deadline = deadline_in(FIRMWARE_TIMEOUT_US);
    }
    if (!deadline_has_passed(&watched.deadline))
        return;
    log_error("firmware did not return within %d ms; %s", FIRMWARE_TIMEOUT_US / 1000,
              on_hang->text);
    on_hang->handle();
}

/* Watches firmware on another CPU, which firmware cannot stop. */
static void watch_firmware(void *argument)
{
    (void)argument;
    while (!atomic_load(&has_returned)) {
        watch_call();
        cpu_pause();
    }
}

/* Watches firmware by the timer, on the boot CPU. */
static void handle_timer(void)
{
    watch_call();
    apic_set_timer(clock_frequency());
}

/* Returns the watching CPU, or NULL if the timer watches, which requires interrupts. */
static struct cpu *start_watch(void)
{
    atomic_store(&has_returned, false);
    atomic_fetch_add(&call_count, 1);
    for (size_t i = 1; i < smp_count(); i++) {
        if (smp_begin(smp_cpu(i), watch_firmware, NULL) == STATUS_OK)
            return smp_cpu(i);
    }
    trap_set_handler(VECTOR_TIMER, handle_timer);
    handle_timer();
    return NULL;
}

static void end_watch(void)
{
    atomic_store(&has_returned, true);
    if (watcher == NULL)
        apic_set_timer(TICKS_NEVER);
    else if (smp_wait(watcher, FIRMWARE_TIMEOUT_US) != STATUS_OK)
        log_warning("cpu %u: still watching firmware", watcher->index);
}

/* ---- Calls ------------------------------------------------------------------------- */

static char fault[LOG_LINE_SIZE]; /* "": firmware has raised no exception */

/* A recovery (trap_set_recovery): leaves firmware, unless Hymir's own code faulted. */
static bool abandon_call(struct trap_frame *frame)
{
    if (this_cpu() != &boot_cpu || address_space_is_code(frame->rip))
        return false;
    format_text(fault, sizeof(fault), "firmware raised %s at 0x%lx",
                trap_name(frame->vector), frame->rip);
    frame->rip    = (uintptr_t)firmware_call_end;
    frame->rsp    = firmware_call_stack;
    frame->rflags = RFLAGS_FIXED;
    frame->rax    = EFI_ABORTED;
    return true;
}

static uint64_t call_service(uint64_t service, const uint64_t arguments[EFI_ARGUMENTS])
{
    if (fault[0] != '\0')
        return EFI_ABORTED;
    if (test_hook_call_firmware != NULL)
        service = test_hook_call_firmware(service);
    atomic_fetch_add(&call_count, 1);
    return firmware_call(service, arguments,
                         (uint8_t *)memory + (EXCHANGE_PAGES + STACK_PAGES) * PAGE_SIZE);
}

static uint64_t old_cr4;

void firmware_services_begin(const struct firmware_hang *hang)
{
    old_cr4 = read_cr4();
    write_cr4(old_cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT); /* firmware may use SSE */
    fninit();
    ldmxcsr(MXCSR_AFTER_RESET);
    trap_set_recovery(abandon_call);
    input_stop_polling(); /* firmware enables interrupts */
    on_hang = hang;
    watcher = start_watch();
}

const char *firmware_services_end(void)
{
    end_watch();
    trap_set_recovery(NULL);
    write_cr4(old_cr4);
    return fault[0] == '\0' ? NULL : fault;
}

/* ---- Regions ----------------------------------------------------------------------- */

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

const char *firmware_services_find(struct efi_firmware *firmware)
{
    const struct multiboot2_information *boot = &machine_get()->boot;
    struct efi_services services;

    if (string_starts_with(boot->loader_name, "kexec"))
        return "Linux, which started Hymir by kexec, has moved UEFI's runtime services";
    if (boot->efi_system_table == 0 || boot->is_efi_32_bit ||
        boot->efi_memory_map == NULL)
        return "requires 64-bit UEFI";
    if (fault[0] != '\0')
        return fault;
    if (!apic_is_enabled())
        return "requires a local APIC";
    if (efi_find_services(boot->efi_system_table, address_space_map_firmware,
                          &services) != STATUS_OK ||
        efi_visit_runtime(boot->efi_memory_map, boot->efi_memory_map_size,
                          boot->efi_descriptor_size, map_region) != STATUS_OK)
        return "invalid firmware tables";
    if (memory == NULL && machine_allocate((EXCHANGE_PAGES + STACK_PAGES) * PAGE_SIZE,
                                           &memory) != STATUS_OK)
        return "out of memory";
    *firmware = (struct efi_firmware){services, call_service, memory};
    return NULL;
}
