/* tests/faults/selftest.c: the option that the test image adds to src/lib/options.c. */
#include "unit.h"

#include "../faults/selftest.h"
#include "lib/options.h"

static void line_parse(const char *command_line)
{
    struct options options;

    selftest = (struct selftest){.kind = SELFTEST_NONE};
    options_parse(command_line, &options);
}

static void assert_ignored(const char *command_line, const char *warning)
{
    start_log(NULL);
    line_parse(command_line);
    assert_int_equal(selftest.kind, SELFTEST_NONE);
    assert_int_equal(selftest.cpu, 0);
    assert_logged(warning);
}

static void test_words(void **state)
{
    (void)state;
    struct options options;

    options_parse(
        "  nosmp nolock log=debug   exit=poweroff panic=reboot selftest=hang@3 ",
        &options);
    assert_true(options.nosmp);
    assert_true(options.nolock);
    assert_int_equal(options.log_level, LOG_DEBUG);
    assert_int_equal(options.exit, END_POWEROFF);
    assert_int_equal(options.panic, END_REBOOT);
    assert_int_equal(selftest.kind, SELFTEST_HANG);
    assert_int_equal(selftest.cpu, 3);
    assert_nothing_logged();
}

static void test_kinds(void **state)
{
    static const struct {
        const char *word;
        enum selftest_kind kind;
    } kinds[] = {
        {"selftest=fault", SELFTEST_FAULT},
        {"selftest=null", SELFTEST_NULL},
        {"selftest=write-text", SELFTEST_WRITE_TEXT},
        {"selftest=execute-data", SELFTEST_EXECUTE_DATA},
        {"selftest=stack-overflow", SELFTEST_STACK_OVERFLOW},
        {"selftest=nmi-guard", SELFTEST_NMI_GUARD},
        {"selftest=machine-check", SELFTEST_MACHINE_CHECK},
        {"selftest=fatal-twice", SELFTEST_FATAL_TWICE},
        {"selftest=hang", SELFTEST_HANG},
        {"selftest=absent-cpu", SELFTEST_ABSENT_CPU},
        {"selftest=memory", SELFTEST_MEMORY},
        {"selftest=mute-keyboard", SELFTEST_MUTE_KEYBOARD},
        {"selftest=lose-wake", SELFTEST_LOSE_WAKE},
        {"selftest=recovery", SELFTEST_RECOVERY},
        {"selftest=firmware-hang", SELFTEST_FIRMWARE_HANG},
        {"selftest=firmware-fault", SELFTEST_FIRMWARE_FAULT},
        {"selftest=entry-control", SELFTEST_ENTRY_CONTROL},
        {"selftest=entry-host", SELFTEST_ENTRY_HOST},
        {"selftest=entry-guest", SELFTEST_ENTRY_GUEST},
        {"selftest=entry-msr-load", SELFTEST_ENTRY_MSR_LOAD},
        {"selftest=entry-revision", SELFTEST_ENTRY_REVISION},
        {"selftest=entry-launch-twice", SELFTEST_ENTRY_LAUNCH_TWICE},
        {"selftest=entry-resume-first", SELFTEST_ENTRY_RESUME_FIRST},
        {"selftest=exit", SELFTEST_EXIT},
        {"selftest=entries", SELFTEST_ENTRIES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        line_parse(kinds[i].word);
        assert_int_equal(selftest.kind, kinds[i].kind);
        assert_int_equal(selftest.cpu, 0);
    }
    assert_nothing_logged();
}

static void test_last_one_wins(void **state)
{
    (void)state;
    line_parse("selftest=fault@1 selftest=memory");
    assert_int_equal(selftest.kind, SELFTEST_MEMORY);
    assert_int_equal(selftest.cpu, 0);
    line_parse("selftest=fault@1 selftest=nonsense");
    assert_int_equal(selftest.kind, SELFTEST_FAULT);
    assert_int_equal(selftest.cpu, 1);
}

static void test_nonsense(void **state)
{
    (void)state;
    assert_ignored("selftest=bite", "selftest= accepts a kind in docs");
    assert_ignored("selftest=fault@x", ": invalid, ignored");
    assert_ignored("selftest=fault@0x100000000", ": invalid, ignored");
    assert_ignored("selftest=", ": invalid, ignored");
    assert_ignored("selftest=@1", ": invalid, ignored");
    assert_ignored("selftest=faults", ": invalid, ignored");
    assert_ignored("selftest", "\"selftest\": unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_words, start_log),
        cmocka_unit_test_setup(test_kinds, start_log),
        cmocka_unit_test_setup(test_last_one_wins, start_log),
        cmocka_unit_test_setup(test_nonsense, start_log),
    };
    return cmocka_run_group_tests_name("selftest", tests, NULL, NULL);
}
