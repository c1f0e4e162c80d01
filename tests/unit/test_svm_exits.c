/* src/svm/exit.c: the handler of each exit. */
#include "svm_exits.h"

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

/* Each bus lock exits before it is done, and is then permitted. */
static void test_bus_lock(void **state)
{
    (void)state;
    vmcb->bus_lock_counter = 0;
    assert_int_equal(take_exit(0xA5), 0);
    assert_int_equal(vmcb->bus_lock_counter, 1);
    assert_int_equal(vmcb->rip, 0x1000);
    vmcb->exit_interrupt_info = 0x80000031; /* the delivery of an interrupt exits */
    assert_int_equal(take_exit(0xA5), 0x80000031);
    assert_int_equal(vmcb->bus_lock_counter, 1);
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

/* Accesses to CR4: src/svm/system_registers.c. */
static void test_cr4(void **state)
{
    (void)state;
    svm.has_decode_assists             = true;
    svm.cr4_allowed                    = CR4_PAE | CR4_PGE;
    vmcb->exit_info_1                  = BIT(63) | REGISTER_RAX;
    vcpu.run.registers.r[REGISTER_RAX] = CR4_PAE | CR4_PGE;
    (void)take_exit(0x14);
    assert_next();
    assert_int_equal(vmcb->cr4, CR4_PAE | CR4_PGE | CR4_MCE);
    vcpu.run.registers.r[REGISTER_RAX] = 0;
    (void)take_exit(0x04);
    assert_int_equal(vcpu.run.registers.r[REGISTER_RAX], CR4_PAE | CR4_PGE);
    assert_ptr_equal(vcpu.row, svm.rows);
    assert_int_equal(vcpu.row_count, SVM_EXIT_ROWS);
    assert_int_equal(vcpu.row[4].exits, 1);
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
        vmcb->exit_info_1                  = 0x55;
        (void)take_exit(rows[i].code);
        assert_string_equal(vcpu.end->text, rows[i].end);
        assert_int_equal(guest_end.kind, GUEST_END_ABNORMAL);
        assert_int_equal(vcpu.newest->detail, 0x55);
    }
}

/* Notes a VMCB that violates one rule; an emulator then replaces its state. */
static void note_bad_vmcb(void)
{
    vmcb->efer        = EFER_SVME;
    vmcb->cr0         = BIT(32);
    vmcb->intercept_2 = INTERCEPT_VMRUN;
    vmcb->asid        = 1;
    svm_entry_note(&svm.entry, vmcb);
    vmcb->efer = vmcb->cr0 = 0;
}

/* VMEXIT_INVALID logs the VMCB, whether 32 or 64 bits of the code are ones. */
static void test_invalid(void **state)
{
    (void)state;
    static const uint64_t codes[] = {UINT64_MAX, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        exits_start(NULL);
        vmcb->cr4             = 0x60;
        vmcb->tr.selector     = 0x28;
        vmcb->tr.attributes   = 0x8B;
        vmcb->ldtr.attributes = 0x82;
        note_bad_vmcb();
        (void)take_exit(codes[i]);
        assert_string_equal(vcpu.end->text,
                            "VMRUN failed: VMEXIT_INVALID; CR0 = 0x100000000 violates "
                            "cr0-high: bit 32");
        assert_logged("VMRUN failed: VMEXIT_INVALID; the VMCB was:\n");
        assert_logged("hymir: vmcb: CR4                            0x60\n");
        assert_logged("hymir: vmcb: CS   selector 0x0000, attributes 0xa9b, limit 0x0");
        assert_logged("hymir: vmcb: TR   selector 0x0028, attributes 0x08b, limit 0x0");
        assert_logged("hymir: vmcb: LDTR selector 0x0000, attributes 0x082, limit 0x0");
        assert_logged("CR0 = 0x100000000: bit 32; nearest valid value 0x0\n");
    }
    exits_start(NULL);
    vcpu.row[0].exits = 1; /* an earlier exit */
    vmcb->cr3         = 0x1000;
    vmcb->intercept_2 = 0;
    vmcb->asid        = 1;
    (void)take_exit(UINT64_MAX);
    assert_logged("the VMCB was, with Hymir's state in place of the guest's:\n");
    assert_string_equal(vcpu.end->text,
                        "VMRUN failed: VMEXIT_INVALID; intercept vector 4 "
                        "(010H) = 0x0 violates vmrun-intercept: bit 0 (VMRUN)");
}

static void test_shutdown(void **state)
{
    (void)state;
    (void)take_exit(0x7F);
    assert_string_equal(vcpu.end->text, "triple fault at 0x0:0x1000");
    assert_int_equal(guest_end.kind, GUEST_END_ABNORMAL);
}

/* An INIT of the CPU changes nothing. */
static void test_init(void **state)
{
    (void)state;
    assert_int_equal(take_exit(0x63), 0);
    assert_int_equal(vmcb->rip, 0x1000);
    assert_string_equal(vcpu.end->text, "");
}

/* APM 2, "Nested versus Guest Page Faults, Fault Ordering": the bits of EXITINFO1. */
static void test_nested_page_fault(void **state)
{
    (void)state;
    static const struct {
        uint64_t info;
        enum memory_access_kind kind;
        bool is_by_instruction;
    } rows[] = {{0x100000004, MEMORY_READ, true},
                {0x100000006, MEMORY_WRITE, true},
                {0x100000014, MEMORY_FETCH, false},
                {0x200000006, MEMORY_WRITE, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        vmcb->exit_info_1         = rows[i].info;
        vmcb->exit_info_2         = 0xFEE00020;
        vmcb->exit_interrupt_info = 0x80000031;
        assert_int_equal(take_exit(0x400), 0x80000031); /* delivered again */
        assert_int_equal(memory.kind, rows[i].kind);
        assert_int_equal(memory.address.value, 0xFEE00020);
        assert_false(memory.is_by_instruction);
        assert_int_equal(vcpu.newest->detail, rows[i].info);
        assert_int_equal(vcpu.newest->address, 0xFEE00020);
        assert_int_equal(vmcb->rip, 0x1000);
        vmcb->exit_interrupt_info = 0x31;
        assert_int_equal(take_exit(0x400), 0);
        assert_int_equal(memory.is_by_instruction, rows[i].is_by_instruction);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_refused),           TEST(test_bus_lock), TEST(test_skipped),
        TEST(test_forwarded),         TEST(test_cr4),      TEST(test_unexpected),
        TEST(test_invalid),           TEST(test_shutdown), TEST(test_init),
        TEST(test_nested_page_fault), TEST(test_xsetbv),
    };
    return cmocka_run_group_tests_name("svm_exits", tests, NULL, NULL);
}
