/* src/report/short_form.c with the rows in src/svm/svm.c. */
#include "short_form.h"
#include "snapshots_amd.h"

/* The numbers of AMD-V in the order of docs/REPORT.md, with their usual values. */
static void assert_amd_v(const struct cpu_record *record, uint32_t present)
{
    const struct svm_record *own       = svm_record(record);
    const struct cpuid_snapshot *cpuid = &record->cpuid;
    bool has_vm_cr                     = own->vm_cr.state == MSR_READ;
    const uint64_t numbers[30][2]      = {
             {has_vm_cr ? own->vm_cr.value : NONE, 8},
             {own->efer.value, 0xD00},
             {own->syscfg.state == MSR_READ ? own->syscfg.value : NONE, 0},
             {NONE, 0},
             {cpuid->leaf_8000000a.eax, 1},
             {cpuid->leaf_8000000a.ebx, 0x8000},
             {cpuid->leaf_8000000a.edx, 0x1BCFF},
             {cpuid->leaf_8000001f.eax, 0},
             {cpuid->leaf_8000001f.ebx, 0},
             {cpuid->leaf_8000001f.ecx, 0},
             {cpuid->leaf_8000001f.edx, 0},
             {cpuid->leaf_80000026.eax, 0},
             {cpuid->leaf_80000026.ebx, 0},
             {own->steps.nested.exits.count, 1},
             {own->steps.nested.exits.number[0], 0x81},
             {own->steps.nested.rax, 0x48796D697220A002},
             {cpuid->leaf_0.eax, 0x10},
             {cpuid->leaf_0.ebx, 0x68747541},
             {cpuid->leaf_0.ecx, 0x444D4163},
             {cpuid->leaf_0.edx, 0x69746E65},
             {cpuid->leaf_1.ecx, 0x7ED8320B},
             {cpuid->leaf_1.edx, 0x178BFBFF},
             {cpuid->leaf_7.ebx, 0x209C01A9},
             {cpuid->leaf_7.ecx, 0},
             {cpuid->leaf_7.edx, 0},
             {cpuid->leaf_d_1.eax, 0xF},
             {cpuid->leaf_80000001.ecx, 0x75C237FF},
             {cpuid->leaf_80000001.edx, 0x2FD3FBFF},
             {cpuid->leaf_80000007.edx, 0},
             {cpuid->leaf_80000008.eax, 0x3030},
    };

    for (size_t row = 0; row < ARRAY_SIZE(numbers); row++) {
        uint64_t value  = numbers[row][0];
        bool is_present = row < 4 ? value != NONE : value != 0;
        assert_int_equal(present >> row & 1, is_present);
        if (is_present)
            assert_int_equal(read_number() ^ numbers[row][1], value);
    }
    assert_int_equal(next, size);
}

/* Each with the longest verdict word: all of the form fits. */
static void test_amd_v(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_amd); i++) {
        struct cpu_record record = record_ready(all_amd[i]);
        set_names(&record, "AMD EPYC 7763 64-Core Processor");
        record.cpuid.leaf_d_1.eax      = 0xF;
        record.cpuid.leaf_80000007.edx = 0x6799;
        record.cpuid.leaf_80000001.edx |= BIT(29);
        facts = (struct report_facts){
            .records = &record, .count = 1, .verdict = VERDICT_HIDDEN_BY_HYPERVISOR};
        write_and_unpack();
        assert_int_equal(strncmp(text, "HYMIR2:AMD-V:HIDDEN-BY-HYPERVISOR:AMD ", 38), 0);
        assert_fits();
        assert_amd_v(&record, read_start(record.cpuid.leaf_1.eax, 1, 1));
    }
}

/* Without SVM in CPUID, and with VM_CR as firmware locks it. */
static void test_amd_v_not_working(void **state)
{
    (void)state;
    struct cpu_record record      = record_before(&epyc_7763);
    svm_record_of(&record)->vm_cr = reading_of(0x18);
    set_names(&record, "AMD EPYC 7763 64-Core Processor");
    facts = (struct report_facts){
        .records = &record, .count = 1, .verdict = VERDICT_LOCKED_OFF};
    write_and_unpack();
    assert_amd_v(&record, read_start(record.cpuid.leaf_1.eax, 1, 1));
}

/* Whether the other CPUs are like the one that is shown. */
static void test_other_cpus(void **state)
{
    (void)state;
    struct cpu_record records[3];

    for (size_t i = 0; i < 3; i++) {
        records[i] = record_ready(&epyc_9654);
        set_names(&records[i], "AMD EPYC 9654 96-Core Processor");
    }
    facts =
        (struct report_facts){.records = records, .count = 3, .verdict = VERDICT_READY};
    write_and_unpack();
    read_start(records[0].cpuid.leaf_1.eax, 3, 1);
    facts.unseen = "there are more";
    write_and_unpack();
    read_start(records[0].cpuid.leaf_1.eax, 3, 0);
    facts.unseen                            = NULL;
    svm_record_of(&records[1])->vm_cr.value = 0;
    write_and_unpack();
    read_start(records[0].cpuid.leaf_1.eax, 3, 0);
    records[1]        = records[0];
    records[2].answer = CPU_NO_ANSWER;
    verdict_judge_cpu(&records[2]);
    write_and_unpack();
    read_start(records[0].cpuid.leaf_1.eax, 3, 0);
    records[2]                = records[0];
    records[2].judgement.word = VERDICT_FAILED;
    write_and_unpack();
    read_start(records[0].cpuid.leaf_1.eax, 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amd_v),
        cmocka_unit_test(test_amd_v_not_working),
        cmocka_unit_test(test_other_cpus),
    };
    return cmocka_run_group_tests_name("svm_short_form", tests, NULL, NULL);
}
