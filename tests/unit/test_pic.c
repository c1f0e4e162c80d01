/* src/dev/pic.c, compared with the 8259A data sheet: steps, and a model of both chips. */
#include "ports.h"

#include "dev/pic.h"
#include "random.h"

#define VECTOR   0x30U /* of input 0; input 8 follows 7 */
#define NO_INPUT 8U

#define PLAIN          0x01U /* ICW4 */
#define AUTOMATIC      0x02U
#define SPECIAL_NESTED 0x10U

static struct pic pic;
static bool is_output_high;

/* Asserts that the output reports only changes. */
static void output_changed(void *listener, const struct interrupt_line *output)
{
    assert_ptr_equal(listener, &pic);
    assert_ptr_equal(output, &pic.output);
    assert_int_not_equal(output->is_high, is_output_high);
    is_output_high = output->is_high;
}

static void start_pic(void)
{
    start_ports(false);
    pic_init(&pic, &test_ports);
    pic.output.changed  = output_changed;
    pic.output.listener = &pic;
}

static void set_input(unsigned int input, bool is_high)
{
    interrupt_line_set(&pic.input[input], is_high);
}

static void initialize(unsigned int fourth_word)
{
    for (unsigned int i = 0; i < 2; i++) {
        port_out(0x20 + i * 0x80, 0x11);
        port_out(0x21 + i * 0x80, VECTOR + i * 8);
        port_out(0x21 + i * 0x80, i == 0 ? 0x04 : 0x02);
        port_out(0x21 + i * 0x80, i == 0 ? fourth_word : fourth_word & ~SPECIAL_NESTED);
    }
}

static int pic_start(void **state)
{
    (void)state;
    is_output_high = false;
    start_pic();
    initialize(PLAIN);
    return 0;
}

/*
 * Words of the steps for one chip, and the values that they write to its first port. The
 * last three are ports: the first, the second, and the level register.
 */
static const char *const chip_words[] = {
    "end",     "end-of",       "rotate",          "rotate-of", "lowest",  "always",
    "never",   "special-mask", "no-special-mask", "asking",    "serving", "polled",
    "command", "data",         "levels"};
static const uint8_t values[] = {0x20, 0x60, 0xA0, 0xE0, 0xC0, 0x80,
                                 0x00, 0x68, 0x48, 0x0A, 0x0B, 0x0C};

/* Writes the number, or compares it with the value read. */
static void chip_step_execute(unsigned int which, const char *word, bool is_check,
                              unsigned int number)
{
    unsigned int first         = 0x20 + which * 0x80;
    const unsigned int ports[] = {first, first + 1, 0x4D0 + which};
    size_t i                   = 0;
    while (strcmp(chip_words[i], word) != 0)
        assert_true(++i < sizeof(chip_words) / sizeof(chip_words[0]));
    bool is_port      = i >= sizeof(values);
    unsigned int port = ports[is_port ? i - sizeof(values) : 0];
    if (!is_port || !is_check)
        port_out(port, (is_port ? 0 : values[i]) | (is_check ? 0 : number));
    if (is_check)
        assert_int_equal(port_read_whole(port), number);
}

static void step_execute(const char *word, bool is_check, unsigned int number)
{
    if (strcmp(word, "low") == 0 || strcmp(word, "high") == 0)
        set_input(number, *word == 'h');
    else if (strcmp(word, "edge") == 0)
        set_input(number, false), set_input(number, true);
    else if (strcmp(word, "waiting") == 0)
        assert_false(is_output_high);
    else if (strcmp(word, "reset") == 0)
        start_pic();
    else if (strcmp(word, "initialize") == 0)
        initialize(number);
    else if (strcmp(word, "takes") == 0 && !is_output_high)
        fail_msg("no interrupt where %#x was expected", number);
    else if (strncmp(word, "take", 4) == 0)
        assert_int_equal(pic_acknowledge(&pic), VECTOR + number);
    else if (strncmp(word, "second-", 7) == 0)
        chip_step_execute(1, word + 7, is_check, number);
    else
        chip_step_execute(0, word, is_check, number);
}

/* Executes steps, separated by spaces, with hexadecimal numbers: "do:1", "check=1". */
static void test_play(void **state)
{
    const char *steps = *state;
    for (; *steps != '\0'; steps += strcspn(steps, " "), steps += strspn(steps, " ")) {
        char word[32], sign = ' ';
        unsigned int number = 0;
        assert_true(sscanf(steps, "%31[a-z-]%c%x", word, &sign, &number) >= 1);
        step_execute(word, sign == '=', sign == ' ' ? 0 : number);
    }
}

static void test_all_inputs(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < PIC_INPUTS; i++) {
        char steps[200];
        snprintf(
            steps, sizeof(steps),
            i < 8 ? "edge:%x asking=%x takes:%x waiting asking=0 serving=%x end"
                  : "edge:%x asking=4 second-asking=%x takes:%x waiting second-asking=0 "
                    "asking=0 serving=4 second-serving=%x second-end end",
            i, 1U << i % 8, i, 1U << i % 8);
        test_play((void *[]){i == 2 ? "serving=0" : steps});
    }
    test_play((void *[]){"serving=0 second-serving=0 waiting"});
}

static void test_initialization_words(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        unsigned int port = i < 4 ? 0x20 : 0xA0;
        initialize(PLAIN | AUTOMATIC);
        port_out(port, 0x10 + i % 4);
        port_out(port + 1, 0x57); /* the low three bits are the input's number */
        if ((i & 2) == 0)         /* it has ICW3, and then ICW4 */
            port_out(port + 1, 4);
        if ((i & 1) != 0)
            port_out(port + 1, PLAIN);
        test_play((void *[]){i < 4 ? "data:bf data=bf edge:6 takes:26 serving=40"
                                   : "second-data:bf second-data=bf edge:e takes:26 "
                                     "second-serving=40"});
    }
}

static void test_mask(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 0x10000; i++) {
        bool expected = (i | 0x4FF) != 0xFFFF || (i >> 8 == 0xFB && i != 0xFBFF);
        port_out(0x21, i >> 8);
        port_out(0xA1, i & 0xFF);
        assert_int_equal(port_read_whole(0x21) << 8 | port_read_whole(0xA1), i);
        assert_int_equal(pic_can_interrupt(&pic), expected);
    }
}

/* The second chip's part of the cycle comes after the first chip's. */
static void test_request_gone_between(void **state)
{
    (void)state;
    test_play((void *[]){"edge:c"});
    pic.chip[1].latch   = 0;
    pic.chip[1].pending = NO_INPUT;
    test_play((void *[]){"take:f serving=4 second-serving=0 waiting"});
}

/* A model of a chip, from the data sheet. */
static struct chip {
    unsigned int line, latch, level, serving, mask, lowest;
    bool automatic, rotating, special_mask, nested;
} model[2];

static unsigned int requests(const struct chip *chip)
{
    return (chip->line & chip->level) | (chip->latch & ~chip->level);
}

static unsigned int winner(const struct chip *chip)
{
    for (unsigned int place = 1; place <= 8; place++) {
        unsigned int i = (chip->lowest + place) % 8;
        bool is_masked = (chip->mask >> i & 1) != 0;
        bool asks      = (requests(chip) >> i & 1) != 0 && !is_masked;
        bool holds = (chip->serving >> i & 1) != 0 && !(chip->special_mask && is_masked);
        if (asks && (!holds || (chip->nested && i == 2)))
            return i;
        if (holds)
            return NO_INPUT;
    }
    return NO_INPUT;
}

static unsigned int acknowledge(struct chip *chip)
{
    unsigned int input = winner(chip);
    if (input == NO_INPUT)
        return 7;
    chip->latch &= ~(1U << input);
    if (!chip->automatic)
        chip->serving |= 1U << input;
    else if (chip->rotating)
        chip->lowest = input;
    return input;
}

static void end_interrupt(struct chip *chip, unsigned int command, unsigned int input)
{
    unsigned int ends = chip->serving & ~(chip->special_mask ? chip->mask : 0);
    if (command % 4 == 0)
        chip->rotating = command == 4;
    if (command % 4 == 1 && ends == 0)
        return;
    if (command % 4 == 1) /* not specific */
        for (input = (chip->lowest + 1) % 8; (ends >> input & 1) == 0;)
            input = (input + 1) % 8;
    if (command % 2 == 1)
        chip->serving &= ~(1U << input);
    if (command > 4)
        chip->lowest = input;
}

/* Writes a command to chip and model, and compares the result of a poll. */
static void chip_command(unsigned int which, unsigned int word)
{
    struct chip *chip = &model[which];
    port_out(0x20 + which * 0x80, word);
    if (word == 0x0C) {
        unsigned int expected = winner(chip) == NO_INPUT ? 0 : 0x80 | acknowledge(chip);
        assert_int_equal(port_read_whole(0x20 + which * 0x80), expected);
    } else if ((word & 8) != 0) {
        chip->special_mask = word == 0x68;
    } else {
        end_interrupt(chip, word >> 5, word & 7);
    }
}

static void reinitialize(void)
{
    unsigned int word = PLAIN | (random_number() & (AUTOMATIC | SPECIAL_NESTED));
    for (unsigned int i = 0; i < 2; i++)
        model[i] = (struct chip){.line      = model[i].line,
                                 .level     = model[i].level,
                                 .lowest    = 7,
                                 .automatic = (word & AUTOMATIC) != 0,
                                 .nested    = i == 0 && (word & SPECIAL_NESTED) != 0};
    initialize(word);
}

static void do_something(void)
{
    static const unsigned int may_be_level[] = {0xF8, 0xDE}, modes[] = {0x0C, 0x48, 0x68};
    unsigned int which = random_number() & 1, what = random_number() & 63;
    unsigned int value = random_number() & 0xFF, input = value % PIC_INPUTS;

    if (what < 24 && input != 2) {
        struct chip *chip = &model[input / 8];
        unsigned int line = 1U << input % 8;
        bool is_high      = value >= 0x80;
        chip->latch = is_high ? chip->latch | (line & ~chip->line) : chip->latch & ~line;
        chip->line  = is_high ? chip->line | line : chip->line & ~line;
        set_input(input, is_high);
    } else if (what < 36) {
        bool is_second = winner(&model[0]) == 2;
        input          = acknowledge(&model[0]);
        if (is_second)
            input = 8 + acknowledge(&model[1]);
        assert_int_equal(pic_acknowledge(&pic), VECTOR + input);
    } else if (what < 50) {
        chip_command(which, value & 0xE7);
    } else if (what < 55) {
        model[which].mask = value & (unsigned int)random_number() & 0xFF;
        port_out(0x21 + which * 0x80, model[which].mask);
    } else if (what < 58) {
        chip_command(which, modes[value % 3]);
    } else if (what < 60) {
        model[which].level = (value & may_be_level[which]) | (which == 0 ? 4 : 0);
        port_out(0x4D0 + which, value);
    } else if (what == 60 && value < 0x40) {
        reinitialize();
    }
}

static void test_against_model(void **state)
{
    (void)state;
    memset(model, 0, sizeof(model));
    model[0].level = 4;
    reinitialize();
    for (unsigned int i = 0; i < 1000000; i++) {
        do_something();
        model[0].line = (model[0].line & ~4U) | (winner(&model[1]) == NO_INPUT ? 0 : 4);
        assert_int_equal(is_output_high, winner(&model[0]) != NO_INPUT);
        for (unsigned int which = 0; which < 2; which++) {
            const struct chip *chip = &model[which];
            port_out(0x20 + which * 0x80, 0x0A);
            assert_int_equal(port_read_whole(0x20 + which * 0x80), requests(chip));
            port_out(0x20 + which * 0x80, 0x0B);
            assert_int_equal(port_read_whole(0x20 + which * 0x80), chip->serving);
            assert_int_equal(port_read_whole(0x21 + which * 0x80), chip->mask);
        }
    }
}

/* Checks only the output, and the sanitizers' findings. */
static void test_random_ports(void **state)
{
    static const unsigned int ports[] = {0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1};
    (void)state;
    for (unsigned int i = 0; i < 1000000; i++) {
        port_out(ports[random_below(6)], random_number() & 0xFF);
        set_input((unsigned int)random_below(PIC_INPUTS), random_below(2) != 0);
        port_read_whole(ports[random_below(6)]);
        pic_acknowledge(&pic);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, pic_start)
#define PLAY(name, steps)                                             \
    {                                                                 \
#name, test_play, pic_start, NULL, (void *)(uintptr_t)(steps) \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(test_reset,
             "reset data=ff second-data=ff high:0 high:1 high:3 high:7 high:8 high:f "
             "waiting"),
        PLAY(test_initialization_clears,
             "initialize:3 always initialize:1 special-mask lowest:3 edge:4 takes:4 "
             "edge:5 edge:6 serving=10 data:a5 initialize:1 data=0 command=0 serving=0 "
             "waiting edge:7 edge:0 takes:0 data:1 waiting serving=1 asking=80"),
        TEST(test_initialization_words),
        PLAY(test_initialization_holds_back,
             "levels:20 high:5 command:11 waiting data:30 waiting data:4 waiting data:1 "
             "takes:5"),
        TEST(test_all_inputs),
        TEST(test_mask),
        PLAY(test_masked_requests,
             "data:8 edge:3 waiting asking=8 data:0 second-data:1 edge:8 takes:3 end "
             "waiting asking=0 second-asking=1 data:4 second-data:0 waiting asking=4 "
             "data:0 takes:8"),
        PLAY(test_nesting,
             "edge:7 takes:7 edge:f takes:f edge:e waiting edge:1 takes:1 edge:3 edge:0 "
             "takes:0 end waiting end waiting second-end waiting end takes:e second-end "
             "end takes:3 serving=88"),
        PLAY(test_end_of_interrupt,
             "edge:7 takes:7 edge:6 takes:6 edge:5 takes:5 edge:4 takes:4 edge:3 "
             "takes:3 serving=f8 end serving=f0 end-of:6 serving=b0 end-of:6 command:40 "
             "serving=b0 end end end serving=0 end serving=0"),
        PLAY(test_rotation,
             "edge:6 takes:6 edge:4 takes:4 rotate serving=40 edge:4 edge:7 waiting "
             "edge:5 takes:5 end serving=40 rotate-of:6 serving=0 takes:7 end takes:4 "
             "end lowest:3 edge:3 edge:0 edge:4 takes:4 end takes:0 end takes:3 "
             "serving=8"),
        PLAY(test_automatic_end,
             "initialize:3 edge:1 edge:6 edge:c takes:1 serving=0 edge:1 takes:1 "
             "takes:c serving=0 second-serving=0 takes:6 waiting always edge:5 takes:5 "
             "edge:0 edge:5 edge:6 takes:6 takes:0 never takes:5 edge:0 edge:1 takes:1 "
             "takes:0"),
        PLAY(test_special_mask,
             "edge:4 takes:4 edge:6 data:10 waiting special-mask command:28 takes:6 "
             "edge:7 waiting end serving=10 takes:7 end end serving=10 edge:6 "
             "no-special-mask waiting end takes:6 edge:5 special-mask data:50 takes:5 "
             "end-of:6 serving=20"),
        PLAY(test_special_nested,
             "initialize:11 edge:c takes:c edge:d edge:3 waiting edge:9 takes:9 "
             "second-serving=12 edge:1 takes:1 edge:8 waiting end takes:8 second-end "
             "second-serving=12 edge:4 waiting second-end second-end takes:d second-end "
             "second-serving=0 end takes:3"),
        PLAY(test_poll,
             "polled=0 edge:5 asking=20 edge:3 polled=83 waiting command=20 serving=8 "
             "polled=0 end command:c data=85 data=0 serving=20 end edge:a polled=82 "
             "serving=4 second-serving=0 second-polled=82 second-serving=4 second-end "
             "end waiting edge:6 command:c command:8 command=0 asking=40 command=40"),
        PLAY(test_level,
             "levels:ff second-levels:ff levels=f8 second-levels=de initialize:1 "
             "levels=f8 high:5 takes:5 waiting asking=20 end takes:5 low:5 asking=0 end "
             "waiting high:c takes:c second-end end takes:c low:c second-end end "
             "waiting high:0 takes:0 end waiting high:d takes:d second-end end waiting "
             "levels:0 high:5 takes:5 end waiting levels:20 takes:5"),
        PLAY(test_request_gone,
             "high:3 asking=8 low:3 asking=0 waiting take:7 serving=0 waiting high:7 "
             "takes:7 serving=80 end high:c low:c waiting take:7 serving=0 "
             "second-serving=0 edge:e takes:e"),
        TEST(test_request_gone_between),
        TEST(test_against_model),
        TEST(test_random_ports),
    };
    return cmocka_run_group_tests_name("pic", tests, NULL, NULL);
}
