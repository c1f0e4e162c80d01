/*
 * Hymir's own VMCS, of the trial and of guests, on recorded processors: it violates no
 * rule of VM entry, and each rule that applies can be judged, so that every field that
 * the processor checks has been written.
 */
#include "recorded_vmcs.h"

static char findings[4096];
static size_t processors, guests, judged;

static void note_finding(void *context, const struct entry_finding *finding)
{
    size_t length = strlen(findings);

    (void)context;
    if (finding->verdict == ENTRY_VIOLATED)
        snprintf(findings + length, sizeof(findings) - length,
                 "\n  %s: %s = 0x%lx, nearest 0x%lx", finding->rule->name,
                 vmx_entry_value_names[finding->value], written.value[finding->value],
                 finding->nearest);
    else if (finding->verdict == ENTRY_UNKNOWN)
        snprintf(findings + length, sizeof(findings) - length, "\n  %s needs %s",
                 finding->rule->name, vmx_entry_value_names[finding->missing]);
}

static void assert_good(const char *what)
{
    findings[0] = '\0';
    judged += entry_judge(&vmx_entry_rules, &written,
                          ENTRY_ALL_PHASES & ~BIT(ENTRY_MSR_LOADING), note_finding, NULL)
                  .verdicts[ENTRY_HOLDS];
    if (findings[0] != '\0')
        fail_msg("%s, %s:%s", recording.path, what, findings);
}

static bool has_vmx(void)
{
    return recording_msr(MSR_IA32_VMX_BASIC) != NONE && machine_setup();
}

/* ---- The trial */

static void check_trial(void)
{
    static _Alignas(4096) uint8_t pages[(VMX_TRIAL_PAGES + 1) * PAGE_SIZE];
    struct trial trial = {.pages = pages, .record.virtualization = &vt_x};

    if (!has_vmx())
        return;
    processors++;
    vmx_record_of(&trial.record)->capabilities = capabilities;
    for (int uses_ept = 0; uses_ept <= (vmx_has_ept(&capabilities) ? 1 : 0); uses_ept++) {
        written_start();
        memset(pages, 0, sizeof(pages));
        assert_true(prepare_guest(&trial, uses_ept != 0));
        assert_good(uses_ept != 0 ? "trial with EPT" : "trial");
    }
}

static void test_trial(void **state)
{
    (void)state;
    recordings_visit(check_trial);
    print_message("%zu processors\n", processors);
    assert_true(processors >= 40);
}

/* ---- Guests, as src/guest/load starts them */

static const struct vcpu_start starts[] = {
    {.rip  = 0x100000,
     .cr0  = CR0_PE | CR0_ET,
     .code = {0x10, UINT32_MAX, ACCESS_RIGHTS_OF(CODE_DESCRIPTOR_32), 0},
     .data = {0x18, UINT32_MAX, ACCESS_RIGHTS_OF(DATA_DESCRIPTOR_32), 0}},
    {.rip  = 0x100200,
     .cr0  = CR0_PE | CR0_ET | CR0_PG,
     .cr3  = 0x9000,
     .cr4  = CR4_PAE,
     .efer = EFER_LMA | EFER_LME,
     .gdt  = {0x8000, 0x1F},
     .code = {0x10, UINT32_MAX, ACCESS_RIGHTS_CODE_64, 0},
     .data = {0x18, UINT32_MAX, ACCESS_RIGHTS_OF(DATA_DESCRIPTOR_32), 0}},
};

/* States of a guest's local APIC, of which processors virtualize parts. */
static const struct {
    const char *name;
    bool has_apicv;
    uint64_t base; /* IA32_APIC_BASE */
    bool needs_eoi;
} apics[] = {
    {"apicv=off", false, APIC_BASE_AFTER_RESET | APIC_BASE_EN, false},
    {"xAPIC", true, APIC_BASE_AFTER_RESET | APIC_BASE_EN, false},
    {"x2APIC", true, APIC_BASE_AFTER_RESET | APIC_BASE_EN | APIC_BASE_EXTD, false},
    {"x2APIC with EOI", true, APIC_BASE_AFTER_RESET | APIC_BASE_EN | APIC_BASE_EXTD,
     true},
    {"disabled APIC", true, APIC_BASE_AFTER_RESET, false},
};

/* Writes the VMCS of a guest. Returns false if the processor cannot run guests. */
static bool write_guest(const struct vcpu_start *start, size_t apic)
{
    static _Alignas(4096) struct vmx_vcpu vmx;
    static _Alignas(4096) uint64_t root[512], directories[512];
    static _Alignas(4096) uint8_t page[PAGE_SIZE];
    static struct vcpu vcpu;
    static struct vcpu_plan plan;
    TEXT_DECLARE(missing, 256);

    root[0]                  = hpa_of(directories).value | EPT_TABLE;
    page[APIC_TASK_PRIORITY] = 0x50;
    plan                     = (struct vcpu_plan){.memory_root = hpa_of(root),
                                                  .has_apicv   = apics[apic].has_apicv};
    memset(&vmx, 0, sizeof(vmx));
    vmx.vcpu         = &vcpu;
    vmx.plan         = &plan;
    vmx.capabilities = capabilities;
    vcpu             = (struct vcpu){.start = start, .vpid = 1, .arch = &vmx};
    vcpu.apic        = (struct vcpu_apic){.page      = page,
                                          .base      = apics[apic].base,
                                          .threshold = 5,
                                          .needs_eoi = apics[apic].needs_eoi};
    if (vcpu_controls_fit(&capabilities, &vmx.controls, &missing) != STATUS_OK)
        return false;
    apic_virtualization_start(&vmx);
    written_start();
    entry_snapshot_set(&written, VALUE_VIRTUAL_TPR, page[APIC_TASK_PRIORITY]);
    assert_true(vcpu_state_write(&vmx));
    return true;
}

static void check_guests(void)
{
    if (!has_vmx())
        return;
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        for (size_t apic = 0; apic < ARRAY_SIZE(apics); apic++) {
            if (!write_guest(&starts[i], apic))
                return;
            assert_good(apics[apic].name);
            guests++;
        }
    }
}

static void test_guests(void **state)
{
    (void)state;
    recordings_visit(check_guests);
    print_message("%zu guests, %zu rules held\n", guests, judged);
    assert_true(guests >= ARRAY_SIZE(starts) * ARRAY_SIZE(apics) * 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trial),
        cmocka_unit_test(test_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
