/* The report on machines with AMD-V: its pages, JSON and short form. */
#include "pages.h"
#include "snapshots_amd.h"

#include "report/json_report.h"
#include "svm/capabilities.h"

#include <stdio.h>

#define SCHEMA "tests/schema"

static struct cpu_record records[4];
static struct iommu_unit unit;

static void records_load(const struct recorded_amd *recorded)
{
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        records[i]                         = record_ready(recorded);
        records[i].apic_id                 = (uint32_t)i;
        svm_record_of(&records[i])->syscfg = reading_of(0x1F40000);
        strcpy((char *)records[i].cpuid.leaf_80000002, "AMD EPYC 9655 96-Core Processor");
    }
    unit   = (struct iommu_unit){.address           = 0xF2600000,
                                 .answers           = true,
                                 .control           = 1,
                                 .extended_features = 0x246577EFA2254AFA};
    iommus = (struct iommus){.amd_vi = {.exists = true, .count = 1, .unit = &unit}};
    facts_load(records, ARRAY_SIZE(records), "guests entered by VMRUN and left");
}

/* Every bit by its name; those of encrypted memory only if the processor has any. */
static void test_capabilities(void **state)
{
    (void)state;
    records_load(&epyc_9655);
    for (size_t i = 0; i < svm_capability_table.row_count; i++) {
        TEXT_DECLARE(words, 64);
        text_append(&words, " %s", svm_capability_table.rows[i].name);
        if (!section_has(REPORT_CAPABILITIES, words.buffer))
            fail_msg("no page has \"%s\"", words.buffer);
    }
    assert_true(section_has(REPORT_CAPABILITIES, "yes x2AVIC"));
    assert_true(section_has(REPORT_CAPABILITIES, "yes SEV-SNP"));
    assert_true(section_has(REPORT_CAPABILITIES, "32768 number of ASIDs"));
    assert_true(section_has(REPORT_CAPABILITIES, "51  C-bit position"));
    assert_true(
        section_has(REPORT_CAPABILITIES, "Common to all CPUs with AMD-V. !=: none."));
    assert_false(section_has(REPORT_CAPABILITIES, "may be 0 or 1"));
    records[2] = record_ready(&ryzen_1700x);
    assert_true(section_has(REPORT_CAPABILITIES, "!=  C-bit position"));
    assert_true(section_has(REPORT_CAPABILITIES, "15  number of encrypted guests"));
    records_load(&fx_8150);
    assert_true(section_has(REPORT_CAPABILITIES, "yes decode assists"));
    assert_false(section_has(REPORT_CAPABILITIES, "Encrypted"));
    assert_false(section_has(REPORT_CAPABILITIES, "SEV"));
}

/* The leaves with AMD-V's features are listed and compared. */
static void test_cpus(void **state)
{
    (void)state;
    records_load(&epyc_9655);
    assert_true(section_has(REPORT_CPUS, "The 4 CPUs that responded agree in all 30 "));
    assert_true(section_has(REPORT_CPUS, "CPUID.8000000AH:EDX              0xffbfbdff"));
    assert_true(section_has(REPORT_CPUS, "CPUID.8000001FH:EAX              0xcffffffb"));
    assert_true(section_has(REPORT_CPUS, "SYSCFG                           0x1f40000"));
    records[3].cpuid.leaf_8000000a.edx &= ~(uint32_t)SVM_FEATURE_X2AVIC;
    assert_true(section_has(REPORT_CPUS, "CPUID.8000000AH:EDX:"));
    assert_true(section_has(REPORT_CPUS, "    0xffbbbdff on cpu 3"));
    assert_true(section_has(REPORT_CPUS, "1 of 30 registers differ."));
}

/* The core types of AMD's hybrid processors, each timed. */
static void test_core_types(void **state)
{
    (void)state;
    static const struct {
        uint32_t eax, ebx;
        const char *name;
    } cases[] = {
        {0x40000001, 0x00000002, "performance"},
        {0x40000001, 0x10000002, "efficient"},
        {0x40000001, 0x20000002, "other"},
        {0x80000001, 0x10000002, "uniform"},
    };
    records_load(&epyc_9655);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        TEXT_DECLARE(title, 64);
        records[1].cpuid.leaf_80000026 =
            (struct cpuid_result){.eax = cases[i].eax, .ebx = cases[i].ebx};
        records[1].timings.row[1] =
            (struct statistics){.count = 1000, .low = 1200, .median = 1300, .high = 1500};
        text_append(&title, "cpu 1, %s core", cases[i].name);
        assert_true(section_has(REPORT_TIMINGS, title.buffer));
    }
    assert_true(section_has(REPORT_TIMINGS, "VM exit by VMMCALL"));
}

/* The rows of AMD's processors, and those of both vendors. */
static void test_surroundings(void **state)
{
    (void)state;
    static const char *const shown[]  = {"AMD-Vi         ACPI's IVRS table lists 1 unit",
                                         "SME, SEV       enabled in SYSCFG (0x1f40000)",
                                         "5-level paging ", "Addresses      52 bits",
                                         "Nested in      none"};
    static const char *const hidden[] = {"VT-d",   "SMX",  "SENTER", "SGX",
                                         "iTLB m", "L1TF", "MDS",    "IA32_FEATURE"};
    records_load(&epyc_9655);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        assert_true(section_has(REPORT_HYPERVISORS, shown[i]));
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
        assert_false(section_has(REPORT_HYPERVISORS, hidden[i]));
    assert_true(section_has(REPORT_HYPERVISORS, "ok       bhyve"));
    assert_true(section_has(REPORT_HYPERVISORS, "ok       Jailhouse"));
    assert_true(section_has(REPORT_HYPERVISORS, "missing  ACRN"));
    records_load(&hygon_3185);
    assert_true(section_has(REPORT_HYPERVISORS, "SME, SEV       not supported"));
    assert_false(section_has(REPORT_HYPERVISORS, "VT-d"));
}

/* What firmware enables in SYSCFG: memory encryption, and the tables of SEV-SNP. */
static void test_memory_encryption(void **state)
{
    (void)state;
    records_load(&epyc_7763);
    struct svm_record *own = svm_record_of(&records[0]);
    own->syscfg            = (struct msr_reading){.state = MSR_NOT_READ};
    assert_surrounded("memory_encryption", "unknown", "unknown: SYSCFG was not read");
    own->syscfg = reading_of(0x740000);
    assert_surrounded("memory_encryption", "disabled",
                      "not enabled in SYSCFG (0x740000); SEV: yes, SEV-ES: yes, SEV-SNP: "
                      "not enabled");
    own->syscfg = reading_of(0x1F40000);
    assert_surrounded("memory_encryption", "enabled",
                      "enabled in SYSCFG (0x1f40000); SEV: yes, SEV-ES: yes, SEV-SNP: "
                      "enabled");
    records[0].cpuid.leaf_8000001f.eax = 1; /* SME alone */
    assert_surrounded("memory_encryption", "enabled",
                      "; SEV: no, SEV-ES: no, SEV-SNP: no");
    records[0].cpuid.leaf_8000001f.eax = 0;
    assert_surrounded("memory_encryption", "absent", "not supported by the processor");
}

static FILE *checker;

static void note_json(const char *text, size_t length)
{
    assert_int_equal(fwrite(text, 1, length, checker), length);
}

/* Pipes the JSON report to a program, and fails with its output if it fails. */
static void assert_json_passes(const char *command)
{
    checker = popen(command, "w");
    assert_non_null(checker);
    json_report_write(&facts, note_json);
    assert_int_equal(pclose(checker), 0);
}

static void test_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_amd); i++) {
        records_load(all_amd[i]);
        for (size_t row = 0; row < amd_v.timing_count; row++)
            records[0].timings.row[row] = (struct statistics){
                .count = 1000, .low = 1200, .median = 1300, .high = 1500};
        assert_json_passes(SCHEMA);
    }
    records_load(&epyc_9655);
    assert_json_passes("grep -q '\"virtualization\":\"AMD-V\"'");
    assert_json_passes("grep -q '\"number of VMPLs\":4'");
    assert_json_passes("grep -q '\"amd_vi\":{\"state\":\"yes\"'");
    assert_json_passes("grep -q '\"amd_vi_units\":\\[{\"address\":\"0xf2600000\","
                       "\"answers\":true,\"control\":\"0x1\","
                       "\"extended_features\":\"0x246577efa2254afa\"}\\]'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capabilities), cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_core_types),   cmocka_unit_test(test_surroundings),
        cmocka_unit_test(test_json),         cmocka_unit_test(test_memory_encryption),
    };
    return cmocka_run_group_tests_name("pages_amd_v", tests, NULL, NULL);
}
