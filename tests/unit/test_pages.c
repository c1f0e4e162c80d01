/* src/report/pages.c and json_report.c. */
#include "hybrid_pages.h"

#include <stdio.h>

#include "report/json_report.h"
#include "vmx/capabilities.h"

#define SCHEMA "tests/schema"

static void test_capabilities(void **state)
{
    (void)state;
    for (size_t i = 0; i < vmx_capability_table.row_count; i++) {
        const struct capability_row *row = &vmx_capability_table.rows[i];
        struct capability_bits bits =
            vmx_capability_bits(&vmx_record(&records[0])->capabilities, row->group);
        if (bits.exists && !section_has(REPORT_CAPABILITIES, row->name))
            fail_msg("no page has \"%s\"", row->name);
    }
    assert_true(section_has(REPORT_CAPABILITIES, "opt enable EPT"));
    assert_true(section_has(REPORT_CAPABILITIES, "1   VMXE"));
    assert_true(
        section_has(REPORT_CAPABILITIES, "VM-entry controls (IA32_VMX_TRUE_ENTRY_CTLS)"));
    assert_true(section_has(REPORT_CAPABILITIES, "1   unnamed bits: 1 2 4"));
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        vmx_record_of(&records[i])
            ->capabilities.msr[MSR_IA32_VMX_EPT_VPID_CAP - VMX_MSR_FIRST]
            .value |= BIT(60);
    assert_true(section_has(REPORT_CAPABILITIES, "yes bit 60 (unnamed)"));
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        remove_vmx(&records[i]);
    assert_true(section_has(REPORT_CAPABILITIES,
                            "No CPU reported capabilities; see the verdict."));
}

static void test_cpus(void **state)
{
    (void)state;
    assert_true(section_has(REPORT_CPUS, "    0x16b on cpu 12-19"));
    assert_true(section_has(REPORT_CPUS, "2 of 40 registers differ."));
    assert_true(section_has(REPORT_CPUS, "cpu 11: apic 11: performance core: ok"));
    assert_true(section_has(REPORT_CPUS, "cpu 19: apic 19: efficient core: ok"));
    assert_true(section_has(REPORT_CPUS, "Registers of cpu 12"));
    assert_false(section_has(REPORT_CPUS, "Registers of cpu 13"));
    facts.count = 1;
    assert_true(section_has(REPORT_CPUS, "CPUs that responded: 1; nothing to compare."));
    facts.count = 3;
    assert_true(
        section_has(REPORT_CPUS, "The 3 CPUs that responded agree in all 40 registers."));
}

static void test_others(void **state)
{
    (void)state;
    assert_true(section_has(REPORT_HYPERVISORS, "ok       NOVA"));
    assert_true(section_has(REPORT_HYPERVISORS, "missing  Jailhouse      VT-d"));
    assert_true(section_has(REPORT_HYPERVISORS, "iTLB multihit  not affected"));
    assert_true(section_has(REPORT_TIMINGS, "cpu 19, efficient core"));
    assert_true(section_has(
        REPORT_TIMINGS,
        "VM exit by CPUID          1300      1200      1500    1000   500 ns"));
    assert_false(section_has(REPORT_TIMINGS, "VMREAD"));
    assert_true(section_has(REPORT_TIMINGS,
                            "TSC ticks at 2600000 kHz, within 12 ppm (measured)."));
    facts.tsc_ppm = 0;
    assert_true(section_has(REPORT_TIMINGS, "at 2600000 kHz, exactly (measured)."));
    facts.tsc_ppm = FACTS_NO_PPM;
    assert_true(section_has(REPORT_TIMINGS, "at 2600000 kHz (measured)."));
    facts.tsc_hz = 0; /* an assumed frequency is none: times in ticks only */
    assert_true(section_has(REPORT_TIMINGS, "TSC ticks (measured)."));
    assert_true(section_has(REPORT_TIMINGS, "  1300      1200      1500    1000"));
    assert_false(section_has(REPORT_TIMINGS, " ns"));
    assert_false(section_has(REPORT_TIMINGS, "kHz"));
    for (int i = 0; i < 60; i++)
        log_info("line %d of the log, and it is longer than the screen is wide, so that "
                 "two rows are needed for it",
                 i);
    assert_true(section_has(REPORT_LOG, "info: line 0 of the log"));
    assert_true(section_has(REPORT_LOG, "info: line 59 of the log"));
    assert_true(report_page_count(REPORT_LOG, &facts) >= 5);
}

static FILE *checker;

static void note_json(const char *text, size_t length)
{
    assert_int_equal(fwrite(text, 1, length, checker), length);
}

/* Pipes the JSON report to a program, and fails with its output if it fails. */
static void assert_json_passes(const char *command)
{
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        verdict_judge_cpu(&records[i]);
    checker = popen(command, "w");
    assert_non_null(checker);
    json_report_write(&facts, note_json);
    assert_int_equal(pclose(checker), 0);
}

/* Different CPUs and hostile names: the report is parsed, validated and read. */
static void test_json(void **state)
{
    (void)state;
    struct iommu_unit unit = {.address = 0xFED90000, .answers = true};
    facts.machine          = "Evil\"\\ \x1b[2J Corp";
    records[3].answer      = CPU_NO_ANSWER;
    iommus.vt_d = (struct iommu_table){.exists = true, .count = 1, .unit = &unit};
    assert_json_passes(SCHEMA);
    assert_json_passes("tests/unit/hybrid_report");
    assert_json_passes("grep -q '\"schema\":3,.*\"virtualization\":\"VT-x\"'");
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        remove_vmx(&records[i]);
    facts.verdict = VERDICT_NO_VIRTUALIZATION;
    assert_json_passes(SCHEMA);
    assert_json_passes("grep -q '\"NO-VIRTUALIZATION\",\"virtualization\":null'");
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        records[i].answer = CPU_NO_ANSWER;
    facts.verdict = VERDICT_FAILED;
    assert_json_passes(SCHEMA);
    facts.tsc_hz  = 0;
    facts.tsc_ppm = FACTS_NO_PPM;
    assert_json_passes("grep -q '\"tsc_hz\":null,\"tsc_uncertainty_ppm\":null'");
    assert_json_passes(SCHEMA);
}

/* The TSCs of the CPUs: on the page and in the JSON, where only odd CPUs have keys. */
static void test_synchrony(void **state)
{
    (void)state;
    facts.count = 3;
    tsc_offset_add(&records[1].tsc_offset, 1000, 1040, 1100);
    tsc_offset_add(&records[2].tsc_offset, 1000, 1050, 1100);
    assert_true(section_has(REPORT_CPUS, "TSCs: 2 of 2 other CPUs in step with cpu 0,"));
    assert_json_passes(
        "grep -q '\"tscs_compared\":2,\"tscs_in_step\":2,\"tscs_in_step_ticks\":50'");
    assert_json_passes(SCHEMA);
    tsc_offset_add(&records[1].tsc_offset, 5000, 5300, 5100);
    records[2].tsc_offset = (struct tsc_offset){0};
    tsc_offset_add(&records[2].tsc_offset, 5000, 3050, 5100);
    records[2].tsc_adjust = (struct msr_reading){.value = 0xFFF, .state = MSR_READ};
    assert_true(section_has(REPORT_CPUS, "TSCs: 0 of 2 other CPUs in step with cpu 0; "));
    assert_true(section_has(REPORT_CPUS, "; TSC not at the rate of cpu 0's"));
    assert_true(section_has(REPORT_CPUS, "; TSC 2000 ticks behind cpu 0's, within 50"));
    assert_json_passes(
        "grep -q '\"tsc\":\"drifts\"}.*\"tsc\":\"not in step\",\"tsc_offset\":"
        "\"-2000\",\"tsc_offset_error\":50,\"tsc_adjust\":\"0xfff\"}'");
    assert_json_passes(SCHEMA);
}

/* One CPU of every recorded machine. */
static void test_all_machines(void **state)
{
    (void)state;
    facts.count = 1;
    for (size_t i = 0; i < ARRAY_SIZE(all_machines); i++) {
        records[0] = record_of_machine(all_machines[i]);
        assert_json_passes(SCHEMA);
    }
}

/* A processor that lacks many features: every name is shown, not truncated. */
static void test_much_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        records[i] = record_of_machine(&core2_x6800);
    assert_true(section_has(REPORT_HYPERVISORS, "missing  bhyve"));
    assert_true(section_has(REPORT_HYPERVISORS, "retaining globals\""));
    assert_true(section_has(REPORT_HYPERVISORS, "VT-d (an ACPI table DMAR)"));
    assert_true(section_has(REPORT_HYPERVISORS, "Nested in"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_capabilities), TEST(test_cpus),         TEST(test_others),
        TEST(test_json),         TEST(test_all_machines), TEST(test_much_missing),
        TEST(test_synchrony),
    };
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
