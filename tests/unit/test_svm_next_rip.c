/* src/svm/next_rip.c: where an instruction ends if the processor does not save it. */
#include "svm_vcpu.h"

static enum exit_outcome end_instruction_at_exit(struct vcpu *of)
{
    (void)of;
    return EXIT_NEXT;
}

/* Prepares a CPUID exit of 64-bit code that only the handler fetch finds. */
static int next_rip_start(void **state)
{
    svm_vcpu_start(state);
    svm_exit_rows_init(&svm);
    for (size_t i = 0; i < SVM_EXIT_ROWS; i++)
        svm.rows[i].handler = end_instruction_at_exit;
    vmcb->exit_code = SVM_EXIT_CPUID;
    vmcb->next_rip  = 0;
    vmcb->cr3       = 0x1000;
    return 0;
}

static void set_code(const char *bytes, size_t size)
{
    memset(code, 0, sizeof(code));
    memcpy(code, bytes, size);
}

#define SET_CODE(bytes) set_code(bytes, sizeof(bytes) - 1)

/* Without the next RIP, the instruction is decoded; IN and OUT report it. */
static void test_next_rip(void **state)
{
    (void)state;
    static const struct {
        uint64_t exit_code;
        const char *bytes;
        size_t size;
    } rows[] = {
        {0x72, "\x0F\xA2", 2},         /* CPUID */
        {0x72, "\x66\x48\x0F\xA2", 4}, /* with prefixes */
        {0x78, "\xF4", 1},             /* HLT */
        {0x7C, "\x0F\x32", 2},         /* RDMSR */
        {0x7C, "\x0F\x30", 2},         /* WRMSR */
        {0x81, "\x0F\x01\xD9", 3},     /* VMMCALL */
        {0x04, "\x0F\x20\xE0", 3},     /* MOV RAX, CR4 */
        {0x14, "\x0F\x22\xE0", 3},     /* MOV CR4, RAX */
        {0x76, "\x0F\x08", 2},         /* INVD */
        {0x89, "\x0F\x09", 2},         /* WBINVD */
        {0x89, "\x0F\x08", 2},         /* INVD, in QEMU's TCG */
        {0x89, "\xF3\x0F\x09", 3},     /* WBNOINVD */
        {0x8D, "\x0F\x01\xD1", 3},     /* XSETBV */
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        next_rip_start(NULL);
        vmcb->next_rip  = 0;
        vmcb->exit_code = rows[i].exit_code;
        set_code(rows[i].bytes, rows[i].size);
        assert_int_equal(svm_on_exit_without_next_rip(&vcpu.run), RUN_AGAIN);
        assert_int_equal(vmcb->rip, 0x1000 + rows[i].size);
        assert_int_equal(svm.rows[rows[i].exit_code].exits, 1);
    }
    next_rip_start(NULL);
    vmcb->exit_code   = SVM_EXIT_IO;
    vmcb->exit_info_2 = 0x1001;
    (void)svm_on_exit_without_next_rip(&vcpu.run);
    assert_int_equal(vmcb->rip, 0x1001);
}

/* In 32-bit code, RIP has 32 bits. */
static void test_next_rip_wraps(void **state)
{
    (void)state;
    SET_CODE("\x0F\xA2");
    vmcb->rip = 0xFFFFFFFE;
    (void)svm_on_exit_without_next_rip(&vcpu.run);
    assert_int_equal(vmcb->rip, 0x100000000);
    next_rip_start(NULL);
    SET_CODE("\x0F\xA2");
    vmcb->segment[SEGMENT_CS].attributes = CODE_32_ATTRIBUTES;
    vmcb->rip                            = 0xFFFFFFFE;
    (void)svm_on_exit_without_next_rip(&vcpu.run);
    assert_int_equal(vmcb->rip, 0);
}

/* A guest that has changed the instruction since, gets #UD. */
static void test_changed_code(void **state)
{
    (void)state;
    static const char *const others[] = {"\xF4", "\x90", "\x0F\x30",
                                         "\x06"}; /* HLT, NOP, WRMSR, invalid */
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        next_rip_start(NULL);
        set_code(others[i], strlen(others[i]));
        (void)svm_on_exit_without_next_rip(&vcpu.run);
        assert_int_equal(svm.rows[SVM_EXIT_EXCEPTION + VECTOR_UD].exits, 1);
        assert_int_equal(svm.rows[SVM_EXIT_CPUID].exits, 0);
    }
}

static void put_entry(uint64_t address, uint64_t entry)
{
    memcpy(ram + address, &entry, sizeof(entry));
}

/* Maps linear 1000H to 5000H, by tables at 1000H, 2000H, 3000H and 4000H. */
static void map_code(void)
{
    put_entry(0x1000, 0x2003);
    put_entry(0x2000, 0x3003);
    put_entry(0x3000, 0x4003);
    put_entry(0x4008, UINT64_C(0x8000000000005003));
}

static void assert_length(uint64_t length, bool is_fetched)
{
    uint64_t rip = vmcb->rip;

    fetches = 0;
    (void)svm_on_exit_without_next_rip(&vcpu.run);
    assert_int_equal(vmcb->rip, rip + length);
    assert_int_equal(fetches, is_fetched);
    vmcb->rip = rip;
}

/* Instructions without prefixes are recognized by their bytes in guest memory. */
static void test_plain(void **state)
{
    (void)state;
    map_code();
    memcpy(ram + 0x5000, "\x0F\xA2\x90", 3);
    assert_length(2, false);
    vmcb->exit_code = SVM_EXIT_MSR;
    memcpy(ram + 0x5000, "\x0F\x30\x90", 3);
    assert_length(2, false);
    memcpy(ram + 0x5000, "\x0F\x32\x90", 3);
    assert_length(2, false);
    vmcb->exit_code = SVM_EXIT_HLT;
    memcpy(ram + 0x5000, "\xF4\x90\x90", 3);
    assert_length(1, false);
    vmcb->exit_code = SVM_EXIT_VMMCALL;
    memcpy(ram + 0x5000, "\x0F\x01\xD9", 3);
    assert_length(3, false);
    vmcb->exit_code = SVM_EXIT_WBINVD;
    memcpy(ram + 0x5000, "\x0F\x08\x90", 3);
    assert_length(2, false);
    memcpy(ram + 0x5000, "\x0F\x09\x90", 3);
    assert_length(2, false);
    memcpy(ram + 0x5000, "\xF3\x0F\x09", 3);
    assert_length(3, false);
    vmcb->exit_code = 0x08;
    memcpy(ram + 0x5000, "\x44\x0F\x20\xC0", 4);
    assert_length(4, false);
    vmcb->exit_code = 0x18;
    memcpy(ram + 0x5000, "\x44\x0F\x22\xC0", 4);
    assert_length(4, false);
    vmcb->exit_code = SVM_EXIT_VMMCALL;
    /* With a prefix it is decoded. */
    memcpy(ram + 0x5000, "\x66\x0F\x01\xD9", 4);
    SET_CODE("\x66\x0F\x01\xD9");
    assert_length(4, true);
}

/* The indexes in the tables are bits of the whole address. */
static void test_high_address(void **state)
{
    (void)state;
    vmcb->rip = UINT64_C(0xFFFF8A8045623456); /* indexes 277, 1, 43 and 35 */
    put_entry(0x1000 + 277 * 8, 0x2003);
    put_entry(0x2000 + 1 * 8, 0x3003);
    put_entry(0x3000 + 43 * 8, 0x4003);
    put_entry(0x4000 + 35 * 8, 0x5003);
    memcpy(ram + 0x5456, "\x0F\xA2\x90", 3);
    assert_length(2, false);
}

/* The code of an address that is not mapped is not that at the same physical address. */
static void test_not_mapped(void **state)
{
    (void)state;
    map_code();
    vmcb->rip = 0x5100;
    memcpy(ram + 0x5100, "\x0F\xA2\x90", 3);
    SET_CODE("\x66\x0F\xA2");
    assert_length(3, true);
}

/* Of a page that is larger, the address has more bits. */
static void test_large_page(void **state)
{
    (void)state;
    put_entry(0x1000, 0x2003);
    put_entry(0x2000, 0x3003);
    put_entry(0x3000, 0x83 | 0x1000); /* bit 12 is PAT */
    vmcb->rip = 0x5678;
    memcpy(ram + 0x5678, "\x0F\xA2\x90", 3);
    assert_length(2, false);
    put_entry(0x2000, 0x83);
    assert_length(2, false);
}

/* Code that is not found by 4-level tables is fetched. */
static void test_other_code(void **state)
{
    (void)state;
    SET_CODE("\x0F\xA2");
    map_code();
    vmcb->rip = 0x1FFC; /* in one page */
    memcpy(ram + 0x5FFC, "\x0F\xA2\x90", 3);
    assert_length(2, false);
    vmcb->rip = 0x1FFD; /* may continue in the next page */
    memcpy(ram + 0x5FFD, "\x0F\xA2", 2);
    assert_length(2, true);
    vmcb->segment[SEGMENT_CS].base = 0x10; /* ignored by 64-bit code */
    assert_length(2, true);
    vmcb->segment[SEGMENT_CS].base = 0;
    vmcb->rip                      = 0x1000;
    memcpy(ram + 0x5000, "\x0F\xA2\x90", 3);
    vmcb->cr4 |= CR4_LA57;
    assert_length(2, true);
    vmcb->cr4 &= ~(uint64_t)CR4_LA57;
    assert_length(2, false);
    vmcb->segment[SEGMENT_CS].attributes = CODE_32_ATTRIBUTES;
    assert_length(2, true);
    vmcb->segment[SEGMENT_CS].attributes = CODE_64_ATTRIBUTES;
    put_entry(0x3000, 0x4002); /* not present */
    assert_length(2, true);
    put_entry(0x3000, UINT64_C(0xFFFFFFFFFF003)); /* beyond RAM */
    assert_length(2, true);
    put_entry(0x1000, 0x7003);
    assert_length(2, true);
}

/* Without paging, the address is that of the segment. */
static void test_no_paging(void **state)
{
    (void)state;
    vmcb->cr0                            = CR0_PE;
    vmcb->efer                           = EFER_SVME;
    vmcb->segment[SEGMENT_CS].attributes = CODE_32_ATTRIBUTES;
    vmcb->segment[SEGMENT_CS].base       = 0x4000;
    vmcb->rip                            = 0x1234;
    memcpy(ram + 0x5234, "\x0F\xA2\x90", 3);
    assert_length(2, false);
    vmcb->segment[SEGMENT_CS].base = 0x100000;
    SET_CODE("\x0F\xA2");
    assert_length(2, true);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, next_rip_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_next_rip),   TEST(test_next_rip_wraps), TEST(test_changed_code),
        TEST(test_plain),      TEST(test_high_address),   TEST(test_not_mapped),
        TEST(test_large_page), TEST(test_other_code),     TEST(test_no_paging),
    };
    return cmocka_run_group_tests_name("svm_next_rip", tests, NULL, NULL);
}
