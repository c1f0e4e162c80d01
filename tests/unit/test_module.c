/* src/guest/load/module.c. */
#include "unit.h"

#include "guest/load/module.h"
#include "lib/bits.h"

static struct module_options words;
static char problem_text[256];

static bool words_parse(const char *text)
{
    struct text problem = {.buffer = problem_text, .size = sizeof(problem_text)};
    problem_text[0]     = '\0';
    memset(&words, 0xA5, sizeof(words));
    return module_parse(text, &words, &problem);
}

static void test_kernel(void **state)
{
    (void)state;
    assert_true(words_parse("kernel name=a memory=64M"));
    assert_int_equal(words.role, MODULE_KERNEL);
    assert_string_equal(words.name, "a");
    assert_int_equal(words.memory_size, 64 << 20);
    assert_int_equal(words.cpus_min, 1);
    assert_int_equal(words.cpus_max, 1);
    assert_true(words.restarts);
    assert_string_equal(words.string, "");
    assert_true(words_parse(
        "  kernel  memory=1G cpus=1  name=linux-1  --  console=ttyS0 quiet "));
    assert_string_equal(words.name, "linux-1");
    assert_int_equal(words.memory_size, 1 << 30);
    assert_string_equal(words.string, "console=ttyS0 quiet ");
    assert_true(words_parse("kernel name=a memory=2048K --"));
    assert_string_equal(words.string, "");
    assert_true(words_parse("kernel name=a memory=67108864 -- -- name=b"));
    assert_string_equal(words.string, "-- name=b");
    assert_true(words_parse("kernel name=a memory=4M reset=end"));
    assert_false(words.restarts);
    assert_true(words_parse("kernel name=a memory=4M reset=end reset=restart"));
    assert_true(words.restarts);
    assert_string_equal(problem_text, "");
}

static void test_cpus(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t cpus_min, cpus_max;
        bool has_pv, has_apicv;
    } cases[] = {
        {"kernel name=a memory=64M", 1, 1, true, true},
        {"kernel name=a memory=64M cpus=2 pv=on apicv=on", 2, 2, true, true},
        {"kernel name=a memory=64M cpus=64 pv=off", 64, 64, false, true},
        {"kernel name=a memory=64M cpus=all apicv=off", 1, 64, true, false},
        {"kernel name=a memory=64M pv=off pv=on apicv=off cpus=all cpus=3", 3, 3, true,
         false},
        {"kernel name=a memory=64M cpus=1-2", 1, 2, true, true},
        {"kernel name=a memory=64M cpus=64-64", 64, 64, true, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_true(words_parse(cases[i].text));
        assert_int_equal(words.cpus_min, cases[i].cpus_min);
        assert_int_equal(words.cpus_max, cases[i].cpus_max);
        assert_int_equal(words.has_pv, cases[i].has_pv);
        assert_int_equal(words.has_apicv, cases[i].has_apicv);
    }
}

static void test_initrd(void **state)
{
    (void)state;
    assert_true(words_parse("initrd name=a"));
    assert_int_equal(words.role, MODULE_INITRD);
    assert_string_equal(words.string, "");
    assert_true(words_parse("module name=a -- its own  string"));
    assert_int_equal(words.role, MODULE_OTHER);
    assert_string_equal(words.string, "its own  string");
}

/* The word of argv0=, and what follows --, without GRUB's backslashes. */
static void test_string(void **state)
{
    (void)state;
    static const struct {
        const char *text, *string;
    } cases[] = {
        {"kernel name=a memory=4M", ""},
        {"module name=a --", ""},
        {"module name=a -- a string", "a string"},
        {"kernel name=a memory=4M argv0=xen -- a=\\\"b\\\" -- c", "xen a=\"b\" -- c"},
        {"kernel name=a memory=4M argv0=xen", "xen"},
        {"initrd name=a argv0=\\a -- b", "\\a b"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char string[64];
        assert_true(words_parse(cases[i].text));
        assert_true(module_string_size(&words) <= sizeof(string));
        assert_int_equal(module_write_string(&words, string),
                         strlen(cases[i].string) + 1);
        assert_string_equal(string, cases[i].string);
        assert_true(strlen(string) + 1 <= module_string_size(&words));
    }
}

/* The first word is a file's name exactly if the second is a role. */
static void test_file_name(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum module_role role;
    } cases[] = {
        /* GRUB */
        {"kernel name=a memory=4M -- x", MODULE_KERNEL},
        {"initrd name=a memory=4M -- x", MODULE_INITRD},
        {"kernel name=a memory=4M -- initrd", MODULE_KERNEL},
        {"kernel -- initrd name=a", MODULE_KERNEL}, /* without its name */
        /* kexec: as typed */
        {"/usr/lib/hello.bin kernel name=a memory=4M -- x", MODULE_KERNEL},
        {"vmlinuz   kernel name=a memory=4M -- x", MODULE_KERNEL},
        {"kernel kernel name=a memory=4M -- x", MODULE_KERNEL},
        {"kernel initrd name=a -- x", MODULE_INITRD},
        {"initrd kernel name=a memory=4M -- x", MODULE_KERNEL},
        {"name=a kernel name=a memory=4M -- x", MODULE_KERNEL},
        /* Limine's path, and a name longer than any word */
        {"boot():/boot/initrd.img initrd name=a -- x", MODULE_INITRD},
        {"module name=a -- x", MODULE_OTHER},
        {"module module name=a -- kernel", MODULE_OTHER},
        {"/boot/hurd.elf module name=a -- x", MODULE_OTHER},
        {"/0123456789012345678901234567890123456789012345678901234567890123456789 kernel "
         "name=a memory=4M -- x",
         MODULE_KERNEL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool has_name = strstr(cases[i].text, "-- initrd name") == NULL;
        if (words_parse(cases[i].text) != has_name)
            fail_msg("\"%s\": \"%s\"", cases[i].text, problem_text);
        if (!has_name)
            continue;
        assert_int_equal(words.role, cases[i].role);
        assert_string_equal(words.name, "a");
        assert_string_equal(words.string, strstr(cases[i].text, "-- ") + 3);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "unknown role \"\"; use kernel, initrd or module"},
        {"--", "unknown role \"\""},
        {"vmlinuz name=a memory=64M", "unknown role \"vmlinuz\""},
        {"/my files/vmlinuz kernel name=a memory=64M", "unknown role \"/my\""},
        {"vmlinuz vmlinuz kernel name=a memory=64M", "unknown role \"vmlinuz\""},
        {"vmlinuz -- kernel name=a memory=64M", "unknown role \"vmlinuz\""},
        {"vmlinuz kernel kernel name=a memory=64M", "unknown option \"kernel\""},
        {"-- kernel name=a memory=64M", "unknown role \"\""},
        {"kernel memory=64M", "name= missing"},
        {"kernel name= memory=64M", "invalid length; use 1 to 15 characters"},
        {"kernel name=0123456789abcdef memory=64M",
         "invalid length; use 1 to 15 characters"},
        {"kernel name=a", "memory= missing; use, for example, memory=64M"},
        {"kernel name=a memory=",
         "memory=: invalid; use a multiple of 2M from 2M to 3072M"},
        {"kernel name=a memory=0", "memory=0: invalid; use a multiple"},
        {"kernel name=a memory=1M", "memory=1M: invalid; use a multiple"},
        {"kernel name=a memory=3M", "memory=3M: invalid; use a multiple"},
        {"kernel name=a memory=4G", "memory=4G: invalid; use a multiple"},
        {"kernel name=a memory=-2M", "memory=-2M: invalid; use a multiple"},
        {"kernel name=a memory=64MB", "memory=64MB: invalid; use a multiple"},
        {"kernel name=a memory=M", "memory=M: invalid; use a multiple"},
        {"kernel name=a memory=18446744073709551615G", "invalid; use a multiple of 2M"},
        {"kernel name=a memory=17179869185G",
         "invalid; use a multiple of 2M"}, /* 2^64 + 1 GiB */
        {"kernel name=a memory=64M cpus=0",
         "cpus=0: invalid; use cpus=1 to cpus=64, a range such as cpus=1-2, or cpus=all"},
        {"kernel name=a memory=64M cpus=0-2", "cpus=0-2: invalid"},
        {"kernel name=a memory=64M cpus=3-2", "cpus=3-2: invalid"},
        {"kernel name=a memory=64M cpus=1-65", "cpus=1-65: invalid"},
        {"kernel name=a memory=64M cpus=1-", "cpus=1-: invalid"},
        {"kernel name=a memory=64M cpus=-2", "cpus=-2: invalid"},
        {"kernel name=a memory=64M cpus=1-2-3", "cpus=1-2-3: invalid"},
        {"kernel name=a memory=64M cpus=1-all", "cpus=1-all: invalid"},
        {"kernel name=a memory=64M cpus=65", "cpus=65: invalid; use cpus=1 to cpus=64"},
        {"kernel name=a memory=64M cpus=", "cpus=: invalid; use cpus=1 to cpus=64"},
        {"kernel name=a memory=64M cpus=ALL", "cpus=ALL: invalid; use cpus=1 to cpus=64"},
        {"kernel name=a memory=64M cpus=4294967295", "cpus=4294967295: invalid"},
        {"kernel name=a memory=64M cpus=4294967297", "cpus=4294967297: invalid"},
        {"kernel name=a memory=64M pv=no", "pv=no: invalid; use pv=on or pv=off"},
        {"kernel name=a memory=64M apicv=", "apicv=: invalid; use apicv=on or apicv=off"},
        {"kernel name=a memory=64M reset=off",
         "reset=off: invalid; use reset=restart or reset=end"},
        {"kernel name=a memory=64M root=/dev/sda",
         "unknown option \"root=/dev/sda\"; use name=, memory=, cpus=, pv=, "
         "apicv=, reset= or argv0="},
        {"kernel name=a memory=64M argv0=",
         "argv0=: invalid length; use 1 to 31 characters"},
        {"module name=a argv0=0123456789abcdef0123456789abcdef",
         "invalid length; use 1 to 31 characters"},
        {"initrd", "name= missing"},
        {"module memory=64M", "name= missing"},
        {"kernel name=a memory=64M "
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "x",
         "unknown option"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct module_options before;
        memset(&before, 0xA5, sizeof(before));
        if (words_parse(cases[i].text))
            fail_msg("\"%s\" was taken", cases[i].text);
        if (strstr(problem_text, cases[i].problem) == NULL)
            fail_msg("\"%s\": \"%s\"", cases[i].text, problem_text);
        assert_memory_equal(&words, &before, sizeof(words));
    }
}

static void test_unescape(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"", ""},
        {"console=ttyS0 quiet", "console=ttyS0 quiet"},
        {"a=\\\"b c\\\" d=\\'e\\' f=\\\\g", "a=\"b c\" d='e' f=\\g"},
        {"\"a=b c\"", "\"a=b c\""}, /* a word with a blank, quoted */
        {"a\\b \\", "a\\b \\"},     /* not inserted by GRUB */
        {"\\\\\\\"", "\\\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char plain[64];
        assert_true(strlen(cases[i].text) < sizeof(plain));
        module_unescape(cases[i].text, plain);
        assert_string_equal(plain, cases[i].plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel),  cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_initrd),  cmocka_unit_test(test_file_name),
        cmocka_unit_test(test_string),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_unescape)};
    return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
