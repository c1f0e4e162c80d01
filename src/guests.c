/* See guests.h. */
#include "guests.h"

#include "console/keyboard.h"
#include "console/serial.h"
#include "cpu/apic.h"
#include "cpu/clock.h"
#include "cpu/msr.h"
#include "cpu/smp.h"
#include "cpu/traps.h"
#include "cpu/wall_clock.h"
#include "guest/image.h"
#include "guest/module.h"
#include "guest/vm.h"
#include "guest_console.h"
#include "lib/calendar.h"
#include "lib/log.h"
#include "lib/scan_code.h"
#include "lib/string.h"
#include "machine.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "vmx/ept.h"
#include "vmx/vcpu.h"
#include "vmx/vcpu_controls.h"
#include "vmx/verdict.h"

#include <stdatomic.h>

#define MAX_GUESTS MULTIBOOT2_MAX_MODULES
_Static_assert(MAX_GUESTS <= GUEST_CONSOLE_GUESTS, "a console for each");

#define LARGE_PIECE UINT64_C(0x200000)

/* More than any FIFO holds: a port that gives without end is broken. */
#define INPUT_AT_ONCE 256

/* IA32_ARCH_CAPABILITIES.IF_PSCHANGE_MC_NO: no iTLB multihit. */
#define ARCH_CAPABILITIES_NO_MULTIHIT BIT(6)

static struct vm *guests[MAX_GUESTS];
static size_t guest_count;
static atomic_size_t running_count; /* that have not said their last word */
static uint64_t time_of_day;        /* in seconds since 1970 */
static bool wants_stats;
static bool avoids_preemption_timer;
static enum entry_fault first_entry; /* how the first guest's entry is to fail */

static void take_serial_input(void)
{
    uint8_t byte;
    for (int i = 0; i < INPUT_AT_ONCE && serial_receive(&byte); i++)
        guest_console_type(byte);
}

static void take_keys(void)
{
    static struct scan_code_state state;
    char bytes[SCAN_CODE_MAX_BYTES];
    uint8_t code;

    for (int i = 0; i < INPUT_AT_ONCE && keyboard_receive(&code); i++) {
        size_t length = scan_code_decode(&state, code, bytes);
        for (size_t j = 0; j < length; j++)
            guest_console_type((uint8_t)bytes[j]);
    }
}

/* A module's words, if they made sense. */
static struct module_words words[MULTIBOOT2_MAX_MODULES];
static bool is_sound[MULTIBOOT2_MAX_MODULES];

static void parse_modules(const struct multiboot2_information *boot)
{
    for (size_t i = 0; i < boot->module_count; i++) {
        TEXT_DECLARE(problem, LOG_LINE_SIZE);
        is_sound[i] = module_parse(boot->module[i].command_line, &words[i], &problem);
        if (!is_sound[i])
            log_error("module %zu, \"%s\": %s", i + 1, boot->module[i].command_line,
                      problem.buffer);
    }
}

/* A module's bytes; none if they do not lie in memory. */
static struct image_bytes bytes_of(const struct multiboot2_module *module)
{
    uint64_t size = module->end - module->start;
    if (!address_space_is_mapped(module->start, size))
        return (struct image_bytes){0};
    return (struct image_bytes){.bytes = hpa_pointer(hpa(module->start)), .size = size};
}

static struct image_bytes find_initrd(const struct multiboot2_information *boot,
                                      const char *name)
{
    for (size_t i = 0; i < boot->module_count; i++) {
        if (is_sound[i] && words[i].role == MODULE_INITRD &&
            strcmp(words[i].name, name) == 0)
            return bytes_of(&boot->module[i]);
    }
    return (struct image_bytes){0};
}

/* In pieces as large as there are, at multiples of 2 MiB for EPT's large pages. */
static enum status allocate_memory(struct guest_memory *memory, uint64_t size)
{
    uint64_t piece = size;

    while (memory->size < size) {
        uint64_t rest = size - memory->size;
        void *pages;
        if (piece > rest)
            piece = rest;
        enum status status = memory_allocate_aligned(piece / PAGE_SIZE, LARGE_PIECE,
                                                     frames_above_1_mib, &pages);
        if (status == STATUS_OK)
            status = guest_memory_add(memory, hpa_of(pages), piece);
        else if (piece > LARGE_PIECE)
            piece = align_up(piece / 2, LARGE_PIECE);
        else
            return status;
        if (status == STATUS_OK || piece >= LARGE_PIECE)
            continue;
        return status;
    }
    return STATUS_OK;
}

static void free_memory(const struct guest_memory *memory)
{
    for (size_t i = 0; i < memory->piece_count; i++)
        memory_free(hpa_pointer(memory->piece[i].host),
                    memory->piece[i].size / PAGE_SIZE);
}

static bool is_name_taken(const char *name)
{
    for (size_t i = 0; i < guest_count; i++) {
        if (strcmp(guests[i]->name, name) == 0)
            return true;
    }
    return false;
}

/* Fills a VM's memory and makes the rest of it; false, with the reason. */
static bool fill_vm(struct vm *vm, const struct image_parts *parts, uint64_t memory_size,
                    struct text *problem)
{
    if (allocate_memory(&vm->memory, memory_size) != STATUS_OK) {
        text_append(problem, "not enough memory for memory=%luM", memory_size >> 20);
        return false;
    }
    const struct vm_environment environment = {.clock_hz = clock_frequency(),
                                               .time     = time_of_day,
                                               .output   = guest_console_print,
                                               .flush    = guest_console_flush};
    if (!image_load(parts, &vm->memory, &vm->start, &vm->kind, problem))
        return false;
    if (vm_init(vm, &vmx_backend, &environment) != STATUS_OK) {
        text_append(problem, "not enough memory for its tables");
        return false;
    }
    return true;
}

static void make_guest(const struct multiboot2_information *boot, size_t index)
{
    const struct module_words *module = &words[index];
    const struct image_parts parts    = {.kernel       = bytes_of(&boot->module[index]),
                                         .initrd       = find_initrd(boot, module->name),
                                         .command_line = module->command_line};
    TEXT_DECLARE(problem, LOG_LINE_SIZE);
    void *pages;

    if (is_name_taken(module->name)) {
        log_error("vm %s: there is a guest of that name already", module->name);
        return;
    }
    if (machine_allocate(sizeof(struct vm), &pages) != STATUS_OK) {
        log_error("vm %s: not enough memory", module->name);
        return;
    }
    struct vm *vm = pages;
    if (guest_count == 0)
        vm->plan.fault = first_entry;
    vm->plan.avoids_preemption_timer = avoids_preemption_timer;
    memcpy(vm->name, module->name, sizeof(vm->name));
    if (fill_vm(vm, &parts, module->memory_size, &problem)) {
        guests[guest_count++] = vm;
        return;
    }
    log_error("vm %s: %s", module->name, problem.buffer);
    free_memory(&vm->memory);
}

/* For a panic, which comes while an exit is answered. */
static void log_guest(const void *activity)
{
    vm_log_exits(activity, true);
}

/* A cpu_work. The last word comes in front of the last count: then Hymir may end. */
static void run_guest(void *argument)
{
    struct vm *vm = argument;

    log_plain("hymir: vm %s: started: %s, 1 vCPU, %lu MiB", vm->name, vm->kind,
              vm->memory.size >> 20);
    this_cpu()->activity     = vm;
    this_cpu()->log_activity = log_guest;
    vm_run(vm);
    this_cpu()->log_activity = NULL;
    guest_console_end(vm);
    if (vm->vcpu.end_is_abnormal)
        vm_log_exits(vm, false);
    log_plain("hymir: vm %s: stopped: %s", vm->name, vm->vcpu.end);
    if (wants_stats)
        vm_log_stats(vm);
    atomic_fetch_sub(&running_count, 1);
    if (this_cpu() != &boot_cpu &&
        apic_send_interrupt(boot_cpu.apic_id, VECTOR_WAKE) != STATUS_OK)
        log_error("cpu %u: the boot CPU cannot be woken", this_cpu()->index);
}

/*
 * Gives each guest a CPU whose record is in order, the boot CPU last; *own is the guest
 * for that one, or NULL.
 */
static void place_guests(const struct vmx_record *records, struct vm **own)
{
    size_t placed = 0;

    for (size_t i = 1; i <= smp_count() && placed < guest_count; i++) {
        size_t index = i % smp_count();
        if (verdict_of_cpu(&records[index]) != VERDICT_READY)
            continue;
        guests[placed]->vcpu.id = (uint32_t)index;
        atomic_fetch_add(&running_count, 1);
        if (index == 0)
            *own = guests[placed++];
        else if (smp_begin(smp_cpu(index), run_guest, guests[placed]) == STATUS_OK)
            placed++;
        else
            atomic_fetch_sub(&running_count, 1);
    }
    for (size_t i = placed; i < guest_count; i++) {
        vcpu_end(&guests[i]->vcpu, "no CPU left for it: %zu guests have all there are",
                 placed);
        log_error("vm %s: %s", guests[i]->name, guests[i]->vcpu.end);
    }
}

void guests_explain(const struct vmx_record *records)
{
    struct vcpu_controls controls;
    TEXT_DECLARE(missing, LOG_LINE_SIZE);

    if (verdict_of_cpu(&records[0]) == VERDICT_READY &&
        vcpu_controls_fit(&records[0].before.capabilities, &controls, &missing) !=
            STATUS_OK)
        log_info("guests cannot run here: the processor lacks %s", missing.buffer);
}

static bool may_have_multihit(const struct cpuid_snapshot *cpuid)
{
    if ((cpuid->leaf_7.edx & CPUID_7_EDX_ARCH_CAPABILITIES) == 0)
        return true;
    return (msr_take(MSR_IA32_ARCH_CAPABILITIES).value & ARCH_CAPABILITIES_NO_MULTIHIT) ==
           0;
}

static enum entry_fault fault_of(enum selftest selftest)
{
    static const enum entry_fault faults[] = {
        [SELFTEST_ENTRY_CONTROL]      = ENTRY_BAD_CONTROL,
        [SELFTEST_ENTRY_HOST]         = ENTRY_BAD_HOST_STATE,
        [SELFTEST_ENTRY_GUEST]        = ENTRY_BAD_GUEST_STATE,
        [SELFTEST_ENTRY_MSR_LOAD]     = ENTRY_BAD_MSR_LOAD,
        [SELFTEST_ENTRY_REVISION]     = ENTRY_WRONG_REVISION,
        [SELFTEST_ENTRY_LAUNCH_TWICE] = ENTRY_LAUNCHED_TWICE,
        [SELFTEST_ENTRY_RESUME_FIRST] = ENTRY_RESUMED_FIRST,
        [SELFTEST_EXIT]               = ENTRY_SOUND_EXIT_BROKEN,
    };
    return selftest < ARRAY_SIZE(faults) ? faults[selftest] : ENTRY_SOUND;
}

static bool is_any_ready(const struct vmx_record *records)
{
    for (size_t i = 0; i < smp_count(); i++) {
        if (verdict_of_cpu(&records[i]) == VERDICT_READY)
            return true;
    }
    return false;
}

/* Says so in one line, whichever way it goes. */
static void choose_page_size(const struct options *options,
                             const struct vmx_record *record)
{
    bool multihit = may_have_multihit(&record->before.cpuid);

    if (multihit && options->large_pages)
        log_warning(
            "guests: large-pages: the processor may have the iTLB multihit erratum, "
            "by which a guest can stop the machine");
    else if (multihit)
        log_info("guests: memory is mapped with 4-KiB pages: the processor may have the "
                 "iTLB multihit erratum");
    ept_choose_page_size(&record->before.capabilities, multihit && !options->large_pages);
}

/* A guest without the time has to be set: it starts at the turn of the century. */
static void read_time_of_day(void)
{
    static const struct calendar_time fallback = {.year = 2000, .month = 1, .day = 1};

    time_of_day = calendar_seconds(&fallback);
    if (wall_clock_read(&time_of_day) != STATUS_OK)
        log_warning("guests: the machine's clock gives no time; they start in 2000");
}

static void take_from(uint8_t interrupt, uint8_t vector, void (*take)(void))
{
    trap_set_handler(vector, take);
    if (machine_route_interrupt(interrupt, vector) != STATUS_OK)
        log_warning("guests: interrupt %u does not come to the boot CPU: no input from "
                    "the %s",
                    interrupt, vector == VECTOR_KEYBOARD ? "keyboard" : "serial line");
    take(); /* what came before had no edge to tell of it */
}

/* What arrives at the serial line, and what is typed at the keyboard, is the guests'. */
static void start_input(const struct options *options)
{
    uint8_t interrupt;

    if (serial_start_receiving(&interrupt))
        take_from(interrupt, VECTOR_SERIAL, take_serial_input);
    else if (options->serial_port != SERIAL_PORT_NONE)
        log_info(
            "guests: no input from the serial line at 0x%x: it is not there, or none of "
            "com1 to com4, whose interrupts are known",
            options->serial_port);
    if (!options->screen)
        return;
    if (keyboard_start())
        take_from(KEYBOARD_INTERRUPT, VECTOR_KEYBOARD, take_keys);
    else
        log_info(
            "guests: no input from a keyboard: no PS/2 controller answers at port 0x64");
}

void guests_run(const struct options *options, const struct vmx_record *records)
{
    const struct multiboot2_information *boot = &machine_get()->boot;
    struct vm *own                            = NULL;

    if (boot->module_count == 0 || options->selftest == SELFTEST_MEMORY)
        return; /* that test leaves no memory */
    if (!is_any_ready(records)) {
        log_plain("hymir: no guest is started: VT-x does not work here");
        return;
    }
    wants_stats             = options->stats;
    avoids_preemption_timer = options->apic_timer;
    first_entry             = fault_of(options->selftest);
    choose_page_size(options, &records[0]);
    read_time_of_day();
    parse_modules(boot);
    for (size_t i = 0; i < boot->module_count; i++) {
        if (is_sound[i] && words[i].role == MODULE_KERNEL)
            make_guest(boot, i);
    }
    guest_console_start(guests, guest_count);
    start_input(options);
    place_guests(records, &own);
    if (own != NULL)
        run_guest(own);
    while (atomic_load(&running_count) > 0)
        halt_until_interrupt();
}
