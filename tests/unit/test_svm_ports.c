/* src/svm/exit.c: IN, OUT, INS and OUTS. */
#include "svm_exits.h"

/* The bits of EXITINFO1 are literals from APM 2, "IN and OUT Behavior". */
static void test_in(void **state)
{
    (void)state;
    static const struct {
        uint64_t info, rax;
        unsigned int size;
    } rows[] = {
        {0x03F80211, UINT64_C(0x11223344556677EF), 1},
        {0x03F80221, UINT64_C(0x112233445566CDEF), 2},
        {0x03F80241, UINT64_C(0x0000000089ABCDEF), 4},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        exits_start(NULL);
        vcpu.run.registers.r[REGISTER_RAX] = UINT64_C(0x1122334455667788);
        vmcb->exit_info_1                  = rows[i].info;
        (void)take_exit(0x7B);
        assert_next();
        assert_int_equal(vcpu.run.registers.r[REGISTER_RAX], rows[i].rax);
        assert_int_equal(port, 0x3F8);
        assert_int_equal(port_size, rows[i].size);
        assert_int_equal(vcpu.newest->detail, rows[i].info);
    }
}

static void test_out(void **state)
{
    (void)state;
    vcpu.run.registers.r[REGISTER_RAX] = UINT64_C(0x1122334455667788);
    vmcb->exit_info_1                  = 0xFFFF0220;
    (void)take_exit(0x7B);
    assert_next();
    assert_int_equal(port, 0xFFFF);
    assert_int_equal(port_size, 2);
    assert_int_equal(port_value, 0x55667788);
    vm_outcome = EXIT_RESUME;
    (void)take_exit(0x7B);
    assert_int_equal(vmcb->rip, 0x1002); /* not advanced again */
}

static void set_segment(enum segment_number number, uint16_t attributes, uint64_t base)
{
    vmcb->segment[number] =
        (struct vmcb_segment){.attributes = attributes, .limit = 0xFFFF, .base = base};
}

static uint64_t take_string_exit(uint64_t info, const char *bytes, size_t size)
{
    memset(code, 0x90, sizeof(code));
    memcpy(code, bytes, size);
    vmcb->exit_info_1 = info;
    return take_exit(0x7B);
}

#define STRING_EXIT(info, bytes) take_string_exit(info, bytes, sizeof(bytes) - 1)

/* In 64-bit code, only FS and GS have bases. */
static void test_strings_64(void **state)
{
    (void)state;
    set_segment(SEGMENT_DS, 0xC93, 0x10000);
    set_segment(SEGMENT_ES, 0xC93, 0x20000);
    set_segment(SEGMENT_FS, 0xC93, 0x40000);
    set_segment(SEGMENT_GS, 0xC93, 0x30000);
    vcpu.run.registers.r[REGISTER_RSI] = UINT64_C(0x1000000100);
    vcpu.run.registers.r[REGISTER_RDI] = UINT64_C(0x1000000200);
    assert_int_equal(STRING_EXIT(0x00800214, "\x6E"), 0); /* OUTSB */
    assert_int_equal(string.port, 0x80);
    assert_int_equal(string.size, 1);
    assert_int_equal(string.address_size, 8);
    assert_false(string.is_in || string.is_repeated || string.is_stack);
    assert_true(string.is_64_bit);
    assert_int_equal(string.linear_address, UINT64_C(0x1000000100));
    assert_int_equal(string.segment.base, 0);
    assert_int_equal(STRING_EXIT(0x00800214, "\x65\x6E"), 0); /* GS: */
    assert_int_equal(string.linear_address, UINT64_C(0x1000030100));
    assert_int_equal(string.segment.base, 0x30000);
    assert_int_equal(STRING_EXIT(0x00800214, "\x64\x6E"), 0); /* FS: */
    assert_int_equal(string.linear_address, UINT64_C(0x1000040100));
    assert_int_equal(STRING_EXIT(0x00800214, "\x36\x6E"), 0); /* SS:, ignored */
    assert_false(string.is_stack);
    assert_int_equal(STRING_EXIT(0x0080022D, "\xF3\x66\x6D"), 0); /* REP INSW */
    assert_true(string.is_in && string.is_repeated);
    assert_int_equal(string.size, 2);
    assert_int_equal(string.linear_address, UINT64_C(0x1000000200));
    assert_int_equal(STRING_EXIT(0x00800145, "\x67\x6D"), 0); /* INSD with EDI */
    assert_int_equal(string.address_size, 4);
    assert_int_equal(string.size, 4);
    assert_int_equal(string.linear_address, 0x200);
}

/* Otherwise the segment counts, and linear addresses have 32 bits. */
static void test_strings_32(void **state)
{
    (void)state;
    vmcb->efer                           = EFER_SVME;
    vmcb->segment[SEGMENT_CS].attributes = CODE_32_ATTRIBUTES;
    set_segment(SEGMENT_DS, 0xC93, 0xFFFFFF00);
    set_segment(SEGMENT_ES, 0xC13, 0); /* not present */
    set_segment(SEGMENT_SS, 0xC97, 0x1000);
    vcpu.run.registers.r[REGISTER_RSI] = 0x12340200;
    assert_int_equal(STRING_EXIT(0x00800114, "\x6E"), 0);
    assert_int_equal(string.address_size, 4);
    assert_int_equal(string.linear_address, 0x12340100);
    assert_int_equal(string.segment.base, 0xFFFFFF00);
    assert_int_equal(string.segment.limit, 0xFFFF);
    assert_int_equal(string.segment.access_rights, 0xC093);
    assert_false(string.is_64_bit || string.is_stack);
    assert_int_equal(STRING_EXIT(0x00800094, "\x67\x36\x6E"), 0); /* SS:[SI] */
    assert_int_equal(string.address_size, 2);
    assert_int_equal(string.linear_address, 0x1200);
    assert_true(string.is_stack);
    assert_int_equal(STRING_EXIT(0x00800115, "\x6C"), 0);
    assert_int_equal(string.segment.access_rights, ACCESS_RIGHTS_UNUSABLE);
}

/* A guest that has changed the instruction since the exit gets #UD. */
static void test_changed_strings(void **state)
{
    (void)state;
    assert_int_equal(STRING_EXIT(0x00800214, "\xEE"), 0x80000306); /* OUT */
    assert_int_equal(STRING_EXIT(0x00800214, "\x6C"), 0x80000306); /* INS, not OUTS */
    assert_int_equal(STRING_EXIT(0x00800215, "\x6E"), 0x80000306);
    assert_int_equal(STRING_EXIT(0x00800214, "\x06"), 0x80000306); /* invalid */
    assert_int_equal(string.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_in),
        TEST(test_out),
        TEST(test_strings_64),
        TEST(test_strings_32),
        TEST(test_changed_strings),
    };
    return cmocka_run_group_tests_name("svm_ports", tests, NULL, NULL);
}
