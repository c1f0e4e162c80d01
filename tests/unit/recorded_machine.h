/*
 * A machine with two CPUs like the current recording, and what the report says of it.
 */
#ifndef HYMIR_TESTS_RECORDED_MACHINE_H
#define HYMIR_TESTS_RECORDED_MACHINE_H

#include "recordings.h"
#include "short_form.h"

#include "check/verdict.h"
#include "report/hypervisors.h"
#include "report/surroundings.h"

static struct cpu_record records[2];
static const struct iommus no_iommus;

/* Makes the facts of a machine whose CPUs have this record, which is judged. */
static inline void machine_make(const struct cpu_record *record)
{
    records[0] = records[1] = *record;
    records[1].apic_id      = 1;
    facts                   = (struct report_facts){
                          .machine   = "test",
                          .ram_bytes = UINT64_C(16) << 30,
                          .iommus    = &no_iommus,
                          .records   = records,
                          .count     = 2,
                          .verdict   = record->judgement.word,
    };
}

/*
 * Asserts the verdict of the machine, if one was made, and of a processor without the
 * flag: before is a record of it from before the trial.
 */
static inline void assert_verdict(bool is_made, const char *flag,
                                  struct cpu_record *before)
{
    if (is_made)
        assert_int_equal(records[0].judgement.word, VERDICT_READY);
    if (!recording_mentions(flag) || recording_has(flag))
        return;
    before->cpuid = recording.snapshot;
    verdict_judge_cpu(before);
    assert_int_equal(before->judgement.word, VERDICT_NO_VIRTUALIZATION);
}

static inline bool hypervisor_runs(enum hypervisor hypervisor)
{
    struct hypervisor_question question;

    hypervisor_question_prepare(&facts, &question);
    return hypervisor_visit(hypervisor, NULL, &question, NULL, NULL) !=
           REQUIREMENT_MISSING;
}

/* Asserts which hypervisors a technology and nested paging suffice for. */
static inline void assert_runs(enum hypervisor hypervisor, bool is_expected)
{
    if (hypervisor_runs(hypervisor) != is_expected)
        fail_msg("%s: %s %s", recording.path, hypervisors[hypervisor].name,
                 is_expected ? "is missing something" : "is not missing anything");
}

/* The report never calls a processor unaffected that Linux calls affected. */
static inline void check_errata(void)
{
    for (const struct surrounding *row = surroundings; row < surroundings + SURROUNDINGS;
         row++) {
        TEXT_DECLARE(state, SURROUNDING_STATE_SIZE);
        TEXT_DECLARE(words, 256);
        if (!recording_lists(recording.affected, row->key))
            continue;
        row->describe(&(struct surrounding_query){row, &facts, &state, &words});
        if (strcmp(state.buffer, "not affected") == 0)
            fail_msg("%s: %s", recording.path, row->key);
    }
}

/* The short form starts with the signature and fits on the screen. */
static inline uint32_t check_short_form(const char *start)
{
    records[0].microcode = records[1].microcode = 0x430;
    write_and_unpack();
    assert_int_equal(strncmp(text, start, strlen(start)), 0);
    assert_fits();
    return read_start(recording.snapshot.leaf_1.eax, 2, true);
}

#endif
