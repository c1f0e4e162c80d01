/* src/vmx/exit_description.c and the exit records of src/virt/vcpu.c. */
#include "unit.h"

#include "virt/vcpu.h"
#include "vmx/exit.h"
#include "vmx/vmcs.h"

static const char *described(uint64_t reason, uint64_t detail, uint64_t address)
{
    static char buffer[256];
    struct text words               = {.buffer = buffer, .size = sizeof(buffer)};
    const struct exit_record record = {
        .reason = reason, .detail = detail, .address = address};

    buffer[0] = '\0';
    exit_describe(&record, &words);
    return buffer;
}

/* The bits are literals from the SDM, not the macros of the code under test. */
static void test_io(void **state)
{
    (void)state;
    assert_string_equal(described(30, 0x03F80000, 0),
                        "I/O instruction: OUT of 1 byte, port 0x3f8");
    assert_string_equal(described(30, 0x00600048, 0),
                        "I/O instruction: IN of 1 byte, port 0x60");
    assert_string_equal(described(30, 0x0CFC004B, 0),
                        "I/O instruction: IN of 4 bytes, port 0xcfc");
    assert_string_equal(described(30, 0x00800039, 0),
                        "I/O instruction: REP INS of 2 bytes, port 0x80");
    assert_string_equal(described(30, 0x00800010, 0),
                        "I/O instruction: OUTS of 1 byte, port 0x80");
}

static void test_control_registers(void **state)
{
    (void)state;
    assert_string_equal(described(28, 0x000, 0),
                        "control-register access: MOV to CR0 from RAX");
    assert_string_equal(described(28, 0x404, 0),
                        "control-register access: MOV to CR4 from RSP");
    assert_string_equal(described(28, 0xF18, 0),
                        "control-register access: MOV from CR8 to R15");
    assert_string_equal(described(28, 0x20, 0), "control-register access: CLTS");
    assert_string_equal(described(28, 0xFFF10030, 0),
                        "control-register access: LMSW of 0xfff1");
}

static void test_ept(void **state)
{
    (void)state;
    assert_string_equal(
        described(48, 0x181, 0x1000),
        "EPT violation: read at guest-physical 0x1000, EPT permissions ---");
    assert_string_equal(
        described(48, 0x18A, 0xFEE00000),
        "EPT violation: write at guest-physical 0xfee00000, EPT permissions r--");
    assert_string_equal(
        described(48, 0x19C, 0x2000),
        "EPT violation: fetch at guest-physical 0x2000, EPT permissions rw-");
    assert_string_equal(
        described(48, 0x081, 0x3000),
        "EPT violation: read at guest-physical 0x3000 by the guest's page "
        "walk, EPT permissions ---");
    assert_string_equal(described(49, 0, 0x5000),
                        "EPT misconfiguration at guest-physical 0x5000");
}

static void test_others(void **state)
{
    (void)state;
    assert_string_equal(described(0, 0x80000B0E, 0), "exception or NMI: vector 14");
    assert_string_equal(described(9, 0x80000018, 0),
                        "task switch to selector 0x18 by JMP");
    assert_string_equal(described(9, 0xC0000028, 0),
                        "task switch to selector 0x28 by a task gate");
    assert_string_equal(described(31, 0xC0000080, 0), "RDMSR of 0xc0000080");
    assert_string_equal(described(32, 0x1B, 0), "WRMSR of 0x1b");
    assert_string_equal(described(10, 0, 0), "CPUID");
    assert_string_equal(described(0x80000021, 4, 0),
                        "failed entry: invalid guest state, qualification 0x4");
}

/* Any value that a CPU may store is described. */
static void test_any_bits(void **state)
{
    (void)state;
    for (uint64_t reason = 0; reason < 0x10000; reason++)
        assert_true(strlen(described(reason, UINT64_MAX, UINT64_MAX)) > 0);
}

static struct vcpu vcpu;

/* Records an exit, as vcpu_on_exit does. */
static void note_exit(uint64_t reason)
{
    vcpu.newest         = vcpu.newest->next;
    vcpu.newest->reason = reason;
}

static void test_ring(void **state)
{
    (void)state;
    vcpu_reset(&vcpu, NULL);
    const struct exit_record *record = vcpu.newest;
    for (int i = 0; i < TRACE_RECORDS; i++, record = record->next)
        assert_int_equal(record->reason, TRACE_RECORD_UNUSED);
    assert_ptr_equal(record, vcpu.newest);
    assert_true(TRACE_RECORD_UNUSED != UINT64_MAX); /* which is VMEXIT_INVALID */

    for (uint64_t i = 0; i < 100; i++)
        note_exit(i);
    assert_int_equal(vcpu.newest->reason, 99);
    assert_int_equal(vcpu.newest->next->reason, 100 - TRACE_RECORDS);
}

/* An exit that is handled twice is one record, at any position in the ring. */
static void test_asking_for_all_registers(void **state)
{
    (void)state;
    vcpu_reset(&vcpu, NULL);
    for (uint64_t i = 0; i < 2 * TRACE_RECORDS; i++) {
        note_exit(i);
        const struct exit_record *record = vcpu.newest;
        assert_int_equal(vcpu_request_all_registers(&vcpu), EXIT_ALL_REGISTERS);
        note_exit(i);
        assert_ptr_equal(vcpu.newest, record);
    }
    assert_int_equal(vcpu.newest->reason, 2 * TRACE_RECORDS - 1);
    assert_int_equal(vcpu.newest->next->reason, TRACE_RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_io),
        cmocka_unit_test(test_control_registers),
        cmocka_unit_test(test_ept),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_any_bits),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_asking_for_all_registers),
    };
    return cmocka_run_group_tests_name("exit_description", tests, NULL, NULL);
}
