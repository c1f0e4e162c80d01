/* src/check/verdict.c and src/svm/svm.c: the verdicts on processors with AMD-V. */
#include "snapshots_amd.h"
#include "verdict.h"

static struct svm_record *own; /* of the boot CPU */

static int records_start(void **state)
{
    (void)state;
    scope = (struct verdict_scope){.machine = "unknown"};
    for (uint32_t i = 0; i < ARRAY_SIZE(records); i++) {
        records[i]         = record_ready(&epyc_7763);
        records[i].apic_id = 2 * i;
    }
    own = svm_record_of(&records[0]);
    return 0;
}

static void assert_verdict(size_t count, enum verdict_word word, const char *text)
{
    assert_decides(count, word);
    assert_string_equal(verdict_text, text);
}

/* Makes a record that of a trial that has not taken any step. */
static void remove_steps(size_t index)
{
    struct svm_record *of = svm_record_of(&records[index]);
    memset(&of->steps, 0, sizeof(of->steps));
}

static void test_ready(void **state)
{
    (void)state;
    assert_verdict(2, VERDICT_READY, "guests entered by VMRUN and left on 2 of 2 CPUs");
    assert_string_equal(cpu_describe(1), "ok");
    for (size_t i = 0; i < ARRAY_SIZE(all_amd); i++) {
        records[0] = record_ready(all_amd[i]);
        assert_verdict(1, VERDICT_READY,
                       "guests entered by VMRUN and left on 1 of 1 CPUs");
    }
}

/* SVMDIS that Hymir cleared is set again, so that the verdict need not mention it. */
static void test_ready_after_clearing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        svm_record_of(&records[i])->vm_cr       = reading_of(0x10);
        svm_record_of(&records[i])->steps.vm_cr = write_of(0);
    }
    assert_verdict(2, VERDICT_READY, "guests entered by VMRUN and left on 2 of 2 CPUs");
}

/* Different settings by firmware are reported, even if all CPUs pass. */
static void test_ready_with_differences(void **state)
{
    (void)state;
    svm_record_of(&records[1])->vm_cr = msr_raised_gp; /* not comparable */
    svm_record_of(&records[2])->vm_cr = reading_of(0);
    svm_record_of(&records[3])->vm_cr = reading_of(2);
    assert_verdict(4, VERDICT_READY,
                   "guests entered by VMRUN and left on 4 of 4 CPUs; firmware left VM_CR "
                   "= 0x8 on cpu 0 and 0x0 on cpu 2");
    assert_verdict(2, VERDICT_READY, "guests entered by VMRUN and left on 2 of 2 CPUs");
    own->vm_cr = msr_raised_gp;
    assert_verdict(4, VERDICT_READY, "guests entered by VMRUN and left on 4 of 4 CPUs");
}

#define SETTING "enable SVM Mode (AMD-V, Secure Virtual Machine)"

static void test_locked_off(void **state)
{
    (void)state;
    remove_steps(0);
    own->vm_cr = reading_of(0x18);
    assert_verdict(1, VERDICT_LOCKED_OFF,
                   "VM_CR = 0x18: SVM disabled and locked, with a key that only firmware "
                   "has; " SETTING
                   " in the firmware setup, save, and power off completely; a warm "
                   "reboot is not enough");
    records[0].cpuid.leaf_8000000a.edx &= ~(uint32_t)SVM_FEATURE_SVM_LOCK;
    records[0].nolock = true; /* changes nothing */
    set_hypervisor(&records[0], "KVMKVMKVM\0\0\0");
    assert_verdict(
        1, VERDICT_LOCKED_OFF,
        "VM_CR = 0x18: SVM disabled and locked; nested virtualization is on; " SETTING
        " in the setup of the virtual machine's own firmware, or "
        "replace it, save, and power off completely; a warm reboot "
        "is not enough");
}

static void test_unlocked(void **state)
{
    (void)state;
    remove_steps(0);
    own->vm_cr        = reading_of(0x10);
    records[0].nolock = true;
    assert_verdict(1, VERDICT_UNLOCKED,
                   "VM_CR = 0x10: SVM disabled, not locked; AMD-V is present but not "
                   "enabled, and nolock prevents Hymir from enabling it; boot without "
                   "nolock");
    records[0].nolock = false;
    own->steps.vm_cr  = write_that_raised(VECTOR_GP, 0, 0x10);
    assert_verdict(1, VERDICT_FAILED,
                   "VM_CR = 0x10: SVM disabled, not locked; WRMSR of 0x0 raised #GP; "
                   "update the firmware; if it still fails, report this with the "
                   "complete log");
}

/* CPUID and VM_CR offer SVM, but an outer hypervisor does not let Hymir enable it. */
static void test_withheld(void **state)
{
    (void)state;
    remove_steps(0);
    own->vm_cr      = reading_of(0);
    own->steps.efer = write_that_raised(VECTOR_GP, 0x1D00, 0xD00);
    assert_verdict(1, VERDICT_FAILED,
                   "WRMSR of EFER = 0x1d00 raised #GP; update the firmware; if it still "
                   "fails, report this with the complete log");
    set_hypervisor(&records[0], "KVMKVMKVM\0\0\0");
    assert_verdict(
        1, VERDICT_FAILED,
        "WRMSR of EFER = 0x1d00 raised #GP; KVM announces but withholds AMD-V; "
        "on the host load kvm_amd with nested=1 and give the guest -cpu host "
        "or +svm");
    own->steps.efer = (struct msr_write){
        .is_tried = true, .written = 0x1D00, .reading = reading_of(0xD00)};
    assert_verdict(1, VERDICT_FAILED,
                   "EFER was set to 0x1d00, but reads 0xd00; nested virtualization is "
                   "incomplete; update the outer hypervisor or boot Hymir on the "
                   "physical machine");
}

static void test_in_use(void **state)
{
    (void)state;
    remove_steps(0);
    own->efer = reading_of(0x1D01);
    assert_verdict(
        1, VERDICT_FAILED,
        "EFER.SVME is set and cannot be cleared (EFER = 0x1d01): software started before "
        "Hymir may be using SVM; power off fully and boot Hymir first");
}

#define UPDATE \
    "; update the firmware; if it still fails, report this with the complete log"
#define REGISTERS(vm_cr, efer, area)                                  \
    " (CR0 = 0x80010033, CR4 = 0x60, VM_CR = " vm_cr ", EFER = " efer \
    ", VM_HSAVE_PA = " area ")"

/* A step that fails is explained with the registers on which VMRUN depends. */
static void test_registers_of_failure(void **state)
{
    (void)state;
    own->steps.vm_hsave_pa.reading = reading_of(0);
    assert_verdict(1, VERDICT_FAILED,
                   "VM_HSAVE_PA was set to 0x11d000, but reads 0x0" REGISTERS(
                       "0x8", "0x1d00", "0x0") UPDATE);
    records_start(NULL);
    own->steps.gif.is_taken_early = true;
    assert_verdict(1, VERDICT_FAILED,
                   "an interrupt was taken between CLGI and STGI" REGISTERS(
                       "0x8", "0x1d00", "0x11d000") UPDATE);
    records_start(NULL);
    own->steps.guest.rax = 0;
    assert_verdict(1, VERDICT_FAILED,
                   "RAX changed across VM entry and VM exit" REGISTERS(
                       "0x8", "0x1d00", "0x11d000") UPDATE);
    records_start(NULL);
    own->steps.nested.rax = TRIAL_MARK_PROBE;
    assert_verdict(1, VERDICT_FAILED,
                   "advertised, but NP_ENABLE had no effect" REGISTERS(
                       "0x8", "0x1d00", "0x11d000") UPDATE);
    records_start(NULL);
    own->steps.after_svme = FAULT_NONE;
    assert_verdict(1, VERDICT_FAILED,
                   "CLGI after EFER.SVME was cleared raised no #UD" REGISTERS(
                       "0x8", "0x1d00", "0x11d000") UPDATE);
}

static void test_mixed(void **state)
{
    (void)state;
    remove_steps(1);
    svm_record_of(&records[1])->vm_cr = reading_of(0x18);
    assert_verdict(2, VERDICT_MIXED,
                   "guests entered by VMRUN and left on 1 of 2 CPUs; cpu 1 (apic 2): "
                   "LOCKED-OFF: VM_CR = 0x18: SVM disabled and locked, with a key that "
                   "only firmware has; " SETTING
                   " in the firmware setup, save, and power off completely; a warm "
                   "reboot is not enough; firmware left VM_CR = 0x8 on cpu 0 and 0x18 "
                   "on cpu 1");
}

/* Without SVM in CPUID, nothing of AMD-V is read. */
static void test_not_offered(void **state)
{
    (void)state;
    records[0] = record_ready(&hygon_3185);
    remove_svm(&records[0]);
    assert_verdict(1, VERDICT_NO_VIRTUALIZATION,
                   "CPUID.80000001H:ECX[2] = 0 (ECX = 0x35c233fb); this HygonGenuine "
                   "processor offers neither VT-x nor AMD-V; " SETTING
                   " in the firmware setup (in a virtual machine: nested "
                   "virtualization) or use another machine");
    set_hypervisor(&records[0], "TCGTCGTCGTCG");
    assert_verdict(1, VERDICT_HIDDEN_BY_HYPERVISOR,
                   "CPUID.80000001H:ECX[2] = 0 (ECX = 0x35c233fb); QEMU's TCG hides "
                   "AMD-V; TCG has AMD-V with -cpu EPYC or +svm");
}

/* Guests require nested paging, which the trial proved or did not. */
static void test_guest_requirements(void **state)
{
    (void)state;
    TEXT_DECLARE(missing, 80);
    assert_int_equal(amd_v.find_missing(&records[0], &missing), STATUS_OK);
    assert_string_equal(missing.buffer, "");
    own->steps.nested = (struct guest_trial){0};
    assert_int_equal(amd_v.find_missing(&records[0], &missing), STATUS_UNSUPPORTED);
    assert_string_equal(missing.buffer, "nested paging");
    assert_null(amd_v.needs_apic_timer);      /* they do */
    records[0].cpuid.leaf_1.eax = 0x00100F43; /* family 10H: erratum 383 */
    assert_int_equal(amd_v.largest_page(&records[0]), PAGE_SIZE);
    records[0].cpuid.leaf_1.eax = 0x00600F12; /* 15H */
    assert_true(amd_v.largest_page(&records[0]) > PAGE_SIZE);
}

#define TEST(name) cmocka_unit_test_setup(name, records_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ready),
        TEST(test_ready_after_clearing),
        TEST(test_ready_with_differences),
        TEST(test_locked_off),
        TEST(test_unlocked),
        TEST(test_withheld),
        TEST(test_in_use),
        TEST(test_registers_of_failure),
        TEST(test_mixed),
        TEST(test_not_offered),
        TEST(test_guest_requirements),
    };
    return cmocka_run_group_tests_name("svm_verdict", tests, NULL, NULL);
}
