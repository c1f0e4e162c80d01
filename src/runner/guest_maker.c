/* See runner/guest_maker.h. */
#include "runner/guest_maker.h"

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
#include "runner/guest_console.h"

#define LARGE_PIECE BIT(21)

/*
 * What a guest needs besides its memory and tables, in bytes, generously: a vCPU, a
 * console, and what is lost to alignment.
 */
#define MEMORY_BESIDE BIT(22)
#define MIB           BIT(20)

#define WAITS_PER_SECOND 50

_Static_assert(GUEST_MAKER_MAX <= GUEST_CONSOLE_GUESTS, "a console for each");

static const struct backend *backend;
static const struct multiboot2_information *boot;
static struct vm **guests;
static size_t guest_count;
static bool uses_apic_timer;
static size_t usable_cpus;

/* CPUs that remain for guests with cpus=all. */
static size_t cpus_for_all;

/* The time of day, in seconds since 1970, and the clock's ticks at that time. */
static uint64_t first_time, first_ticks;

/* The modules' options; those of an invalid module have no name. */
static struct module_options modules[MULTIBOOT2_MAX_MODULES];

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

/* Reports initrds that have no kernel or are duplicates. */
static void check_initrds(void)
{
    for (size_t i = 0; i < boot->module_count; i++) {
        const char *line = boot->module[i].command_line, *name = modules[i].name;
        if (name[0] == '\0' || modules[i].role != MODULE_INITRD)
            continue;
        if (find_module(MODULE_KERNEL, name) == boot->module_count)
            log_error("module %zu, \"%s\": no kernel name=%s", i + 1, line, name);
        else if (find_module(MODULE_INITRD, name) != i)
            log_error("module %zu, \"%s\": duplicate initrd name=%s", i + 1, line, name);
    }
}

/* Finds a guest's kernel and, if it has one, its initrd. */
static bool find_parts(size_t index, struct image_parts *parts, struct text *problem)
{
    size_t initrd = find_module(MODULE_INITRD, modules[index].name);

    return find_bytes(index, &parts->kernel, problem) &&
           (initrd == boot->module_count || find_bytes(initrd, &parts->initrd, problem));
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

/* Allocates few, large pieces, at multiples of 2 MiB for large pages. */
static bool allocate_pieces(struct guest_memory *memory, uint64_t size)
{
    uint64_t piece = size;

    while (memory->size < size) {
        uint64_t rest = size - memory->size;
        void *pages;
        piece = piece < rest ? piece : rest;
        if (memory_allocate_unprepared(piece / PAGE_SIZE, LARGE_PIECE, frames_above_1_mib,
                                       &pages) != STATUS_OK) {
            if (piece <= LARGE_PIECE)
                return false;
            piece = align_up(piece / 2, LARGE_PIECE);
        } else if (guest_memory_add(memory, hpa_of(pages), piece) != STATUS_OK) {
            memory_free(pages, piece / PAGE_SIZE);
            return false;
        }
    }
    return true;
}

/* Frees a VM's memory and the tables that map it, if it has them. */
static void free_memory(struct vm *vm)
{
    for (size_t i = 0; i < vm->memory.piece_count; i++)
        memory_free(hpa_pointer(vm->memory.piece[i].host),
                    vm->memory.piece[i].size / PAGE_SIZE);
    if (vm->tables.count > 0)
        memory_free(vm->tables.pages, vm->tables.count);
    vm->memory = (struct guest_memory){0};
    vm->tables = (struct page_pool){0};
}

/*
 * Explains that free bytes are too few for a VM with size bytes of memory and that many
 * tables. False, for the caller to return.
 */
static bool explain_shortage(uint64_t size, uint64_t tables, uint64_t free,
                             struct text *problem)
{
    uint64_t wanted = size + tables * PAGE_SIZE + MEMORY_BESIDE;
    uint64_t ram    = memory_ram_size();
    char machine[MACHINE_TEXT_SIZE], firmware[MACHINE_TEXT_SIZE];

    if (wanted <= free)
        return TEXT_FAIL(problem, "memory=%luM: free memory is too fragmented; reduce it",
                         size / MIB);
    uint64_t needed = align_up(ram + wanted - free, MIB) / MIB;
    text_append(problem,
                "not enough memory: memory=%luM needs a machine with %lu MiB, and this "
                "one has %lu; ",
                size / MIB, needed, ram / MIB);
    machine_describe(machine, firmware);
    if (string_starts_with(machine, "QEMU"))
        return TEXT_FAIL(problem, "start QEMU with -m %luG",
                         align_up(needed, 1024) / 1024);
    return TEXT_FAIL(problem, "reduce memory=");
}

/*
 * Allocates a VM's memory and the tables that map it, unprepared. False, with the reason,
 * on failure; free_memory is then due too.
 */
static bool allocate_memory(struct vm *vm, uint64_t size, struct text *problem)
{
    uint64_t tables = nested_paging_count_tables(size);
    uint64_t free   = memory_free_size(frames_above_1_mib);

    if (!allocate_pieces(&vm->memory, size) ||
        memory_allocate_unprepared(tables, PAGE_SIZE, frames_above_1_mib,
                                   &vm->tables.pages) != STATUS_OK)
        return explain_shortage(size, tables, free, problem);
    vm->tables.count = tables;
    return true;
}

/* Zeroes a VM's memory and tables. Returns the first page that is not RAM, or NULL. */
static const void *clear_new_memory(struct vm *vm)
{
    const void *bad = memory_prepare(vm->tables.pages, vm->tables.count);

    for (size_t i = 0; i < vm->memory.piece_count && bad == NULL; i++)
        bad = memory_prepare(hpa_pointer(vm->memory.piece[i].host),
                             vm->memory.piece[i].size / PAGE_SIZE);
    return bad;
}

/*
 * Zeroes a VM's memory. Before its first run also verifies that it is RAM, replacing it
 * if it is not, and maps it. False, with the reason, on failure.
 */
static bool clear_memory(struct vm *vm, struct text *problem)
{
    uint64_t size = vm->memory.size;
    const void *bad;

    if (vm->tables.used > 0)
        return guest_memory_clear(&vm->memory, gpa(0), size);
    while ((bad = clear_new_memory(vm)) != NULL) {
        free_memory(vm);
        memory_exclude(bad);
        if (!allocate_memory(vm, size, problem))
            return false;
    }
    return vm_map_memory(vm) == STATUS_OK || TEXT_FAIL(problem, "too few page tables");
}

/* The interrupt causes an exit, whose handler checks for requests. */
static enum status interrupt_cpu(uint32_t id)
{
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

/* Allocates a VM's vCPUs. False, with the reason, on failure. */
static bool allocate_cpus(struct vm *vm, size_t count, struct text *problem)
{
    while (vm->cpu_count < count) {
        void *pages;
        if (machine_allocate(sizeof(struct vm_cpu), &pages) != STATUS_OK)
            break;
        struct vm_cpu *cpu       = pages;
        vm->cpu[vm->cpu_count++] = cpu;
        cpu->vcpu.id             = VCPU_WITHOUT_CPU;
        if (machine_allocate(backend->state_size, &cpu->vcpu.arch) != STATUS_OK)
            break;
        if (vm->cpu_count == count)
            return true;
    }
    return TEXT_FAIL(problem, "not enough memory for its vCPUs; reduce memory= or cpus=");
}

static void free_cpus(struct vm *vm)
{
    for (size_t i = 0; i < vm->cpu_count; i++) {
        if (vm->cpu[i]->vcpu.arch != NULL)
            memory_free(vm->cpu[i]->vcpu.arch, memory_page_count(backend->state_size));
        memory_free(vm->cpu[i], memory_page_count(sizeof(struct vm_cpu)));
    }
}

/*
 * Allocates a VM's memory, vCPUs and console, once its image is known to fit. False, with
 * the reason, on failure; destroy_guest is then due.
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
        !allocate_memory(vm, memory_size, problem) || !allocate_cpus(vm, cpus, problem))
        return false;
    if (guest_console_add(vm) != STATUS_OK)
        return TEXT_FAIL(problem, "not enough memory for its console; reduce memory=");
    vm_init(vm, backend, &environment);
    return true;
}

/* Finds the number of a guest's vCPUs. False, with the reason, if it has none. */
static bool count_cpus(const struct module_options *module, size_t *count,
                       struct text *problem)
{
    *count = module->cpus;
    if (module->cpus == CPUS_ALL) {
        *count       = cpus_for_all;
        cpus_for_all = 0;
    }
    if (*count == 0)
        return TEXT_FAIL(problem, "cpus=all: no CPU left: other guests have all %zu",
                         usable_cpus);
    return *count <= usable_cpus ||
           TEXT_FAIL(problem, "cpus=%zu: this machine has %zu usable CPUs; reduce it",
                     *count, usable_cpus);
}

/* Creates the guest of a kernel module. False, with the reason, on failure. */
static bool create_guest(size_t index, struct text *problem)
{
    const struct module_options *module = &modules[index];
    uint64_t size = sizeof(struct vm) + strlen(module->command_line) + 1;
    void *pages;

    size_t cpus;

    if (find_module(MODULE_KERNEL, module->name) != index)
        return TEXT_FAIL(problem, "duplicate name");
    if (!count_cpus(module, &cpus, problem))
        return false;
    if (machine_allocate(size, &pages) != STATUS_OK)
        return TEXT_FAIL(problem, "not enough memory");
    struct vm *vm                    = pages;
    char *command_line               = (char *)(vm + 1);
    vm->plan.avoids_preemption_timer = uses_apic_timer;
    vm->has_pv                       = module->has_pv;
    vm->restarts                     = module->restarts;
    memcpy(vm->name, module->name, sizeof(vm->name));
    module_unescape(module->command_line, command_line);
    vm->image.command_line = command_line;
    if (!find_parts(index, &vm->image, problem) ||
        !create_parts(vm, module->memory_size, cpus, problem)) {
        free_cpus(vm);
        free_memory(vm);
        memory_free(vm, memory_page_count(size));
        return false;
    }
    guests[guest_count++] = vm;
    return true;
}

/* Selects the page size for guest memory, and logs why. */
static void choose_page_size(const struct options *options,
                             const struct cpu_record *record)
{
    const struct virtualization *virtualization = record->virtualization;
    bool multihit = virtualization->may_have_multihit != NULL &&
                    virtualization->may_have_multihit(record);

    if (multihit && options->large_pages)
        log_warning("guests: large-pages: the processor may have a TLB multihit erratum, "
                    "by which a guest can stop the machine");
    else if (multihit)
        log_info("guests: memory is mapped with 4-KiB pages: the processor may have a "
                 "TLB multihit erratum");
    nested_paging_set_largest_page(multihit && !options->large_pages
                                       ? PAGE_SIZE
                                       : virtualization->largest_page(record));
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

/* Returns how many CPUs the guests with a number in cpus= leave. */
static size_t count_cpus_for_all(void)
{
    size_t wanted = 0;

    for (size_t i = 0; i < boot->module_count; i++) {
        if (modules[i].name[0] != '\0' && modules[i].role == MODULE_KERNEL &&
            modules[i].cpus != CPUS_ALL)
            wanted += modules[i].cpus;
    }
    size_t left = wanted < usable_cpus ? usable_cpus - wanted : 0;
    return left < GUEST_CPUS_MAX ? left : GUEST_CPUS_MAX;
}

size_t guest_maker_create(const struct options *options, const struct cpu_record *record,
                          size_t usable, struct vm **created)
{
    usable_cpus = usable;
    boot        = &machine_get()->boot;
    backend     = record->virtualization->backend;
    guests      = created;
    guest_count = 0;
    choose_page_size(options, record);
    choose_timer(options, record);
    read_time_of_day();
    parse_modules();
    check_initrds();
    cpus_for_all = count_cpus_for_all();
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
    else if (clear_memory(vm, &problem) && /* takes seconds if it is large */
             vm_load(vm, time_of_day(cpu), &problem))
        return true;
    log_error("vm %s: %s", vm->name, problem.buffer);
    vcpu_end(&vm->cpu[0]->vcpu, "%s", problem.buffer);
    vm->cpu[0]->vcpu.id = VCPU_WITHOUT_CPU;
    atomic_store(&vm->is_to_restart, false);
    free_memory(vm);
    return false;
}
