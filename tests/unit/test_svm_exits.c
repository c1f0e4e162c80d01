/* src/svm/exit.c: the handler of each exit. */
#include "svm_vcpu.h"

static uint16_t port;
static unsigned int port_size;
static uint32_t port_value;
static struct string_access string;
static struct memory_access memory;
static enum exit_outcome vm_outcome;

static uint32_t read_port(struct vcpu *of, uint16_t number, unsigned int size)
{
    (void)of;
    port      = number;
    port_size = size;
    return port_value;
}

static enum exit_outcome write_port(struct vcpu *of, uint16_t number, unsigned int size,
                                    uint32_t value)
{
    (void)of;
    port       = number;
    port_size  = size;
    port_value = value;
    return vm_outcome;
}

static enum exit_outcome note_string(struct vcpu *of, const struct string_access *access)
{
    (void)of;
    string = *access;
    return EXIT_REPEAT;
}

static enum exit_outcome note_memory(struct vcpu *of, const struct memory_access *access)
{
    (void)of;
    memory = *access;
    return EXIT_RESUME;
}

static enum exit_outcome answer(struct vcpu *of)
{
    (void)of;
    log_plain("answered");
    return EXIT_NEXT;
}

static int exits_start(void **state)
{
    handlers.cpuid = handlers.hypercall = answer;
    handlers.read_msr = handlers.write_msr = answer;
    handlers.port_read                     = read_port;
    handlers.port_write                    = write_port;
    handlers.string_io                     = note_string;
    handlers.memory                        = note_memory;
    memset(&string, 0, sizeof(string));
    port_value = 0x89ABCDEF;
    vm_outcome = EXIT_NEXT;
    svm_vcpu_start(state);
    svm_exit_rows_init(&svm);
    return 0;
}

/* Lets an exit happen; returns the event that the guest gets. */
static uint64_t take_exit(uint64_t exit_code)
{
    vmcb->event_injection = 0;
    vmcb->exit_code       = exit_code;
    (void)svm_on_exit(&vcpu.run);
    return vmcb->event_injection;
}

static void assert_next(void)
{
    assert_int_equal(vmcb->rip, 0x1002);
    assert_int_equal(vmcb->event_injection, 0);
    assert_string_equal(vcpu.end, "");
}

/* Instructions that the guest's CPUID does not offer raise #UD, or #GP for RDPMC. */
static void test_refused(void **state)
{
    (void)state;
    static const uint64_t undefined[] = {
        0x73, 0x7A, 0x80, 0x82, 0x83, 0x84, 0x85, 0x86, /* RSM, INVLPGA, SVM's */
        0x8A, 0x8B, 0x8C, 0x8E,                         /* MONITOR, MWAIT, RDPRU */
        0xA0, 0xA1, 0xA3, 0xA4,                         /* INVLPGB, MCOMMIT, TLBSYNC */
    };
    for (size_t i = 0; i < ARRAY_SIZE(undefined); i++) {
        exits_start(NULL);
        assert_int_equal(take_exit(undefined[i]), 0x80000306);
        assert_int_equal(vmcb->rip, 0x1000);
    }
    exits_start(NULL);
    assert_int_equal(take_exit(0x6F), 0x80000B0D);
    assert_int_equal(vmcb->rip, 0x1000);
}

/* INVD and WBINVD do nothing: the host's caches stay as they are. */
static void test_skipped(void **state)
{
    (void)state;
    static const uint64_t codes[] = {0x76, 0x89};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        exits_start(NULL);
        (void)take_exit(codes[i]);
        assert_next();
    }
}

/* What the VM handles. */
static void test_forwarded(void **state)
{
    (void)state;
    static const uint64_t codes[] = {0x72, 0x81, 0x7C};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        exits_start(NULL);
        (void)take_exit(codes[i]);
        assert_next();
        assert_string_equal(captured_log, "answered\n");
    }
}

/* Codes without a handler end the guest, with their name. */
static void test_unexpected(void **state)
{
    (void)state;
    static const struct {
        uint64_t code;
        const char *end;
    } rows[] = {
        {0x10, "unhandled VM exit: code 0x10 (write of CR0) at 0x8:0x1000"},
        {0x66, "unhandled VM exit: code 0x66 (SIDT) at 0x8:0x1000"},
        {0x7D, "unhandled VM exit: code 0x7d (task switch) at 0x8:0x1000"},
        {0x403, "unhandled VM exit: code 0x403 (VMGEXIT) at 0x8:0x1000"},
        {0xA7, "unhandled VM exit: code 0xa7 (unknown) at 0x8:0x1000"},
        {0xFE, "unhandled VM exit: code 0xfe (unknown) at 0x8:0x1000"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        exits_start(NULL);
        vmcb->segment[SEGMENT_CS].selector = 8;
        (void)take_exit(rows[i].code);
        assert_string_equal(vcpu.end, rows[i].end);
        assert_true(vcpu.end_is_abnormal);
    }
}

/* VMEXIT_INVALID logs the VMCB, whether 32 or 64 bits of the code are ones. */
static void test_invalid(void **state)
{
    (void)state;
    static const uint64_t codes[] = {UINT64_MAX, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        exits_start(NULL);
        vmcb->cr4 = 0x60;
        (void)take_exit(codes[i]);
        assert_string_equal(vcpu.end, "VMRUN failed: VMEXIT_INVALID");
        assert_logged("VMRUN failed: VMEXIT_INVALID; the VMCB was:");
        assert_logged("hymir: vmcb: CR4                            0x60\n");
        assert_logged("hymir: vmcb: CS   selector 0x0000, attributes 0xa9b, limit 0x0");
    }
}

static void test_shutdown(void **state)
{
    (void)state;
    (void)take_exit(0x7F);
    assert_string_equal(vcpu.end, "triple fault at 0x0:0x1000");
    assert_true(vcpu.end_is_abnormal);
}

/* An INIT of the CPU changes nothing. */
static void test_init(void **state)
{
    (void)state;
    assert_int_equal(take_exit(0x63), 0);
    assert_int_equal(vmcb->rip, 0x1000);
    assert_string_equal(vcpu.end, "");
}

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

static void test_nested_page_fault(void **state)
{
    (void)state;
    static const struct {
        uint64_t info;
        enum memory_access_kind kind;
    } rows[] = {{0x100000004, MEMORY_READ},
                {0x100000006, MEMORY_WRITE},
                {0x100000014, MEMORY_FETCH},
                {0x200000006, MEMORY_WRITE}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        vmcb->exit_info_1         = rows[i].info;
        vmcb->exit_info_2         = 0xFEE00020;
        vmcb->exit_interrupt_info = 0x80000031;
        assert_int_equal(take_exit(0x400), 0x80000031); /* delivered again */
        assert_int_equal(memory.kind, rows[i].kind);
        assert_int_equal(memory.address.value, 0xFEE00020);
        assert_int_equal(vcpu.newest->detail, rows[i].info);
        assert_int_equal(vcpu.newest->address, 0xFEE00020);
        assert_int_equal(vmcb->rip, 0x1000);
    }
}

static void set_xsetbv(uint64_t index, uint64_t value)
{
    vcpu.run.registers.r[REGISTER_RCX] = index;
    vcpu.run.registers.r[REGISTER_RAX] = UINT64_C(0xFFFFFFFF00000000) | (uint32_t)value;
    vcpu.run.registers.r[REGISTER_RDX] = UINT64_C(0xFFFFFFFF00000000) | value >> 32;
}

static void test_xsetbv(void **state)
{
    (void)state;
    set_xsetbv(UINT64_C(0xFFFFFFFF00000000), 7);
    (void)take_exit(0x8D);
    assert_next();
    assert_int_equal(cpu_xcr0, 7);
    static const struct {
        uint64_t index, value;
        uint8_t cpl;
    } refused[] = {{0, 3, 3}, {1, 3, 0}, {0, 0x20003, 0}, {0, BIT(62) | 3, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        vmcb->cpl = refused[i].cpl;
        set_xsetbv(refused[i].index, refused[i].value);
        assert_int_equal(take_exit(0x8D), 0x80000B0D);
        assert_int_equal(cpu_xcr0, 7);
    }
    vmcb->cpl = 0; /* a combination that the processor refuses */
    set_xsetbv(0, 4);
    assert_int_equal(take_exit(0x8D), 0x80000B0D);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, exits_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_refused),
        TEST(test_skipped),
        TEST(test_forwarded),
        TEST(test_unexpected),
        TEST(test_invalid),
        TEST(test_shutdown),
        TEST(test_init),
        TEST(test_in),
        TEST(test_out),
        TEST(test_strings_64),
        TEST(test_strings_32),
        TEST(test_changed_strings),
        TEST(test_nested_page_fault),
        TEST(test_xsetbv),
    };
    return cmocka_run_group_tests_name("svm_exits", tests, NULL, NULL);
}
