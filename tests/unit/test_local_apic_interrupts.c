/*
 * src/dev/local_apic_interrupts.c: acceptance, priority and end of interrupt.
 * SDM 3A, "Handling Interrupts".
 */
#include "local_apic.h"
#include "random.h"

#define ISR 0x100
#define TMR 0x180
#define IRR 0x200

static void end(void)
{
    write_offset(0xB0, 0);
}

/* SDM 3A, "Interrupt, Task, and Processor Priority". */
static void test_each_vector(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 256; i++) {
        uint8_t vector = (uint8_t)i;
        interrupt(vector, false);
        assert_int_equal(test_vector(IRR, vector), i >= 16);
        assert_int_equal(is_output_high[0], i >= 16);
        if (i < 16)
            continue;
        assert_int_equal(local_apic_acknowledge(apic), vector);
        assert_false(test_vector(IRR, vector));
        assert_true(test_vector(ISR, vector));
        assert_int_equal(read_offset(0xA0), vector & 0xF0);
        assert_false(is_output_high[0]);
        end();
        assert_false(test_vector(ISR, vector));
        assert_int_equal(read_offset(0xA0), 0);
    }
    write_offset(0x280, 0);
    assert_int_equal(read_offset(0x280), 0x40);
    assert_int_equal(ends, 0);
}

/* The class of an interrupt must be above that of PPR: TPR, or the one in service. */
static void test_task_priority(void **state)
{
    (void)state;
    for (unsigned int priority = 0; priority < 256; priority++)
        for (unsigned int vector = 16; vector < 256; vector += 7) {
            write_offset(0x80, priority);
            assert_int_equal(local_apic_read_cr8(apic), priority >> 4);
            assert_int_equal(read_offset(0xA0), priority);
            interrupt((uint8_t)vector, false);
            assert_int_equal(is_output_high[0], vector >> 4 > priority >> 4);
            if (!is_output_high[0])
                assert_int_equal(local_apic_acknowledge(apic), 0xFF); /* spurious */
            local_apic_write_cr8(apic, 0);
            assert_int_equal(read_offset(0x80), 0);
            assert_true(is_output_high[0]);
            local_apic_write_cr8(apic, priority >> 4);
            assert_int_equal(read_offset(0x80), priority & 0xF0);
            assert_int_equal(is_output_high[0], vector >> 4 > priority >> 4);
            local_apic_write_cr8(apic, 0);
            assert_int_equal(local_apic_acknowledge(apic), vector);
            write_offset(0x80, priority);
            assert_int_equal(read_offset(0xA0),
                             priority >> 4 >= vector >> 4 ? priority : vector & 0xF0);
            end();
        }
}

static void test_nesting(void **state)
{
    (void)state;
    interrupt(0x45, false);
    assert_int_equal(local_apic_acknowledge(apic), 0x45);
    interrupt(0x4F, false); /* the same class waits */
    assert_false(is_output_high[0]);
    interrupt(0x45, false); /* again, while it is in service */
    interrupt(0x51, false);
    assert_int_equal(local_apic_acknowledge(apic), 0x51);
    assert_int_equal(read_offset(0xA0), 0x50);
    assert_false(is_output_high[0]);
    end();
    assert_int_equal(read_offset(0xA0), 0x40);
    assert_false(is_output_high[0]);
    end();
    assert_int_equal(local_apic_acknowledge(apic), 0x4F);
    end();
    assert_int_equal(local_apic_acknowledge(apic), 0x45);
    end();
    assert_false(is_output_high[0]);
    end(); /* nothing is in service */
    assert_int_equal(ends, 0);
}

static void test_spurious_vector(void **state)
{
    (void)state;
    write_offset(0xF0, 0x1A7);
    assert_int_equal(local_apic_acknowledge(apic), 0xA7);
    assert_false(test_vector(ISR, 0xA7));
    assert_int_equal(read_offset(0xA0), 0);
}

/* SDM 3A, "Interrupt Acceptance for Fixed Interrupts": TMR; an EOI for the I/O APIC. */
static void test_trigger_mode(void **state)
{
    (void)state;
    for (unsigned int i = 16; i < 256; i++) {
        uint8_t vector = (uint8_t)i;
        ends           = 0;
        interrupt(vector, true);
        assert_true(test_vector(TMR, vector));
        assert_int_equal(local_apic_acknowledge(apic), vector);
        assert_true(test_vector(TMR, vector));
        assert_int_equal(ends, 0);
        end();
        assert_int_equal(ends, 1);
        assert_int_equal(last_end, vector);
        interrupt(vector, false);
        assert_false(test_vector(TMR, vector));
        assert_int_equal(local_apic_acknowledge(apic), vector);
        end();
        assert_int_equal(ends, 1);
        /* Both before the CPU receives: the I/O APIC waits for the EOI of its one. */
        assert_int_equal(send_to(0, APIC_FIXED, vector, true), 1);
        interrupt(vector, false);
        assert_int_equal(local_apic_acknowledge(apic), vector);
        end();
        assert_int_equal(ends, 2);
    }
}

/* A line that is still high causes the next interrupt within the EOI. */
static void send_again(void *context, uint8_t vector)
{
    bus_end(context, vector);
    assert_int_equal(send_to(0, APIC_FIXED, vector, true), 1);
    local_apic_receive(apic);
}

static void test_interrupt_within_end(void **state)
{
    (void)state;
    bus.end_of_interrupt = send_again;
    interrupt(0x66, true);
    for (unsigned int i = 0; i < 5; i++) {
        assert_int_equal(local_apic_acknowledge(apic), 0x66);
        assert_false(is_output_high[0]);
        end();
        assert_true(is_output_high[0]);
    }
    assert_int_equal(ends, 5);
}

static void test_can_interrupt(void **state)
{
    (void)state;
    uint8_t vector;
    assert_false(local_apic_can_interrupt(apic));
    write_offset(0x80, 0x50);
    interrupt(0x45, false);
    assert_false(local_apic_can_interrupt(apic)); /* TPR blocks it */
    write_offset(0x80, 0);
    assert_true(local_apic_can_interrupt(apic));
    local_apic_acknowledge(apic);
    assert_false(local_apic_can_interrupt(apic));
    send_to(0, APIC_NMI, 0, false);
    assert_true(local_apic_can_interrupt(apic));
    local_apic_receive(apic);
    assert_true(local_apic_can_interrupt(apic));
    local_apic_take_events(apic, &vector);
    assert_false(local_apic_can_interrupt(apic));
    write_offset(0x380, 1000);
    assert_false(local_apic_can_interrupt(apic));
    write_offset(0x320, 0x61);
    assert_true(local_apic_can_interrupt(apic));
    write_offset(0x380, 0);
    assert_false(local_apic_can_interrupt(apic));
}

/* SDM 3A, "Interrupt Command Register (ICR)": INIT and STARTUP in their order. */
static void test_events(void **state)
{
    (void)state;
    for (unsigned int order = 0; order < 64; order++) {
        unsigned int expected = 0, expected_vector = 0;
        uint8_t vector;
        bool is_received = order >= 32; /* between the messages */
        for (unsigned int i = 0; i < 5; i++) {
            bool is_startup = (order >> i & 1) != 0;
            send_to(0, is_startup ? APIC_STARTUP : APIC_INIT, (uint8_t)(order + i),
                    false);
            expected = is_startup ? expected | LOCAL_APIC_STARTUP : LOCAL_APIC_INIT;
            if (is_startup)
                expected_vector = order + i;
            if (is_received)
                local_apic_receive(apic);
        }
        send_to(0, APIC_NMI, 0, false);
        local_apic_receive(apic);
        assert_int_equal(local_apic_take_events(apic, &vector),
                         expected | LOCAL_APIC_NMI);
        if ((expected & LOCAL_APIC_STARTUP) != 0)
            assert_int_equal(vector, expected_vector);
        assert_int_equal(local_apic_take_events(apic, &vector), 0);
    }
}

/* ---- A random stream of operations, and a model ---- */

static struct {
    bool isr[256], irr[256], tmr[256];
    bool is_posted[256], is_posted_level[256];
    unsigned int task, accepted, merged, posted, acknowledged;
} model;

static unsigned int highest(const bool *set)
{
    for (unsigned int i = 256; i-- > 0;)
        if (set[i])
            return i;
    return 0;
}

static unsigned int model_priority(void)
{
    unsigned int service = highest(model.isr) & 0xF0;
    return (model.task & 0xF0) >= service ? model.task : service;
}

static void model_receive(void)
{
    for (unsigned int i = 0; i < 256; i++)
        if (model.is_posted[i]) {
            *(model.irr[i] ? &model.merged : &model.accepted) += 1;
            model.irr[i]             = true;
            model.tmr[i]             = model.is_posted_level[i];
            model.is_posted[i]       = false;
            model.is_posted_level[i] = false;
        }
}

static void model_post(uint8_t vector, bool is_level)
{
    model.posted++;
    model.merged += model.is_posted[vector];
    model.is_posted[vector] = true;
    model.is_posted_level[vector] |= is_level;
    send_to(0, APIC_FIXED, vector, is_level);
}

static void model_acknowledge(void)
{
    unsigned int vector = highest(model.irr);
    int expected        = (int)vector;
    if (vector >> 4 <= model_priority() >> 4)
        expected = 0xFF;
    else
        model.irr[vector] = false, model.isr[vector] = true, model.acknowledged++;
    assert_int_equal(local_apic_acknowledge(apic), expected);
}

static void model_end(void)
{
    unsigned int vector = highest(model.isr), before = ends;
    model.isr[vector] = false;
    end();
    assert_int_equal(ends - before, vector != 0 && model.tmr[vector]);
    if (ends != before)
        assert_int_equal(last_end, vector);
}

static void compare(void)
{
    for (unsigned int i = 0; i < 256; i++) {
        assert_int_equal(test_vector(ISR, (uint8_t)i), model.isr[i]);
        assert_int_equal(test_vector(IRR, (uint8_t)i), model.irr[i]);
        assert_int_equal(test_vector(TMR, (uint8_t)i), model.tmr[i]);
    }
    assert_int_equal(read_offset(0x80), model.task);
    assert_int_equal(read_offset(0xA0), model_priority());
    assert_int_equal(is_output_high[0], highest(model.irr) >> 4 > model_priority() >> 4);
}

static void test_random_stream(void **state)
{
    (void)state;
    memset(&model, 0, sizeof(model));
    for (unsigned int step = 0; step < 30000; step++) {
        uint64_t choice = random_below(12);
        if (choice < 4) {
            model_post((uint8_t)(16 + random_below(240)), random_below(2) != 0);
        } else if (choice < 6) {
            local_apic_receive(apic);
            model_receive();
        } else if (choice < 8) {
            model_acknowledge();
        } else if (choice < 11) {
            model_end();
        } else {
            model.task =
                (unsigned int)random_below(4) == 0 ? (unsigned int)random_below(256) : 0;
            write_offset(0x80, model.task);
        }
        if (step % 16 == 0)
            compare();
    }
    local_apic_receive(apic);
    model_receive();
    write_offset(0x80, model.task = 0);
    while (highest(model.isr) != 0 || highest(model.irr) != 0) {
        model_end();
        model_acknowledge();
    }
    compare();
    assert_int_equal(model.posted, model.accepted + model.merged);
    assert_int_equal(model.accepted, model.acknowledged);
    assert_true(model.acknowledged > 3000);
}

/*
 * SDM 3A, "Enabling or Disabling the Local APIC": one that is disabled requests nothing,
 * also if another CPU had found it enabled before it sent.
 */
static void test_disabled_in_flight(void **state)
{
    (void)state;
    write_msr(BASE_MSR, ADDRESS);
    apic->posted[false][1] = 1; /* as local_apic_post leaves it */
    apic->is_notified      = true;
    local_apic_receive(apic);
    assert_false(is_output_high[0]);
    write_msr(BASE_MSR, ADDRESS | ENABLED);
    assert_false(is_output_high[0]);
    assert_false(test_vector(IRR, 64));
}

#define TEST(name) cmocka_unit_test_setup(name, start_enabled)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_vector),   TEST(test_task_priority),
        TEST(test_nesting),       TEST(test_spurious_vector),
        TEST(test_trigger_mode),  TEST(test_interrupt_within_end),
        TEST(test_can_interrupt), TEST(test_events),
        TEST(test_random_stream), TEST(test_disabled_in_flight),
    };
    return cmocka_run_group_tests_name("local APIC interrupts", tests, NULL, NULL);
}
