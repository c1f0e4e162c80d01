/* The report on a machine of 20 CPUs of two core types. */
#ifndef HYMIR_TESTS_HYBRID_PAGES_H
#define HYMIR_TESTS_HYBRID_PAGES_H

#include "machines.h"
#include "pages.h"

#include "report/navigation.h"

static struct cpu_record records[20];
static struct navigation navigation;

static int report_start(void **state)
{
    start_log(state);
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        records[i]         = record_of_machine(i < 12 ? &core_i9_12900hk_performance
                                                      : &core_i9_12900hk_efficient);
        records[i].apic_id = (uint32_t)i;
        records[i].cpuid.leaf_1a.eax = i < 12 ? 0x40000001 : 0x20000001;
        strcpy((char *)records[i].cpuid.leaf_80000002, "Intel(R) Core(TM) i9-12900HK");
    }
    records[19].timings.row[0] =
        (struct statistics){.count = 1000, .low = 1200, .median = 1300, .high = 1500};
    iommus.vt_d = (struct iommu_table){0};
    facts_load(records, ARRAY_SIZE(records), "VMX root operation entered and left");
    navigation_start(&navigation, &facts);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, report_start)

#endif
