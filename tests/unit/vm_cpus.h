/*
 * A VM with three vCPUs for the tests of src/guest/vm_cpu.c and vm.c, with a backend that
 * records what they do. The test, or each of its threads, is one CPU at a time.
 */
#ifndef HYMIR_TESTS_VM_CPUS_H
#define HYMIR_TESTS_VM_CPUS_H

#include "unit.h"

#include "guest/vm.h"
#include "vmx/guest_policy.h"
#include "x86/apic.h"

#define CPUS     3
#define FIRST_ID 5 /* of the first vCPU's CPU; the others follow */

static struct vm vm;
static struct vm_cpu cpus[CPUS];
static struct vcpu *const first = &cpus[0].vcpu, *const second = &cpus[1].vcpu;
static _Thread_local size_t current; /* the vCPU whose CPU executes */
static _Atomic uint64_t now;         /* in ns */
static atomic_uint kicks[CPUS];      /* interrupts of its CPU */
static enum status kick_status;
static void (*at_wait)(unsigned int wait); /* what happens in the nth wait of a CPU */
static unsigned int waits;

static struct {
    uint64_t registers[VCPU_REGISTER_COUNT];
    uint64_t alarm;
    bool is_requested;
    unsigned int nmis, restarts, invalidations;
    struct vcpu_start start; /* of the last run or restart */
} backends[CPUS];

/* Runs a vCPU until it ends. */
static void (*run_guest)(struct vcpu *vcpu);

static size_t index_of(const struct vcpu *vcpu)
{
    return ((const struct vm_cpu *)vcpu)->index;
}

static void backend_init(struct vcpu *vcpu, const struct vcpu_plan *plan)
{
    assert_ptr_equal(plan, &vm.plan);
    assert_int_equal(vcpu->row_count, 0);
}

static void backend_run(struct vcpu *vcpu)
{
    assert_int_equal(current, index_of(vcpu));
    backends[current].start               = *vcpu->start;
    backends[current].registers[VCPU_TSC] = now - vcpu->tsc_start;
    run_guest(vcpu);
}

static void backend_restart(struct vcpu *vcpu)
{
    backends[index_of(vcpu)].start = *vcpu->start;
    backends[index_of(vcpu)].restarts++;
}

static uint64_t read_register(struct vcpu *vcpu, enum vcpu_register which)
{
    return backends[index_of(vcpu)].registers[which];
}

static void write_register(struct vcpu *vcpu, enum vcpu_register which, uint64_t value)
{
    backends[index_of(vcpu)].registers[which] = value;
}

static void request_interrupt(struct vcpu *vcpu, bool is_requested)
{
    assert_int_equal(current, index_of(vcpu));
    backends[current].is_requested = is_requested;
}

static void request_nmi(struct vcpu *vcpu)
{
    backends[index_of(vcpu)].nmis++;
}

static void set_alarm(struct vcpu *vcpu, uint64_t time)
{
    assert_int_equal(current, index_of(vcpu));
    backends[current].alarm = time;
}

static void invalidate_memory(struct vcpu *vcpu)
{
    assert_int_equal(current, index_of(vcpu));
    backends[current].invalidations++;
}

static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    return leaf == 0   ? (struct cpuid_result){.eax = 1}
           : leaf == 1 ? (struct cpuid_result){.eax = 0x306C3}
                       : (struct cpuid_result){0};
}

static uint64_t read_capabilities(void)
{
    return 0;
}

static const struct nested_format format = {.table = {7, 7}, .leaf = 0x37, .execute = 4};

static const struct backend backend = {
    .nested_format     = &format,
    .init              = backend_init,
    .run               = backend_run,
    .restart           = backend_restart,
    .read_register     = read_register,
    .write_register    = write_register,
    .request_interrupt = request_interrupt,
    .request_nmi       = request_nmi,
    .set_alarm         = set_alarm,
    .invalidate_memory = invalidate_memory,
    .read_cpuid        = read_cpuid,
    .read_capabilities = read_capabilities,
    .cpuid             = &vmx_guest_cpuid,
    .msrs              = &vmx_guest_msrs,
};

static uint64_t read_clock(void)
{
    return now++;
}

static void wait_for_interrupt(void)
{
    assert_true(waits < 100);
    at_wait(++waits);
}

static void flush(void *of)
{
    assert_ptr_equal(of, &vm);
}

static enum status interrupt_cpu(uint32_t id)
{
    assert_in_range(id, FIRST_ID, FIRST_ID + CPUS - 1);
    kicks[id - FIRST_ID]++;
    return kick_status;
}

static bool is_this_cpu(uint32_t id)
{
    return id == FIRST_ID + current;
}

static void fail_at_wait(unsigned int wait)
{
    fail_msg("wait %u", wait);
}

/* Creates the VM, and resets it, as a run of it does. The first CPU executes. */
static inline int start_cpus(void **state)
{
    static const uint32_t host_ids[CPUS]           = {4, 6, 8};
    static const struct vm_environment environment = {
        .clock_hz           = 1000000000,
        .read_clock         = read_clock,
        .wait_for_interrupt = wait_for_interrupt,
        .flush              = flush,
        .interrupt_cpu      = interrupt_cpu,
        .is_this_cpu        = is_this_cpu,
    };

    memset(&vm, 0, sizeof(vm));
    memset(cpus, 0, sizeof(cpus));
    memset(backends, 0, sizeof(backends));
    strcpy(vm.name, "a");
    for (size_t i = 0; i < CPUS; i++) {
        cpus[i].vcpu.id = FIRST_ID + (uint32_t)i;
        vm.cpu[i]       = &cpus[i];
        kicks[i]        = 0;
    }
    vm.cpu_count = CPUS;
    current      = 0;
    now          = 1000;
    kick_status  = STATUS_OK;
    at_wait      = fail_at_wait;
    waits        = 0;
    vm_init(&vm, &backend, &environment);
    vm_set_topology(&vm, host_ids);
    assert_int_equal(vm_reset(&vm), STATUS_OK);
    return start_log(state);
}

/* Makes another CPU the executing one; returns its vCPU. */
static inline struct vcpu *become(size_t index)
{
    current = index;
    return &cpus[index].vcpu;
}

/* Sends a message to a vCPU's local APIC. */
static inline void send(size_t to, enum apic_delivery_mode mode, uint8_t vector)
{
    const struct apic_message message = {
        .destination = vm.topology.apic_id[to], .vector = vector, .mode = mode};

    assert_int_equal(apic_bus_send(&vm.bus, &message), 1);
}

/* The same on another CPU. */
static inline void send_from(size_t from, size_t to, enum apic_delivery_mode mode,
                             uint8_t vector)
{
    size_t executing = current;

    become(from);
    send(to, mode, vector);
    become(executing);
}

#define TEST(name) cmocka_unit_test_setup(name, start_cpus)

#endif
