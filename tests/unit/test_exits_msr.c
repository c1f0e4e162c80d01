/* src/guest/exits.c: the MSRs of a guest. */
#include "guest.h"

static int msrs_start(void **state)
{
    start_guest(state);
    return vm_add_devices(&test_vm) == STATUS_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, msrs_start, end_guest)

static void test_msr(void **state)
{
    (void)state;
    *test_r(REGISTER_RCX) = UINT64_C(0xDEAD00000000) | 0x3A;
    *test_r(REGISTER_RAX) = UINT64_MAX;
    *test_r(REGISTER_RDX) = UINT64_MAX;
    assert_int_equal(vm_exit_handlers.read_msr(test_vcpu), EXIT_NEXT);
    assert_int_equal(*test_r(REGISTER_RAX), 1); /* IA32_FEATURE_CONTROL: locked */
    assert_int_equal(*test_r(REGISTER_RDX), 0);
    assert_int_equal(injected_vector, -1);
    *test_r(REGISTER_RCX) = 0x480;
    assert_int_equal(vm_exit_handlers.read_msr(test_vcpu), EXIT_RESUME);
    assert_int_equal(injected_vector, 13);
    assert_int_equal(injected_code, 0);
    injected_vector = -1;
    assert_int_equal(vm_exit_handlers.write_msr(test_vcpu), EXIT_RESUME);
    assert_int_equal(injected_vector, 13);
    assert_int_equal(test_vm.ignored_accesses, 2);
}

/* IA32_DEBUGCTL is a register of the vCPU; only LBR and BTF can be set. */
static void test_debugctl(void **state)
{
    (void)state;
    *test_r(REGISTER_RCX) = 0x1D9;
    *test_r(REGISTER_RAX) = 3;
    *test_r(REGISTER_RDX) = 0;
    assert_int_equal(vm_exit_handlers.write_msr(test_vcpu), EXIT_NEXT);
    assert_int_equal(test_registers[VCPU_DEBUGCTL], 3);
    *test_r(REGISTER_RAX) = 0;
    assert_int_equal(vm_exit_handlers.read_msr(test_vcpu), EXIT_NEXT);
    assert_int_equal(*test_r(REGISTER_RAX), 3);
    for (unsigned int bit = 2; bit < 64; bit++) {
        *test_r(REGISTER_RAX) = (uint32_t)((uint64_t)1 << bit);
        *test_r(REGISTER_RDX) = ((uint64_t)1 << bit) >> 32;
        injected_vector       = -1;
        assert_int_equal(vm_exit_handlers.write_msr(test_vcpu), EXIT_RESUME);
        assert_int_equal(injected_vector, 13);
    }
    assert_int_equal(test_registers[VCPU_DEBUGCTL], 3);
}

/* The MSRs of speculation exist for a guest as far as its CPUID reports their bits. */
static void test_speculation(void **state)
{
    static const struct {
        uint32_t msr;
        enum vcpu_register which;
    } rows[] = {{0x48, VCPU_SPEC_CTRL}, {0xC001011F, VCPU_VIRT_SPEC_CTRL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t *bits        = rows[i].msr == 0x48 ? &test_cpu.cpuid.spec_ctrl
                                                    : &test_cpu.cpuid.virt_spec_ctrl;
        *test_r(REGISTER_RCX) = rows[i].msr;
        *test_r(REGISTER_RDX) = 0;
        for (*bits = 0; *bits < 5; *bits += 4) {
            for (uint64_t value = 0; value < 8; value++) {
                bool exists           = *bits != 0 && (value & ~*bits) == 0;
                *test_r(REGISTER_RAX) = value;
                injected_vector       = -1;
                assert_int_equal(vm_exit_handlers.write_msr(test_vcpu),
                                 exists ? EXIT_NEXT : EXIT_RESUME);
                assert_int_equal(injected_vector, exists ? -1 : 13);
                if (exists)
                    assert_int_equal(test_registers[rows[i].which], value);
            }
            assert_int_equal(vm_exit_handlers.read_msr(test_vcpu),
                             *bits != 0 ? EXIT_NEXT : EXIT_RESUME);
        }
    }
}

/* A guest that found KVM's signature may switch KVM's clock off, which it lacks. */
static void test_kvm_clock(void **state)
{
    (void)state;
    static const struct {
        bool has_pv, is_accepted;
        uint64_t value;
    } cases[] = {
        {true, true, 0}, {true, false, 1}, {true, false, BIT(32)}, {false, false, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_vm.has_pv        = cases[i].has_pv;
        *test_r(REGISTER_RCX) = 0x12;
        *test_r(REGISTER_RAX) = (uint32_t)cases[i].value;
        *test_r(REGISTER_RDX) = cases[i].value >> 32;
        injected_vector       = -1;
        assert_int_equal(vm_exit_handlers.write_msr(test_vcpu),
                         cases[i].is_accepted ? EXIT_NEXT : EXIT_RESUME);
        assert_int_equal(injected_vector, cases[i].is_accepted ? -1 : 13);
        assert_int_equal(vm_exit_handlers.read_msr(test_vcpu), EXIT_RESUME);
        assert_int_equal(injected_vector, 13);
    }
}

static void ignore_alarm(void *context, uint64_t deadline)
{
    (void)context;
    (void)deadline;
}

/* CPUID.01H:EDX.APIC follows IA32_APIC_BASE.EN, but no write that raises #GP. */
static void ignore_change(void *context)
{
    (void)context;
}

static void test_apic_base(void **state)
{
    (void)state;
    static struct apic_bus bus;
    static const struct {
        uint64_t value;
        int vector;
        bool is_shown;
    } cases[] = {{0xFEE00900, -1, true}, {0xFEE00100, -1, false}, {0xFEE00500, 13, false},
                 {0xFEE00900, -1, true}, {0xFEE00D00, -1, true},  {0xFEE00900, 13, true}};

    memset(&bus, 0, sizeof(bus));
    device_clock_init(&test_cpu.clock);
    test_cpu.clock.hz    = 1000000000;
    test_cpu.clock.read  = test_read_clock;
    test_cpu.clock.alarm = ignore_alarm;
    local_apic_reset(&test_cpu.apic,
                     &(struct local_apic_setup){.is_bootstrap = true,
                                                .address_mask = BITS_MASK(39, 0),
                                                .bus          = &bus,
                                                .clock        = &test_cpu.clock,
                                                .changed      = ignore_change,
                                                .timer_hz     = 1000000000});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        *test_r(REGISTER_RCX) = 0x1B;
        *test_r(REGISTER_RAX) = cases[i].value;
        *test_r(REGISTER_RDX) = 0;
        injected_vector       = -1;
        vm_exit_handlers.write_msr(test_vcpu);
        assert_int_equal(injected_vector, cases[i].vector);
        *test_r(REGISTER_RAX) = 1;
        assert_int_equal(vm_exit_handlers.cpuid(test_vcpu), EXIT_NEXT);
        assert_int_equal(*test_r(REGISTER_RDX), cases[i].is_shown ? 1 << 9 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_msr), TEST(test_debugctl),
                                       TEST(test_speculation), TEST(test_kvm_clock),
                                       TEST(test_apic_base)};
    return cmocka_run_group_tests_name("exits_msr", tests, NULL, NULL);
}
