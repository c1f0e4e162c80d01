/* src/vmx/checks.c: each step, passed and failed. */
#include "snapshots.h"

#include "vmx/checks.h"
#include "vmx/entry_rules.h"

static struct cpu_record record;

static int record_start(void **state)
{
    (void)state;
    record = record_ready(&coffee_lake);
    return 0;
}

static char detail_text[256];

/* Returns the first check that does not pass, with its detail, or VMX_CHECK_COUNT. */
static enum vmx_check first_failure(struct text *detail)
{
    verdict_judge_cpu(&record);
    enum vmx_check failed = (enum vmx_check)record.judgement.failed_check;
    if (failed != VMX_CHECK_COUNT)
        assert_false(vmx_checks[failed].passes(&record, detail));
    return failed;
}

static bool passes_all_before(enum vmx_check end)
{
    TEXT_DECLARE(detail, 256);
    return first_failure(&detail) >= end;
}

/* Returns whether the trial would write IA32_FEATURE_CONTROL. */
static bool is_lock_needed(void)
{
    return passes_all_before(VMX_CHECK_FEATURE_CONTROL) &&
           feature_control_is_lock_needed(&record);
}

/* Asserts that this check is the first that fails, and that its detail has the words. */
static void assert_fails(enum vmx_check check, const char *words)
{
    struct text detail = {.buffer = detail_text, .size = sizeof(detail_text)};
    detail_text[0]     = '\0';
    assert_int_equal(first_failure(&detail), check);
    if (strstr(detail_text, words) == NULL)
        fail_msg("\"%s\" has no \"%s\"", detail_text, words);
}

static void assert_passes(enum vmx_check check, const char *expected)
{
    struct text detail = {.buffer = detail_text, .size = sizeof(detail_text)};
    detail_text[0]     = '\0';
    assert_true(vmx_checks[check].passes(&record, &detail));
    assert_string_equal(detail_text, expected);
}

static void test_ready(void **state)
{
    (void)state;
    struct text detail = {.buffer = detail_text, .size = sizeof(detail_text)};
    for (size_t i = 0; i < ARRAY_SIZE(all_recorded); i++) {
        record = record_ready(all_recorded[i]);
        assert_int_equal(first_failure(&detail), VMX_CHECK_COUNT);
        assert_true(passes_all_before(VMX_CHECK_VMXON));
        assert_int_equal(vmx_operation_cr0(&record), 0x80010033);
        assert_int_equal(vmx_operation_cr4(&record), 0x2060);
    }
    assert_int_equal(detail.length, 0);
}

static void test_details_of_real_processor(void **state)
{
    (void)state;
    assert_passes(VMX_CHECK_CPUID, "CPUID.01H:ECX[5] = 1 (ECX = 0x7ffafbbf)");
    assert_passes(VMX_CHECK_FEATURE_CONTROL, "0x20005: locked, VMX outside SMX enabled");
    assert_passes(VMX_CHECK_BASIC, "0x00da040000000004: revision 0x4, 1024 bytes");
    assert_passes(VMX_CHECK_CR0, "0x80010033 within 0x80000021 and 0xffffffff");
    assert_passes(VMX_CHECK_CR4, "0x2060 within 0x2000 and 0x3727ff");
    assert_passes(VMX_CHECK_INTEL_PT, "off");
    assert_passes(VMX_CHECK_VMXON, "VMXON succeeded");
    assert_passes(VMX_CHECK_ROOT_OPERATION,
                  "confirmed: a second VMXON failed with error 15");
    assert_passes(VMX_CHECK_GUEST, "exits 10 (CPUID) and 12 (HLT), with EPT");
    assert_passes(VMX_CHECK_VMXOFF, "VMX left: VMPTRST raises #UD");
    record = record_ready(&penryn);
    assert_passes(VMX_CHECK_INTEL_PT, "the processor has none");
    assert_passes(VMX_CHECK_GUEST, "exits 10 (CPUID) and 12 (HLT), without EPT");
}

/* The details of passed checks fit next to their names in 80 columns. */
static void test_widths(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_recorded); i++) {
        record                                  = record_ready(all_recorded[i]);
        vmx_record_of(&record)->feature_control = reading_of(0);
        vmx_record_of(&record)->steps.feature_control.is_tried = true;
        vmx_record_of(&record)->steps.feature_control.reading  = reading_of(5);
        for (enum vmx_check check = VMX_CHECK_CPUID; check < VMX_CHECK_COUNT; check++) {
            TEXT_DECLARE(detail, 256);
            assert_true(vmx_checks[check].passes(&record, &detail));
            assert_true(detail.length > 0 && detail.length <= 49);
            assert_true(strlen(vmx_checks[check].name) <= 20);
            assert_non_null(strstr(vmx_checks[check].source, "SDM 3"));
        }
    }
}

static void test_cpuid(void **state)
{
    (void)state;
    remove_vmx(&record);
    assert_fails(VMX_CHECK_CPUID, "CPUID.01H:ECX[5] = 0 (ECX = 0x7ffafb9f)");
    assert_false(passes_all_before(VMX_CHECK_VMXON));
    assert_false(is_lock_needed());
}

static void test_feature_control(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *words;
    } cases[] = {{0, "0x0: unlocked"},
                 {4, "0x4: unlocked"},
                 {1, "0x1: locked, VMX disabled"},
                 {3, "0x3: locked, VMX inside SMX (TXT) only"},
                 {0x20001, "0x20001: locked, VMX disabled"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        vmx_record_of(&record)->feature_control = reading_of(cases[i].value);
        assert_fails(VMX_CHECK_FEATURE_CONTROL, cases[i].words);
        assert_false(passes_all_before(VMX_CHECK_VMXON));
    }
    vmx_record_of(&record)->feature_control =
        (struct msr_reading){.state = MSR_FAULTED, .vector = 13};
    assert_fails(VMX_CHECK_FEATURE_CONTROL,
                 "RDMSR of IA32_FEATURE_CONTROL (0x3A) raised #GP");
    assert_false(is_lock_needed());
}

static void test_lock(void **state)
{
    (void)state;
    vmx_record_of(&record)->feature_control = reading_of(5);
    assert_false(is_lock_needed());
    vmx_record_of(&record)->feature_control = reading_of(1);
    assert_false(is_lock_needed());
    vmx_record_of(&record)->feature_control =
        reading_of(4); /* bit 2 without the lock bit is not sufficient */
    assert_true(is_lock_needed());
    record.nolock = true;
    assert_false(is_lock_needed());
    record.nolock = false;

    vmx_record_of(&record)->steps.feature_control =
        (struct msr_write){.is_tried = true, .written = 5, .reading = reading_of(5)};
    assert_passes(VMX_CHECK_FEATURE_CONTROL, "0x4, unlocked; set to 0x5 by Hymir");
    vmx_record_of(&record)->steps.feature_control.reading = reading_of(4);
    assert_fails(VMX_CHECK_FEATURE_CONTROL, "0x4: unlocked, written 0x5, but reads 0x4");
    vmx_record_of(&record)->steps.feature_control.reading =
        (struct msr_reading){.state = MSR_FAULTED, .vector = 13};
    assert_fails(VMX_CHECK_FEATURE_CONTROL, "written 0x5, but reads 0x0");
    vmx_record_of(&record)->steps.feature_control.fault = FAULT_RAISED | VECTOR_GP;
    assert_fails(VMX_CHECK_FEATURE_CONTROL, "0x4: unlocked, but WRMSR of 0x5 raised #GP");
}

static void test_basic(void **state)
{
    (void)state;
    const uint64_t valid = coffee_lake.msr[0];
    static const struct {
        uint64_t clear, set;
        const char *words;
    } cases[] = {
        {0, BIT(31), "bit 31 is set"},
        {UINT64_C(0x1FFF) << 32, 0, "a region of 0 bytes"},
        {UINT64_C(0x1FFF) << 32, UINT64_C(4097) << 32, "a region of 4097 bytes"},
        {UINT64_C(0xF) << 50, 0, "memory type 0"},
        {UINT64_C(0xF) << 50, UINT64_C(5) << 50, "memory type 5"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_msr(&record, MSR_IA32_VMX_BASIC, (valid & ~cases[i].clear) | cases[i].set);
        assert_fails(VMX_CHECK_BASIC, cases[i].words);
        assert_false(passes_all_before(VMX_CHECK_VMXON));
    }
    /* Hymir's regions are below 4 GiB, as bit 48 requires. */
    set_msr(&record, MSR_IA32_VMX_BASIC, valid | VMX_BASIC_ADDRESSES_32_BIT);
    assert_true(passes_all_before(VMX_CHECK_VMXON));
    set_msr(&record, MSR_IA32_VMX_BASIC, (valid & ~(UINT64_C(0x1FFF) << 32)) | BIT(44));
    assert_true(passes_all_before(VMX_CHECK_VMXON));
    vmx_record_of(&record)->capabilities.msr[0] =
        (struct msr_reading){.state = MSR_FAULTED, .vector = 13};
    assert_fails(VMX_CHECK_BASIC, "RDMSR of IA32_VMX_BASIC (0x480) raised #GP");
}

static void test_control_registers(void **state)
{
    (void)state;
    set_msr(&record, MSR_IA32_VMX_CR0_FIXED0, 0x80000021 | BIT(30));
    assert_fails(VMX_CHECK_CR0,
                 "CR0 bit 30 (CD) is required by FIXED0, but Hymir cannot set it");
    assert_false(passes_all_before(VMX_CHECK_VMXON));
    record = record_ready(&coffee_lake);
    set_msr(&record, MSR_IA32_VMX_CR0_FIXED1, 0x7FFFFFFF);
    assert_fails(VMX_CHECK_CR0,
                 "CR0 bit 31 (PG) is required by FIXED0 but not allowed by FIXED1");
    record = record_ready(&coffee_lake);
    set_msr(&record, MSR_IA32_VMX_CR4_FIXED0, 0x2000 | BIT(29));
    assert_fails(VMX_CHECK_CR4, "CR4 bit 29 (unnamed) is required by FIXED0");
    record = record_ready(&coffee_lake);
    set_msr(&record, MSR_IA32_VMX_CR4_FIXED1, 0x3727DF);
    assert_fails(VMX_CHECK_CR4,
                 "CR4 bit 5 (PAE) is required by Hymir but not allowed by FIXED1");
    record     = record_ready(&coffee_lake);
    record.cr4 = 0x2060;
    assert_fails(VMX_CHECK_CR4, "CR4.VMXE is set and cannot be cleared (CR4 = 0x2060)");
    assert_false(passes_all_before(VMX_CHECK_VMXON));
    record     = record_ready(&coffee_lake);
    record.cr0 = 0x80010013; /* without NE, VMXON would fault: NE is added */
    assert_int_equal(vmx_operation_cr0(&record), 0x80010033);
    assert_true(passes_all_before(VMX_CHECK_VMXON));
}

static void test_unreadable_fixed_bits(void **state)
{
    (void)state;
    static const struct {
        enum vmx_msr msr;
        enum vmx_check check;
    } cases[] = {{MSR_IA32_VMX_CR0_FIXED0, VMX_CHECK_CR0},
                 {MSR_IA32_VMX_CR0_FIXED1, VMX_CHECK_CR0},
                 {MSR_IA32_VMX_CR4_FIXED0, VMX_CHECK_CR4},
                 {MSR_IA32_VMX_CR4_FIXED1, VMX_CHECK_CR4}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        record = record_ready(&coffee_lake);
        vmx_record_of(&record)->capabilities.msr[cases[i].msr - VMX_MSR_FIRST] =
            (struct msr_reading){.state = MSR_FAULTED, .vector = 13};
        assert_fails(cases[i].check, "raised #GP, though CPUID announces VMX");
    }
}

static void test_intel_pt(void **state)
{
    (void)state;
    vmx_record_of(&record)->rtit_control = reading_of(0x2509);
    assert_passes(VMX_CHECK_INTEL_PT,
                  "tracing (IA32_RTIT_CTL = 0x2509), allowed with VMX");
    set_msr(&record, MSR_IA32_VMX_MISC, coffee_lake.msr[5] & ~VMX_MISC_INTEL_PT);
    assert_passes(VMX_CHECK_INTEL_PT,
                  "tracing (IA32_RTIT_CTL = 0x2509); VMXON ends the trace");
    assert_true(passes_all_before(VMX_CHECK_VMXON));
    vmx_record_of(&record)->rtit_control = reading_of(0x2508);
    assert_passes(VMX_CHECK_INTEL_PT, "off");
    vmx_record_of(&record)->rtit_control =
        (struct msr_reading){.state = MSR_FAULTED, .vector = 13};
    assert_passes(VMX_CHECK_INTEL_PT, "RDMSR of IA32_RTIT_CTL raised #GP; assumed off");
}

static void test_vmxon(void **state)
{
    (void)state;
    static const struct vmx_attempt invalid = {.is_tried = true,
                                               .result   = VMX_FAIL_INVALID};
    static const struct {
        const struct vmx_attempt *attempt;
        const char *words;
    } cases[] = {
        {&attempt_gp, "VMXON raised #GP (vector 13)"},
        {&attempt_ud, "VMXON raised #UD (vector 6)"},
        {&invalid, "VMXON failed with VMfailInvalid"},
        {&attempt_error_15,
         "VMXON failed with VMfailValid, error 15: VMXON executed in VMX root"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        vmx_record_of(&record)->steps.vmxon = *cases[i].attempt;
        assert_fails(VMX_CHECK_VMXON, cases[i].words);
    }
    vmx_record_of(&record)->steps.vmxon = (struct vmx_attempt){0};
    assert_fails(VMX_CHECK_VMXON, "VMXON was not reached");
}

/* A VMXON that "succeeds" but leaves the CPU outside VMX operation is detected. */
static void test_root_operation(void **state)
{
    (void)state;
    vmx_record_of(&record)->steps.vmptrst = attempt_ud;
    assert_fails(VMX_CHECK_ROOT_OPERATION, "VMPTRST raised #UD");
    record                                        = record_ready(&coffee_lake);
    vmx_record_of(&record)->steps.vmptrst_pointer = 0x1000;
    assert_fails(VMX_CHECK_ROOT_OPERATION,
                 "VMPTRST stored 0x1000; expected all ones without a current VMCS");
    record                                     = record_ready(&coffee_lake);
    vmx_record_of(&record)->steps.second_vmxon = attempt_succeeded;
    assert_fails(VMX_CHECK_ROOT_OPERATION, "a second VMXON succeeded");
    vmx_record_of(&record)->steps.second_vmxon = attempt_gp;
    assert_fails(VMX_CHECK_ROOT_OPERATION, "a second VMXON raised #GP");
    vmx_record_of(&record)->steps.second_vmxon = (struct vmx_attempt){0};
    assert_fails(VMX_CHECK_ROOT_OPERATION, "a second VMXON was not reached");
    vmx_record_of(&record)->steps.second_vmxon       = attempt_error_15;
    vmx_record_of(&record)->steps.second_vmxon.error = 9;
    assert_fails(VMX_CHECK_ROOT_OPERATION, "VMfailValid, error 9: VMPTRLD with invalid");
}

static void test_guest(void **state)
{
    (void)state;
    struct guest_trial *guest = &vmx_record_of(&record)->steps.guest;
    guest->is_prepared        = false;
    assert_fails(VMX_CHECK_GUEST, "VMCS field rejected; see the log");
    guest->is_prepared = true;
    guest->exits.count = 0;
    guest->entry =
        (struct vmx_attempt){.is_tried = true, .result = VMX_FAIL_VALID, .error = 7};
    assert_fails(VMX_CHECK_GUEST,
                 "VMLAUNCH failed with VMfailValid, error 7: VM entry with invalid");
    guest->is_resumed  = true;
    guest->entry.error = 5;
    assert_fails(VMX_CHECK_GUEST, "VMRESUME failed with VMfailValid, error 5");
    guest->entry           = attempt_succeeded;
    guest->exits.number[0] = 0x80000021;
    guest->exits.count     = 1;
    assert_fails(VMX_CHECK_GUEST,
                 "VM entry failed: invalid guest state, qualification 0x0");
    record.entry_violations = (struct entry_summary){
        .rules   = &vmx_entry_rules,
        .count   = 3,
        .content = {0x2000},
        .first   = {{.rule  = entry_rule_find(&vmx_entry_rules, "guest-ia32e-needs-pae"),
                     .value = VALUE_GUEST_CR4,
                     .bits  = BIT(5)}}};
    assert_fails(VMX_CHECK_GUEST, "qualification 0x0; GUEST_CR4 = 0x2000 violates "
                                  "guest-ia32e-needs-pae: bit 5 (PAE); 2 more");
    guest->exits.count = 0; /* only NMIs */
    assert_fails(VMX_CHECK_GUEST, "VM exits: 0; expected 10 (CPUID), 12 (HLT)");
    record                 = record_ready(&coffee_lake);
    guest->exits.number[1] = EXIT_REASON_TRIPLE_FAULT;
    assert_fails(VMX_CHECK_GUEST, "VM exits: 2, reasons 0xa and 0x2, qual");
    record             = record_ready(&coffee_lake);
    guest->exits.count = 3;
    assert_fails(VMX_CHECK_GUEST, "VM exits: 3, the first two with reasons 0xa and 0xc,");
    record                    = record_ready(&coffee_lake);
    guest->registers_survived = false;
    assert_fails(VMX_CHECK_GUEST, "RAX changed across");
}

static void test_vmxoff(void **state)
{
    (void)state;
    vmx_record_of(&record)->steps.vmxoff = attempt_ud;
    assert_fails(VMX_CHECK_VMXOFF, "VMXOFF raised #UD");
    record                                     = record_ready(&coffee_lake);
    vmx_record_of(&record)->steps.vmxe_cleared = false;
    assert_fails(VMX_CHECK_VMXOFF, "CR4.VMXE could not be cleared");
    record                                     = record_ready(&coffee_lake);
    vmx_record_of(&record)->steps.after_vmxoff = attempt_succeeded;
    assert_fails(VMX_CHECK_VMXOFF, "VMPTRST after VMXOFF succeeded");
    vmx_record_of(&record)->steps.after_vmxoff = attempt_gp;
    assert_fails(VMX_CHECK_VMXOFF, "VMPTRST after VMXOFF raised #GP");
}

#define TEST(name) cmocka_unit_test_setup(name, record_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ready),
        TEST(test_details_of_real_processor),
        TEST(test_widths),
        TEST(test_cpuid),
        TEST(test_feature_control),
        TEST(test_lock),
        TEST(test_basic),
        TEST(test_control_registers),
        TEST(test_unreadable_fixed_bits),
        TEST(test_intel_pt),
        TEST(test_vmxon),
        TEST(test_root_operation),
        TEST(test_guest),
        TEST(test_vmxoff),
    };
    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
