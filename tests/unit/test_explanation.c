/*
 * tools/explain: what the program says of dumps that people post. The dumps of
 * tests/dumps have the values of two public reports whose cause is known, and a VMCB with
 * CS.L and CS.D.
 */
#include "explained.h"
#include "random.h"

/* Each dump, the rule that it violates, and what must be said of it. */
static const struct {
    const char *name, *rule, *words[2];
    size_t violations;
} dumps[] = {
#define ACCESSED                                              \
    "segment-accessed:",                                      \
        {"GUEST_DS_ACCESS_RIGHTS = 0xc0f2: bit 0 (accessed",  \
         "GUEST_ES_ACCESS_RIGHTS = 0xc0f2: bit 0 (accessed"}, \
        2
#define SINGLE_STEP                                                          \
    "pending-debug-single-step:",                                            \
        {"GUEST_PENDING_DEBUG_EXCEPTIONS = 0x0: bit 14 (BS); nearest valid", \
         "Checks on Guest"},                                                 \
        1
#define L_AND_D                                                          \
    "cs-d-with-l:",                                                      \
        {"CS attributes = 0xe9b: bit 10 (D); nearest valid value 0xa9b", \
         "VMEXIT_INVALID"},                                              \
        1
    {"kvm_4_4_accessed", ACCESSED},
    {"kvm_6_1_accessed", ACCESSED},
    {"xen_4_3_accessed", ACCESSED},
    {"xen_4_17_accessed", ACCESSED},
    {"kvm_4_4_single_step", SINGLE_STEP},
    {"kvm_6_1_single_step", SINGLE_STEP},
    {"xen_4_3_single_step", SINGLE_STEP},
    {"xen_4_17_single_step", SINGLE_STEP},
    {"kvm_4_19_amd", L_AND_D},
    {"kvm_6_8_amd", L_AND_D},
    {"xen_4_3_amd", L_AND_D},
    {"xen_4_17_amd", L_AND_D},
};
#define DUMP_COUNT (sizeof(dumps) / sizeof(dumps[0]))

static struct posting changed_twice;

/* The right rule, and nothing false. */
static void assert_explained(size_t dump, const struct posting *of, const char *how)
{
    enum explanation_status status = explain(of->text, of->length);
    size_t violations              = dumps[dump].violations;

    if (status != EXPLANATION_VIOLATIONS || count_said(dumps[dump].rule) != violations ||
        count_said("nearest valid") != violations ||
        strstr(output, dumps[dump].words[0]) == NULL ||
        strstr(output, dumps[dump].words[1]) == NULL)
        fail_msg("%s, %s: status %d:\n%s", dumps[dump].name, how, (int)status, output);
}

static void test_known_inputs(void **state)
{
    (void)state;
    for (size_t i = 0; i < DUMP_COUNT; i++) {
        posting_load(&posting, dumps[i].name);
        assert_explained(i, &posting, "as printed");
        posting_prefix(&changed, &posting,
                       "Nov 29 20:23:19 host kernel: [ 1234.5678%d] kvm_intel: ");
        assert_explained(i, &changed, "with prefixes");
        posting_wrap(&changed, &posting, 60, "");
        assert_explained(i, &changed, "wrapped");
        posting_prefix(&changed_twice, &changed, ">> ");
        assert_explained(i, &changed_twice, "wrapped and quoted");
        posting_interleave(&changed, &posting);
        assert_explained(i, &changed, "with other lines");
    }
}

static void test_nothing_violated(void **state)
{
    (void)state;
    posting_load(&posting, "kvm_6_1_single_step");
    replace("DebugExceptions = 0x0000000000000000",
            "DebugExceptions = 0x0000000000004000");
    assert_int_equal(explain_posting(), EXPLANATION_NOTHING_VIOLATED);
    assert_said("0 violated, ");
    posting_load(&posting, "kvm_6_8_amd");
    replace("a: 0e9b", "a: 0a9b");
    assert_int_equal(explain_posting(), EXPLANATION_NOTHING_VIOLATED);
    assert_said("0 violated, ");
}

/* Without its heading, the host's state is not the guest's. */
static void test_missing_heading(void **state)
{
    static const char *const names[] = {"kvm_4_4_accessed", "kvm_6_1_accessed",
                                        "xen_4_17_accessed"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        posting_load(&posting, names[i]);
        replace("*** Host State ***\n", "\n");
        assert_int_equal(explain_posting(), EXPLANATION_VIOLATIONS);
        assert_int_equal(count_said("nearest valid"), 2);
    }
}

/* The other known reports. */
static void test_other_reports(void **state)
{
    static const struct {
        const char *from, *to, *words;
    } rows[] = {
        {"CR4: actual=0x00000000003726f0", "CR4: actual=0x00000000003726d0",
         "GUEST_CR4 = 0x3726d0: bit 5 (PAE); nearest valid value 0x3726f0"},
        {"EFER= 0x0000000000000d01", "EFER= 0x0000000000000901",
         "GUEST_IA32_EFER = 0x901: bit 10 (LMA); nearest valid value 0xd01"},
        {"attr=0x0a09b", "attr=0x0e09b", "GUEST_CS_ACCESS_RIGHTS = 0xe09b: bit 14 (D/B)"},
        {"TR:   sel=0x0040, attr=0x0008b", "TR:   sel=0x0040, attr=0x00089",
         "GUEST_TR_ACCESS_RIGHTS = 0x89: bits 3:0 (type); nearest valid"},
        {"RFLAGS=0x00000146", "RFLAGS=0x00000144", "GUEST_RFLAGS = 0x144: bit 1 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        posting_load(&posting, "kvm_6_1_single_step");
        replace("DebugExceptions = 0x0000000000000000",
                "DebugExceptions = 0x0000000000004000");
        replace(rows[i].from, rows[i].to);
        assert_int_equal(explain_posting(), EXPLANATION_VIOLATIONS);
        assert_said(rows[i].words);
        assert_int_equal(count_said("nearest valid") - count_said("of guest-efer-lma)"),
                         1);
    }
}

/* An exit is told apart; only controls and host state can have failed afterwards. */
static void test_no_failed_entry(void **state)
{
    (void)state;
    posting_load(&posting, "kvm_4_4_accessed");
    replace("reason=80000021", "reason=00000030");
    assert_int_equal(explain_posting(), EXPLANATION_NOTHING_VIOLATED);
    assert_said("The entry did not fail: it ended with a VM exit, reason 48 (EPT "
                "violation),");
    posting_load(&posting, "kvm_6_8_amd");
    replace("exit_code:          ffffffff", "exit_code:          00000400");
    assert_int_equal(explain_posting(), EXPLANATION_NOTHING_VIOLATED);
    assert_said("VMRUN did not fail: it ended with exit code 0x400 (nested page fault)");
}

static void test_several_dumps(void **state)
{
    (void)state;
    posting_load(&posting, "xen_4_17_single_step");
    posting_load(&changed, "xen_4_17_amd");
    posting_add(&posting, changed.text, changed.length);
    posting_load(&changed, "kvm_4_4_accessed");
    posting_add(&posting, changed.text, changed.length);
    assert_int_equal(explain_posting(), EXPLANATION_VIOLATIONS);
    assert_int_equal(count_said("pending-debug-single-step:"), 1);
    assert_int_equal(count_said("segment-accessed:"), 2);
    assert_int_equal(count_said("cs-d-with-l:"), 1);
    assert_said("VMCB of line 53, domain 2, vCPU 0: 18 values");
}

static void test_no_dump(void **state)
{
    (void)state;
    assert_int_equal(explain_string(""), EXPLANATION_NO_DUMP);
    assert_int_equal(explain_string("*** Guest State ***\n"), EXPLANATION_NO_DUMP);
    assert_said("dump_invalid_vmcs=1");
    assert_int_equal(explain_string("KVM: entry failed, hardware error 0x80000021\n"),
                     EXPLANATION_NO_DUMP);
    assert_said("Exit reason 0x80000021: invalid guest state.");
    assert_int_equal(explain_string("KVM: entry failed, hardware error 0x7\n"),
                     EXPLANATION_NO_DUMP);
    assert_said("VM-instruction error 7: ");
}

/* Capabilities decide rules that otherwise cannot be judged. */
static void test_facts(void **state)
{
    (void)state;
    posting_load(&posting, "kvm_6_1_accessed");
    (void)explain_posting();
    assert_said("  - IA32_VMX_CR0_FIXED0\n");
    posting_add_string(&posting, "MSR 0x486 = 0x80000021\nMSR 0x487 = 0xffffffff\n");
    assert_int_equal(explain_posting(), EXPLANATION_VIOLATIONS);
    assert_int_equal(count_said("IA32_VMX_CR0_FIXED0"), 0);
    assert_int_equal(count_said("nearest valid"), 2);

    memset(&facts, 0, sizeof(facts));
    assert_true(facts_set(&facts, "IA32_VMX_CR0_FIXED0=0x80000021"));
    assert_true(facts_set(&facts, "CPUID.80000008H:EAX=0x3027"));
    assert_true(facts_set(&facts, "CPUID.07H:ECX=0"));
    assert_false(facts_set(&facts, "IA32_VMX_CR0_FIXED0"));
    assert_false(facts_set(&facts, "IA32_VMX_CR0_FIXED0=x"));
    assert_false(facts_set(&facts, "IA32_VMX_CR0_FIXED=1"));
    assert_false(facts_set(&facts, "=1"));
    assert_false(facts_set(&facts, ""));
    posting_load(&posting, "kvm_6_1_accessed");
    posting_add_string(&posting, "MSR 0x486 = 0xffffffff\nMSR 0x487 = 0xffffffff\n");
    output_length = 0;
    assert_int_equal(
        explanation_print(posting.text, posting.length, &facts, add_line, NULL),
        EXPLANATION_VIOLATIONS);
    assert_int_equal(count_said("the width of "), 0);
    assert_int_equal(count_said("nearest valid"), 2); /* the argument's FIXED0 is used */
}

/* Whatever is done to a dump, it is read within its bounds; the sanitizers check that. */
static void test_mutations(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        posting_load(&posting, dumps[i % DUMP_COUNT].name);
        for (size_t j = random_below(20); j > 0; j--) {
            size_t at = random_below(posting.length), to = random_below(posting.length);
            size_t length = random_below(posting.length - (at > to ? at : to));
            if (j % 3 == 0)
                posting.text[at] = (char)random_below(256);
            else if (j % 3 == 1)
                memmove(posting.text + to, posting.text + at, length < 50 ? length : 50);
            else
                posting.text[at] = "\n >%=x0:f\0"[random_below(10)];
        }
        size_t length = random_below(posting.length);
        char *text    = malloc(length);
        memcpy(text, posting.text, length);
        assert_in_range(explain(text, length), 0, EXPLANATION_NO_DUMP);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_inputs),    cmocka_unit_test(test_nothing_violated),
        cmocka_unit_test(test_missing_heading), cmocka_unit_test(test_other_reports),
        cmocka_unit_test(test_no_failed_entry), cmocka_unit_test(test_several_dumps),
        cmocka_unit_test(test_no_dump),         cmocka_unit_test(test_facts),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
