/* src/svm/system_registers.c: a guest's CR4, EFER and PAT. */
#include "svm_vcpu.h"

#include "svm/exit.h"

#define ALLOWED                                                                      \
    (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_OSFXSR | CR4_OSXSAVE | \
     CR4_SMAP)
#define MOV_OF(general) (BIT(63) | (general))

static enum exit_outcome forward(struct vcpu *of, const char *name)
{
    (void)of;
    log_plain("%s", name);
    return EXIT_NEXT;
}

static enum exit_outcome read_other(struct vcpu *of)
{
    return forward(of, "read");
}

static enum exit_outcome write_other(struct vcpu *of)
{
    return forward(of, "write");
}

static int registers_start(void **state)
{
    svm_vcpu_start(state);
    svm.cr4_allowed        = ALLOWED;
    svm.efer_allowed       = 0xD01;
    svm.has_decode_assists = true;
    vmcb->exit_info_1      = MOV_OF(REGISTER_RAX);
    handlers.read_msr      = read_other;
    handlers.write_msr     = write_other;
    return 0;
}

static uint64_t *general(unsigned int number)
{
    return &vcpu.run.registers.r[number];
}

static enum exit_outcome load_cr4(uint64_t value)
{
    vmcb->event_injection  = 0;
    vmcb->clean            = CLEAN_ALL;
    vmcb->tlb_control      = 0;
    *general(REGISTER_RAX) = value;
    return svm_cr4_write_handle_exit(&vcpu);
}

static void assert_cr4_faults(uint64_t value)
{
    uint64_t before = vmcb->cr4;

    assert_int_equal(load_cr4(value), EXIT_RESUME);
    assert_int_equal(vmcb->event_injection, 0x80000B0D); /* #GP(0) */
    assert_int_equal(vmcb->cr4, before);
    assert_int_equal(vmcb->clean, CLEAN_ALL);
}

static void assert_cr4_accepts(uint64_t value)
{
    assert_int_equal(load_cr4(value), EXIT_NEXT);
    assert_int_equal(vmcb->event_injection, 0);
    assert_int_equal(vmcb->cr4, value | CR4_MCE); /* Hymir's */
    assert_int_equal(vmcb->clean, CLEAN_ALL & ~BIT(5));
}

static void test_cr4_read(void **state)
{
    (void)state;
    vmcb->cr4 = CR4_PAE | CR4_MCE | CR4_PGE;
    assert_int_equal(svm_cr4_read_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(*general(REGISTER_RAX), 0xA0); /* without MCE */
    vmcb->exit_info_1 = MOV_OF(REGISTER_RSP);
    assert_int_equal(svm_cr4_read_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(vmcb->rsp, 0xA0);
    vmcb->exit_info_1 = MOV_OF(9);
    assert_int_equal(svm_cr4_read_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(*general(9), 0xA0);
}

/* RBP and R12 to R15 stay in the CPU, unless the handler has asked for them. */
static void test_cr4_staying_registers(void **state)
{
    (void)state;
    static const unsigned int staying[] = {5, 12, 13, 14, 15};
    for (size_t i = 0; i < ARRAY_SIZE(staying); i++) {
        vmcb->exit_info_1          = MOV_OF(staying[i]);
        vcpu.run.has_all_registers = false;
        assert_int_equal(svm_cr4_read_handle_exit(&vcpu), EXIT_ALL_REGISTERS);
        assert_int_equal(svm_cr4_write_handle_exit(&vcpu), EXIT_ALL_REGISTERS);
        vcpu.run.has_all_registers = true;
        assert_int_equal(svm_cr4_read_handle_exit(&vcpu), EXIT_NEXT);
        assert_int_equal(*general(staying[i]), CR4_PAE);
        *general(staying[i]) = CR4_PAE | CR4_PGE;
        assert_int_equal(svm_cr4_write_handle_exit(&vcpu), EXIT_NEXT);
        assert_int_equal(vmcb->cr4, CR4_PAE | CR4_PGE | CR4_MCE);
        vmcb->cr4 = CR4_PAE | CR4_MCE;
    }
}

/* Without decode assists, or if they do not tell, the instruction is decoded. */
static void test_cr4_decoded(void **state)
{
    (void)state;
    memcpy(code, "\x41\x0F\x22\xE0", 4); /* MOV CR4, R8 */
    *general(REGISTER_R8)  = CR4_PAE | CR4_SMEP;
    svm.has_decode_assists = false;
    assert_int_equal(svm_cr4_write_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(vmcb->cr4, CR4_PAE | CR4_SMEP | CR4_MCE);
    svm.has_decode_assists = true;
    vmcb->exit_info_1      = 0;
    *general(REGISTER_R8)  = CR4_PAE;
    assert_int_equal(svm_cr4_write_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(vmcb->cr4, CR4_PAE | CR4_MCE);
    memcpy(code, "\x0F\x20\xE4", 3); /* MOV RSP, CR4 */
    assert_int_equal(svm_cr4_read_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(vmcb->rsp, CR4_PAE);
}

/* A guest that has changed the instruction since the exit gets #UD. */
static void test_cr4_changed(void **state)
{
    (void)state;
    static const char *const others[] = {"\x0F\xA2\x90", "\x01\xC8\x90",
                                         "\xC6\x00\x05"}; /* CPUID, ADD, MOV [RAX], 5 */
    svm.has_decode_assists            = false;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        memcpy(code, others[i], 3);
        vmcb->event_injection = 0;
        assert_int_equal(svm_cr4_read_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(vmcb->event_injection, 0x80000306);
        vmcb->event_injection = 0;
        assert_int_equal(svm_cr4_write_handle_exit(&vcpu), EXIT_RESUME);
        assert_int_equal(vmcb->event_injection, 0x80000306);
    }
}

static uint64_t cr8;

static uint64_t read_cr8(struct vcpu *of)
{
    (void)of;
    return cr8;
}

static enum exit_outcome write_cr8(struct vcpu *of, uint64_t value)
{
    cr8 = value;
    return value > 15 ? vcpu_inject_exception(of, VECTOR_GP, 0) : EXIT_NEXT;
}

/* CR8 is the VM's; its exits are those of CR4. */
static void test_cr8(void **state)
{
    (void)state;
    handlers.read_cr8      = read_cr8;
    handlers.write_cr8     = write_cr8;
    *general(REGISTER_RAX) = 9;
    assert_int_equal(svm_cr8_write_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(cr8, 9);
    *general(REGISTER_RAX) = UINT64_C(0x100000001);
    assert_int_equal(svm_cr8_write_handle_exit(&vcpu), EXIT_RESUME);
    assert_int_equal(vmcb->event_injection, 0x80000B0D);
    cr8               = 7;
    vmcb->exit_info_1 = MOV_OF(14);
    assert_int_equal(svm_cr8_read_handle_exit(&vcpu), EXIT_ALL_REGISTERS);
    assert_int_equal(svm_cr8_write_handle_exit(&vcpu), EXIT_ALL_REGISTERS);
    vcpu.run.has_all_registers = true;
    assert_int_equal(svm_cr8_read_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(*general(14), 7);
    svm.has_decode_assists = false;
    memcpy(code, "\x45\x0F\x22\xC1", 4); /* MOV CR8, R9 */
    *general(9) = 3;
    assert_int_equal(svm_cr8_write_handle_exit(&vcpu), EXIT_NEXT);
    assert_int_equal(cr8, 3);
}

/* The guest sets only what its CPUID offers, and never MCE. */
static void test_cr4_allowed(void **state)
{
    (void)state;
    for (unsigned int bit = 0; bit < 64; bit++) {
        registers_start(NULL);
        if ((ALLOWED & BIT(bit)) != 0)
            assert_cr4_accepts(CR4_PAE | BIT(bit));
        else
            assert_cr4_faults(CR4_PAE | BIT(bit));
        assert_int_equal(vcpu.newest->detail, CR4_PAE | BIT(bit));
    }
}

/* APM 2, "CR4 Register", "Process Context Identifiers": what depends on other state. */
static void test_cr4_dependencies(void **state)
{
    (void)state;
    assert_cr4_faults(0); /* PAE in long mode */
    vmcb->cr3 = 0x1234;
    assert_cr4_faults(CR4_PAE | CR4_PCIDE);
    vmcb->cr3 = 0x1000;
    assert_cr4_accepts(CR4_PAE | CR4_PCIDE);
    vmcb->cr3 = 0x1234; /* stays */
    assert_cr4_accepts(CR4_PAE | CR4_PCIDE | CR4_PGE);
    assert_cr4_accepts(CR4_PAE);
    vmcb->cr3                            = 0;
    vmcb->efer                           = EFER_SVME;
    vmcb->segment[SEGMENT_CS].attributes = CODE_32_ATTRIBUTES;
    assert_cr4_faults(CR4_PAE | CR4_PCIDE);
    assert_cr4_accepts(0);
}

/* Outside 64-bit mode, the operand has 32 bits. */
static void test_cr4_32_bit(void **state)
{
    (void)state;
    assert_cr4_faults(CR4_PAE | BIT(40));
    vmcb->segment[SEGMENT_CS].attributes = CODE_32_ATTRIBUTES;
    assert_int_equal(load_cr4(CR4_PAE | BIT(40)), EXIT_NEXT);
    assert_int_equal(vmcb->cr4, CR4_PAE | CR4_MCE);
}

/* APM 2, "TLB Management": changes of these bits invalidate translations. */
static void test_cr4_flush(void **state)
{
    (void)state;
    static const struct {
        uint64_t bit;
        bool flushes;
    } rows[] = {{CR4_PGE, true},   {CR4_PSE, true},      {CR4_SMEP, true},
                {CR4_PCIDE, true}, {CR4_OSXSAVE, false}, {CR4_OSFXSR, false},
                {CR4_SMAP, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t control = rows[i].flushes ? svm.flush : 0;
        assert_cr4_accepts(CR4_PAE | rows[i].bit);
        assert_int_equal(vmcb->tlb_control, control);
        assert_cr4_accepts(CR4_PAE | rows[i].bit);
        assert_int_equal(vmcb->tlb_control, 0);
        assert_cr4_accepts(CR4_PAE);
        assert_int_equal(vmcb->tlb_control, control);
    }
}

static enum exit_outcome access_msr(uint32_t msr, bool is_write, uint64_t value)
{
    vmcb->event_injection  = 0;
    vmcb->clean            = CLEAN_ALL;
    vmcb->exit_info_1      = is_write;
    *general(REGISTER_RCX) = UINT64_C(0xFFFFFFFF00000000) | msr;
    *general(REGISTER_RAX) = UINT64_C(0xEEEEEEEE00000000) | (uint32_t)value;
    *general(REGISTER_RDX) = UINT64_C(0xDDDDDDDD00000000) | value >> 32;
    return svm_msr_handle_exit(&vcpu);
}

static void assert_reads(uint32_t msr, uint64_t value)
{
    assert_int_equal(access_msr(msr, false, 0xAAAAAAAA), EXIT_NEXT);
    assert_int_equal(*general(REGISTER_RAX), (uint32_t)value);
    assert_int_equal(*general(REGISTER_RDX), value >> 32);
    assert_int_equal(vcpu.newest->detail, msr);
}

static void assert_msr_faults(uint32_t msr, uint64_t value)
{
    assert_int_equal(access_msr(msr, true, value), EXIT_RESUME);
    assert_int_equal(vmcb->event_injection, 0x80000B0D);
    assert_int_equal(vmcb->clean, CLEAN_ALL);
}

static void test_efer(void **state)
{
    (void)state;
    assert_reads(0xC0000080, 0x500); /* without SVME */
    assert_int_equal(access_msr(0xC0000080, true, 0xD01), EXIT_NEXT);
    assert_int_equal(vmcb->efer, 0x1D01);
    assert_int_equal(vmcb->clean, CLEAN_ALL & ~BIT(5));
    assert_reads(0xC0000080, 0xD01);
    static const unsigned int reserved[] = {1, 7, 9, 12, 13, 14, 15, 16, 20, 21, 32, 63};
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
        assert_msr_faults(0xC0000080, 0xD01 | BIT(reserved[i]));
    assert_int_equal(vmcb->efer, 0x1D01);
    svm.efer_allowed |= BIT(21); /* automatic IBRS */
    assert_int_equal(access_msr(0xC0000080, true, 0x200D01), EXIT_NEXT);
    assert_int_equal(vmcb->efer, 0x201D01);
}

/* LME is fixed while paging is on, and LMA is the processor's. */
static void test_efer_long_mode(void **state)
{
    (void)state;
    assert_msr_faults(0xC0000080, 0x401);
    assert_int_equal(access_msr(0xC0000080, true, 0x101), EXIT_NEXT); /* LMA ignored */
    assert_int_equal(vmcb->efer, 0x1501);
    vmcb->cr0  = CR0_PE;
    vmcb->efer = EFER_SVME;
    assert_int_equal(access_msr(0xC0000080, true, 0x500), EXIT_NEXT);
    assert_int_equal(vmcb->efer, 0x1100);
    vmcb->cr0 = CR0_PE | CR0_PG;
    assert_msr_faults(0xC0000080, 0);
}

static void test_pat(void **state)
{
    (void)state;
    vmcb->pat = UINT64_C(0x0007040600070406);
    assert_reads(0x277, UINT64_C(0x0007040600070406));
    assert_int_equal(access_msr(0x277, true, UINT64_C(0x0405060700010605)), EXIT_NEXT);
    assert_int_equal(vmcb->pat, UINT64_C(0x0405060700010605));
    assert_int_equal(vmcb->clean, CLEAN_ALL & ~BIT(4));
    static const uint64_t invalid[] = {2, 3, 8, 0x80, UINT64_C(0x0300000000000000)};
    for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
        assert_msr_faults(0x277, invalid[i]);
    assert_int_equal(vmcb->pat, UINT64_C(0x0405060700010605));
}

/* All others are the VM's. */
static void test_other_msrs(void **state)
{
    (void)state;
    assert_int_equal(access_msr(0xC0010114, false, 0), EXIT_NEXT);
    assert_string_equal(captured_log, "read\n");
    assert_int_equal(access_msr(0x276, true, 0), EXIT_NEXT);
    assert_string_equal(captured_log, "read\nwrite\n");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, registers_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cr4_read),    TEST(test_cr4_staying_registers),
        TEST(test_cr4_decoded), TEST(test_cr4_changed),
        TEST(test_cr4_allowed), TEST(test_cr4_dependencies),
        TEST(test_cr4_32_bit),  TEST(test_cr4_flush),
        TEST(test_efer),        TEST(test_efer_long_mode),
        TEST(test_pat),         TEST(test_other_msrs),
        TEST(test_cr8),
    };
    return cmocka_run_group_tests_name("svm_registers", tests, NULL, NULL);
}
