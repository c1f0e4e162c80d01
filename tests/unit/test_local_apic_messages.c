/*
 * src/dev/apic_bus.c, and the interrupt command register of src/dev/local_apic.c. SDM 3A,
 * "Issuing Interprocessor Interrupts", "Determining IPI Destination".
 */
#include "local_apic.h"
#include "random.h"

#define ALL 0xFFU /* a bit for each APIC */
/* Receives, and returns the set of APICs that have got a vector as a fixed interrupt. */
static unsigned int receivers(uint8_t vector)
{
    unsigned int set = 0;
    for (size_t i = 0; i < APICS; i++) {
        local_apic_receive(&apics[i]);
        if (!test_vector_of(&apics[i], 0x200, vector))
            continue;
        set |= 1U << i;
        assert_int_equal(local_apic_acknowledge(&apics[i]), vector);
        if (!local_apic_write_msr(&apics[i], 0x80B, 0))
            write_offset_of(&apics[i], 0xB0, 0);
    }
    return set;
}

/* Returns the set of APICs with exactly these events. */
static unsigned int receivers_of_events(unsigned int events, uint8_t startup_vector)
{
    unsigned int set = 0;
    for (size_t i = 0; i < APICS; i++) {
        uint8_t vector = 0;
        local_apic_receive(&apics[i]);
        unsigned int taken = local_apic_take_events(&apics[i], &vector);
        if (taken != 0) {
            assert_int_equal(taken, events);
            assert_true(events != LOCAL_APIC_STARTUP || vector == startup_vector);
            set |= 1U << i;
        }
    }
    return set;
}

static unsigned int send_message(struct apic_message message)
{
    message.vector        = 0x77;
    size_t count          = apic_bus_send(&bus, &message);
    unsigned int received = receivers(0x77);
    assert_int_equal(count, __builtin_popcount(received));
    return received;
}

enum layout { PHYSICAL_IDS, FLAT, CLUSTER, X2APIC, MIXED, LAYOUTS };

/*
 * The APICs' IDs, in MIXED those of the last four in x2APIC mode. In the logical
 * layouts of the xAPIC, LDR is a bit for each APIC, or cluster i / 4 and a bit of four.
 */
static const uint32_t mixed_ids[APICS] = {0, 1, 2, 3, 4, 0x15, 0x104, 0xFFFF5};

static void set_layout(void **state, enum layout layout)
{
    start_apics(state);
    for (size_t i = 0; i < APICS; i++) {
        reset_apic(i, layout == MIXED ? mixed_ids[i] : (uint32_t)i);
        if (layout == X2APIC || (layout == MIXED && i >= 4))
            enter_x2apic(&apics[i]);
        enable(&apics[i]);
        if (layout == FLAT || (layout == MIXED && i < 4))
            write_offset_of(&apics[i], 0xD0, UINT32_C(1) << (24 + i));
        if (layout == CLUSTER) {
            write_offset_of(&apics[i], 0xE0, 0x0FFFFFFF);
            write_offset_of(&apics[i], 0xD0,
                            (uint32_t)(i / 4 << 28 | 1U << (24 + i % 4)));
        }
    }
}

static void test_destinations(void **state)
{
    static const struct {
        enum layout layout;
        bool is_logical, is_x2apic;
        uint32_t destination;
        unsigned int expected; /* bit n: APIC n */
    } rows[] = {
        {PHYSICAL_IDS, false, false, 0, 0x01},
        {PHYSICAL_IDS, false, false, 7, 0x80},
        {PHYSICAL_IDS, false, false, 8, 0},
        {PHYSICAL_IDS, false, false, 0xFF, ALL},
        {PHYSICAL_IDS, false, true, 3, 0x08}, /* from an x2APIC */
        {PHYSICAL_IDS, false, true, 0xFF, 0},
        {PHYSICAL_IDS, false, true, 0xFFFFFFFF, ALL},
        {PHYSICAL_IDS, true, false, 0x01, 0}, /* LDR is 0 */
        {PHYSICAL_IDS, true, false, 0xFF, ALL},
        {FLAT, true, false, 0x01, 0x01},
        {FLAT, true, false, 0xA5, 0xA5},
        {FLAT, true, false, 0xFF, ALL},
        {FLAT, true, false, 0, 0},
        {FLAT, true, true, 0x81, 0x81},
        {FLAT, true, true, 0x181, 0},
        {FLAT, true, true, 0xFFFFFFFF, ALL},
        {FLAT, false, false, 2, 0x04},
        {CLUSTER, true, false, 0x01, 0x01},
        {CLUSTER, true, false, 0x0F, 0x0F},
        {CLUSTER, true, false, 0x1A, 0xA0},
        {CLUSTER, true, false, 0x10, 0},
        {CLUSTER, true, false, 0x2F, 0},
        {CLUSTER, true, false, 0xFF, ALL},
        {X2APIC, false, true, 5, 0x20},
        {X2APIC, false, true, 0xFF, 0},
        {X2APIC, false, true, 0xFFFFFFFF, ALL},
        {X2APIC, false, false, 5, 0x20}, /* from an I/O APIC */
        {X2APIC, false, false, 0xFF, ALL},
        {X2APIC, true, true, 0x05, 0x05},
        {X2APIC, true, true, 0xFFFF, ALL},
        {X2APIC, true, true, 0x10001, 0},
        {X2APIC, true, true, 0xFFFFFFFF, ALL},
        {X2APIC, true, false, 0x81, 0x81},
        {X2APIC, true, false, 0xFF, ALL},
        {MIXED, false, true, 0x104, 0x40}, /* not the APIC 4 */
        {MIXED, false, true, 0xFFFF5, 0x80},
        {MIXED, false, true, 0x15, 0x20},
        {MIXED, false, false, 0x15, 0x20},
        {MIXED, false, false, 4, 0x10},
        {MIXED, false, false, 0xF5, 0},
        {MIXED, false, false, 0xFF, ALL},
        {MIXED, false, true, 0xFFFFFFFF, ALL},
        {MIXED, true, true, 0x00010020, 0x20},
        {MIXED, true, true, 0x00100010, 0x40},
        {MIXED, true, true, 0xFFFF0020, 0x80},
        {MIXED, true, true, 0x00000012, 0x12}, /* flat, and cluster 0 */
        {MIXED, true, true, 0xFFFFFFFF, ALL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_layout(state, rows[i].layout);
        assert_int_equal(
            send_message((struct apic_message){.destination = rows[i].destination,
                                               .is_logical  = rows[i].is_logical,
                                               .is_x2apic   = rows[i].is_x2apic}),
            rows[i].expected);
        /* The same by lowest priority reaches one of them. */
        unsigned int one =
            send_message((struct apic_message){.destination = rows[i].destination,
                                               .is_logical  = rows[i].is_logical,
                                               .is_x2apic   = rows[i].is_x2apic,
                                               .mode        = APIC_LOWEST_PRIORITY});
        assert_int_equal(one & ~rows[i].expected, 0);
        assert_int_equal(__builtin_popcount(one), rows[i].expected != 0);
    }
}

/* Every logical destination of 8 bits, against the definition of both models. */
static void test_logical_destinations(void **state)
{
    for (unsigned int flat = 0; flat < 2; flat++) {
        set_layout(state, flat != 0 ? FLAT : CLUSTER);
        for (uint32_t destination = 0; destination < 256; destination++) {
            unsigned int expected = 0;
            for (unsigned int i = 0; i < APICS; i++) {
                bool in_cluster =
                    destination >> 4 == i / 4 && (destination >> i % 4 & 1) != 0;
                bool in_flat = (destination >> i & 1) != 0;
                if (destination == 0xFF || (flat != 0 ? in_flat : in_cluster))
                    expected |= 1U << i;
            }
            assert_int_equal(send_message((struct apic_message){
                                 .destination = destination, .is_logical = true}),
                             expected);
        }
    }
}

/* APIC IDs that software has written; two may be equal. */
static void test_written_ids(void **state)
{
    (void)state;
    write_offset_of(&apics[2], 0x20, 0x33000000);
    write_offset_of(&apics[6], 0x20, 0x33000000);
    assert_int_equal(send_message((struct apic_message){.destination = 2}), 0);
    assert_int_equal(send_message((struct apic_message){.destination = 0x33}), 0x44);
    enter_x2apic(&apics[2]);
    assert_int_equal(send_message((struct apic_message){.destination = 2}), 0x04);
}

/* ICR: SDM 3A, "Interrupt Command Register (ICR)". */
static void command(struct local_apic *sender, bool is_x2apic, uint32_t destination,
                    uint32_t low)
{
    if (is_x2apic) {
        assert_true(
            local_apic_write_msr(sender, 0x830, (uint64_t)destination << 32 | low));
        return;
    }
    write_offset_of(sender, 0x310, destination << 24);
    write_offset_of(sender, 0x300, low);
    assert_int_equal(local_apic_read(sender, 0x310, 4), destination << 24);
    assert_int_equal(local_apic_read(sender, 0x300, 4), low & 0xCCFFF);
}

/* The sender is APIC 1. Fixed interrupts have the vector 77H. */
static void test_commands(void **state)
{
    static const struct {
        uint32_t destination, low;
        unsigned int fixed, events; /* who gets the interrupt, the event */
        unsigned int event;
    } rows[] = {
        {4, 0x04077, 0x10, 0, 0},
        {1, 0x04077, 0x02, 0, 0}, /* itself */
        {9, 0x04077, 0, 0, 0},
        {4, 0x0C077, 0x10, 0, 0}, /* level: issued as an edge */
        {4, 0x00077, 0x10, 0, 0},
        {4, 0x05077, 0x10, 0, 0}, /* the delivery status is read-only */
        {0, 0x44077, 0x02, 0, 0}, /* self */
        {0, 0x84077, ALL, 0, 0},
        {0, 0xC4077, 0xFD, 0, 0},
        {0, 0xC4877, 0xFD, 0, 0}, /* logical makes no difference to a shorthand */
        {4, 0x04400, 0, 0x10, LOCAL_APIC_NMI},
        {0, 0x44400, 0, 0x02, LOCAL_APIC_NMI},
        {0, 0xC4400, 0, 0xFD, LOCAL_APIC_NMI},
        {4, 0x04500, 0, 0x10, LOCAL_APIC_INIT},
        {0, 0xC4500, 0, 0xFD, LOCAL_APIC_INIT},
        {4, 0x0C500, 0, 0x10, LOCAL_APIC_INIT}, /* level assert */
        {4, 0x08500, 0, 0, 0},                  /* level de-assert */
        {0, 0xC8500, 0, 0, 0},
        {4, 0x04699, 0, 0x10, LOCAL_APIC_STARTUP},
        {4, 0x00699, 0, 0x10, LOCAL_APIC_STARTUP},
        {0, 0xC4699, 0, 0xFD, LOCAL_APIC_STARTUP},
        {4, 0x04200, 0, 0, 0}, /* SMI */
        {4, 0x04377, 0, 0, 0}, /* reserved */
        {4, 0x04777, 0, 0, 0}, /* reserved here: only an I/O APIC sends ExtINT */
        {0, 0x84777, 0, 0, 0},
        {0, 0x44777, 0, 0, 0},
        {0, 0x48500, 0, 0, 0},
        {0, 0x44500, 0, 0x02, LOCAL_APIC_INIT},
        {0, 0x84400, 0, ALL, LOCAL_APIC_NMI},
        {4, 0x04177, 0x10, 0, 0}, /* lowest priority */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned int is_x2apic = 0; is_x2apic < 2; is_x2apic++) {
            start_enabled(state);
            if (is_x2apic != 0)
                enter_x2apic(&apics[1]);
            command(&apics[1], is_x2apic != 0, rows[i].destination, rows[i].low);
            assert_int_equal(receivers(0x77), rows[i].fixed);
            assert_int_equal(receivers_of_events(rows[i].event, 0x99), rows[i].events);
            for (size_t receiver = 0; receiver < APICS; receiver++)
                assert_false(is_output_high[receiver]);
            for (size_t receiver = 0; receiver < APICS; receiver++)
                assert_false(test_vector_of(&apics[receiver], 0x180, 0x77));
        }
}

/* Destinations of all sizes. */
static void test_command_destinations(void **state)
{
    set_layout(state, FLAT);
    command(&apics[1], false, 0x5A, 0x04877);
    assert_int_equal(receivers(0x77), 0x5A);
    command(&apics[1], false, 0xFF, 0x04077);
    assert_int_equal(receivers(0x77), ALL);
    set_layout(state, MIXED);
    command(&apics[7], true, 0x104, 0x04077);
    assert_int_equal(receivers(0x77), 0x40);
    command(&apics[7], true, 0xFF, 0x04077);
    assert_int_equal(receivers(0x77), 0);
    command(&apics[7], true, 0xFFFFFFFF, 0x04077);
    assert_int_equal(receivers(0x77), ALL);
    command(&apics[7], true, 0x00100010, 0x04877);
    assert_int_equal(receivers(0x77), 0x40);
    command(&apics[0], false, 0xFF, 0x04077); /* an xAPIC's broadcast */
    assert_int_equal(receivers(0x77), ALL);
    uint64_t value;
    assert_true(local_apic_read_msr(&apics[7], 0x830, &value));
    assert_int_equal(value, UINT64_C(0x0010001000004877));
}

/* An interrupt to oneself is in IRR when the write of ICR is complete. */
static void test_self(void **state)
{
    (void)state;
    write_offset(0x300, 0x44077);
    assert_true(test_vector(0x200, 0x77));
    assert_true(is_output_high[0]);
    enter_x2apic(apic);
    write_msr(0x830, UINT64_C(0x300004400)); /* elsewhere */
    write_msr(0x83F, 0x78);
    assert_int_equal(read_msr(0x830), UINT64_C(0x300004400));
    assert_true(test_vector(0x200, 0x78));
    assert_int_equal(local_apic_acknowledge(apic), 0x78);
    write_msr(0x80F, 0xFF);
    write_msr(0x83F, 0x99); /* disabled */
    assert_false(test_vector(0x200, 0x99));
}

/* SDM 3A, "Error Handling", "Send Illegal Vector": only fixed and lowest priority. */
static void test_illegal_vectors(void **state)
{
    for (unsigned int i = 0; i < 16 * 8 * 2; i++) {
        uint32_t vector = i % 16, mode = i / 16 % 8;
        bool is_x2apic  = i >= 128;
        uint64_t errors = 0;
        start_enabled(state);
        if (is_x2apic)
            enter_x2apic(apic);
        command(apic, is_x2apic, 2, 0x4000 | mode << 8 | vector);
        if (is_x2apic) {
            write_msr(0x828, 0);
            errors = read_msr(0x828);
        } else {
            write_offset(0x280, 0);
            errors = read_offset(0x280);
        }
        assert_int_equal(errors, mode < 2 ? 0x20 : 0);
        assert_int_equal(notified[2], mode >= 4 && mode <= 6);
    }
    for (uint32_t vector = 0; vector < 16; vector++) {
        write_msr(0x83F, vector);
        write_msr(0x828, 0);
        assert_int_equal(read_msr(0x828), 0x20);
    }
}

/* SDM 3A, "Lowest Priority Delivery Mode". */
static void test_lowest_priority(void **state)
{
    unsigned int counts[APICS] = {0};
    set_layout(state, FLAT);
    struct apic_message message = {.destination = 0xBE,
                                   .vector      = 0x77,
                                   .is_logical  = true,
                                   .mode        = APIC_LOWEST_PRIORITY};
    for (unsigned int i = 0; i < 60; i++) {
        unsigned int one = send_message(message);
        assert_int_equal(__builtin_popcount(one), 1);
        counts[__builtin_ctz(one)]++;
    }
    for (unsigned int i = 0; i < APICS; i++) /* equal priorities take turns */
        assert_int_equal(counts[i], (0xBE >> i & 1) != 0 ? 10 : 0);
    for (unsigned int round = 0; round < 200; round++) {
        uint32_t lowest = 256, expected = 0;
        for (uint32_t i = 0; i < APICS; i++) {
            uint32_t priority = (uint32_t)random_below(16) << 4;
            local_apic_write_cr8(&apics[i], priority >> 4);
            if ((message.destination >> i & 1) == 0 || priority > lowest)
                continue;
            expected = (priority < lowest ? 0 : expected) | 1U << i;
            lowest   = priority;
        }
        assert_int_equal(apic_bus_send(&bus, &message), 1);
        for (uint32_t i = 0; i < APICS; i++)
            local_apic_write_cr8(&apics[i], 0);
        unsigned int one = receivers(0x77);
        assert_int_equal(__builtin_popcount(one), 1);
        assert_int_equal(one & ~expected, 0);
    }
    /* The priority of what is in service, and APICs that software has disabled. */
    interrupt(0x40, false);
    local_apic_acknowledge(apic);
    write_offset_of(&apics[1], 0xF0, 0xFF);
    message.destination = 0x03;
    assert_int_equal(send_message(message), 0x01);
    message.destination = 0x05;
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(send_message(message), 0x04);
    message.destination = 0x02;
    assert_int_equal(send_message(message), 0);
}

/* The owner hears of a message once until the APIC's CPU receives. */
static void test_notifications(void **state)
{
    (void)state;
    for (unsigned int round = 1; round < 5; round++) {
        for (unsigned int i = 0; i < 10; i++) {
            send_to(3, APIC_FIXED, (uint8_t)(0x30 + i), false);
            send_to(3, APIC_NMI, 0, false);
            local_apic_set_line(&apics[3], LOCAL_APIC_LINT0, i % 2 == 0);
        }
        assert_int_equal(notified[3], round);
        local_apic_receive(&apics[3]);
        local_apic_receive(&apics[3]);
        assert_int_equal(notified[3], round);
    }
    for (size_t i = 0; i < APICS; i++)
        assert_int_equal(notified[i], i == 3 ? 4 : 0);
}

#define TEST(name) cmocka_unit_test_setup(name, start_enabled)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_destinations),         TEST(test_logical_destinations),
        TEST(test_written_ids),          TEST(test_commands),
        TEST(test_command_destinations), TEST(test_self),
        TEST(test_illegal_vectors),      TEST(test_lowest_priority),
        TEST(test_notifications),
    };
    return cmocka_run_group_tests_name("local APIC messages", tests, NULL, NULL);
}
