/* Parser of the option: see selftest.h. Pure except for its warnings. */
#include "selftest.h"

#include "lib/bits.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/test_hooks.h"

#define OPTION "selftest="

struct selftest selftest;

static const char *const selftest_words[] = {
    [SELFTEST_NONE]               = "",
    [SELFTEST_FAULT]              = "fault",
    [SELFTEST_NULL]               = "null",
    [SELFTEST_WRITE_TEXT]         = "write-text",
    [SELFTEST_EXECUTE_DATA]       = "execute-data",
    [SELFTEST_STACK_OVERFLOW]     = "stack-overflow",
    [SELFTEST_NMI_GUARD]          = "nmi-guard",
    [SELFTEST_MACHINE_CHECK]      = "machine-check",
    [SELFTEST_FATAL_TWICE]        = "fatal-twice",
    [SELFTEST_RETURN]             = "return",
    [SELFTEST_TRAP_RETURN]        = "trap-return",
    [SELFTEST_HANG]               = "hang",
    [SELFTEST_ABSENT_CPU]         = "absent-cpu",
    [SELFTEST_MEMORY]             = "memory",
    [SELFTEST_MUTE_KEYBOARD]      = "mute-keyboard",
    [SELFTEST_LOSE_WAKE]          = "lose-wake",
    [SELFTEST_RECOVERY]           = "recovery",
    [SELFTEST_LATE_END]           = "late-end",
    [SELFTEST_FIRMWARE_HANG]      = "firmware-hang",
    [SELFTEST_FIRMWARE_FAULT]     = "firmware-fault",
    [SELFTEST_ENTRY_CONTROL]      = "entry-control",
    [SELFTEST_ENTRY_HOST]         = "entry-host",
    [SELFTEST_ENTRY_GUEST]        = "entry-guest",
    [SELFTEST_ENTRY_MSR_LOAD]     = "entry-msr-load",
    [SELFTEST_ENTRY_REVISION]     = "entry-revision",
    [SELFTEST_ENTRY_LAUNCH_TWICE] = "entry-launch-twice",
    [SELFTEST_ENTRY_RESUME_FIRST] = "entry-resume-first",
    [SELFTEST_ENTRIES]            = "entries",
    [SELFTEST_TRIAL_ENTRY]        = "trial-entry",
    [SELFTEST_EXIT]               = "exit",
    [SELFTEST_LOST_INTERRUPTS]    = "lost-interrupts",
    [SELFTEST_MEASURES]           = "measures",
};

/*
 * Parses KIND or KIND@CPU. Returns false and leaves *parsed untouched if it is invalid.
 */
static bool parse_selftest(const char *value, struct selftest *parsed)
{
    size_t kind = SELFTEST_NONE + 1;
    size_t length;
    uint64_t cpu = 0;

    for (;; kind++) {
        if (kind == ARRAY_SIZE(selftest_words))
            return false;
        length = strlen(selftest_words[kind]);
        if (string_starts_with(value, selftest_words[kind]) &&
            (value[length] == '\0' || value[length] == '@'))
            break;
    }
    value += length;
    if (value[0] == '@' && value[1] != '\0' &&
        (!number_parse(value + 1, &cpu) || cpu > UINT32_MAX))
        return false;
    *parsed = (struct selftest){.kind = (enum selftest_kind)kind, .cpu = (uint32_t)cpu};
    return true;
}

bool test_hook_parse_option(const char *word)
{
    if (!string_starts_with(word, OPTION))
        return false;
    if (!parse_selftest(word + strlen(OPTION), &selftest))
        log_warning("option \"%s\": invalid, ignored; " OPTION " accepts a kind in "
                    "docs/TESTING.md, such as fault or hang, with @CPU to choose the CPU",
                    word);
    return true;
}
