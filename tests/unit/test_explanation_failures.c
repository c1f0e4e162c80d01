/*
 * tools/explain: what the program says of entries that failed in other ways than by
 * invalid guest state: VM-instruction errors, MSRs that were not loaded, and others.
 */
#include "explained.h"

/* SDM 3C, "VM-Entry Failures During or After Loading Guest State". */
static void test_qualifications(void **state)
{
    static const struct {
        const char *reason, *words;
    } rows[] = {
        {"reason=80000021 qualification=0000000000000002", "0x2 (PDPTEs)."},
        {"reason=80000021 qualification=0000000000000003", "0x3 (NMI while STI blocks"},
        {"reason=80000021 qualification=0000000000000004", "0x4 (VMCS link pointer)."},
        {"reason=80000021 qualification=0000000000000001", "0x1."},
        {"reason=80000021 qualification=ffffffffffffffff", "0xffffffffffffffff."},
        {"reason=80000022 qualification=0000000000000002", "0x2."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        posting_load(&posting, "kvm_6_1_single_step");
        replace("reason=80000021 qualification=0000000000000000", rows[i].reason);
        (void)explain_posting();
        assert_said(rows[i].words);
    }
}

/* QEMU says how the entry failed that KVM dumped with an older exit reason. */
static void test_instruction_error(void **state)
{
    (void)state;
    posting_load(&posting, "kvm_4_4_accessed");
    replace("reason=80000021", "reason=00000030");
    replace("CPUBased=b5a06dfa", "CPUBased=35a06dfa"); /* no secondary controls */
    replace("PinBased=0000003f", "PinBased=00000037"); /* virtual NMIs without exiting */
    posting_add_string(&posting, "KVM: entry failed, hardware error 0x7\n");
    assert_int_equal(explain_posting(), EXPLANATION_VIOLATIONS);
    assert_said("The entry failed: VM-instruction error 7 (");
    assert_said("PIN_BASED_CONTROLS = 0x37: bit 3 (NMI exiting)");
    assert_int_equal(count_said("segment-accessed"), 0);
}

/* The exit qualification is the number of the entry, from 1, of the MSR-load area. */
static void test_msr_loading(void **state)
{
    (void)state;
    posting_load(&posting, "kvm_6_1_single_step");
    replace("reason=80000021 qualification=0000000000000000",
            "reason=80000022 qualification=0000000000000002");
    replace("*** Host State", "MSR guest autoload:\n"
                              "   0: msr=0xc0000100 value=0x0000000000001000\n"
                              "   1: msr=0xc0000101 value=0x0000000000002000\n"
                              "*** Host State");
    assert_int_equal(explain_posting(), EXPLANATION_VIOLATIONS);
    assert_said("exit reason 0x80000022 (MSR loading), qualification 0x2.");
    assert_said("= 0xc0000101: ");
    assert_int_equal(count_said("nearest valid"), 1);
}

/* Xen prints the entry itself. Of most MSRs, which values are valid is not known. */
static void test_failed_msr(void **state)
{
    static const struct {
        const char *line, *words[2];
        size_t violations;
    } rows[] = {
        {"msr 000001dd val 1ffff80676f52be5 (mbz 0)",
         {"MSR 0x1dd was not loaded with 0x1ffff80676f52be5.",
          "1 cannot be judged without:\n  - what processors differ in\n"},
         0},
        {"msr c0000101 val 0000000000002000 (mbz 0)",
         {"MSR 0xc0000101 was not", "msr-load-number:"},
         1},
        {"msr c0000082 val 0000000000002000 (mbz 0x1)",
         {"MSR 0x1c0000082 was not", "msr-load-reserved:"},
         1},
        {"msr c0000082 val 8000000000000000 (mbz 0)",
         {"was not loaded with 0x8000000000000000.", "msr-load-value:"},
         1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        posting_load(&posting, "xen_4_17_single_step");
        replace("failure (reason 0x80000021): Invalid guest state (0)",
                "failure (reason 0x80000022): MSR loading (entry 1)");
        replace("************* VMCS", rows[i].line);
        replace("reason=80000021 qualification=0000000000000000",
                "reason=80000022 qualification=0000000000000002");
        assert_int_equal(explain_posting(), rows[i].violations);
        assert_said(rows[i].words[0]);
        assert_said(rows[i].words[1]);
        assert_int_equal(count_said("nearest valid"), rows[i].violations);
    }
}

/* Errors of the instruction itself, which name their rule, and count no other. */
static void test_basic_errors(void **state)
{
    static const struct {
        const char *line, *words;
        enum explanation_status status;
    } rows[] = {
        {"hardware error 0x4\n", "launch-clear-vmcs:", EXPLANATION_VIOLATIONS},
        {"hardware error 0x5\n", "resume-launched-vmcs:", EXPLANATION_VIOLATIONS},
        {"hardware error 0x6\n", "resume-before-vmxoff:", EXPLANATION_VIOLATIONS},
        {"hardware error 0x1a\n", "no-mov-ss-blocking:", EXPLANATION_VIOLATIONS},
        {"hardware error 0x10\n", ", 1 cannot be judged without:\n  - SMM (", 0},
        {"hardware error 0x11\n", ", 1 cannot be judged without:\n  - SMM (", 0},
        {"hardware error 0x12\n", ", 1 cannot be judged without:\n  - SMM (", 0},
        {"hardware error 0x19\n", ", 1 cannot be judged without:\n  - SMM (", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        posting_load(&posting, "kvm_4_4_accessed");
        replace("reason=80000021", "reason=00000030");
        posting_add_string(&posting, "KVM: entry failed, ");
        posting_add_string(&posting, rows[i].line);
        assert_int_equal(explain_posting(), rows[i].status);
        assert_said(rows[i].words);
        if (rows[i].status == EXPLANATION_VIOLATIONS)
            assert_said("1 violated, 0 hold, 0 do not apply, 0 cannot be judged\n");
    }
}

/* VirtualBox prints the controls, and at its start the capability MSRs. */
static void test_virtualbox(void **state)
{
    (void)state;
    assert_int_equal(
        explain_string("HM: MSR_IA32_VMX_BASIC                = 0xda040000000012\n"
                       "HM: MSR_IA32_VMX_TRUE_PINBASED_CTLS   = 0x7f00000016\n"
                       "HM: VERR_VMX_UNABLE_TO_START_VM:\n"
                       "HM: CPU[0] Instruction error    0x7\n"
                       "HM: CPU[0] PinCtls              0xbf\n"),
        EXPLANATION_VIOLATIONS);
    assert_said("The entry failed: VM-instruction error 7 (");
    assert_said("PIN_BASED_CONTROLS = 0xbf: bit 7 (process posted interrupts); "
                "nearest valid\n  value 0x3f\n");
}

/* Error 1 is not one of VM entry: no rule is printed. */
static void test_error_without_rules(void **state)
{
    (void)state;
    posting_load(&posting, "kvm_4_4_accessed");
    replace("reason=80000021", "reason=00000030");
    posting_add_string(&posting, "(XEN) d1v0 VMRESUME error: 0x1\n");
    assert_int_equal(explain_posting(), EXPLANATION_NOTHING_VIOLATED);
    assert_said("No rule of VM entry leads to that.");
    assert_int_equal(count_said("violated"), 0);
}

/* An exit reason that is told outside of dumps is not that of one that has its own. */
static void test_failure_of_another_dump(void **state)
{
    (void)state;
    posting_load(&posting, "xen_4_17_single_step");
    replace("reason=80000021", "reason=00000030");
    assert_int_equal(explain_posting(), EXPLANATION_NOTHING_VIOLATED);
    assert_said("The entry did not fail: it ended with a VM exit, reason 48 (EPT");
    posting_load(&posting, "xen_4_17_single_step");
    replace("reason=80000021 ", "");
    assert_int_equal(explain_posting(), EXPLANATION_VIOLATIONS);
    assert_said("The entry failed: exit reason 0x80000021 (");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qualifications),
        cmocka_unit_test(test_instruction_error),
        cmocka_unit_test(test_msr_loading),
        cmocka_unit_test(test_failed_msr),
        cmocka_unit_test(test_basic_errors),
        cmocka_unit_test(test_virtualbox),
        cmocka_unit_test(test_error_without_rules),
        cmocka_unit_test(test_failure_of_another_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
