/*
 * The machine below src/runner/guest_maker.c: memory that can run out and can have a page
 * that is not RAM, and a backend that only allocates.
 */
#ifndef HYMIR_TESTS_GUEST_MAKER_H
#define HYMIR_TESTS_GUEST_MAKER_H

#include "unit.h"

#include "cpu/traps.h"
#include "guest/vm.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/smp.h"
#include "platform/wall_clock.h"
#include "runner/guest_console.h"
#include "runner/guest_maker.h"
#include "vmx/guest_policy.h"

#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB       (UINT64_C(1) << 20)
#define VM_MEMORY (4 * MIB)
#define TABLES    UINT64_C(3) /* a PML4, a PDPT and a PD */

/* ---- Memory, which can run out and can have a page that is not RAM */

static struct allocation {
    void *pages;
    uint64_t count;
} allocations[256];
static uint64_t allocated;      /* pages */
static unsigned int left;       /* allocations that succeed */
static const void *bad_page;    /* not RAM until it is excluded */
static unsigned int exclusions; /* of it */
static uint64_t preparation;    /* the ticks of the TSC that memory takes */

static enum status allocate(uint64_t count, uint64_t alignment, void **pages)
{
    if (left == 0)
        return STATUS_NO_MEMORY;
    left--;
    for (size_t i = 0; i < ARRAY_SIZE(allocations); i++) {
        struct allocation *free_one = &allocations[i];
        if (free_one->pages != NULL)
            continue;
        *free_one = (struct allocation){
            aligned_alloc(alignment, align_up(count * PAGE_SIZE, alignment)), count};
        memset(free_one->pages, 0x5A, count * PAGE_SIZE); /* what was there before */
        allocated += count;
        *pages = free_one->pages;
        return STATUS_OK;
    }
    fail_msg("too many allocations");
    return STATUS_NO_MEMORY;
}

enum status memory_allocate_unprepared(uint64_t count, uint64_t alignment,
                                       struct frame_zone zone, void **pages)
{
    (void)zone;
    return allocate(count, alignment, pages);
}

void *memory_prepare(void *pages, uint64_t count)
{
    uint64_t offset = (uintptr_t)bad_page - (uintptr_t)pages;

    for (uint64_t started = rdtsc(); rdtsc() - started < preparation;)
        continue;
    if (bad_page != NULL && offset < count * PAGE_SIZE)
        return (uint8_t *)pages + offset;
    memset(pages, 0, count * PAGE_SIZE);
    return NULL;
}

void memory_exclude(const void *page)
{
    assert_ptr_equal(page, bad_page);
    bad_page = NULL;
    exclusions++;
}

void memory_free(void *pages, uint64_t count)
{
    for (size_t i = 0; i < ARRAY_SIZE(allocations); i++) {
        if (allocations[i].pages != pages)
            continue;
        assert_int_equal(allocations[i].count, count);
        free(pages);
        allocations[i].pages = NULL;
        allocated -= count;
        return;
    }
    fail_msg("freed, but not allocated");
}

static uint64_t free_size;

uint64_t memory_free_size(struct frame_zone zone)
{
    assert_int_equal(zone.start, MIB);
    return free_size;
}

uint64_t memory_ram_size(void)
{
    return 127 * MIB + PAGE_SIZE;
}

static const char *machine_name;

void machine_describe(char name[MACHINE_TEXT_SIZE], char firmware[MACHINE_TEXT_SIZE])
{
    strcpy(name, machine_name);
    strcpy(firmware, "BIOS");
}

enum status machine_allocate(uint64_t size, void **pages)
{
    uint64_t count     = memory_page_count(size);
    enum status status = allocate(count, PAGE_SIZE, pages);

    if (status == STATUS_OK)
        memset(*pages, 0, count * PAGE_SIZE);
    return status;
}

/* ---- The machine, and a backend that only allocates */

static struct machine machine;

const struct machine *machine_get(void)
{
    return &machine;
}

bool address_space_is_mapped(uint64_t physical, uint64_t size)
{
    return physical != 0 && size > 0;
}

const struct tsc_frequency *clock_tsc(void)
{
    static const struct tsc_frequency unknown = {.uncertainty_ppm = UINT32_MAX};
    return &unknown;
}

uint64_t clock_frequency(void)
{
    return 1000000000;
}

enum status wall_clock_read(uint64_t *seconds)
{
    *seconds = 1000000000;
    return STATUS_OK;
}

static struct cpu cpus[2] = {{.apic_id = 4}, {.apic_id = 6}};
static uint32_t interrupted_apic;
static enum status interrupt_status;

struct cpu *smp_cpu(size_t index)
{
    assert_true(index < 2);
    return &cpus[index];
}

/* Makes this_cpu, which reads a pointer at GS:0, return the first CPU. */
static void select_first_cpu(void)
{
    static const struct cpu *pointer = &cpus[0];
    assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, &pointer), 0);
}

static bool has_apic = true;

bool apic_is_enabled(void)
{
    return has_apic;
}

enum status apic_send(uint32_t id, uint32_t command)
{
    assert_int_equal(command, ICR_FIXED | VECTOR_WAKE);
    interrupted_apic = id;
    return interrupt_status;
}

void apic_set_timer(uint64_t tsc_ticks)
{
    (void)tsc_ticks;
    fail_msg("no vCPU runs");
}

static struct vm *console_of;

enum status guest_console_add(struct vm *vm)
{
    enum status status = machine_allocate(PAGE_SIZE, &vm->console);
    console_of         = status == STATUS_OK ? vm : NULL;
    return status;
}

void guest_console_print(void *context, uint8_t byte)
{
    (void)context;
    (void)byte;
}

void guest_console_flush(void *context)
{
    (void)context;
}

static const struct nested_format format = {.table = {7, 7}, .leaf = 0x37};

static void init(struct vcpu *vcpu, const struct vcpu_plan *plan)
{
    assert_non_null(vcpu->arch);
    assert_int_equal(plan->memory_root.value, 0);
}

static void request_interrupt(struct vcpu *vcpu, bool is_requested)
{
    (void)vcpu;
    (void)is_requested;
}

static void set_alarm(struct vcpu *vcpu, uint64_t time)
{
    (void)vcpu;
    (void)time;
}

static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)leaf;
    (void)subleaf;
    return (struct cpuid_result){0};
}

static uint64_t read_capabilities(void)
{
    return 0;
}

static const struct backend backend = {
    .nested_format     = &format,
    .state_size        = 3 * PAGE_SIZE,
    .init              = init,
    .request_interrupt = request_interrupt,
    .set_alarm         = set_alarm,
    .read_cpuid        = read_cpuid,
    .read_capabilities = read_capabilities,
    .cpuid             = &vmx_guest_cpuid,
    .msrs              = &vmx_guest_msrs,
};

static uint64_t largest_page(const struct cpu_record *record)
{
    (void)record;
    return PAGE_SIZE_2_MIB;
}

static bool needs_apic_timer(const struct cpu_record *record)
{
    (void)record;
    return true;
}

static const struct virtualization virtualization = {.largest_page     = largest_page,
                                                     .needs_apic_timer = needs_apic_timer,
                                                     .backend          = &backend};

/* Returns that many CPUs, each on a core of its own. */
static struct placement make_placement(size_t count)
{
    static struct placement_cpu places[GUEST_CPUS_MAX + 8];

    assert_true(count <= ARRAY_SIZE(places));
    for (size_t i = 0; i < count; i++)
        places[i] = (struct placement_cpu){.index = i, .core = (uint32_t)i};
    return (struct placement){places, count};
}

static const struct cpu_record record = {
    .virtualization    = &virtualization,
    .arch_capabilities = {.value = ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO}};

#endif
