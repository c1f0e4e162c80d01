/* src/guest/device_memory.c and linear_access.c: pages, exceptions, refused code. */
#include "device_memory.h"

/* The second operand has not been checked by the processor. */
static void test_violations(void **state)
{
    (void)state;
    test_registers[VCPU_CODE_SIZE]      = CODE_32;
    segment_registers[SEGMENT_ES].limit = 0x5002;
    *test_r(REGISTER_RDI)               = 0x5000;
    FAULTS("\xA5", 13, 0); /* MOVSD */
    segment_registers[SEGMENT_ES].limit = 0x5003;
    SUCCEEDS("\xA5", READS(DEVICE, 4));
    segment_registers[SEGMENT_ES].access_rights = 0xC091; /* read-only */
    FAULTS("\xA5", 13, 0);
    *test_r(REGISTER_RBP)               = DEVICE;
    segment_registers[SEGMENT_SS].limit = 0xFFFF;
    FAULTS("\x8B\x45\x00", 12, 0); /* MOV EAX, [EBP] */
    test_registers[VCPU_CODE_SIZE] = CODE_64;
    *test_r(REGISTER_RDI)          = UINT64_C(1) << 47;
    *test_r(REGISTER_RSI)          = DEVICE;
    FAULTS("\xA5", 13, 0);
    *test_r(REGISTER_RSI) = UINT64_C(1) << 48; /* the source comes first */
    FAULTS("\xA5", 13, 0);
    test_registers[VCPU_CPL] = 3;
    test_registers[VCPU_CR0] |= 1 << 18;
    test_registers[VCPU_RFLAGS] |= 1 << 18;
    FAULTS("\x8B\x43\x02", 17, 0); /* MOV EAX, [RBX + 2] */
    SUCCEEDS("\x66\x8B\x43\x02", READS(DEVICE + 2, 2));
}

/* Linear addresses of PT: a device at 0, RAM at 1000H, nothing at 3000H. */
static void use_device_pages(void)
{
    use_long_mode();
    put_entry(PT, 0, DEVICE | 7);
    put_entry(PT, 1, 0x6000 | 7);
    put_entry(PT, CODE >> 12, CODE | 7);
    put_guest(0x6000, "\xAA\xBB\xCC\xDD", 4);
    *test_r(REGISTER_RBX) = 0xFFE;
}

/* An access to two pages is split; both are checked first. */
static void test_two_pages(void **state)
{
    (void)state;
    uint32_t value;

    use_device_pages();
    SUCCEEDS("\x8B\x03", READS(DEVICE + 0xFFE, 2));
    assert_int_equal(*test_r(REGISTER_RAX), 0xBBAA2211);
    SUCCEEDS("\x89\x03", WRITES(DEVICE + 0xFFE, 2, 0x2211));
    *test_r(REGISTER_RAX) = 0x12345678;
    SUCCEEDS("\x89\x03", WRITES(DEVICE + 0xFFE, 2, 0x5678));
    assert_true(guest_memory_read(&test_vm.memory, gpa(0x6000), &value, 4));
    assert_int_equal(value, 0xDDCC1234);
    assert_int_equal(get_entry(PT, 1), 0x6000 | 0x67);
    put_entry(PT, 1, 0x6000 | 5); /* read-only */
    FAULTS("\x89\x03", 14, 3);
    assert_int_equal(test_registers[VCPU_CR2], 0x1000);
    FAULTS("\x01\x03", 14, 3); /* ADD [RBX], EAX */
    SUCCEEDS("\x3B\x03", READS(DEVICE + 0xFFE, 2));
    put_entry(PT, 1, 0);
    FAULTS("\x8B\x03", 14, 0);
    /* RAM, then the device. */
    put_entry(PT, 1, DEVICE | 7);
    put_entry(PT, 0, 0x6000 | 7);
    put_guest(0x6FFE, "\x99\x88", 2);
    SUCCEEDS("\x8B\x03", READS(DEVICE, 2));
    assert_int_equal(*test_r(REGISTER_RAX), 0x22118899);
}

/* The walk for the other operand can leave RAM, as the processor's own can. */
static void test_tables_outside_ram(void **state)
{
    (void)state;
    use_device_pages();
    put_entry(PDPT, 2, DEVICE | 7);
    *test_r(REGISTER_RSI) = 0;
    *test_r(REGISTER_RDI) = UINT64_C(2) << 30;
    assert_int_equal(EXECUTE("\xA5"), EXIT_STOP);
    assert_int_equal(access_count, 0);
    assert_non_null(
        strstr(test_vm.end.text, "read at guest-physical 0xfee00000, beyond"));
}

/* A fault of a later element comes after the earlier ones. */
static void test_later_fault(void **state)
{
    (void)state;
    use_device_pages();
    test_registers[VCPU_RFLAGS] = 2;
    *test_r(REGISTER_RSI)       = 0;
    *test_r(REGISTER_RDI)       = 0x2FFA;
    *test_r(REGISTER_RCX)       = 9;
    put_entry(PT, 2, 0x7000 | 7);
    assert_int_equal(EXECUTE("\xF3\x66\xA5"), EXIT_RESUME); /* REP MOVSW */
    assert_int_equal(injected_vector, 14);
    assert_int_equal(test_registers[VCPU_CR2], 0x3000);
    assert_int_equal(access_count, 3);
    assert_int_equal(*test_r(REGISTER_RCX), 6);
    assert_int_equal(*test_r(REGISTER_RSI), 6);
    assert_int_equal(*test_r(REGISTER_RDI), 0x3000);
    /* REPNE SCASW ends where the element is equal, with the flags of the comparison. */
    *test_r(REGISTER_RAX) = 0x2211;
    *test_r(REGISTER_RDI) = 0;
    SUCCEEDS("\xF2\x66\xAF", READS(DEVICE, 2));
    assert_int_equal(*test_r(REGISTER_RCX), 5);
    assert_int_equal(test_registers[VCPU_RFLAGS], 2 | 0x44); /* ZF, PF */
    assert_int_equal(EXECUTE("\xF3\x66\xAF"), EXIT_SKIP);
    assert_int_equal(*test_r(REGISTER_RCX), 0);
}

/* Others raise #UD, and the first is logged. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "\x0F\x28\x03", /* MOVAPS */
        "\x0F\x01\x13", /* LGDT */
        "\x8E\x1B",     /* MOV DS, [RBX] */
        "\xFF\x23",     /* JMP */
        "\xD9\x03",     /* FLD */
        "\x0F\x01\x3B", /* INVLPG */
        "\x0F\x22\xC0", /* MOV CR0, RAX: changed since the exit */
        "\x89\xC3",     /* MOV EBX, EAX */
        "\xF0\x89\x03", /* LOCK MOV */
        "\x6C\x90",     /* INSB */
    };
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        end_guest(NULL);
        access_start(NULL);
        assert_int_equal(execute_bytes(refused[i], strlen(refused[i]) + 1), EXIT_RESUME);
        assert_int_equal(injected_vector, 6);
        assert_int_equal(access_count, 0);
        assert_true(test_vm.is_refusal_logged);
    }
    end_guest(NULL);
    access_start(NULL);
    snprintf(test_vm.name, sizeof(test_vm.name), "a");
    exit_address = DEVICE;
    (void)EXECUTE("\x0F\x28\x03");
    assert_logged("warning: vm a: instruction at RIP 0x10000 accesses guest-physical "
                  "0xfee00000, which is not RAM, and is not emulated: #UD; code: 0f 28 "
                  "03 00");
    test_registers[VCPU_RIP] = GUEST_SIZE; /* no code */
    assert_int_equal(vm_exit_handlers.memory(
                         test_vcpu, &(struct memory_access){.is_by_instruction = true}),
                     EXIT_RESUME);
    assert_int_equal(injected_vector, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_violations), TEST(test_two_pages),
                                       TEST(test_tables_outside_ram),
                                       TEST(test_later_fault), TEST(test_refused)};
    return cmocka_run_group_tests_name("device_memory_faults", tests, NULL, NULL);
}
