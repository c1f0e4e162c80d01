/*
 * A guest for the tests of src/guest and src/dev: RAM, and a backend that keeps registers
 * in an array and records what was injected.
 */
#ifndef HYMIR_TESTS_GUEST_H
#define HYMIR_TESTS_GUEST_H

#include "unit.h"

#include "guest/vm.h"
#include "vmx/guest_policy.h"

#define GUEST_SIZE 0x400000
#define TEST_ROWS  70

static struct vm test_vm;
static struct vm_cpu test_cpu;
static struct vcpu *const test_vcpu = &test_cpu.vcpu;
static struct exit_row test_rows[TEST_ROWS];
static uint64_t test_registers[VCPU_REGISTER_COUNT];
static int injected_vector; /* -1: none */
static uint32_t injected_code;
static uint64_t debug_causes;
static bool is_interrupt_requested;
static unsigned int requested_nmis;
static uint64_t test_clock, test_alarm;
static unsigned int test_kicks; /* of the vCPU */

static uint64_t test_read_register(struct vcpu *vcpu, enum vcpu_register which)
{
    (void)vcpu;
    return test_registers[which];
}

static void test_write_register(struct vcpu *vcpu, enum vcpu_register which,
                                uint64_t value)
{
    (void)vcpu;
    test_registers[which] = value;
}

/* The segment registers: flat and writable. */
static struct vcpu_segment segment_registers[SEGMENT_COUNT];

static void test_read_segment(struct vcpu *vcpu, enum segment_number number,
                              struct vcpu_segment *segment)
{
    (void)vcpu;
    *segment = segment_registers[number];
}

static void test_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code)
{
    (void)vcpu;
    injected_vector = vector;
    injected_code   = error_code;
}

static void test_add_debug_causes(struct vcpu *vcpu, uint64_t causes)
{
    (void)vcpu;
    debug_causes |= causes;
}

static void test_request_interrupt(struct vcpu *vcpu, bool is_requested)
{
    (void)vcpu;
    is_interrupt_requested = is_requested;
}

static void test_request_nmi(struct vcpu *vcpu)
{
    (void)vcpu;
    requested_nmis++;
}

static uint64_t test_read_clock(void)
{
    return test_clock;
}

static void test_set_alarm(struct vcpu *vcpu, uint64_t time)
{
    (void)vcpu;
    test_alarm = time;
}

static unsigned int apic_updates;

static void test_update_apic(struct vcpu *vcpu)
{
    (void)vcpu;
    apic_updates++;
}

static unsigned int invalidations; /* of the vCPU's TLB */

static void test_invalidate_memory(struct vcpu *vcpu)
{
    assert_ptr_equal(vcpu, test_vcpu);
    invalidations++;
}

static const char *test_exit_name(uint32_t row)
{
    static char name[32];
    snprintf(name, sizeof(name), "reason number %u", row);
    return name;
}

static const struct nested_format test_format = {
    .table = {7, 7}, .leaf = 0x37, .execute = 4};

static const struct backend test_backend = {
    .nested_format     = &test_format,
    .read_register     = test_read_register,
    .write_register    = test_write_register,
    .read_segment      = test_read_segment,
    .inject_exception  = test_inject,
    .add_debug_causes  = test_add_debug_causes,
    .request_interrupt = test_request_interrupt,
    .request_nmi       = test_request_nmi,
    .set_alarm         = test_set_alarm,
    .update_apic       = test_update_apic,
    .invalidate_memory = test_invalidate_memory,
    .exit_name         = test_exit_name,
    .msrs              = &vmx_guest_msrs,
};

/* Returns what the guest has sent since the last call. */
static inline const char *test_printed(void)
{
    static char printed[VM_OUTPUT_SIZE + 1];
    uint8_t byte;
    size_t length = 0;
    while (byte_queue_take(&test_vm.output, &byte))
        printed[length++] = (char)byte;
    printed[length] = '\0';
    return printed;
}

static unsigned int flushes;

static void test_flush(void *vm)
{
    assert_ptr_equal(vm, &test_vm);
    assert_int_equal(test_vm.lock.next, test_vm.lock.serving); /* others need no wait */
    flushes++;
}

static bool test_is_this_cpu(uint32_t id)
{
    return id == test_vcpu->id;
}

static enum status test_interrupt_cpu(uint32_t id)
{
    assert_int_equal(id, test_vcpu->id);
    test_kicks++;
    return STATUS_OK;
}

#define TEST_TIME 946684800 /* 2000-01-01 */

/* Creates a guest with 4 MiB of RAM in two pieces, paging off. */
static inline int start_guest(void **state)
{
    (void)state;
    memset(&test_vm, 0, sizeof(test_vm));
    memset(&test_cpu, 0, sizeof(test_cpu));
    test_vm.cpu[0]    = &test_cpu;
    test_vm.cpu_count = 1;
    test_vcpu->end    = &test_vm.end;
    memset(test_registers, 0, sizeof(test_registers));
    for (size_t i = 0; i < SEGMENT_COUNT; i++)
        segment_registers[i] = (struct vcpu_segment){0, UINT32_MAX, 0xC093, 0};
    test_registers[VCPU_CODE_SIZE] = CODE_64;
    injected_vector                = -1;
    debug_causes                   = 0;
    is_interrupt_requested         = false;
    requested_nmis                 = 0;
    test_clock                     = 0;
    test_alarm                     = TICKS_NEVER;
    test_kicks                     = 0;
    for (int i = 0; i < 2; i++) {
        void *ram = aligned_alloc(4096, GUEST_SIZE / 2);
        memset(ram, 0, GUEST_SIZE / 2);
        assert_int_equal(guest_memory_add(&test_vm.memory, hpa_of(ram), GUEST_SIZE / 2),
                         STATUS_OK);
    }
    port_map_init(&test_vm.ports, &test_vm.ignored_accesses);
    static const struct vendor_cpuid vendor;
    test_cpu.cpuid.setup.vendor    = &vendor;
    test_cpu.cpuid.extended[1].edx = 1 << 26; /* pages of 1 GiB */
    test_cpu.cpuid.extended[8].eax = 40;
    test_vm.output                 = (struct byte_queue){.bytes = test_vm.output_bytes,
                                                         .size  = sizeof(test_vm.output_bytes)};
    test_vm.environment            = (struct vm_environment){
                   .clock_hz      = 1000000000,
                   .read_clock    = test_read_clock,
                   .flush         = test_flush,
                   .is_this_cpu   = test_is_this_cpu,
                   .interrupt_cpu = test_interrupt_cpu,
    };
    test_vcpu->row       = test_rows;
    test_vcpu->row_count = TEST_ROWS;
    test_vcpu->vm        = &test_vm;
    test_vcpu->backend   = &test_backend;
    test_vcpu->handlers  = &vm_exit_handlers;
    vm_cpu_reset(&test_cpu);
    return start_log(state);
}

static inline int end_guest(void **state)
{
    (void)state;
    for (size_t i = 0; i < test_vm.memory.piece_count; i++)
        free(hpa_pointer(test_vm.memory.piece[i].host));
    return 0;
}

/* Gives the parts of an image one initrd, or none if size is 0. */
static inline void set_initrd(struct image_parts *parts, const void *bytes, size_t size)
{
    parts->module_count = parts->initrd_count = size > 0 ? 1 : 0;
    parts->module[0]                          = (struct image_module){{bytes, size}, ""};
}

/* Before memory is allocated, image_load answers as it did for the guest's memory. */
static inline void assert_same_when_planned(const struct image_parts *parts,
                                            bool is_loaded, const char *problem)
{
    char text[512]              = "";
    struct text reason          = {.buffer = text, .size = sizeof(text)};
    struct guest_memory planned = {.size = test_vm.memory.size};
    struct vcpu_start start;
    const char *kind;

    assert_int_equal(image_load(parts, &planned, &start, &kind, &reason), is_loaded);
    assert_string_equal(text, problem);
}

#define GUEST_TEST(name) cmocka_unit_test_setup_teardown(name, start_guest, end_guest)

static inline uint64_t *test_r(enum register_number number)
{
    return &test_vcpu->run.registers.r[number];
}

static inline void put_guest(uint64_t address, const void *bytes, size_t size)
{
    assert_true(guest_memory_write(&test_vm.memory, gpa(address), bytes, size));
}

#endif
