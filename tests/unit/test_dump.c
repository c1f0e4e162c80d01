/* tools/explain/dump.c, patterns.c and the tables: dumps as Linux and Xen print them. */
#include "dumps.h"

#include "../../tools/explain/dump.h"
#include "svm/entry_values.h"
#include "vmx/entry_values.h"

/* What was read: the values of the last dump, and the rest of the items. */
static uint64_t values[512];
static bool known[512];
static size_t value_count, dump_count;
static struct dump_item others[64];
static size_t other_count;

static void note(void *context, const struct dump_item *item)
{
    (void)context;
    if (item->kind == DUMP_BEGINS) {
        memset(known, 0, sizeof(known));
        memset(values, 0, sizeof(values));
        value_count = 0;
        dump_count++;
    } else if (item->kind == DUMP_VALUE) {
        assert_in_range(item->number, 1, 511);
        values[item->number] = (values[item->number] & ~item->mask) | item->content;
        value_count += !known[item->number];
        known[item->number] = true;
    } else if (other_count < sizeof(others) / sizeof(others[0])) {
        others[other_count++] = *item;
    }
}

static void read_text(const char *text, size_t length)
{
    memset(known, 0, sizeof(known));
    value_count = dump_count = other_count = 0;
    dump_read(text, length, note, NULL);
}

static void read_string(const char *text)
{
    read_text(text, strlen(text));
}

static void assert_value(uint32_t value, uint64_t content)
{
    if (!known[value] || values[value] != content)
        fail_msg("value %u is %s 0x%lx, not 0x%lx", value,
                 known[value] ? "known:" : "unknown:", values[value], content);
}

/* The dumps, and the fewest values in each. */
static const struct {
    const char *name;
    size_t values;
} dumps[] = {
    {"kvm_4_4_accessed", 102},  {"kvm_4_4_single_step", 102},
    {"kvm_6_1_accessed", 108},  {"kvm_6_1_single_step", 108},
    {"xen_4_3_accessed", 97},   {"xen_4_3_single_step", 97},
    {"xen_4_17_accessed", 109}, {"xen_4_17_single_step", 109},
    {"kvm_4_19_amd", 21},       {"kvm_6_8_amd", 21},
    {"xen_4_3_amd", 17},        {"xen_4_17_amd", 18},
};
#define DUMP_COUNT (sizeof(dumps) / sizeof(dumps[0]))

static struct posting posting, changed, changed_twice;

static void test_layouts_of_vmcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        bool is_step = i % 2 == 1;
        posting_load(&posting, dumps[i].name);
        read_text(posting.text, posting.length);
        assert_int_equal(dump_count, 1);
        assert_int_equal(value_count, dumps[i].values);
        assert_value(VALUE_GUEST_CR0, is_step ? 0x80050033 : 0x80000031);
        assert_value(VALUE_GUEST_CR4, is_step ? 0x3726F0 : 0x2041);
        assert_value(VALUE_CR4_GUEST_HOST_MASK,
                     is_step ? 0xFFFFFFFFFFFEF871 : 0xFFFFFFFFFFFFE871);
        assert_value(VALUE_GUEST_RFLAGS, is_step ? 0x146 : 0x80202);
        assert_value(VALUE_GUEST_RIP, is_step ? 0xFFFFFFFF81C01B4E : 0x182);
        assert_value(VALUE_GUEST_CS_SELECTOR, is_step ? 0x10 : 0x97);
        assert_value(VALUE_GUEST_CS_LIMIT, is_step ? 0xFFFFFFFF : 0x1A0);
        assert_value(VALUE_GUEST_DS_ACCESS_RIGHTS, is_step ? 0x1C000 : 0xC0F2);
        assert_value(VALUE_GUEST_SS_BASE, is_step ? 0 : 0x110000);
        assert_value(VALUE_GUEST_LDTR_ACCESS_RIGHTS, is_step ? 0x10000 : 0x82);
        assert_value(VALUE_GUEST_TR_LIMIT, is_step ? 0x206F : 0x2069);
        assert_value(VALUE_GUEST_IDTR_BASE, is_step ? 0xFFFFFE0000000000 : 0x80114000);
        assert_value(VALUE_GUEST_GDTR_LIMIT, is_step ? 0x7F : 0x1FF);
        assert_value(VALUE_GUEST_INTERRUPTIBILITY_STATE, is_step ? 2 : 0);
        assert_value(VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
        assert_value(VALUE_GUEST_IA32_SYSENTER_CS, is_step ? 0x10 : 0);
        assert_value(VALUE_SECONDARY_CONTROLS, is_step ? 0x2CEA : 0x2C6A);
        assert_value(VALUE_EXIT_REASON, 0x80000021);
        assert_value(VALUE_EXIT_QUALIFICATION, 0);
        assert_value(VALUE_HOST_CR0, 0x80050033);
        assert_true(known[VALUE_HOST_RIP] && known[VALUE_HOST_TR_BASE] &&
                    known[VALUE_HOST_IA32_PAT] && known[VALUE_EPT_POINTER]);
        assert_value(VALUE_HOST_CS_SELECTOR, i < 4 ? 0x10 : 0xE008);
    }
}

static void test_layouts_of_vmcb(void **state)
{
    (void)state;
    for (size_t i = 8; i < DUMP_COUNT; i++) {
        bool is_xen = i >= 10;
        posting_load(&posting, dumps[i].name);
        read_text(posting.text, posting.length);
        assert_int_equal(dump_count, 1);
        assert_int_equal(value_count, dumps[i].values);
        assert_value(SVM_VALUE_INTERCEPT_1, is_xen ? 0xBDC4000F : 0xBD4C8027);
        assert_value(SVM_VALUE_INTERCEPT_2, 0x2E7F);
        assert_value(SVM_VALUE_IOPM_BASE, is_xen ? 0x4FA0E8000 : 0x3F9D8C000);
        assert_value(SVM_VALUE_ASID, is_xen ? 2 : 17);
        assert_value(SVM_VALUE_NESTED, 1);
        assert_value(SVM_VALUE_N_CR3, is_xen ? 0x4F9A11000 : 0x11FD03000);
        assert_value(SVM_VALUE_CS_ATTRIBUTES, 0xE9B);
        assert_value(SVM_VALUE_EFER, 0x1D01);
        assert_value(SVM_VALUE_CR0, 0x80050033);
        assert_value(SVM_VALUE_CR3, 0x109D3A000);
        assert_value(SVM_VALUE_CR4, 0x3506F0);
        assert_value(SVM_VALUE_DR6, 0xFFFF0FF0);
        assert_value(SVM_VALUE_DR7, 0x400);
        assert_value(SVM_VALUE_G_PAT, 0x0407050600070106);
        assert_int_equal(others[other_count - 1].kind, DUMP_EXIT_CODE);
        assert_int_equal((uint32_t)others[other_count - 1].content, UINT32_MAX);
    }
}

/* Reads a text, which must have the values of the one before. */
static void assert_same_values(const struct posting *of, const char *what, size_t dump)
{
    static uint64_t before[512];

    memcpy(before, values, sizeof(before));
    size_t count = value_count;
    read_text(of->text, of->length);
    if (dump_count != 1 || value_count != count ||
        memcmp(before, values, sizeof(before)) != 0)
        fail_msg("%s, %s: %zu dumps, %zu of %zu values", dumps[dump].name, what,
                 dump_count, value_count, count);
}

/* What posting a dump does to it changes nothing that is read. */
static void test_postings(void **state)
{
    static const char *const prefixes[] = {
        "[ 1234.56789%d] ",
        "[Sun Nov 29 20:23:1%d 2026] ",
        "Nov 29 20:23:19 host-1 kernel: [1234.5%d] ",
        "2026-11-29T20:23:19.123456+01:00 host kernel: kvm_intel: (%d) ",
        "<3>[ 1234.567890][ T%d] kvm_intel: ",
        "kern  :err   : [  +0.00000%d] ",
        "(XEN) [2026-11-29 20:23:1%d] ",
        "\033[32m[ 1234.56789%d] \033[0m\033[31m",
        "\033[0;1;31m%d \033[0;1;31m",
        "> ",
        ">> > ",
        "  ",
    };
    (void)state;
    for (size_t i = 0; i < DUMP_COUNT; i++) {
        posting_load(&posting, dumps[i].name);
        read_text(posting.text, posting.length);
        for (size_t j = 0; j < sizeof(prefixes) / sizeof(prefixes[0]); j++) {
            posting_prefix(&changed, &posting, prefixes[j]);
            assert_same_values(&changed, prefixes[j], i);
            posting_wrap(&changed_twice, &changed, 76, "");
            assert_same_values(&changed_twice, "wrapped", i);
            posting_prefix(&changed, &changed_twice, "> ");
            assert_same_values(&changed, "wrapped, then quoted", i);
        }
        posting_wrap(&changed, &posting, 40, "> > ");
        assert_same_values(&changed, "wrapped at 40", i);
        posting_interleave(&changed, &posting);
        assert_same_values(&changed, "with other lines", i);
    }
}

static void test_several_dumps(void **state)
{
    (void)state;
    posting_load(&posting, "kvm_6_1_accessed");
    posting_load(&changed, "kvm_6_8_amd");
    posting_add(&posting, changed.text, changed.length);
    posting_load(&changed, "xen_4_17_single_step");
    posting_add(&posting, changed.text, changed.length);
    posting_load(&changed, "kvm_4_4_accessed");
    posting_add(&posting, changed.text, changed.length);
    read_text(posting.text, posting.length);
    assert_int_equal(dump_count, 4);
    assert_int_equal(value_count, 102);
}

/* Lines may be missing; distinct fields show that a dump has begun before the text. */
static void test_parts(void **state)
{
    (void)state;
    read_string("CR0: actual=0x80000031,\nRFLAGS=0x00080202 DR7 = 0x400\n"
                "DS:   sel=0x00f7, attr=0x0c0f2, limit=0xffffffff,\n");
    assert_int_equal(dump_count, 1);
    assert_int_equal(value_count, 6);
    assert_value(VALUE_GUEST_DS_LIMIT, 0xFFFFFFFF);
    read_string("PinBased=0000003f CPUBased=b5a06dfa SecondaryExec=00002c6a\n");
    assert_int_equal(value_count, 3);
    read_string("general1_intercepts = 0x1 general2_intercepts = 0x2\n");
    assert_value(SVM_VALUE_INTERCEPT_2, 2);
    read_string("RFLAGS=0x00080202 DR7 = 0x400 RIP = 0x12\n");
    assert_int_equal(dump_count, 0);
}

static void test_numbers(void **state)
{
    (void)state;
    read_string("PinBased=0x1234567890abcdef1 CPUBased= SecondaryExec=12g "
                "EntryControls=0X0000d1FF");
    assert_int_equal(value_count, 1);
    assert_value(VALUE_ENTRY_CONTROLS, 0xD1FF);
}

/* What KVM adds to IA32_EFER is not the field. */
static void test_efer(void **state)
{
    (void)state;
    read_string("*** Guest State ***\nEFER= 0x0000000000000d01 (effective)\n");
    assert_false(known[VALUE_GUEST_IA32_EFER]);
    read_string("*** Guest State ***\nEFER= 0x0000000000000d01 (autoload)\n");
    assert_false(known[VALUE_GUEST_IA32_EFER]);
    read_string("*** Guest State ***\nEFER(MSR LL) = 0x0000000000000d01  PAT = 0x6\n");
    assert_false(known[VALUE_GUEST_IA32_EFER]);
    assert_value(VALUE_GUEST_IA32_PAT, 6);
    read_string("*** Guest State ***\nEFER= 0x0000000000000d01\n");
    assert_value(VALUE_GUEST_IA32_EFER, 0xD01);
}

static void test_msr_entries(void **state)
{
    (void)state;
    read_string("*** Guest State ***\nMSR guest autoload:\n"
                "   0: msr=0x00000600 value=0x0000000000000000\n"
                "   1: msr=0xc0000080 value=0x0000000000000d01\n"
                "*** Host State ***\nMSR host autoload:\n"
                "   0: msr=0x00000600 value=0x1\n");
    assert_int_equal(other_count, 2);
    assert_int_equal(others[1].kind, DUMP_MSR_ENTRY);
    assert_int_equal(others[1].number, 0xC0000080);
    assert_int_equal(others[1].content, 0xD01);
}

/* Xen names the entry that was not loaded before it prints the dump. */
static void test_failed_msr(void **state)
{
    (void)state;
    read_string("(XEN) d24v1 vmentry failure (reason 0x80000022): MSR loading (entry 1)\n"
                "(XEN)   msr 000001dd val 1ffff80676f52be5 (mbz 0x2)\n"
                "(XEN) *** Guest State ***\n(XEN) CR3 = 0x00000001b2725002\n");
    assert_int_equal(dump_count, 1);
    assert_value(VALUE_GUEST_CR3, 0x1B2725002);
    assert_int_equal(other_count, 2);
    assert_int_equal(others[0].kind, DUMP_FAILURE);
    assert_int_equal(others[0].content, 0x80000022);
    assert_int_equal(others[1].kind, DUMP_FAILED_MSR);
    assert_int_equal(others[1].number, 0x1DD);
    assert_int_equal(others[1].content, 0x1FFFF80676F52BE5);
    assert_int_equal(others[1].mask, UINT64_C(2) << 32);
    read_string("msr 000001dd val 1ffff80676f52be5 (mbz 0)\n"); /* of no dump */
    assert_int_equal(other_count, 0);
}

/* VirtualBox's release log has the controls, and the names of the bits that are set. */
static void test_virtualbox(void **state)
{
    (void)state;
    read_string("00:00:01.5 HM: VERR_VMX_UNABLE_TO_START_VM:\n"
                "00:00:01.5 HM: CPU[0] Instruction error    0x7\n"
                "00:00:01.5 HM: CPU[0] PinCtls              0x3f\n"
                "00:00:01.5 HM:   VMX_PIN_CTLS_EXT_INT_EXIT (bit 0)\n"
                "00:00:01.5 HM: CPU[0] ProcCtls             0xb5a06dfa\n"
                "00:00:01.5 HM: CPU[0] ProcCtls2            0x2c6a\n"
                "00:00:01.5 HM: CPU[0] EntryCtls            0xd1ff\n"
                "00:00:01.5 HM: CPU[0] ExitCtls             0x2fefff\n"
                "00:00:01.5 HM: CPU[0] HCPhysMsrBitmap      0x0000000123456000\n"
                "00:00:01.5 HM: CPU[0] cEntryMsrLoad        10\n");
    assert_int_equal(dump_count, 1);
    assert_int_equal(value_count, 7);
    assert_value(VALUE_PIN_BASED_CONTROLS, 0x3F);
    assert_value(VALUE_PRIMARY_CONTROLS, 0xB5A06DFA);
    assert_value(VALUE_SECONDARY_CONTROLS, 0x2C6A);
    assert_value(VALUE_EXIT_CONTROLS, 0x2FEFFF);
    assert_value(VALUE_MSR_BITMAP, 0x123456000);
    assert_value(VALUE_ENTRY_MSR_LOAD_COUNT, 10);
}

static void test_ve_information(void **state)
{
    (void)state;
    read_string("kvm_intel: *** Control State ***\n"
                "kvm_intel: VE info address = 0x0000000135a04000(corrupted!)\n"
                "kvm_intel: ve_info: 0x00000030 0xffffffff 0x00000000000006ab\n");
    assert_int_equal(value_count, 1);
    assert_value(VALUE_VE_INFORMATION_ADDRESS, 0x135A04000);
}

/* A mail as its file has it; a number is wrapped inside. */
static void test_quoted_printable(void **state)
{
    char encoded[] = "(XEN) CR0: actual=3D0x0000000080050031, shadow=3D0x80050031,\n"
                     "gh_mask=3Dffffffffffffffff\n"
                     "(XEN)=C2=A0=C2=A0 CS: 0010 0209b 00000000 0000000000000000\n"
                     "(XEN) GDTR:=C2=A0=C2=A0=C2=\n=A0 00000057 ffffb181c2d15fb0\n"
                     "(XEN) DebugCtl =3D 0x1=C2=A0 DebugExceptions =3D 0x00000000000=\r\n"
                     "04000\n(XEN) CR3=3D=20";
    char plain[]   = "CS=20 TR=A0=C2\nCR0: actual=0x3D";
    char mark[]    = "=3D0x=3D=";
    (void)state;
    size_t length = dump_decode(encoded, strlen(encoded));
    read_text(encoded, length);
    assert_int_equal(value_count, 11);
    assert_value(VALUE_GUEST_CR0, 0x80050031);
    assert_value(VALUE_GUEST_CS_ACCESS_RIGHTS, 0x209B);
    assert_value(VALUE_GUEST_GDTR_BASE, 0xFFFFB181C2D15FB0);
    assert_value(VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS, 0x4000);
    assert_memory_equal(encoded + length - 5, "CR3= ", 5);
    assert_int_equal(dump_decode(plain, strlen(plain)), sizeof(plain) - 1);
    assert_memory_equal(plain, "CS=20 TR=A0=C2\nCR0: actual=0x3D", sizeof(plain));
    assert_int_equal(dump_decode(mark, strlen(mark)), 5);
    assert_memory_equal(mark, "=0x==", 5);
    assert_int_equal(dump_decode(NULL, 0), 0);
}

/* What is outside of dumps. */
static void test_other_items(void **state)
{
    static const struct {
        const char *text;
        struct dump_item item;
    } rows[] = {
        {"KVM: entry failed, hardware error 0x80000021",
         {.kind = DUMP_FAILURE, .content = 0x80000021}},
        {"kvm: vm entry failed with error 0x80000021",
         {.kind = DUMP_FAILURE, .content = 0x80000021}},
        {"(XEN) d1v0 VMRESUME error: 0x7", {.kind = DUMP_FAILURE, .content = 7}},
        {"HM: CPU[0] Instruction error    0x7", {.kind = DUMP_FAILURE, .content = 7}},
        {"HM: MSR_IA32_VMX_PINBASED_CTLS      = 0x7f00000016",
         {.kind = DUMP_CAPABILITY, .number = 0x481, .content = 0x7F00000016}},
        {"HM: MSR_IA32_VMX_BASIC_INFO         = 0xda0400000012",
         {.kind = DUMP_CAPABILITY, .number = 0x480, .content = 0xDA0400000012}},
        {"MSR 0x480 = 0xda0400000012",
         {.kind = DUMP_CAPABILITY, .number = 0x480, .content = 0xDA0400000012}},
        {"IA32_VMX_CR4_FIXED1: 0x3727ff",
         {.kind = DUMP_CAPABILITY, .number = 0x489, .content = 0x3727FF}},
        {"\"IA32_VMX_EXIT_CTLS2\": \"0x8\"",
         {.kind = DUMP_CAPABILITY, .number = 0x493, .content = 8}},
        {">>> Domain 3 <<<", {.kind = DUMP_DOMAIN, .number = 3}},
        {"VCPU 2\n", {.kind = DUMP_VCPU, .number = 2}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_string(rows[i].text);
        if (other_count != 1 || dump_count != 0)
            fail_msg("%s: %zu items", rows[i].text, other_count);
        assert_int_equal(others[0].kind, rows[i].item.kind);
        assert_int_equal(others[0].number, rows[i].item.number);
        assert_int_equal(others[0].content, rows[i].item.content);
    }
    read_string("MSR 0x10 = 0x1");
    assert_int_equal(other_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts_of_vmcs),
        cmocka_unit_test(test_layouts_of_vmcb),
        cmocka_unit_test(test_postings),
        cmocka_unit_test(test_several_dumps),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_efer),
        cmocka_unit_test(test_msr_entries),
        cmocka_unit_test(test_failed_msr),
        cmocka_unit_test(test_virtualbox),
        cmocka_unit_test(test_ve_information),
        cmocka_unit_test(test_quoted_printable),
        cmocka_unit_test(test_other_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
