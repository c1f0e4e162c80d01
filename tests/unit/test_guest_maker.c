/* src/runner/guest_maker.c and src/guest/vm.c: what guests are given and give back. */
#include "guest_maker.h"

/* ---- The tests: one module, a Multiboot kernel of 64 bytes */

static uint32_t kernel[16];
static struct vm *created[GUEST_MAKER_MAX];
static size_t usable_cpus;

static int start(void **state)
{
    allocated    = 0;
    left         = UINT32_MAX;
    free_size    = 0;
    machine_name = "LENOVO 20L5CTO1WW";
    bad_page     = NULL;
    exclusions   = 0;
    preparation  = 0;
    usable_cpus  = 2;
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
    struct placement placement = make_placement(usable_cpus);

    return guest_maker_create(&options_default, &record, &placement, created);
}

static struct vm *create_guest(void)
{
    assert_int_equal(create_guests(), 1);
    created[0]->cpu[0]->vcpu.id = 0;
    vm_set_topology(created[0], (const uint32_t[GUEST_CPUS_MAX]){0});
    return created[0];
}

/* Whichever allocation fails, all others are given back. */
static void test_no_memory(void **state)
{
    (void)state;
    unsigned int attempts = 0;

    machine.boot.module[0].command_line = "kernel name=a memory=4M cpus=2 -- a line";
    for (; left = attempts, create_guests() == 0; attempts++) {
        assert_int_equal(allocated, 0);
        assert_logged("error: vm a: not enough memory");
        assert_true(attempts < 20);
    }
    /* The VM, its memory and tables, two vCPUs and their states, and the console. */
    assert_int_equal(attempts, 8);
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

static void assert_mapped(const struct vm *vm)
{
    struct page_table table     = {.format = &format.table, .root = vm->plan.memory_root};
    struct page_mapping mapping = {.attributes = 0};

    for (uint64_t at = 0; at < VM_MEMORY; at += PAGE_SIZE) {
        assert_int_equal(page_table_lookup(&table, at, &mapping), STATUS_OK);
        assert_ptr_equal(hpa_pointer(mapping.physical), memory_of(vm) + at);
        assert_int_equal(mapping.attributes, format.leaf);
    }
    assert_int_equal(page_table_lookup(&table, VM_MEMORY, &mapping), STATUS_NOT_FOUND);
    assert_int_equal(vm->tables.used, TABLES);
}

/* A guest finds neither what was in its memory before nor what it wrote itself. */
static void test_prepare(void **state)
{
    (void)state;
    struct vm *vm = create_guest();

    assert_true(guest_maker_prepare(vm));
    assert_mapped(vm);
    assert_fresh(vm);
    uint64_t before = allocated;
    for (uint64_t at = 0; at < VM_MEMORY; at += 8)
        assert_true(guest_memory_write(&vm->memory, gpa(at), &at, sizeof(at)));
    vcpu_end(&vm->cpu[0]->vcpu, "ended");
    assert_true(guest_maker_prepare(vm));
    assert_fresh(vm);
    assert_mapped(vm); /* still */
    assert_int_equal(allocated, before);
    assert_string_equal(vm->end.text, "");
}

/* The time of day takes into account how far the CPU's TSC, of 1 GHz, is behind. */
static void test_time_of_day(void **state)
{
    (void)state;
    struct vm *vm = create_guest();
    assert_true(guest_maker_prepare(vm));
    assert_in_range(vm->rtc.offset, 1000000000, 1000000001);
    cpus[0].tsc_offset = (struct tsc_offset){1, -50000000100, -50000000000};
    assert_true(guest_maker_prepare(vm));
    assert_in_range(vm->rtc.offset, 1000000050, 1000000051);
    cpus[0].tsc_offset = (struct tsc_offset){0};
}

/* The time of day includes what the guest's memory took: it runs only afterwards. */
static void test_time_of_preparation(void **state)
{
    (void)state;
    struct vm *vm = create_guest();
    preparation   = 1000000000; /* for the tables and for the memory */
    assert_true(guest_maker_prepare(vm));
    assert_in_range(vm->rtc.offset, 1000000002, 1000000004);
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
        assert_mapped(vm);
        assert_int_equal(allocated, before);
        assert_fresh(vm);
    }
}

/* If they cannot be replaced, the guest gives back its memory and says why it ended. */
static void test_no_other_ram(void **state)
{
    (void)state;
    struct vm *vm   = create_guest();
    uint64_t before = allocated;

    vm->cpu[0]->vcpu.id = 1;
    bad_page            = memory_of(vm);
    left                = 1; /* the memory, not the tables */
    assert_false(guest_maker_prepare(vm));
    assert_int_equal(exclusions, 1);
    assert_int_equal(allocated, before - VM_MEMORY / PAGE_SIZE - TABLES);
    assert_int_equal(vm->cpu[0]->vcpu.id, VCPU_WITHOUT_CPU);
    assert_string_equal(vm->end.text,
                        "not enough memory: memory=4M needs a machine with 136 MiB, and "
                        "this one has 127; reduce memory=");
    assert_logged("error: vm a: not enough memory: memory=4M needs ");
}

/* The CPUs of a guest's vCPUs are interrupted, also this one, unless there is none. */
static void test_kick(void **state)
{
    (void)state;
    struct vm *vm = create_guest();

    select_first_cpu();
    vm->cpu[0]->vcpu.id = VCPU_WITHOUT_CPU;
    vm_kick(vm);
    assert_int_equal(interrupted_apic, 0);
    vm->cpu[0]->vcpu.id = 0;
    vm_kick(vm);
    assert_int_equal(interrupted_apic, 4);
    vm->cpu[0]->vcpu.id = 1;
    vm_kick(vm);
    assert_int_equal(interrupted_apic, 6);
    interrupt_status = STATUS_TIMEOUT;
    vm_kick(vm);
    assert_logged("error: vm a: cannot interrupt cpu 1\n");
    /* Without an APIC there is no other CPU, and nothing to complain of. */
    start_log(state);
    interrupted_apic = 0;
    has_apic         = false;
    interrupt_status = STATUS_UNSUPPORTED;
    vm_kick(vm);
    assert_int_equal(interrupted_apic, 0);
    assert_nothing_logged();
    has_apic = true;
}

static void set_modules(const char *first, const char *second)
{
    machine.boot.module[0].command_line = first;
    machine.boot.module[1]              = machine.boot.module[0];
    machine.boot.module[1].command_line = second;
    machine.boot.module_count           = 2;
}

/* cpus=all: those that the guests with a number leave, wherever they are listed. */
static void test_cpus(void **state)
{
    (void)state;
    usable_cpus = 8;
    set_modules("kernel name=a memory=4M cpus=all", "kernel name=b memory=4M cpus=3");
    assert_int_equal(create_guests(), 2);
    assert_int_equal(created[0]->cpu_count, 5);
    assert_int_equal(created[1]->cpu_count, 3);
    for (size_t i = 0; i < created[0]->cpu_count; i++) {
        const struct vcpu *vcpu = &created[0]->cpu[i]->vcpu;
        assert_int_equal(created[0]->cpu[i]->index, i);
        assert_int_equal(vcpu->id, VCPU_WITHOUT_CPU);
        assert_ptr_equal(vcpu->vm, created[0]);
        assert_ptr_equal(vcpu->end, &created[0]->end);
        assert_non_null(vcpu->arch);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(created[0]->cpu[j]->vcpu.vpid, vcpu->vpid);
    }
    assert_nothing_logged();
}

/* Creates two guests on that many CPUs, and checks how many each has. */
static void check_counts(size_t usable, size_t first, size_t second)
{
    usable_cpus = usable;
    assert_int_equal(create_guests(), 2);
    assert_int_equal(created[0]->cpu_count, first);
    assert_int_equal(created[1]->cpu_count, second);
    assert_nothing_logged();
    end(NULL);
}

/* A range: CPUs that no guest needs go to the guests in their order. */
static void test_range(void **state)
{
    (void)state;
    set_modules("kernel name=a memory=4M cpus=1-2", "kernel name=b memory=4M cpus=1-2");
    check_counts(5, 2, 2);
    check_counts(4, 2, 2);
    check_counts(3, 2, 1);
    check_counts(2, 1, 1);
    check_counts(1, 1, 1); /* of which one is not started */
    set_modules("kernel name=a memory=4M cpus=2-4", "kernel name=b memory=4M cpus=all");
    check_counts(5, 4, 1);
    check_counts(6, 4, 2);
}

/* More CPUs than a guest can have or the machine has. */
static void test_too_many_cpus(void **state)
{
    (void)state;
    set_modules("kernel name=a memory=4M cpus=all", "kernel name=b memory=4M cpus=all");
    check_counts(GUEST_CPUS_MAX + 5, GUEST_CPUS_MAX, 5);
    start(NULL);
    set_modules("kernel name=a memory=4M cpus=3-4", "kernel name=b memory=4M cpus=all");
    assert_int_equal(create_guests(), 1);
    assert_logged("error: vm a: cpus=3: this machine has 2 usable CPUs; reduce it\n");
    assert_string_equal(created[0]->name, "b");
    assert_int_equal(created[0]->cpu_count, 2);
}

static const uint8_t first_initrd[] = "first", second_initrd[] = "second",
                     module_bytes[] = "module";

static void add_module(const void *bytes, size_t size, const char *command_line)
{
    machine.boot.module[machine.boot.module_count++] = (struct multiboot2_module){
        (uintptr_t)bytes, (uintptr_t)bytes + size, command_line};
}

static void assert_module(const struct image_module *module, const void *bytes,
                          size_t size, const char *string)
{
    assert_ptr_equal(module->bytes.bytes, bytes);
    assert_int_equal(module->bytes.size, size);
    assert_string_equal(module->string, string);
}

/* Initrds come first, each kind in the order of the lines, with their strings. */
static void test_modules(void **state)
{
    (void)state;
    machine.boot.module_count = 0;
    add_module(module_bytes, sizeof(module_bytes), "module name=a argv0=m -- \\\"q\\\"");
    add_module(kernel, sizeof(kernel), "kernel name=a memory=4M argv0=k -- a line");
    add_module(first_initrd, sizeof(first_initrd), "initrd name=a -- string");
    add_module(module_bytes, sizeof(module_bytes), "module name=b");
    add_module(second_initrd, sizeof(second_initrd), "initrd name=a");
    add_module(module_bytes, sizeof(module_bytes) - 1, "module name=a");
    assert_int_equal(create_guests(), 1);
    const struct image_parts *parts = &created[0]->image;
    assert_string_equal(parts->command_line, "k a line");
    assert_int_equal(parts->initrd_count, 2);
    assert_int_equal(parts->module_count, 4);
    assert_module(&parts->module[0], first_initrd, sizeof(first_initrd), "string");
    assert_module(&parts->module[1], second_initrd, sizeof(second_initrd), "");
    assert_module(&parts->module[2], module_bytes, sizeof(module_bytes), "m \"q\"");
    assert_module(&parts->module[3], module_bytes, sizeof(module_bytes) - 1, "");
    assert_logged("error: module 4, \"module name=b\": no kernel name=b\n");
}

/* As many modules as GRUB can pass. */
static void test_most_modules(void **state)
{
    (void)state;
    while (machine.boot.module_count < MULTIBOOT2_MAX_MODULES)
        add_module(module_bytes, sizeof(module_bytes), "module name=a -- string");
    assert_int_equal(create_guests(), 1);
    assert_int_equal(created[0]->image.module_count, MULTIBOOT2_MAX_MODULES - 1);
    assert_nothing_logged();
}

/* A file without bytes is refused, with its module's name. */
static void test_empty_module(void **state)
{
    (void)state;
    add_module(first_initrd, 0, "initrd name=a");
    assert_int_equal(create_guests(), 0);
    assert_logged("error: vm a: module 2, \"initrd name=a\": the file is empty\n");
    assert_int_equal(allocated, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_memory), TEST(test_shortage),     TEST(test_bad_image),
        TEST(test_prepare),   TEST(test_not_ram),      TEST(test_no_other_ram),
        TEST(test_kick),      TEST(test_time_of_day),  TEST(test_time_of_preparation),
        TEST(test_cpus),      TEST(test_range),        TEST(test_too_many_cpus),
        TEST(test_modules),   TEST(test_most_modules), TEST(test_empty_module),
    };
    return cmocka_run_group_tests_name("guest_maker", tests, NULL, NULL);
}
