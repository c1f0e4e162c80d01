/* src/cpu/tsc_offset.c and src/check/tsc_synchrony.c: how far CPUs' TSCs are apart. */
#include "unit.h"

#include "check/tsc_synchrony.h"
#include "lib/bits.h"
#include "random.h"

#define ROUNDS 64

/* Adds a round in which a CPU with that offset answers, after some ticks each way. */
static void add_round(struct tsc_offset *offset, uint64_t start, int64_t true_offset,
                      uint64_t there, uint64_t back)
{
    tsc_offset_add(offset, start, start + there + (uint64_t)true_offset,
                   start + there + back);
}

static void assert_described(const struct tsc_offset *offset, const char *expected)
{
    TEXT_DECLARE(text, 80);
    tsc_offset_describe(offset, &text);
    assert_string_equal(text.buffer, expected);
}

static void test_rounds(void **state)
{
    (void)state;
    struct tsc_offset offset = {0};
    assert_int_equal(tsc_offset_synchrony(&offset), TSC_NOT_COMPARED);
    assert_described(&offset, "not compared with cpu 0's");
    add_round(&offset, 1000, 0, 100, 300); /* -300 to 100 */
    assert_int_equal(tsc_offset_synchrony(&offset), TSC_IN_STEP);
    assert_described(&offset, "in step with cpu 0's, within 200 ticks");
    add_round(&offset, 5000, 0, 400, 20); /* -20 to 400: each round bounds one side */
    assert_described(&offset, "in step with cpu 0's, within 60 ticks");
    offset = (struct tsc_offset){0};
    add_round(&offset, 1000, 500, 100, 300);
    assert_int_equal(tsc_offset_synchrony(&offset), TSC_NOT_IN_STEP);
    assert_described(&offset, "400 ticks ahead of cpu 0's, within 200");
    offset = (struct tsc_offset){0};
    add_round(&offset, 1000, -101, 100, 100);
    assert_described(&offset, "101 ticks behind cpu 0's, within 100");
    add_round(&offset, 2000, 101, 100, 100); /* not the same offset */
    assert_int_equal(tsc_offset_synchrony(&offset), TSC_DRIFTS);
    assert_described(&offset, "not at the rate of cpu 0's");
}

/* TSCs of any value: the boot CPU's may wrap, or the other's begin at 0. */
static void test_wrap(void **state)
{
    (void)state;
    struct tsc_offset offset = {0};
    add_round(&offset, UINT64_MAX - 50, 0, 100, 100);
    assert_int_equal(tsc_offset_synchrony(&offset), TSC_IN_STEP);
    offset = (struct tsc_offset){0};
    add_round(&offset, UINT64_C(1) << 60, -(INT64_C(1) << 60), 100, 100);
    assert_described(&offset, "1152921504606846976 ticks behind cpu 0's, within 100");
    offset = (struct tsc_offset){0};
    add_round(&offset, 0, INT64_MIN, 100, 100); /* no undefined behaviour */
    add_round(&offset, 1000, INT64_MAX, 100, 100);
    tsc_offset_ticks(&offset);
    tsc_offset_error(&offset);
}

/* Whatever the communication takes, the offset is within the error. */
static void test_random(void **state)
{
    (void)state;
    for (int machine = 0; machine < 1000; machine++) {
        struct tsc_offset offset = {0};
        int64_t actual           = (int64_t)(random_number() % 20001) - 10000;
        for (int round = 0; round < ROUNDS; round++)
            add_round(&offset, random_number(), actual, 40 + random_number() % 5000,
                      40 + random_number() % 5000);
        int64_t error = tsc_offset_ticks(&offset) - actual;
        assert_true((uint64_t)(error < 0 ? -error : error) <= tsc_offset_error(&offset));
        assert_int_not_equal(tsc_offset_synchrony(&offset), TSC_DRIFTS);
        assert_true(tsc_offset_error(&offset) < 2000);
        if (actual == 0)
            assert_int_equal(tsc_offset_synchrony(&offset), TSC_IN_STEP);
    }
}

static struct cpu_record records[4];

static void assert_summarized(bool is_bad, const char *expected)
{
    TEXT_DECLARE(text, 200);
    struct tsc_synchrony_summary summary =
        tsc_synchrony_summarize(records, ARRAY_SIZE(records));
    tsc_synchrony_describe(&summary, records, &text);
    assert_string_equal(text.buffer, expected);
    assert_int_equal(tsc_synchrony_is_bad(&summary), is_bad);
}

static void assert_cpu_described(size_t cpu, const char *expected)
{
    TEXT_DECLARE(text, 120);
    tsc_synchrony_describe_cpu(&records[cpu], &text);
    assert_string_equal(text.buffer, expected);
}

static void test_summary(void **state)
{
    (void)state;
    memset(records, 0, sizeof(records));
    assert_summarized(false,
                      "TSCs: 0 of 0 other CPUs in step with cpu 0; not compared: 3");
    add_round(&records[1].tsc_offset, 1000, 0, 30, 50);
    add_round(&records[2].tsc_offset, 1000, 0, 300, 100);
    add_round(&records[3].tsc_offset, 1000, 0, 30, 30);
    assert_summarized(false,
                      "TSCs: 3 of 3 other CPUs in step with cpu 0, within 200 ticks");
    assert_cpu_described(2, "");
    add_round(&records[2].tsc_offset, 1000, 5000, 100, 100);
    assert_summarized(true,
                      "TSCs: 2 of 3 other CPUs in step with cpu 0, within 40 ticks; "
                      "cpu 2: not at the rate of cpu 0's");
    assert_cpu_described(2, "; TSC not at the rate of cpu 0's");
    records[2].answer = CPU_NO_ANSWER;
    assert_summarized(false,
                      "TSCs: 2 of 2 other CPUs in step with cpu 0, within 40 ticks");
}

/* IA32_TSC_ADJUST: the same on all CPUs is no difference, whatever it is. */
static void test_adjust(void **state)
{
    (void)state;
    memset(records, 0, sizeof(records));
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        records[i].tsc_adjust = (struct msr_reading){.state = MSR_READ, .value = 0x50};
        if (i > 0)
            add_round(&records[i].tsc_offset, 1000, 0, 10, 10);
    }
    assert_summarized(false,
                      "TSCs: 3 of 3 other CPUs in step with cpu 0, within 10 ticks");
    assert_cpu_described(0, "; IA32_TSC_ADJUST = 0x50");
    records[2].tsc_adjust.value = records[3].tsc_adjust.value = 0;
    assert_summarized(true,
                      "TSCs: 3 of 3 other CPUs in step with cpu 0, within 10 ticks; "
                      "IA32_TSC_ADJUST differs on 2 CPUs: cpu 0 0x50, cpu 2 0x0");
    records[0].tsc_adjust = (struct msr_reading){.state = MSR_FAULTED};
    assert_summarized(
        true, "TSCs: 3 of 3 other CPUs in step with cpu 0, within 10 ticks; "
              "IA32_TSC_ADJUST differs on 3 CPUs: cpu 0 not readable, cpu 1 0x50");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds), cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_random), cmocka_unit_test(test_summary),
        cmocka_unit_test(test_adjust),
    };
    return cmocka_run_group_tests_name("tsc_offset", tests, NULL, NULL);
}
