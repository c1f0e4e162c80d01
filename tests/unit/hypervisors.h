/*
 * A machine with two CPUs and two IOMMUs, for the tests of hypervisor requirements.
 */
#ifndef HYMIR_TESTS_HYPERVISORS_H
#define HYMIR_TESTS_HYPERVISORS_H

#include "amd_v.h"
#include "machines.h"

#include "report/hypervisors.h"
#include "vmx/vcpu_controls.h"
#include "x86/vt_d.h"

static struct cpu_record records[2];
static struct iommus iommus;
static struct iommu_unit vt_d_units[2], amd_vi_units[2];
static struct report_facts facts;
static char named[REQUIREMENT_STATES][8192];

/* Loads a machine with two such CPUs that has all required CPUID and VT-d features. */
static inline void records_load(const struct machine_msrs *machine)
{
    for (size_t i = 0; i < 2; i++) {
        struct cpuid_snapshot *cpuid            = &records[i].cpuid;
        records[i]                              = record_of_machine(machine);
        records[i].apic_id                      = (uint32_t)i;
        vmx_record_of(&records[i])->misc_enable = reading_of(0x850089);
        cpuid->leaf_1.ecx |= (uint32_t)(BIT(21) | BIT(24) | BIT(26));
        cpuid->leaf_80000007.edx = 0x100;
    }
    iommus.vt_d   = (struct iommu_table){.exists = true, .count = 2, .unit = vt_d_units};
    vt_d_units[0] = (struct iommu_unit){
        0xFED90000, 0x1C0000C40660462, 0x19E2FF0505E, 0x10, true, 0, 0, 0};
    vt_d_units[1] =
        (struct iommu_unit){0xFED91000, 0xD2008C40660462, 0xF050DA, 0x10, true, 0, 0, 0};
    for (size_t i = 0; i < 2; i++)
        iommus.vt_d.unit[i].capability |= VT_D_CAP_PAGES_2_MIB | VT_D_CAP_PAGES_1_GIB;
    facts = (struct report_facts){
        .machine   = "test",
        .ram_bytes = UINT64_C(7680) << 20,
        .has_acpi  = true,
        .iommus    = &iommus,
        .records   = records,
        .count     = 2,
        .verdict   = VERDICT_READY,
    };
}

/* Loads a machine with two CPUs like the first EPYC, on which AMD-V works. */
static inline void records_load_amd(void)
{
    records_load(&core_i7_6700k);
    for (size_t i = 0; i < 2; i++) {
        remove_vmx(&records[i]);
        set_vendor(&records[i], "AuthenticAMD");
        records[i].virtualization = &amd_v_words;
        records[i].cpuid.leaf_80000001.ecx |= BIT(2);
        svm_values(&records[i])[GROUP_ASIDS]       = 0x8000;
        svm_values(&records[i])[GROUP_FEATURES]    = 0x1BCFF;
        svm_values(&records[i])[SVM_NESTED_PAGING] = 1;
        verdict_judge_cpu(&records[i]);
    }
    for (size_t i = 0; i < 2; i++) /* of an EPYC 7763 */
        amd_vi_units[i] = (struct iommu_unit){.address           = 0xF2600000 + (i << 20),
                                              .answers           = true,
                                              .extended_features = 0x246577EFA2254AFA};
    iommus = (struct iommus){
        .amd_vi = {.exists = true, .count = 2, .unit = amd_vi_units},
    };
}

static inline void answer_append(const struct requirement_answer *answer, void *context)
{
    char *list       = named[answer->state];
    struct text text = {.buffer = list, .size = sizeof(named[0]), .length = strlen(list)};

    (void)context;
    assert_true(strlen(answer->name) < REQUIREMENT_NAME_SIZE - 1);
    assert_null(strstr(answer->name, "(null)"));
    requirement_append(answer, &text);
    text_append(&text, "; ");
}

static inline void assert_state(enum hypervisor hypervisor,
                                enum requirement_state expected)
{
    struct hypervisor_question question;

    memset(named, 0, sizeof(named));
    hypervisor_question_prepare(&facts, &question);
    enum requirement_state state =
        hypervisor_visit(hypervisor, NULL, &question, answer_append, NULL);
    if (state != expected)
        fail_msg("%s: missing %s unknown %s", hypervisors[hypervisor].name,
                 named[REQUIREMENT_MISSING], named[REQUIREMENT_UNKNOWN]);
    assert_int_equal(named[REQUIREMENT_MISSING][0] != '\0', state == REQUIREMENT_MISSING);
    if (state == REQUIREMENT_MET)
        assert_string_equal(named[REQUIREMENT_UNKNOWN], "");
}

static inline void assert_named(enum requirement_state state, const char *what)
{
    if (strstr(named[state], what) == NULL)
        fail_msg("not among \"%s\": %s", named[state], what);
}

static inline void assert_runs(enum hypervisor hypervisor)
{
    assert_state(hypervisor, REQUIREMENT_MET);
}

static inline void assert_lacks(enum hypervisor hypervisor, const char *what)
{
    assert_state(hypervisor, REQUIREMENT_MISSING);
    assert_named(REQUIREMENT_MISSING, what);
}

static inline void assert_open(enum hypervisor hypervisor, const char *what)
{
    assert_state(hypervisor, REQUIREMENT_UNKNOWN);
    assert_named(REQUIREMENT_UNKNOWN, what);
}

#endif
