/* src/runner/guest_maker.c and src/guest/vm.c: what guests are given and give back. */
#include "unit.h"

#include "guest/vm.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/clock.h"
#include "platform/machine.h"
#include "platform/wall_clock.h"
#include "runner/guest_console.h"
#include "runner/guest_maker.h"
#include "vmx/guest_policy.h"

#define MIB       (UINT64_C(1) << 20)
#define VM_MEMORY (4 * MIB)
#define TABLES    UINT64_C(5)

/* ---- Memory, which can run out and can have a page that is not RAM */

static struct allocation {
    void *pages;
    uint64_t count;
} allocations[64];
static uint64_t allocated;      /* pages */
static unsigned int left;       /* allocations that succeed */
static const void *bad_page;    /* not RAM until it is excluded */
static unsigned int exclusions; /* of it */

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

static uint64_t mapped_size;

static uint64_t count_tables(uint64_t size)
{
    assert_int_equal(size, VM_MEMORY);
    return TABLES;
}

static enum status map_memory(hpa_t *root, struct page_pool *tables, gpa_t guest,
                              hpa_t host, uint64_t size)
{
    void *page;

    assert_int_equal(guest.value, mapped_size);
    assert_true(is_aligned(host.value, 2 * MIB));
    mapped_size += size;
    if (root->value == 0) {
        assert_int_equal(page_pool_allocate(tables, &page), STATUS_OK);
        assert_int_equal(*(uint64_t *)page, 0);
        *root = hpa_of(page);
    }
    return STATUS_OK;
}

static enum status create(struct vcpu *vcpu, const struct vcpu_plan *plan)
{
    (void)plan;
    return machine_allocate(3 * PAGE_SIZE, &vcpu->arch);
}

static void destroy(struct vcpu *vcpu)
{
    memory_free(vcpu->arch, 3);
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

static const struct backend backend = {
    .count_tables      = count_tables,
    .map_memory        = map_memory,
    .create            = create,
    .destroy           = destroy,
    .request_interrupt = request_interrupt,
    .set_alarm         = set_alarm,
    .read_cpuid        = read_cpuid,
    .cpuid             = &vmx_guest_cpuid,
    .msrs              = &vmx_guest_msrs,
};

static void set_large_pages(const struct cpu_record *record, bool are_allowed)
{
    (void)record;
    (void)are_allowed;
}

static const struct virtualization virtualization = {.set_large_pages = set_large_pages,
                                                     .backend         = &backend};

/* ---- The tests: one module, a Multiboot kernel of 64 bytes */

static uint32_t kernel[16];
static struct vm *created[GUEST_MAKER_MAX];

static int start(void **state)
{
    allocated    = 0;
    left         = UINT32_MAX;
    free_size    = 0;
    machine_name = "LENOVO 20L5CTO1WW";
    bad_page     = NULL;
    exclusions   = 0;
    mapped_size  = 0;
    memset(kernel, 0xCC, sizeof(kernel));
    kernel[0] = 0x1BADB002;
    kernel[1] = 1U << 16;
    kernel[2] = -(kernel[0] + kernel[1]);
    kernel[3] = kernel[4] = 0x100000; /* header and load address */
    kernel[5] = kernel[6]               = 0;
    kernel[7]                           = 0x100020;
    machine.boot.module_count           = 1;
    machine.boot.module[0].start        = (uintptr_t)kernel;
    machine.boot.module[0].end          = (uintptr_t)kernel + sizeof(kernel);
    machine.boot.module[0].command_line = "kernel name=a memory=4M -- a line";
    return start_log(state);
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(allocations); i++) {
        free(allocations[i].pages);
        allocations[i].pages = NULL;
    }
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

static size_t create_guests(void)
{
    static struct cpu_record record;
    record.virtualization = &virtualization;
    return guest_maker_create(&options_default, &record, created);
}

static struct vm *create_guest(void)
{
    assert_int_equal(create_guests(), 1);
    return created[0];
}

/* Whichever allocation fails, all others are given back. */
static void test_no_memory(void **state)
{
    (void)state;
    unsigned int attempts = 0;

    for (; left = attempts, create_guests() == 0; attempts++) {
        assert_int_equal(allocated, 0);
        assert_logged("error: vm a: not enough memory");
        assert_true(attempts < 20);
    }
    assert_int_equal(attempts, 5); /* the VM, its memory, tables, vCPU and console */
    assert_ptr_equal(created[0], console_of);
}

/* The line says what the machine has and needs, and what to do. */
static void test_shortage(void **state)
{
    (void)state;
    left = 1; /* the VM */
    assert_int_equal(create_guests(), 0);
    assert_logged("error: vm a: not enough memory: memory=4M needs a machine with 136 "
                  "MiB, and this one has 127; reduce memory=\n");
    machine_name = "QEMU Standard PC (i440FX + PIIX, 1996)";
    free_size    = MIB;
    left         = 1;
    assert_int_equal(create_guests(), 0);
    assert_logged("needs a machine with 135 MiB, and this one has 127; start QEMU with "
                  "-m 1G\n");
    free_size = 9 * MIB; /* enough, but not in one piece */
    left      = 1;
    assert_int_equal(create_guests(), 0);
    assert_logged("error: vm a: memory=4M: free memory is too fragmented; reduce it\n");
}

/* An image that does not fit is refused before any memory is allocated for it. */
static void test_bad_image(void **state)
{
    (void)state;
    left      = 1;        /* the VM */
    kernel[6] = 5U << 20; /* bss_end */
    assert_int_equal(create_guests(), 0);
    assert_logged("error: vm a: the kernel ends at 0x500000, beyond the guest's 4 MiB\n");
    assert_int_equal(allocated, 0);
    kernel[0] = 0;
    left      = 1;
    assert_int_equal(create_guests(), 0);
    assert_logged("error: vm a: unknown image format");
    assert_int_equal(allocated, 0);
}

static const uint8_t *memory_of(const struct vm *vm)
{
    return guest_memory_pointer(&vm->memory, gpa(0), VM_MEMORY);
}

static void assert_fresh(const struct vm *vm)
{
    const uint8_t *bytes = memory_of(vm);

    assert_memory_equal(bytes + 0x100000, kernel, sizeof(kernel));
    for (uint64_t i = 0; i < VM_MEMORY - 0x10000; i++) { /* at its end: the line */
        bool is_written = i < 0x500 || /* real mode's vectors and the BIOS's data */
                          (i >= 0x9FC00 && i < 0x100000) || /* and SMBIOS */
                          (i >= 0x100000 && i < 0x100000 + sizeof(kernel));
        if (!is_written && bytes[i] != 0)
            fail_msg("guest-physical 0x%lx is 0x%x", i, bytes[i]);
    }
    assert_int_equal(vm->start.rip, 0x100020);
    assert_string_equal((const char *)memory_of(vm) + VM_MEMORY - PAGE_SIZE, "a line");
}

/* A guest finds neither what was in its memory before nor what it wrote itself. */
static void test_prepare(void **state)
{
    (void)state;
    struct vm *vm = create_guest();

    assert_true(guest_maker_prepare(vm));
    assert_int_equal(mapped_size, VM_MEMORY);
    assert_fresh(vm);
    uint64_t before = allocated;
    for (uint64_t at = 0; at < VM_MEMORY; at += 8)
        assert_true(guest_memory_write(&vm->memory, gpa(at), &at, sizeof(at)));
    vcpu_end(&vm->vcpu, "ended");
    assert_true(guest_maker_prepare(vm));
    assert_fresh(vm);
    assert_int_equal(mapped_size, VM_MEMORY); /* still */
    assert_int_equal(allocated, before);
    assert_string_equal(vm->vcpu.end, "");
}

/* Memory or tables that are not RAM are excluded and replaced. */
static void test_not_ram(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct vm *vm   = create_guest();
        uint64_t before = allocated;
        bad_page        = i == 0 ? memory_of(vm) + 5 * PAGE_SIZE
                                 : (uint8_t *)vm->tables.pages + 2 * PAGE_SIZE;
        assert_true(guest_maker_prepare(vm));
        assert_int_equal(exclusions, 1 + i);
        assert_int_equal(mapped_size, VM_MEMORY);
        assert_int_equal(allocated, before);
        assert_fresh(vm);
        mapped_size = 0;
    }
}

/* If they cannot be replaced, the guest gives back its memory and says why it ended. */
static void test_no_other_ram(void **state)
{
    (void)state;
    struct vm *vm   = create_guest();
    uint64_t before = allocated;

    vm->vcpu.id = 1;
    bad_page    = memory_of(vm);
    left        = 1; /* the memory, not the tables */
    assert_false(guest_maker_prepare(vm));
    assert_int_equal(exclusions, 1);
    assert_int_equal(allocated, before - VM_MEMORY / PAGE_SIZE - TABLES);
    assert_int_equal(vm->vcpu.id, VCPU_WITHOUT_CPU);
    assert_string_equal(vm->vcpu.end,
                        "not enough memory: memory=4M needs a machine with 136 MiB, and "
                        "this one has 127; reduce memory=");
    assert_logged("error: vm a: not enough memory: memory=4M needs ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_memory), TEST(test_shortage), TEST(test_bad_image),
        TEST(test_prepare),   TEST(test_not_ram),  TEST(test_no_other_ram),
    };
    return cmocka_run_group_tests_name("guest_maker", tests, NULL, NULL);
}
