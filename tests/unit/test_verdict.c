/* src/check/verdict.c: every verdict word. */
#include "amd_v.h"
#include "verdict_vt_x.h"

static void test_ready(void **state)
{
    (void)state;
    assert_decides(2, VERDICT_READY);
    assert_string_equal(verdict_text,
                        "VMX root operation entered and left on 2 of 2 CPUs");
    assert_string_equal(cpu_describe(1), "ok");
}

static void test_ready_after_lock(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        vmx_record_of(&records[i])->feature_control                = reading_of(0);
        vmx_record_of(&records[i])->steps.feature_control.is_tried = true;
        vmx_record_of(&records[i])->steps.feature_control.reading  = reading_of(5);
    }
    assert_decides(3, VERDICT_READY);
    assert_words("on 3 of 3 CPUs; Hymir set the lock bit of IA32_FEATURE_CONTROL on 3 of "
                 "3 CPUs: it "
                 "stays set until reset");
}

static void test_cpuid_limit(void **state)
{
    (void)state;
    records[0].had_cpuid_limit = true;
    assert_decides(4, VERDICT_READY);
    assert_words(
        "4 of 4 CPUs; firmware limits CPUID on 1 of 4 CPUs (\"Limit CPUID Maximum\" in "
        "its setup); Hymir removed the limit");
}

/* Different settings by firmware are reported, even if all CPUs pass. */
static void test_ready_with_differences(void **state)
{
    (void)state;
    vmx_record_of(&records[1])->feature_control                = reading_of(0);
    vmx_record_of(&records[1])->steps.feature_control.is_tried = true;
    vmx_record_of(&records[1])->steps.feature_control.reading  = reading_of(5);
    assert_decides(2, VERDICT_READY);
    assert_words("on 1 of 2 CPUs: it stays set");
    assert_words(
        "firmware left IA32_FEATURE_CONTROL = 0x20005 on cpu 0 and 0x0 on cpu 1");
}

static void test_scope(void **state)
{
    (void)state;
    scope.nosmp = true;
    assert_decides(1, VERDICT_READY);
    assert_words("on 1 of 1 CPUs; nosmp: only the boot CPU was checked");
    scope = (struct verdict_scope){.machine = "unknown", .no_cpu_list = true};
    assert_decides(1, VERDICT_READY);
    assert_words("; no MADT: only the boot CPU was checked");
    scope = (struct verdict_scope){.machine = "unknown", .broken_cpu_list = true};
    assert_decides(1, VERDICT_READY);
    assert_words("; malformed MADT entry: CPUs listed after it were not checked");
    scope = (struct verdict_scope){.machine = "unknown", .no_start = true};
    assert_decides(1, VERDICT_READY);
    assert_words("; the other CPUs could not be started: only the boot CPU was checked");
    scope = (struct verdict_scope){.machine = "unknown", .dropped = 12};
    assert_decides(1, VERDICT_READY);
    assert_words("; 12 more CPUs exceed Hymir's limit or memory and were not checked");
}

/* CPUID decides, never the brand, which only decides what the advice names. */
static void test_no_virtualization(void **state)
{
    (void)state;
    static const struct virtualization *const vendors[] = {&vt_x, &amd_v_words};
    static const struct {
        char vendor[13];
        const char *words;
    } cases[] = {
        {"GenuineIntel", "this GenuineIntel processor offers neither VT-x nor AMD-V; "
                         "enable Intel Virtualization Technology (VT-x, VMX) in the"},
        {"  Shanghai  ", "this   Shanghai   processor offers neither VT-x nor AMD-V; "
                         "enable Intel Virtualization Technology (VT-x, VMX) in the"},
        {"CentaurHauls", "this CentaurHauls processor offers neither VT-x nor AMD-V; "},
        {"AuthenticAMD", "this AuthenticAMD processor offers neither VT-x nor AMD-V; "
                         "enable SVM Mode (AMD-V) in the firmware setup (in a virtual "
                         "machine: nested virtualization) or use another machine"},
        {"HygonGenuine", "this HygonGenuine processor offers neither VT-x nor AMD-V; "
                         "enable SVM Mode (AMD-V) in the firmware setup"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        records[0] = record_ready(&coffee_lake);
        remove_vmx(&records[0]);
        set_vendor(&records[0], cases[i].vendor);
        records[0].virtualization = virtualization_find(vendors, 2, &records[0].cpuid);
        assert_decides(1, VERDICT_NO_VIRTUALIZATION);
        assert_words(cases[i].words);
        set_hypervisor(&records[0], "XenVMMXenVMM");
        assert_decides(1, VERDICT_HIDDEN_BY_HYPERVISOR);
        assert_words(i < 3 ? "Xen hides VT-x; " : "Xen hides AMD-V; ");
    }
}

/* Processors of a machine that offer different technologies, or only some of them one. */
static void test_unlike_offers(void **state)
{
    (void)state;
    remove_vmx(&records[1]);
    assert_decides(2, VERDICT_MIXED);
    assert_words("on 1 of 2 CPUs; cpu 1 (apic 2): NO-VIRTUALIZATION: CPUID.01H:ECX[5] = "
                 "0 (ECX = 0x7ffafb9f); this GenuineIntel processor offers neither");
    records[1].cpuid.leaf_80000001.ecx |= BIT(2); /* SVM */
    assert_decides(2, VERDICT_MIXED);
    assert_words("this GenuineIntel processor offers AMD-V, not VT-x; use another");
    for (size_t i = 0; i < 2; i++)
        records[i].virtualization = &amd_v_words;
    assert_decides(2, VERDICT_MIXED);
    assert_words("a guest ran on 1 of 2 CPUs; cpu 0 (apic 0): NO-VIRTUALIZATION: "
                 "CPUID.80000001H:ECX[2] = 0; this GenuineIntel processor offers VT-x, "
                 "not AMD-V; use another machine");
}

/*
 * The VMX bit decides, not the vendor: these vendors have VMX, and so has a model of
 * Bochs with an AMD brand.
 */
static void test_other_vendors_with_vmx(void **state)
{
    (void)state;
    static const char vendors[][13] = {"  Shanghai  ", "CentaurHauls", "GenuineIotel",
                                       "AuthenticAMD"};
    for (size_t i = 0; i < 4; i++) {
        set_vendor(&records[0], vendors[i]);
        assert_decides(1, VERDICT_READY);
    }
}

/* Recorded processors without VMX. */
static void test_recorded_without_vmx(void **state)
{
    (void)state;
    records[0] = record_before(&ryzen);
    assert_decides(1, VERDICT_NO_VIRTUALIZATION);
    assert_words("ECX = 0x76d8320b); this AuthenticAMD processor offers AMD-V, not VT-x");
    records[0] = record_before(&prescott);
    assert_decides(1, VERDICT_NO_VIRTUALIZATION);
    assert_words("ECX = 0x0000651d); this GenuineIntel processor offers neither VT-x");
    assert_string_equal(cpu_describe(0),
                        "NO-VIRTUALIZATION: CPUID.01H:ECX[5] = 0 (ECX = 0x0000651d)");
    records[0] = record_before(&haswell_in_tcg);
    assert_decides(1, VERDICT_HIDDEN_BY_HYPERVISOR);
    assert_words("ECX = 0xf6d83203); QEMU's TCG hides VT-x");
}

static void test_locked_off(void **state)
{
    (void)state;
    set_feature_control(0, 1);
    assert_decides(1, VERDICT_LOCKED_OFF);
    assert_words(
        "IA32_FEATURE_CONTROL = 0x1: locked, VMX disabled; enable Intel Virtualization");
    assert_words("in the firmware setup, save, and power off completely; a warm reboot "
                 "is not enough");
    set_hypervisor(&records[0], "KVMKVMKVM\0\0\0"); /* which nests */
    assert_decides(1, VERDICT_LOCKED_OFF);
    assert_words("VMX disabled; nested virtualization is on; enable Intel Virtualization "
                 "Technology (VT-x, VMX) in the setup of the virtual machine's own "
                 "firmware, or replace it, save, and power off completely");
    assert_null(strstr(verdict_text, "nested=1"));
}

static void test_txt_only(void **state)
{
    (void)state;
    set_feature_control(0, 3);
    assert_decides(1, VERDICT_TXT_ONLY);
    assert_words("IA32_FEATURE_CONTROL = 0x3");
    assert_words(
        "enable virtualization outside TXT or disable TXT in the firmware setup");
    set_hypervisor(&records[0], "KVMKVMKVM\0\0\0");
    assert_decides(1, VERDICT_TXT_ONLY);
    assert_words("disable TXT in the setup of the virtual machine's own firmware");
}

static void test_unlocked(void **state)
{
    (void)state;
    set_feature_control(0, 4);
    records[0].nolock = true;
    assert_decides(1, VERDICT_UNLOCKED);
    assert_words("IA32_FEATURE_CONTROL = 0x4: unlocked");
    assert_words("boot without nolock");
    records[0].nolock = false; /* Hymir should have written it: a failure */
    assert_decides(1, VERDICT_FAILED);
}

static void test_failed(void **state)
{
    (void)state;
    vmx_record_of(&records[0])->steps.vmxon = attempt_gp;
    assert_decides(1, VERDICT_FAILED);
    assert_words("VMXON raised #GP (vector 13) (CR0 = 0x80010033, CR4 = 0x2060, "
                 "IA32_FEATURE_CONTROL = 0x20005, IA32_VMX_BASIC = 0xda040000000004); "
                 "update the firmware");
    set_hypervisor(&records[0], "KVMKVMKVM\0\0\0");
    assert_decides(1, VERDICT_FAILED);
    assert_words("nested virtualization is incomplete; update the outer hypervisor");
    records_start(NULL);
    records[0].cr4 = 0x2060;
    assert_decides(1, VERDICT_FAILED);
    assert_words("CR4.VMXE is set and cannot be cleared");
    assert_words("power off fully and boot Hymir first");
}

/* A register that cannot be read has no value after its name. */
static void test_faulting_registers(void **state)
{
    (void)state;
    const struct msr_reading faulted = {.state = MSR_FAULTED, .vector = 13};
    vmx_record_of(&records[0])->capabilities.msr[0] = faulted;
    assert_decides(1, VERDICT_FAILED);
    assert_memory_equal(verdict_text, "RDMSR of IA32_VMX_BASIC (0x480) raised #GP", 42);
    records_start(NULL);
    vmx_record_of(&records[0])->feature_control = faulted;
    assert_decides(1, VERDICT_FAILED);
    assert_memory_equal(verdict_text, "RDMSR of IA32_FEATURE_CONTROL (0x3A) raised", 43);
}

/* CPUID offers VMX, but its MSRs fault: the outer hypervisor does not nest. */
static void test_withheld(void **state)
{
    static const struct msr_reading faulted = {.state = MSR_FAULTED, .vector = VECTOR_GP};
    struct vmx_record *own                  = vmx_record_of(&records[0]);
    struct msr_reading *const msrs[] = {&own->feature_control, &own->capabilities.msr[0]};
    (void)state;
    memset(&own->steps, 0, sizeof(own->steps));
    for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
        *msrs[i] = faulted;
        records[0].cpuid.leaf_1.ecx &= ~(uint32_t)CPUID_1_ECX_HYPERVISOR;
        assert_decides(1, VERDICT_FAILED);
        assert_words("; update the firmware; if it still fails, report this");
        set_hypervisor(&records[0], "KVMKVMKVM\0\0\0");
        assert_decides(1, VERDICT_FAILED);
        assert_words(
            "; KVM announces but withholds VT-x; on the host load kvm_intel with");
        set_hypervisor(&records[0], "Strange\0\0\0\0\0");
        assert_decides(1, VERDICT_FAILED);
        assert_words(
            "; a hypervisor (\"Strange\") announces but withholds VT-x; enable ");
    }
}

static void test_mixed(void **state)
{
    (void)state;
    set_feature_control(2, 1);
    assert_decides(4, VERDICT_MIXED);
    assert_words("entered and left on 3 of 4 CPUs; cpu 2 (apic 4): LOCKED-OFF: "
                 "IA32_FEATURE_CONTROL = 0x1: locked, VMX disabled; ");
    set_feature_control(0, 1);
    assert_decides(4, VERDICT_MIXED);
    assert_words("on 2 of 4 CPUs; cpu 0 (apic 0): LOCKED-OFF");
    for (size_t i = 0; i < 4; i++)
        set_feature_control(i, 1);
    assert_decides(4, VERDICT_LOCKED_OFF);
    set_feature_control(1, 3);
    assert_decides(4, VERDICT_MIXED);
    assert_words("on 0 of 4 CPUs; cpu 0 (apic 0): LOCKED-OFF");
    assert_words("enable Intel Virtualization Technology");
}

static void test_silent_cpus(void **state)
{
    (void)state;
    static const struct {
        enum cpu_answer answer;
        const char *description;
    } cases[] = {
        {CPU_NO_ANSWER, "FAILED: no answer to INIT-SIPI-SIPI"},
        {CPU_NOT_ADDRESSED, "FAILED: not reachable: its APIC ID needs x2APIC mode"},
        {CPU_DID_NOT_FINISH, "FAILED: started, but did not finish the check"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        records[3] = (struct cpu_record){
            .virtualization = &vt_x, .apic_id = 6, .answer = cases[i].answer};
        assert_decides(4, VERDICT_MIXED);
        assert_words("on 3 of 4 CPUs; cpu 3 (apic 6): FAILED: ");
        assert_string_equal(cpu_describe(3), cases[i].description);
    }
    records[0].answer = CPU_DID_NOT_FINISH;
    assert_decides(1, VERDICT_FAILED);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"READY",
                                        "NO-VIRTUALIZATION",
                                        "HIDDEN-BY-HYPERVISOR",
                                        "LOCKED-OFF",
                                        "TXT-ONLY",
                                        "UNLOCKED",
                                        "MIXED",
                                        "FAILED"};
    for (int word = VERDICT_READY; word <= VERDICT_FAILED; word++)
        assert_string_equal(verdict_name((enum verdict_word)word),
                            names[word - VERDICT_READY]);
}

#define TEST(name) cmocka_unit_test_setup(name, records_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ready),
        TEST(test_ready_after_lock),
        TEST(test_cpuid_limit),
        TEST(test_ready_with_differences),
        TEST(test_scope),
        TEST(test_no_virtualization),
        TEST(test_unlike_offers),
        TEST(test_other_vendors_with_vmx),
        TEST(test_recorded_without_vmx),
        TEST(test_locked_off),
        TEST(test_txt_only),
        TEST(test_unlocked),
        TEST(test_failed),
        TEST(test_faulting_registers),
        TEST(test_withheld),
        TEST(test_mixed),
        TEST(test_silent_cpus),
        TEST(test_names),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
