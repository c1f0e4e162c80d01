/*
 * Hymir's own VMCS, of the trial and of guests, on recorded processors: it violates no
 * rule of VM entry, and each rule that applies can be judged, so that every field that
 * the processor checks has been written.
 */
#include "recorded_vmcs.h"

static char findings[4096];
static size_t processors, judged;

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

/* ---- Guests */

/* As src/guest/load starts them, and as a startup IPI does. */
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
    {.cr0  = CR0_NW | CR0_CD | CR0_ET,
     .code = {0x9A00, UINT16_MAX, 0x9B, 0x9A000},
     .data = {0, UINT16_MAX, 0x93, 0},
     .gdt  = {0, UINT16_MAX}},
};

static uint8_t apic_registers[PAGE_SIZE] __attribute__((aligned(4096)));

/* States of the local APIC; the first is that of a vCPU's start. */
static const struct state {
    const char *name;
    struct vcpu_apic apic;
} states[] = {
    {"xAPIC", {apic_registers, UINT64_C(0xFEE00900), 0, 0, false}},
    {"xAPIC, interrupt waits", {apic_registers, UINT64_C(0xFEE00900), 14, 0xD1, false}},
    {"xAPIC at another address", {apic_registers, UINT64_C(0xD0000800), 3, 0, false}},
    {"disabled", {apic_registers, UINT64_C(0xFEE00100), 0, 0, false}},
    {"x2APIC", {apic_registers, UINT64_C(0xFEE00D00), 0, 0x31, false}},
    {"x2APIC, interrupt waits", {apic_registers, UINT64_C(0xFEE00D00), 15, 0xF1, true}},
};

static struct vmx_vcpu vmx __attribute__((aligned(4096)));
static struct vcpu vcpu;
static struct vcpu_plan plan;
static size_t guests, with_control[32]; /* secondary control n has been on */

/* Guest memory of 2 MiB; the tables have the address that EPT needs. */
static void map_memory(void)
{
    static uint8_t pages[4 * PAGE_SIZE] __attribute__((aligned(4096)));
    struct page_pool pool = {.pages = pages, .count = 4};

    assert_int_equal(
        nested_paging_map(&ept_format, &pool, gpa(0), hpa(0x12200000), PAGE_SIZE_2_MIB),
        STATUS_OK);
    plan.memory_root = hpa_of(pages);
}

/* Changes the local APIC; the model keeps the threshold at or below its TPR. */
static void check_state(const struct state *state, const char *start)
{
    TEXT_DECLARE(what, 80);

    vcpu.apic = state->apic;
    vcpu_update_apic(&vcpu);
    entry_snapshot_set(&written, VALUE_VIRTUAL_TPR, state->apic.threshold * 16U);
    text_append(&what, "guest of start %s, APIC virtualization %s, %s", start,
                plan.has_apicv ? "on" : "off", state->name);
    assert_good(what.buffer);
    for (size_t i = 0; i < ARRAY_SIZE(with_control); i++)
        with_control[i] += machine_vmcs_get(VMCS_SECONDARY_CONTROLS) >> i & 1;
}

/* Each state follows each. */
static void check_states(const char *start)
{
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        for (size_t next = 0; next < ARRAY_SIZE(states); next++) {
            check_state(&states[i], start);
            check_state(&states[next], start);
        }
    }
}

static void check_guest(const struct vcpu_start *start)
{
    static const char *const names[] = {"32-bit", "64-bit", "SIPI"};
    TEXT_DECLARE(missing, 256);

    memset(&vmx, 0, sizeof(vmx));
    vmx  = (struct vmx_vcpu){.vcpu = &vcpu, .plan = &plan, .capabilities = capabilities};
    vcpu = (struct vcpu){.start = start, .vpid = 1, .arch = &vmx, .apic = states[0].apic};
    if (vcpu_controls_fit(&capabilities, &vmx.controls, &missing) != STATUS_OK)
        return;
    written_start();
    apic_virtualization_start(&vmx);
    assert_true(vcpu_state_write(&vmx));
    check_states(names[start - starts]);
    vcpu.start = &starts[ARRAY_SIZE(starts) - 1];
    vcpu_restart(&vcpu);
    check_states("INIT");
    guests++;
}

static void check_guests(void)
{
    if (!has_vmx())
        return;
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        for (int has_apicv = 0; has_apicv < 2; has_apicv++) {
            plan.has_apicv = has_apicv != 0;
            check_guest(&starts[i]);
        }
    }
}

static void test_guests(void **state)
{
    (void)state;
    map_memory();
    recordings_visit(check_guests);
    print_message("%zu guests, %zu rules held\n", guests, judged);
    assert_true(guests >= 6 * 20);
    for (size_t i = 0; i < ARRAY_SIZE(with_control); i++) {
        if ((ALL >> i & 1) != 0)
            assert_true(with_control[i] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trial),
        cmocka_unit_test(test_guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
