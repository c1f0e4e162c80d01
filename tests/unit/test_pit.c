/*
 * src/dev/pit.c, pit_counter.c and timer.c, compared with a model from the 8254 data
 * sheet.
 */
#include "pit.h"

/* A model of counter 2: data sheet, "Mode Definitions". */
static struct model {
    unsigned int mode;
    bool is_bcd, gate, out, is_null;
    bool loads;               /* at the next clock */
    bool counts, strobes;     /* loaded, and not reached zero since */
    uint32_t written, loaded; /* the count register, 0 if not written; the last load */
    uint32_t value, zero;     /* the count that 0 stands for */
} model;

static void model_load(bool is_high)
{
    model.loaded  = model.written;
    model.value   = model.mode == 3 ? model.loaded & ~1U : model.loaded;
    model.is_null = model.loads = false;
    model.counts = model.strobes = true;
    model.out                    = is_high;
}

static void model_count(void)
{
    bool is_periodic = (model.mode & 2) != 0, is_odd = model.loaded % 2 != 0;
    uint32_t last = model.mode == 2 ? 1 : model.out && is_odd ? 0 : 2;
    if (model.loads) {
        model_load(model.mode > 1);
    } else if (!model.counts || (!model.gate && model.mode % 4 != 1)) {
        return;
    } else if (is_periodic && model.value == last) {
        model_load(model.mode == 2 || !model.out);
    } else if (is_periodic) {
        model.value -= model.mode - 1;
        model.out &= model.mode == 3 || model.value != 1;
    } else {
        model.value = (model.value == 0 ? model.zero : model.value) - 1;
        bool ends   = model.value == 0 && model.strobes;
        model.out   = model.mode > 1 ? !ends : model.out || ends;
        model.strobes &= !ends;
    }
}

static void model_run(unsigned int clocks)
{
    for (; clocks > 0; clocks--, now++)
        model_count();
}

static void write_mode(unsigned int mode, bool is_bcd)
{
    port_out(0x43, 0xB0 | mode << 1 | is_bcd);
    model = (struct model){.mode    = mode > 5 ? mode - 4 : mode,
                           .is_bcd  = is_bcd,
                           .gate    = model.gate,
                           .out     = mode != 0,
                           .is_null = true,
                           .zero    = is_bcd ? 10000 : 0x10000};
}

static unsigned int shown_number(uint32_t value)
{
    char digits[8];
    snprintf(digits, sizeof(digits), model.is_bcd ? "%u" : "%x", value % model.zero);
    return (unsigned int)strtoul(digits, NULL, 16);
}

static void write_count(uint32_t value)
{
    out_both(0x42, shown_number(value));
    model.written = value;
    model.is_null = true;
    model.loads |= model.mode % 4 == 0 || ((model.mode & 2) != 0 && !model.counts);
    model.out &= model.mode != 0;
}

static void write_gate(bool is_high)
{
    bool is_periodic = (model.mode & 2) != 0;
    port_out(0x61, is_high);
    if (is_high && !model.gate && model.mode % 4 != 0)
        model.loads |= is_periodic ? model.counts : model.written != 0;
    model.out |= is_periodic && !is_high;
    model.gate = is_high;
}

/* Compares the output, in port 0x61, and if is_whole status and count. */
static void model_compare(bool is_whole)
{
    assert_int_equal(port_read(0x61) >> 5 & 1, model.out);
    if (!is_whole)
        return;
    port_out(0x43, 0xC8);
    unsigned int status = port_read(0x42), low = port_read(0x42),
                 value = low | port_read(0x42) << 8;
    assert_int_equal(status & 0xC0, model.out << 7 | model.is_null << 6);
    if (model.counts)
        assert_int_equal(value, shown_number(model.value));
}

/* Sets a mode and loads the counter. */
static void model_begin(unsigned int mode, bool is_bcd, uint32_t value)
{
    pit_start(PIT_HZ);
    memset(&model, 0, sizeof(model));
    write_mode(mode, is_bcd);
    write_gate(mode % 4 != 1);
    write_count(value);
    write_gate(true);
    model_run(1);
}

static void test_counting(void **state)
{
    static const uint32_t counts[] = {2, 3, 4, 5, 1000, 9999, 0};
    (void)state;
    for (unsigned int i = 0; i < 8 * 2 * 7; i++) {
        uint32_t value = counts[i / 16];
        model_begin(i % 8, i / 8 % 2, value != 0 ? value : i / 8 % 2 ? 10000 : 0x10000);
        for (uint32_t clocks = 0; clocks < 3 * model.written + 5; clocks++, model_run(1))
            model_compare(true);
    }
}

/* A new count at each phase of the first; triggered in modes that require it. */
static void test_new_count(void **state)
{
    static const uint32_t counts[][2] = {{10, 7}, {7, 10}, {4, 21}, {21, 3}};
    static const unsigned int modes[] = {0, 1, 4, 5, 2, 3};
    (void)state;
    for (unsigned int i = 0; i < 6 * 4 * 45; i++) {
        model_begin(modes[i / 180], false, counts[i / 45 % 4][0]);
        model_run(i % 45);
        write_count(counts[i / 45 % 4][1]);
        for (unsigned int clocks = 0; clocks < 90; clocks++) {
            if (clocks % 40 == 39 && model.mode % 4 == 1)
                write_gate(clocks > 40);
            model_run(1);
            model_compare(true);
        }
    }
}

static void test_against_model(void **state)
{
    (void)state;
    model_begin(0, false, 9);
    for (unsigned int i = 0; i < 300000; i++) {
        unsigned int what = random_number() & 31;
        if (what == 0)
            write_mode(random_number() & 7, random_number() & 1);
        if (what <= 4)
            write_count(2 + (uint32_t)random_below(30));
        else if (what < 8)
            write_gate(!model.gate);
        model_run(1 + (unsigned int)random_below(30));
        model_compare(what < 20);
    }
}

/*
 * Executes steps: "port:value" writes, "port=value" reads and compares, "+clocks" waits.
 */
static void steps_play(const char *steps)
{
    pit_start(PIT_HZ);
    for (; *steps != '\0'; steps += strcspn(steps, " "), steps += strspn(steps, " ")) {
        unsigned int port = 0, value = UINT32_MAX;
        if (sscanf(steps, "+%u", &value) == 1)
            now += value;
        else if (sscanf(steps, "%x:%x", &port, &value) == 2)
            port_out((uint16_t)port, value);
        else if (sscanf(steps, "%x=%x", &port, &value) != 0)
            assert_int_equal(port_read((uint16_t)port), value);
    }
}

/* 1000 in mode 2; a latched count stays until it is read or a new mode is set. */
static void test_latched_count(void **state)
{
    (void)state;
    steps_play(
        "61:1 43:b4 42:e8 42:3 +11 43:80 +5 43:80 43:d8 42=de +5 42=3 42=d4 42=3 43:80");
    steps_play(
        "61:1 43:b4 42:e8 42:3 +1 43:80 43:e8 +999 43:c8 42=b4 42=e8 42=3 43:e8 42=34");
    steps_play("61:1 43:b4 42:e8 42:3 +5 43:80 43:b4 42:f4 42:1 +101 42=90 42=1");
    /* Latches counters 0 and 2, while 1 continues. */
    steps_play("61:1 43:14 43:54 43:94 40:64 41:64 42:64 +9 43:da +10 40=5c 41=52 42=5c");
}

/* The low byte, the high byte and both; and port 0x61. */
static void test_port_bytes(void **state)
{
    (void)state;
    steps_play("61:1 43:94 42:64 +11 42=5a +10 42=50");
    steps_play("61:1 43:a4 42:3 +1 42=3 43:80 +1 42=3 42=2");
    steps_play(
        "61:1 43:b8 42:ff 43:b8 42:20 42:1 +1 42=20 42:30 42=1 42:2 +1 42=30 42=2");
    steps_play("61:ff 61=2f 61:0 61=20 61:fa 61=2a +18 61=3a +18 61=2a 43=ff");
}

/* "Exactly as written in the last Mode Control Word", including modes 6 and 7. */
static void test_status_as_written(void **state)
{
    (void)state;
    steps_play("43:91 43:e8 42=51 43:a3 43:e8 42=e3 43:bc 43:e8 42=fc 43:be 43:e8 42=fe");
}

/* Until the count is loaded it is null, and the output of a one-shot is high. */
static void test_load_takes_clock(void **state)
{
    (void)state;
    steps_play("61:1 43:90 42:9 43:e8 42=50 +1 43:e8 42=10");
    steps_play("61:1 43:94 42:9 43:e8 42=d4 +1 43:e8 42=94");
    steps_play("61:1 43:96 42:9 43:e8 42=d6 +1 43:e8 42=96");
    steps_play("61:1 43:98 42:9 43:e8 42=d8 +1 43:e8 42=98");
    steps_play("43:92 42:9 61:1 61=21 43:e8 42=d2 +1 61=1 43:e8 42=12 +9 61=21");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counting),         cmocka_unit_test(test_new_count),
        cmocka_unit_test(test_against_model),    cmocka_unit_test(test_latched_count),
        cmocka_unit_test(test_port_bytes),       cmocka_unit_test(test_status_as_written),
        cmocka_unit_test(test_load_takes_clock),
    };
    return cmocka_run_group_tests_name("pit", tests, NULL, NULL);
}
