/* See runner/guest_maker.h. */
#include "runner/guest_maker.h"

#include "check/isolation.h"
#include "cpu/traps.h"
#include "guest/load/image.h"
#include "guest/load/module.h"
#include "lib/calendar.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/smp.h"
#include "platform/wall_clock.h"
#include "runner/guest_allocation.h"
#include "runner/guest_console.h"

#define WAITS_PER_SECOND 50

_Static_assert(IMAGE_MODULES >= MULTIBOOT2_MAX_MODULES - 1, "all but the kernel");
_Static_assert(GUEST_MAKER_MAX <= GUEST_CONSOLE_GUESTS, "a console for each");

static const struct backend *backend;
static const struct multiboot2_information *boot;
static struct vm **guests;
static size_t guest_count;
static bool uses_apic_timer;
static size_t usable_cpus;

/* The time of day, in seconds since 1970, and the clock's ticks at that time. */
static uint64_t first_time, first_ticks;

/* The modules' options; those of an invalid module have no name. */
static struct module_options modules[MULTIBOOT2_MAX_MODULES];

/* How many CPUs each kernel's guest can have; other modules have none. */
static struct placement_guest cpu_wishes[MULTIBOOT2_MAX_MODULES];

static void parse_modules(void)
{
    for (size_t i = 0; i < boot->module_count; i++) {
        TEXT_DECLARE(problem, LOG_LINE_SIZE);
        if (!module_parse(boot->module[i].command_line, &modules[i], &problem))
            log_error("module %zu, \"%s\": %s", i + 1, boot->module[i].command_line,
                      problem.buffer);
    }
}

/* Finds a module's bytes. False, with the reason, if they are not in mapped memory. */
static bool find_bytes(size_t index, struct image_bytes *bytes, struct text *problem)
{
    uint64_t start = boot->module[index].start, end = boot->module[index].end;

    if (start == end)
        return TEXT_FAIL(problem, "module %zu, \"%s\": the file is empty", index + 1,
                         boot->module[index].command_line);
    if (!address_space_is_mapped(start, end - start))
        return TEXT_FAIL(problem, "module %zu: 0x%lx to 0x%lx is not in RAM", index + 1,
                         start, end);
    *bytes = (struct image_bytes){.bytes = hpa_pointer(hpa(start)), .size = end - start};
    return true;
}

/* Returns the module with that role for the guest of that name, or module_count. */
static size_t find_module(enum module_role role, const char *name)
{
    size_t i = 0;
    while (i < boot->module_count &&
           !(modules[i].role == role && strcmp(modules[i].name, name) == 0))
        i++;
    return i;
}

/* Reports initrds and other modules that have no kernel. */
static void check_kernels(void)
{
    for (size_t i = 0; i < boot->module_count; i++) {
        const char *name = modules[i].name;
        if (name[0] != '\0' && modules[i].role != MODULE_KERNEL &&
            find_module(MODULE_KERNEL, name) == boot->module_count)
            log_error("module %zu, \"%s\": no kernel name=%s", i + 1,
                      boot->module[i].command_line, name);
    }
}

/* Returns the size of the strings of all modules with that name, at most. */
static uint64_t count_string_bytes(const char *name)
{
    uint64_t size = 0;

    for (size_t i = 0; i < boot->module_count; i++) {
        if (strcmp(modules[i].name, name) == 0)
            size += module_string_size(&modules[i]);
    }
    return size;
}

/* Adds the modules of a role to a guest, and writes their strings to *string. */
static bool add_modules(enum module_role role, const char *name,
                        struct image_parts *parts, char **string, struct text *problem)
{
    for (size_t i = 0; i < boot->module_count; i++) {
        struct image_module *module = &parts->module[parts->module_count];
        if (modules[i].role != role || strcmp(modules[i].name, name) != 0)
            continue;
        if (!find_bytes(i, &module->bytes, problem))
            return false;
        module->string = *string;
        *string += module_write_string(&modules[i], *string);
        parts->module_count++;
    }
    return true;
}

/* Finds a guest's kernel and modules, and writes their strings to string. */
static bool find_parts(size_t index, struct image_parts *parts, char *string,
                       struct text *problem)
{
    const char *name = modules[index].name;

    parts->command_line = string;
    string += module_write_string(&modules[index], string);
    if (!find_bytes(index, &parts->kernel, problem) ||
        !add_modules(MODULE_INITRD, name, parts, &string, problem))
        return false;
    parts->initrd_count = parts->module_count;
    return add_modules(MODULE_OTHER, name, parts, &string, problem);
}

/*
 * Returns the time of day, in seconds since 1970, on a CPU, whose TSC may have an offset
 * from that of the boot CPU, which read first_ticks.
 */
static uint64_t time_of_day(const struct cpu *cpu)
{
    const struct tsc_offset *offset = &cpu->tsc_offset;
    uint64_t ticks                  = rdtsc();

    if (tsc_offset_synchrony(offset) == TSC_NOT_IN_STEP)
        ticks -= (uint64_t)tsc_offset_ticks(offset);
    return first_time + (ticks - first_ticks) / clock_frequency();
}

/*
 * The interrupt causes an exit, whose handler checks for requests. Without an APIC there
 * is only this CPU, which does so at its next interrupt.
 */
static enum status interrupt_cpu(uint32_t id)
{
    if (!apic_is_enabled())
        return STATUS_OK;
    return apic_send(smp_cpu(id)->apic_id, ICR_FIXED | VECTOR_WAKE);
}

static bool is_this_cpu(uint32_t id)
{
    return id == this_cpu()->index;
}

/* The timer limits the wait, in case the interrupt that should end it is lost. */
static void wait_for_interrupt(void)
{
    apic_set_timer(clock_frequency() / WAITS_PER_SECOND);
    halt_until_interrupt();
    apic_set_timer(TICKS_NEVER);
}

/*
 * Allocates a VM's memory, vCPUs and console, once its image is known to fit. False, with
 * the reason, on failure; guest_cpus_free and guest_memory_free are then due.
 */
static bool create_parts(struct vm *vm, uint64_t memory_size, size_t cpus,
                         struct text *problem)
{
    const struct vm_environment environment = {
        .clock_hz           = clock_frequency(),
        .is_clock_exact     = clock_tsc()->uncertainty_ppm <= TSC_CRYSTAL_PPM,
        .read_clock         = rdtsc,
        .wait_for_interrupt = wait_for_interrupt,
        .flush              = guest_console_flush,
        .interrupt_cpu      = interrupt_cpu,
        .is_this_cpu        = is_this_cpu};
    static struct guest_memory planned; /* has a size and no pieces */

    planned.size = memory_size;
    if (!image_load(&vm->image, &planned, &vm->start, &vm->kind, problem) ||
        !guest_memory_allocate(vm, memory_size, problem) ||
        !guest_cpus_allocate(vm, backend, cpus, problem))
        return false;
    if (guest_console_add(vm) != STATUS_OK)
        return TEXT_FAIL(problem, "not enough memory for its console; reduce memory=");
    vm_init(vm, backend, &environment);
    return true;
}

/* Creates the guest of a kernel module. False, with the reason, on failure. */
static bool create_guest(size_t index, struct text *problem)
{
    const struct module_options *module = &modules[index];
    uint64_t size = sizeof(struct vm) + count_string_bytes(module->name);
    void *pages;

    if (find_module(MODULE_KERNEL, module->name) != index)
        return TEXT_FAIL(problem, "duplicate name");
    if (module->cpus_min > usable_cpus)
        return TEXT_FAIL(problem, "cpus=%u: this machine has %zu usable CPUs; reduce it",
                         module->cpus_min, usable_cpus);
    if (machine_allocate(size, &pages) != STATUS_OK)
        return TEXT_FAIL(problem, "not enough memory");
    struct vm *vm                    = pages;
    vm->plan.avoids_preemption_timer = uses_apic_timer;
    vm->plan.has_apicv               = module->has_apicv;
    vm->has_pv                       = module->has_pv;
    vm->restarts                     = module->restarts;
    memcpy(vm->name, module->name, sizeof(vm->name));
    if (!find_parts(index, &vm->image, (char *)(vm + 1), problem) ||
        !create_parts(vm, module->memory_size, cpu_wishes[index].cpus, problem)) {
        guest_cpus_free(vm, backend);
        guest_memory_free(vm);
        memory_free(vm, memory_page_count(size));
        return false;
    }
    guests[guest_count++] = vm;
    return true;
}

/* Selects the pages that map guest memory, and logs them. */
static void choose_pages(const struct options *options, const struct cpu_record *record)
{
    const struct isolation_options chosen = isolation_options_of(options);
    const struct isolation isolation      = isolation_of(record, &chosen);
    const struct issue_finding *multihit  = &isolation.finding[ISSUE_ITLB_MULTIHIT];
    uint64_t largest                      = record->virtualization->largest_page(record);
    bool splits_code = (multihit->chosen & BIT(MEASURE_SMALL_PAGES)) != 0;

    nested_paging_choose_pages(largest, splits_code);
    if (largest == PAGE_SIZE)
        log_info("guests: memory is mapped with 4-KiB pages: the processor has no larger "
                 "ones, or an erratum in them");
    else if (splits_code)
        log_info("guests: code is executed in 4-KiB pages: the processor may be affected "
                 "by iTLB multihit");
    else if (multihit->state != ISSUE_NOT_AFFECTED)
        log_warning("guests: code is executed in large pages: if the processor is "
                    "affected by iTLB multihit, a guest can stop the machine");
}

/* Alarms use the local APIC's timer unless the processor has another that works. */
static void choose_timer(const struct options *options, const struct cpu_record *record)
{
    const struct virtualization *used = record->virtualization;

    uses_apic_timer = options->apic_timer || used->needs_apic_timer == NULL ||
                      used->needs_apic_timer(record);
    if (cpuid_has_preemption_timer_erratum(&record->cpuid))
        log_info("guests: the local APIC's timer is used: this processor's "
                 "VMX-preemption timer has an erratum");
}

/* Reads the time of day; falls back to the year 2000. */
static void read_time_of_day(void)
{
    static const struct calendar_time fallback = {.year = 2000, .month = 1, .day = 1};

    first_time = calendar_seconds(&fallback);
    if (wall_clock_read(&first_time) != STATUS_OK)
        log_warning("guests: cannot read the time of day; guests start in 2000");
    first_ticks = rdtsc();
}

/* Decides how many vCPUs each guest that the machine has enough CPUs for can have. */
static void count_cpus(struct placement *cpus)
{
    usable_cpus = cpus->count;
    for (size_t i = 0; i < boot->module_count; i++) {
        const struct module_options *module = &modules[i];
        cpu_wishes[i]                       = (struct placement_guest){0};
        if (module->name[0] == '\0' || module->role != MODULE_KERNEL ||
            module->cpus_min > usable_cpus)
            continue;
        cpu_wishes[i].min = module->cpus_min;
        cpu_wishes[i].max = module->cpus_max;
    }
    placement_count(cpus, cpu_wishes, boot->module_count);
}

size_t guest_maker_create(const struct options *options, const struct cpu_record *record,
                          struct placement *cpus, struct vm **created)
{
    boot        = &machine_get()->boot;
    backend     = record->virtualization->backend;
    guests      = created;
    guest_count = 0;
    choose_pages(options, record);
    choose_timer(options, record);
    read_time_of_day();
    parse_modules();
    check_kernels();
    count_cpus(cpus);
    for (size_t i = 0; i < boot->module_count; i++) {
        TEXT_DECLARE(problem, LOG_LINE_SIZE);
        if (modules[i].name[0] == '\0' || modules[i].role != MODULE_KERNEL ||
            create_guest(i, &problem))
            continue;
        log_error("vm %s: %s", modules[i].name, problem.buffer);
        modules[i].name[0] = '\0'; /* another module may use the name */
    }
    return guest_count;
}

bool guest_maker_prepare(struct vm *vm)
{
    const struct cpu *cpu = smp_cpu(vm->cpu[0]->vcpu.id);
    TEXT_DECLARE(problem, LOG_LINE_SIZE);

    if (vm_reset(vm) != STATUS_OK)
        text_append(&problem, "devices: too many ports");
    else if (guest_memory_prepare(vm, &problem) &&
             vm_load(vm, time_of_day(cpu), &problem))
        return true;
    log_error("vm %s: %s", vm->name, problem.buffer);
    vcpu_end(&vm->cpu[0]->vcpu, "%s", problem.buffer);
    vm->cpu[0]->vcpu.id = VCPU_WITHOUT_CPU;
    atomic_store(&vm->is_to_restart, false);
    guest_memory_free(vm);
    return false;
}
