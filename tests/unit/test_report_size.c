/* src/report/json_report.c: the size of the report, as docs/REPORT.md states it. */
#include "machines.h"
#include "pages.h"

#include <stdio.h>

#include "platform/smp.h"
#include "report/json_report.h"

#define MANUAL "docs/REPORT.md"

static struct cpu_record records[SMP_MAX_CPUS];
static size_t size;

static void add_size(const char *text, size_t length)
{
    (void)text;
    size += length;
}

/* Makes a CPU of the machine, or one without VT-x; only the first is timed. */
static void record_load(size_t index, const struct machine_msrs *machine, bool has_vmx)
{
    struct cpu_record *record = &records[index];

    *record         = record_of_machine(machine);
    record->apic_id = (uint32_t)index;
    strcpy((char *)record->cpuid.leaf_80000002, "Intel(R) Core(TM) i9-12900HK");
    if (!has_vmx)
        remove_vmx(record);
    for (size_t i = 0; has_vmx && index == 0 && i < TIMING_ROWS_MAX; i++)
        record->timings.row[i] =
            (struct statistics){.count = 1000, .low = 1200, .median = 1300, .high = 1500};
    verdict_judge_cpu(record);
}

/* Returns the size of the line in KB for CPUs that are alike. */
static size_t report_size(const struct machine_msrs *machine, bool has_vmx, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_load(i, machine, has_vmx);
    facts_load(records, count, "VMX root operation entered");
    facts.verdict = records[0].judgement.word;
    facts.tsc_ppm = 0;
    size          = 0;
    json_report_write_line(&facts, add_size);
    return (size + 500) / 1000;
}

/* Returns the largest size of all machines. */
static size_t largest_size(size_t count)
{
    size_t largest = 0;

    for (size_t i = 0; i < ARRAY_SIZE(all_machines); i++) {
        size_t found = report_size(all_machines[i], true, count);
        largest      = found > largest ? found : largest;
    }
    return largest;
}

/* Asserts that the manual has the words, where a line may end between any two. */
static void assert_manual_has(const char *words)
{
    static char manual[1 << 16];
    FILE *file    = fopen(MANUAL, "r");
    size_t length = 0;

    assert_non_null(file);
    length = fread(manual, 1, sizeof(manual) - 1, file);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < length; i++)
        manual[i] = manual[i] == '\n' ? ' ' : manual[i];
    if (strstr(manual, words) == NULL)
        fail_msg("%s has no \"%s\"", MANUAL, words);
}

static void test_size(void **state)
{
    (void)state;
    TEXT_DECLARE(words, 256);
    text_append(&words,
                "%zu KB without VT-x, up to %zu KB with one CPU, %zu KB with 255 and "
                "%zu KB with 1,024",
                report_size(all_machines[0], false, 1), largest_size(1),
                largest_size(255), largest_size(1024));
    assert_manual_has(words.buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_size)};
    return cmocka_run_group_tests_name("report_size", tests, NULL, NULL);
}
