/* See runner/guest_maker.h. */
#include "runner/guest_maker.h"

#include "guest/load/image.h"
#include "guest/load/module.h"
#include "lib/calendar.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/wall_clock.h"
#include "runner/guest_console.h"
#include "x86/msr.h"

#define LARGE_PIECE BIT(21)

_Static_assert(GUEST_MAKER_MAX <= GUEST_CONSOLE_GUESTS, "a console for each");

static const struct backend *backend;
static struct vm **guests;
static size_t guest_count;
static struct {
    uint64_t time;  /* of the day, in seconds since 1970 */
    uint64_t ticks; /* of the clock, then */
} time_read;

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

/* A module's bytes; false, and the module is named, if they do not lie in memory. */
static bool find_bytes(const struct multiboot2_information *boot, size_t index,
                       struct image_bytes *bytes, struct text *problem)
{
    const struct multiboot2_module *module = &boot->module[index];
    uint64_t size                          = module->end - module->start;

    if (!address_space_is_mapped(module->start, size)) {
        text_append(problem, "module %zu at 0x%lx to 0x%lx does not lie in memory",
                    index + 1, module->start, module->end);
        return false;
    }
    *bytes = (struct image_bytes){.bytes = hpa_pointer(hpa(module->start)), .size = size};
    return true;
}

/* The module in that role for the guest of that name, or module_count. */
static size_t find_module(const struct multiboot2_information *boot,
                          enum module_role role, const char *name)
{
    size_t i = 0;
    while (i < boot->module_count &&
           !(is_sound[i] && words[i].role == role && strcmp(words[i].name, name) == 0))
        i++;
    return i;
}

/* An initrd that no kernel gets is named. */
static void check_initrds(const struct multiboot2_information *boot)
{
    for (size_t i = 0; i < boot->module_count; i++) {
        if (!is_sound[i] || words[i].role != MODULE_INITRD)
            continue;
        if (find_module(boot, MODULE_KERNEL, words[i].name) == boot->module_count)
            log_error("module %zu, \"%s\": there is no kernel name=%s", i + 1,
                      boot->module[i].command_line, words[i].name);
        else if (find_module(boot, MODULE_INITRD, words[i].name) != i)
            log_error("module %zu, \"%s\": there is an initrd name=%s already", i + 1,
                      boot->module[i].command_line, words[i].name);
    }
}

/* A guest's kernel and, if it has one, initrd. */
static bool find_parts(const struct multiboot2_information *boot, size_t index,
                       struct image_parts *parts, struct text *problem)
{
    size_t initrd = find_module(boot, MODULE_INITRD, words[index].name);

    return find_bytes(boot, index, &parts->kernel, problem) &&
           (initrd == boot->module_count ||
            find_bytes(boot, initrd, &parts->initrd, problem));
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

/* In seconds since 1970. */
static uint64_t time_of_day(void)
{
    return time_read.time + (rdtsc() - time_read.ticks) / clock_frequency();
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
static bool fill_vm(struct vm *vm, uint64_t memory_size, struct text *problem)
{
    const struct vm_environment environment = {.clock_hz           = clock_frequency(),
                                               .read_clock         = rdtsc,
                                               .wait_for_interrupt = halt_until_interrupt,
                                               .output             = guest_console_print,
                                               .flush              = guest_console_flush};

    if (allocate_memory(&vm->memory, memory_size) != STATUS_OK) {
        text_append(problem, "not enough memory for memory=%luM", memory_size >> 20);
        return false;
    }
    if (!vm_load(vm, problem))
        return false;
    if (vm_init(vm, backend, &environment, time_of_day()) != STATUS_OK ||
        guest_console_add(vm) != STATUS_OK) {
        text_append(problem, "not enough memory for its tables");
        return false;
    }
    return true;
}

static void make_guest(const struct multiboot2_information *boot, size_t index,
                       const struct options *options)
{
    const struct module_words *module = &words[index];
    TEXT_DECLARE(problem, LOG_LINE_SIZE);
    void *pages, *command_line;

    if (is_name_taken(module->name)) {
        log_error("vm %s: there is a guest of that name already", module->name);
        return;
    }
    if (machine_allocate(sizeof(struct vm), &pages) != STATUS_OK ||
        machine_allocate(strlen(module->command_line) + 1, &command_line) != STATUS_OK) {
        log_error("vm %s: not enough memory", module->name);
        return;
    }
    struct vm *vm                    = pages;
    vm->plan.avoids_preemption_timer = options->apic_timer;
    memcpy(vm->name, module->name, sizeof(vm->name));
    module_unescape(module->command_line, command_line);
    vm->image.command_line = command_line;
    if (find_parts(boot, index, &vm->image, &problem) &&
        fill_vm(vm, module->memory_size, &problem)) {
        guests[guest_count++] = vm;
        return;
    }
    log_error("vm %s: %s", module->name, problem.buffer);
    free_memory(&vm->memory);
}

/* Says so in one line, whichever way it goes. */
static void choose_page_size(const struct options *options,
                             const struct cpu_record *record)
{
    bool multihit =
        (record->arch_capabilities.value & ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO) == 0;

    if (multihit && options->large_pages)
        log_warning(
            "guests: large-pages: the processor may have the iTLB multihit erratum, "
            "by which a guest can stop the machine");
    else if (multihit)
        log_info("guests: memory is mapped with 4-KiB pages: the processor may have the "
                 "iTLB multihit erratum");
    record->virtualization->set_large_pages(record, !multihit || options->large_pages);
}

/* A guest without the time has to be set: it starts at the turn of the century. */
static void read_time_of_day(void)
{
    static const struct calendar_time fallback = {.year = 2000, .month = 1, .day = 1};

    time_read.time = calendar_seconds(&fallback);
    if (wall_clock_read(&time_read.time) != STATUS_OK)
        log_warning("guests: the machine's clock gives no time; they start in 2000");
    time_read.ticks = rdtsc();
}

size_t guest_maker_make(const struct options *options, const struct cpu_record *record,
                        struct vm **made)
{
    const struct multiboot2_information *boot = &machine_get()->boot;

    backend = record->virtualization->backend;
    guests  = made;
    choose_page_size(options, record);
    read_time_of_day();
    parse_modules(boot);
    check_initrds(boot);
    for (size_t i = 0; i < boot->module_count; i++) {
        if (is_sound[i] && words[i].role == MODULE_KERNEL)
            make_guest(boot, i, options);
    }
    return guest_count;
}

bool guest_maker_reset(struct vm *vm)
{
    TEXT_DECLARE(problem, LOG_LINE_SIZE);

    if (vm_reset(vm, time_of_day(), &problem))
        return true;
    log_error("vm %s: %s", vm->name, problem.buffer);
    vcpu_end(&vm->vcpu, "%s", problem.buffer);
    return false;
}
