/* src/svm/checks.c: each step, passed and failed. */
#include "snapshots_amd.h"

#include "svm/checks.h"
#include "svm/vm_control.h"

static struct cpu_record record;
static struct svm_record *own;
static char detail_text[256];

static int record_start(void **state)
{
    (void)state;
    record = record_ready(&ryzen_1700x);
    own    = svm_record_of(&record);
    return 0;
}

/* Returns the first check that does not pass, with its detail, or SVM_CHECK_COUNT. */
static enum svm_check first_failure(void)
{
    struct text detail = {.buffer = detail_text, .size = sizeof(detail_text)};
    detail_text[0]     = '\0';
    verdict_judge_cpu(&record);
    enum svm_check failed = (enum svm_check)record.judgement.failed_check;
    if (failed != SVM_CHECK_COUNT)
        assert_false(svm_checks[failed].passes(&record, &detail));
    return failed;
}

static void assert_fails(enum svm_check check, const char *expected)
{
    assert_int_equal(first_failure(), check);
    assert_string_equal(detail_text, expected);
}

static void assert_passes(enum svm_check check, const char *expected)
{
    struct text detail = {.buffer = detail_text, .size = sizeof(detail_text)};
    detail_text[0]     = '\0';
    assert_true(svm_checks[check].passes(&record, &detail));
    assert_string_equal(detail_text, expected);
}

static void test_ready(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_amd); i++) {
        record = record_ready(all_amd[i]);
        assert_int_equal(first_failure(), SVM_CHECK_COUNT);
        assert_true(amd_v.is_offered(&record.cpuid));
        assert_true(amd_v.is_usual(&record.cpuid));
        assert_false(vm_control_is_write_needed(&record));
    }
}

static void test_details_of_real_processors(void **state)
{
    (void)state;
    assert_passes(SVM_CHECK_CPUID, "CPUID.80000001H:ECX[2] = 1 (ECX = 0x35c233ff)");
    assert_passes(SVM_CHECK_FEATURES, "revision 1, 32768 ASIDs, features 0x0001bcff");
    assert_passes(SVM_CHECK_VM_CR, "0x8: SVM not disabled");
    assert_passes(SVM_CHECK_SVME, "set: EFER = 0x1d00");
    assert_passes(SVM_CHECK_HSAVE, "set to 0x11d000");
    assert_passes(SVM_CHECK_GIF, "CLGI held an interrupt back until STGI");
    assert_passes(SVM_CHECK_GUEST, "exits 0x72 (CPUID) and 0x78 (HLT)");
    assert_passes(SVM_CHECK_NESTED_PAGING, "works: a mapped page was read");
    assert_passes(SVM_CHECK_LEAVE, "SVM left: CLGI raises #UD");
    record = record_ready(&opteron_2378);
    assert_passes(SVM_CHECK_FEATURES, "revision 1, 64 ASIDs, features 0x0000000f");
    record = record_ready(&bochs_ryzen);
    assert_passes(SVM_CHECK_VM_CR, "RDMSR of VM_CR raised #GP; assumed enabled");
    record = record_ready(&tcg_qemu64);
    assert_passes(SVM_CHECK_NESTED_PAGING,
                  "not advertised, works: a mapped page was read");
}

static void assert_fits(void)
{
    for (enum svm_check check = SVM_CHECK_CPUID; check < SVM_CHECK_COUNT; check++) {
        TEXT_DECLARE(detail, 256);
        assert_true(svm_checks[check].passes(&record, &detail));
        if (detail.length == 0 || detail.length > 49 ||
            strlen(svm_checks[check].name) > 20)
            fail_msg("%s  %s", svm_checks[check].name, detail.buffer);
        assert_non_null(strstr(svm_checks[check].source, "APM "));
    }
}

/* The details of passed checks fit next to their names in 80 columns. */
static void test_widths(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_amd); i++) {
        record = record_ready(all_amd[i]);
        assert_fits();
    }
    own->vm_cr             = reading_of(0x12);
    own->steps.vm_cr       = write_of(2);
    own->steps.gif.is_sent = false;
    assert_fits();
}

static void test_cpuid(void **state)
{
    (void)state;
    remove_svm(&record);
    assert_fails(SVM_CHECK_CPUID, "CPUID.80000001H:ECX[2] = 0 (ECX = 0x35c233fb)");
    assert_false(amd_v.is_offered(&record.cpuid));
}

static void test_features(void **state)
{
    (void)state;
    record.cpuid.leaf_8000000a.ebx = 1;
    assert_fails(SVM_CHECK_FEATURES,
                 "revision 1, 1 ASIDs, features 0x0001bcff; a guest needs an ASID other "
                 "than the host's");
    record.cpuid.leaf_8000000a.ebx = 0;
    assert_fails(SVM_CHECK_FEATURES,
                 "revision 1, 0 ASIDs, features 0x0001bcff; a guest needs an ASID other "
                 "than the host's");
    record.cpuid.leaf_8000000a.ebx = 2;
    assert_int_equal(first_failure(), SVM_CHECK_COUNT);
    record.cpuid.leaf_8000000a.eax = 0xFFFFFF00; /* reserved bits */
    assert_fails(SVM_CHECK_FEATURES, "revision 0, 2 ASIDs, features 0x0001bcff; "
                                     "CPUID.8000000AH reports no SVM revision");
    record.cpuid.leaf_8000000a = (struct cpuid_result){0}; /* beyond the last leaf */
    assert_fails(SVM_CHECK_FEATURES, "revision 0, 0 ASIDs, features 0x00000000; "
                                     "CPUID.8000000AH reports no SVM revision");
}

static void test_vm_cr(void **state)
{
    (void)state;
    static const uint64_t enabled[] = {0, 2, 8, 0xA};
    for (size_t i = 0; i < ARRAY_SIZE(enabled); i++) {
        own->vm_cr = reading_of(enabled[i]);
        assert_int_equal(first_failure(), SVM_CHECK_COUNT);
        assert_false(vm_control_is_write_needed(&record));
    }
    own->vm_cr = reading_of(0x18);
    assert_false(vm_control_is_write_needed(&record));
    assert_fails(
        SVM_CHECK_VM_CR,
        "0x18: SVM disabled and locked, with a key that only firmware has"); /* SVML */
    record.cpuid.leaf_8000000a.edx &= ~(uint32_t)SVM_FEATURE_SVM_LOCK;
    assert_fails(SVM_CHECK_VM_CR, "0x18: SVM disabled and locked");
    own->vm_cr = reading_of(0x10);
    assert_true(vm_control_is_write_needed(&record));
    assert_fails(SVM_CHECK_VM_CR, "0x10: SVM disabled, not locked");
    record.nolock = true;
    assert_false(vm_control_is_write_needed(&record));
    own->vm_cr = msr_raised_gp;
    assert_false(vm_control_is_write_needed(&record));
    assert_int_equal(first_failure(), SVM_CHECK_COUNT);
}

/* The value that counts after a write is the one read back. */
static void test_vm_cr_write(void **state)
{
    (void)state;
    own->vm_cr       = reading_of(0x12);
    own->steps.vm_cr = write_of(2);
    assert_passes(SVM_CHECK_VM_CR, "0x12: SVM disabled, not locked; cleared by Hymir");
    assert_int_equal(first_failure(), SVM_CHECK_COUNT);
    own->steps.vm_cr.reading = reading_of(0x12);
    assert_fails(SVM_CHECK_VM_CR,
                 "0x12: SVM disabled, not locked; written 0x2, but reads 0x12");
    own->steps.vm_cr.reading = msr_raised_gp;
    assert_fails(SVM_CHECK_VM_CR,
                 "0x12: SVM disabled, not locked; written 0x2, but reads 0x0");
    own->steps.vm_cr = write_that_raised(VECTOR_GP, 2, 0x12);
    assert_fails(SVM_CHECK_VM_CR,
                 "0x12: SVM disabled, not locked; WRMSR of 0x2 raised #GP");
}

static void test_svme(void **state)
{
    (void)state;
    own->steps.efer = (struct msr_write){0};
    assert_fails(SVM_CHECK_SVME, "WRMSR of EFER was not reached");
    own->steps.efer = write_that_raised(VECTOR_GP, 0x1D00, 0xD00);
    assert_fails(SVM_CHECK_SVME, "WRMSR of EFER = 0x1d00 raised #GP");
    own->steps.efer         = write_of(0x1D00);
    own->steps.efer.reading = reading_of(0xD00);
    assert_fails(SVM_CHECK_SVME, "EFER was set to 0x1d00, but reads 0xd00");
    own->steps.efer.reading = msr_raised_gp;
    assert_fails(SVM_CHECK_SVME, "EFER was set to 0x1d00, but reads 0x0");
    own->efer       = reading_of(0x1D01);
    own->steps.efer = write_of(0x1D01);
    assert_fails(
        SVM_CHECK_SVME,
        "EFER.SVME is set and cannot be cleared (EFER = 0x1d01): software started before "
        "Hymir may be using SVM");
}

static void test_hsave(void **state)
{
    (void)state;
    own->steps.vm_hsave_pa = (struct msr_write){0};
    assert_fails(SVM_CHECK_HSAVE, "WRMSR of VM_HSAVE_PA was not reached");
    own->steps.vm_hsave_pa = write_that_raised(VECTOR_GP, 0x11D000, 0);
    assert_fails(SVM_CHECK_HSAVE, "WRMSR of VM_HSAVE_PA = 0x11d000 raised #GP");
    own->steps.vm_hsave_pa         = write_of(0x11D000);
    own->steps.vm_hsave_pa.reading = reading_of(0);
    assert_fails(SVM_CHECK_HSAVE, "VM_HSAVE_PA was set to 0x11d000, but reads 0x0");
}

static void test_gif(void **state)
{
    (void)state;
    own->steps.gif.is_taken = false;
    assert_fails(SVM_CHECK_GIF, "an interrupt sent after CLGI was not taken after STGI");
    own->steps.gif.is_taken       = true;
    own->steps.gif.is_taken_early = true;
    assert_fails(SVM_CHECK_GIF, "an interrupt was taken between CLGI and STGI");
    own->steps.gif = (struct gif_trial){.is_tried = true}; /* no APIC */
    assert_passes(SVM_CHECK_GIF, "CLGI, STGI executed; not proved without an APIC");
    own->steps.gif.is_tried = false;
    assert_fails(SVM_CHECK_GIF, "CLGI was not reached");
}

static void test_guest(void **state)
{
    (void)state;
    struct guest_trial *guest = &own->steps.guest;

    guest->rax = TRIAL_MARK_PROBE;
    assert_fails(SVM_CHECK_GUEST, "RAX changed across VM entry and VM exit");
    record_start(NULL);
    guest->exits.count     = 0; /* only NMIs: no code was stored */
    guest->exits.number[0] = UINT64_MAX;
    assert_fails(SVM_CHECK_GUEST, "VM exits: 0; expected 0x72 (CPUID), 0x78 (HLT)");
    guest->exits.count     = 1;
    guest->exits.number[0] = SVM_EXIT_SHUTDOWN;
    assert_fails(SVM_CHECK_GUEST, "VM exits: 1, code 0x7f, EXITINFO 0x0 and 0x0; "
                                  "expected 0x72 (CPUID), 0x78 (HLT)");
    record_start(NULL);
    guest->exits.number[1] = SVM_EXIT_NESTED_PAGE_FAULT;
    guest->exit_info[0]    = 0x100000014;
    guest->exit_info[1]    = 0x5000;
    assert_fails(SVM_CHECK_GUEST,
                 "VM exits: 2, codes 0x72 and 0x400, EXITINFO 0x100000014 and 0x5000; "
                 "expected 0x72 (CPUID), 0x78 (HLT)");
    record_start(NULL);
    guest->exits.number[0] = SVM_EXIT_HLT;
    assert_int_equal(first_failure(), SVM_CHECK_GUEST);
    record_start(NULL);
    guest->exits.count = 3;
    assert_fails(SVM_CHECK_GUEST,
                 "VM exits: 3, the first two with codes 0x72 and 0x78, EXITINFO 0x0 and "
                 "0x0; expected 0x72 (CPUID), 0x78 (HLT)");
    guest->is_tried = false;
    assert_fails(SVM_CHECK_GUEST, "VMRUN was not reached");
}

/* Processors store all ones in 64 bits, some emulators only in 32. */
static void test_invalid(void **state)
{
    (void)state;
    static const uint64_t codes[] = {UINT64_MAX, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        record_start(NULL);
        own->steps.nested = (struct guest_trial){
            .is_tried = true, .exits = {.count = 1, .number = {codes[i]}}};
        assert_fails(SVM_CHECK_NESTED_PAGING,
                     "VMRUN failed with VMEXIT_INVALID: the processor rejected the VMCB");
        own->steps.guest = own->steps.nested;
        assert_fails(SVM_CHECK_GUEST,
                     "VMRUN failed with VMEXIT_INVALID: the processor rejected the VMCB");
    }
}

static void set_nested_paging_reported(bool is_reported)
{
    record.cpuid.leaf_8000000a.edx &= ~(uint32_t)SVM_FEATURE_NESTED_PAGING;
    if (is_reported)
        record.cpuid.leaf_8000000a.edx |= (uint32_t)SVM_FEATURE_NESTED_PAGING;
}

static void test_nested_paging(void **state)
{
    (void)state;
    struct guest_trial *nested = &own->steps.nested;

    set_nested_paging_reported(false);
    assert_passes(SVM_CHECK_NESTED_PAGING,
                  "not advertised, works: a mapped page was read");
    assert_true(svm_has_nested_paging(&record));
    nested->rax = TRIAL_MARK_PROBE;
    assert_false(svm_has_nested_paging(&record));
    assert_passes(SVM_CHECK_NESTED_PAGING, "not advertised, and does not work");
    nested->exits.number[0] = UINT64_MAX;
    assert_passes(SVM_CHECK_NESTED_PAGING, "not advertised, and does not work");
    nested->exits.number[0] = SVM_EXIT_VMMCALL;
    set_nested_paging_reported(true);
    assert_fails(SVM_CHECK_NESTED_PAGING, "advertised, but NP_ENABLE had no effect");
    nested->rax             = 0;
    nested->exits.number[0] = SVM_EXIT_NESTED_PAGE_FAULT;
    nested->exit_info[0]    = 0x100000006;
    nested->exit_info[1]    = 0x123000;
    assert_fails(SVM_CHECK_NESTED_PAGING,
                 "VM exits: 1, code 0x400, EXITINFO 0x100000006 and 0x123000; expected "
                 "0x81 (VMMCALL)");
    record_start(NULL);
    nested->exits.count = 2;
    assert_false(svm_has_nested_paging(&record));
    assert_int_equal(first_failure(), SVM_CHECK_NESTED_PAGING);
    nested->is_tried    = false;
    nested->exits.count = 0;
    assert_fails(SVM_CHECK_NESTED_PAGING, "VMRUN was not reached");
}

static void test_leave(void **state)
{
    (void)state;
    own->steps.last_vm_hsave_pa = (struct msr_write){0};
    assert_fails(SVM_CHECK_LEAVE, "WRMSR of VM_HSAVE_PA was not reached");
    own->steps.last_vm_hsave_pa = write_of(0);
    own->steps.last_efer        = write_that_raised(VECTOR_GP, 0xD00, 0x1D00);
    assert_fails(SVM_CHECK_LEAVE, "WRMSR of EFER = 0xd00 raised #GP");
    own->steps.last_efer         = write_of(0xD00);
    own->steps.last_efer.reading = reading_of(0x1D00);
    assert_fails(SVM_CHECK_LEAVE, "EFER was set to 0xd00, but reads 0x1d00");
    own->steps.last_efer           = write_of(0xD00);
    static const uint32_t faults[] = {FAULT_NONE, FAULT_RAISED | VECTOR_GP};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        own->steps.after_svme = faults[i];
        assert_fails(SVM_CHECK_LEAVE, "CLGI after EFER.SVME was cleared raised no #UD");
    }
}

#define TEST(name) cmocka_unit_test_setup(name, record_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ready),         TEST(test_details_of_real_processors),
        TEST(test_widths),        TEST(test_cpuid),
        TEST(test_features),      TEST(test_vm_cr),
        TEST(test_vm_cr_write),   TEST(test_svme),
        TEST(test_hsave),         TEST(test_gif),
        TEST(test_guest),         TEST(test_invalid),
        TEST(test_nested_paging), TEST(test_leave),
    };
    return cmocka_run_group_tests_name("svm_checks", tests, NULL, NULL);
}
