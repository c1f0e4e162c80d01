/*
 * src/dev/io_apic.c, compared with the Intel 82093AA data sheet; the version and the EOI
 * register with the ICH9 data sheet.
 */
#include "io_apic.h"
#include "random.h"

static int start(void **state)
{
    (void)state;
    io_apic_start();
    return 0;
}

static void set_input(unsigned int input, bool is_high)
{
    interrupt_line_set(&io_apic.input[input], is_high);
}

static void pulse(unsigned int input)
{
    set_input(input, true);
    set_input(input, false);
}

/* "IOAPIC Identification Register", "... Version ...", "... Arbitration ...". */
static void test_registers(void **state)
{
    (void)state;
    assert_int_equal(register_read(0), 0x05000000);
    register_write(0, 0xFFFFFFFF);
    assert_int_equal(register_read(0), 0x0F000000);
    register_write(0, 0x02000000);
    assert_int_equal(register_read(0), 0x02000000);
    assert_int_equal(register_read(2), 0x02000000); /* loaded when the ID is written */
    register_write(1, 0);
    register_write(2, 0);
    assert_int_equal(register_read(1), 0x00170020); /* "Maximum Redirection Entry" 17H */
    assert_int_equal(register_read(2), 0x02000000);
    for (unsigned int number = 3; number < 0x100; number++) {
        bool is_table  = number >= 0x10 && number < 0x40;
        uint32_t value = !is_table ? UINT32_MAX : number % 2 == 0 ? MASKED : 0;
        assert_int_equal(register_read(number), value);
        register_write(number, UINT32_MAX);
        /* Bits 14 and 12 of the table are read-only, the reserved ones are 0. */
        if (is_table)
            value = number % 2 == 0 ? 0x1AFFF : 0xFF000000;
        assert_int_equal(register_read(number), value);
    }
    assert_int_equal(sent(), 0);
}

/* "I/O Register Select Register": bits 7:0. Registers have 32 bits. */
static void test_accesses(void **state)
{
    (void)state;
    io_apic_store(0xFEC00000, 4, 0xABCDEF10);
    assert_int_equal(io_apic_load(0xFEC00000, 4), 0x10);
    io_apic_store(0xFEC00000, 1, 0x12);
    assert_int_equal(io_apic_load(0xFEC00000, 1), 0x12);
    io_apic_store(WINDOW, 2, 0x34);
    io_apic_store(WINDOW, 1, 0x34);
    assert_int_equal(io_apic_load(WINDOW, 4), MASKED);
    io_apic_store(WINDOW, 8, UINT64_C(0x100000034));
    assert_int_equal(io_apic_load(WINDOW, 8), 0x34);
    for (unsigned int offset = 1; offset < 0x1000; offset++) {
        if (offset == 0x10)
            continue;
        assert_int_equal(io_apic_load(0xFEC00000 + offset, 4), UINT32_MAX);
        io_apic_store(0xFEC00000 + offset, 4, 0x14);
    }
    assert_int_equal(io_apic_load(0xFEC00000, 4), 0x12);
    assert_int_equal(io_apic_load(WINDOW, 4), 0x34);
    assert_null(address_map_find(&addresses, 0xFEBFFFFF));
    assert_null(address_map_find(&addresses, 0xFEC01000));
}

/*
 * "I/O Redirection Table Registers": the fields of the message. Modes 3 and 6 are
 * reserved; SMI, NMI, INIT and ExtINT are edges, even if programmed otherwise.
 */
static void test_messages(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 0x10000; i += 0x100) {
        unsigned int input = i / 0x100 % 24, mode = i >> 8 & 7,
                     vector      = random_below(256);
        unsigned int destination = random_below(256);
        bool is_level            = (i & LEVEL) != 0 && mode < 2;
        io_apic_start();
        register_write(0x11 + 2 * input, destination << 24);
        set_entry(input, i | vector); /* polarity and delivery status too */
        assert_int_equal(sent(), 0);
        set_input(input, true);
        assert_int_equal(sent(), mode != 3 && mode != 6);
        if (mode == 3 || mode == 6)
            continue;
        assert_int_equal(last_message.destination, destination);
        assert_int_equal(last_message.vector, vector);
        assert_int_equal(last_message.mode, mode);
        assert_int_equal(last_message.is_logical, i >> 11 & 1);
        assert_int_equal(last_message.is_level, is_level);
        assert_false(last_message.is_x2apic);
        assert_null(last_message.excluded);
        assert_int_equal(entry_low(input) >> 14 & 1, is_level); /* remote IRR */
    }
}

/* "Interrupt Mask": edges at a masked input are "not delivered or held pending". */
static void test_edges(void **state)
{
    (void)state;
    pulse(3);
    set_entry(3, 0x33);
    assert_int_equal(sent(), 0);
    pulse(3);
    pulse(3);
    assert_int_equal(sent(), 2);
    set_entry(3, MASKED | 0x33);
    set_input(3, true);
    set_entry(3, 0x33);
    set_entry(3, 0x34);
    set_input(3, false);
    assert_int_equal(sent(), 0);
    pulse(3);
    assert_int_equal(sent(), 1);
    assert_int_equal(last_message.vector, 0x34);
    io_apic_end_of_interrupt(&io_apic, 0x34);
    assert_int_equal(sent(), 0);
    assert_int_equal(entry_low(3), 0x34);
}

/* "Remote IRR": set when a local APIC accepts the interrupt, cleared by its EOI. */
static void test_levels(void **state)
{
    (void)state;
    set_input(9, true);
    set_entry(9, LEVEL | 0x59);
    assert_int_equal(sent(), 1);
    assert_int_equal(entry_low(9), LEVEL | 0x4059);
    set_input(9, false);
    set_input(9, true);
    set_entry(9, LEVEL | 0x59);
    io_apic_end_of_interrupt(&io_apic, 0x58);
    assert_int_equal(sent(), 0);
    io_apic_end_of_interrupt(&io_apic, 0x59); /* it is still high */
    assert_int_equal(sent(), 1);
    set_input(9, false);
    io_apic_store(0xFEC00040, 4, 0xABCDEF59); /* the EOI register */
    assert_int_equal(sent(), 0);
    assert_int_equal(entry_low(9), LEVEL | 0x59);
    set_input(9, true);
    assert_int_equal(sent(), 1);
    set_entry(9, MASKED | LEVEL | 0x59); /* the mask does not end the interrupt */
    assert_int_equal(entry_low(9), MASKED | LEVEL | 0x4059);
    io_apic_end_of_interrupt(&io_apic, 0x59);
    assert_int_equal(sent(), 0);
    set_entry(9, LEVEL | 0x59);
    assert_int_equal(sent(), 1);
    set_entry(9, 0x59); /* remote IRR has no meaning for edges */
    assert_int_equal(entry_low(9), 0x59);
    set_entry(9, LEVEL | 0x59);
    assert_int_equal(sent(), 1);
}

/* An interrupt that no local APIC accepts sets no remote IRR. */
static void test_not_accepted(void **state)
{
    (void)state;
    receivers = 0;
    set_entry(9, LEVEL | 0x59);
    set_input(9, true);
    assert_int_equal(sent(), 1);
    assert_int_equal(entry_low(9), LEVEL | 0x59);
    receivers = 2;
    set_entry(9, LEVEL | 0x59);
    assert_int_equal(sent(), 1);
    assert_int_equal(entry_low(9), LEVEL | 0x4059);
}

/* ICH9, "EOI Register": it ends the interrupt of each entry with the vector. */
static void test_end_of_all(void **state)
{
    (void)state;
    for (unsigned int input = 0; input < 24; input++) {
        set_entry(input, LEVEL | (input % 3 == 0 ? 0x70 : 0x40 + input));
        set_input(input, true);
        set_input(input, input % 2 == 0);
    }
    assert_int_equal(sent(), 24);
    io_apic_store(0xFEC00040, 4, 0x70);
    assert_int_equal(sent(), 4); /* 0, 6, 12, 18: still high */
    for (unsigned int input = 0; input < 24; input++)
        assert_int_equal(entry_low(input) >> 14 & 1, input % 3 != 0 || input % 2 == 0);
}

static void test_can_interrupt(void **state)
{
    (void)state;
    assert_false(io_apic_can_interrupt(&io_apic));
    for (unsigned int input = 0; input < 24; input++) {
        set_entry(input, 0);
        assert_true(io_apic_can_interrupt(&io_apic));
        set_entry(input, MASKED);
        assert_false(io_apic_can_interrupt(&io_apic));
    }
}

/* A device that counts its edges: each is taken, by the CPU or because it is lost. */
static void test_events(void **state)
{
    (void)state;
    io_apic.input[2].event  = record_event;
    io_apic.input[2].device = &events;
    io_apic.input[3].event  = record_event; /* nothing happens to it */
    pulse(2);
    ASSERT_EVENTS("");
    set_entry(2, 0x31);
    ASSERT_EVENTS("ut"); /* the edge at the masked input is lost */
    pulse(2);
    ASSERT_EVENTS("");
    assert_true(io_apic_is_awaiting(&io_apic));
    io_apic_interrupt_taken(&io_apic, 0x32);
    assert_true(io_apic_is_awaiting(&io_apic));
    io_apic_interrupt_taken(&io_apic, 0x31);
    assert_false(io_apic_is_awaiting(&io_apic));
    io_apic_interrupt_taken(&io_apic, 0x31); /* as by another CPU */
    ASSERT_EVENTS("t");
    pulse(2);
    set_entry(2, 0x33); /* the CPU will take vector 31H */
    assert_false(io_apic_is_awaiting(&io_apic));
    ASSERT_EVENTS("t");
    pulse(2);
    set_entry(2, MASKED | 0x33);
    assert_false(io_apic_is_awaiting(&io_apic));
    set_entry(2, MASKED | 0x33);
    ASSERT_EVENTS("m");
    set_entry(2, 0x33);
    ASSERT_EVENTS("ut");
    receivers = 0;
    pulse(2);
    ASSERT_EVENTS("t");
    receivers = 1;
    set_entry(2, 0x400); /* NMI */
    ASSERT_EVENTS("t");
    pulse(2);
    ASSERT_EVENTS("t");
    assert_int_equal(sent(), 5);
}

/* A model of one level or edge input, for the next test. */
struct model {
    bool is_high, is_masked, is_level, is_served;
    unsigned int vector, sent;
};

static void model_request(struct model *model)
{
    if (model->is_high && !model->is_masked && !model->is_served) {
        model->sent++;
        model->is_served = model->is_level;
    }
}

static void model_write(struct model *model, uint32_t low)
{
    model->is_masked = (low & MASKED) != 0;
    model->is_level  = (low & LEVEL) != 0;
    model->vector    = low & 0xFF;
    model->is_served &= model->is_level;
    if (model->is_level)
        model_request(model);
}

static void test_random(void **state)
{
    (void)state;
    struct model model[24];
    for (unsigned int i = 0; i < 24; i++)
        model[i] = (struct model){.is_masked = true};
    for (unsigned int step = 0; step < 200000; step++) {
        unsigned int input = random_below(24), vector = 0x30 + random_below(4), total = 0;
        uint32_t low = vector | random_below(2) * LEVEL | (random_below(4) == 0) * MASKED;
        switch (random_below(3)) {
        case 0:
            set_input(input, !model[input].is_high);
            model[input].is_high = !model[input].is_high;
            model_request(&model[input]);
            break;
        case 1:
            set_entry(input, low);
            model_write(&model[input], low);
            break;
        default:
            io_apic_end_of_interrupt(&io_apic, (uint8_t)vector);
            for (unsigned int i = 0; i < 24; i++) {
                if (model[i].vector != vector || !model[i].is_served)
                    continue;
                model[i].is_served = false;
                model_request(&model[i]);
            }
        }
        for (unsigned int i = 0; i < 24; i++) {
            total += model[i].sent;
            model[i].sent = 0;
        }
        assert_int_equal(sent(), total);
        assert_int_equal(entry_low(input) >> 14 & 1, model[input].is_served);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_registers, start),
        cmocka_unit_test_setup(test_accesses, start),
        cmocka_unit_test_setup(test_messages, start),
        cmocka_unit_test_setup(test_edges, start),
        cmocka_unit_test_setup(test_levels, start),
        cmocka_unit_test_setup(test_not_accepted, start),
        cmocka_unit_test_setup(test_end_of_all, start),
        cmocka_unit_test_setup(test_can_interrupt, start),
        cmocka_unit_test_setup(test_events, start),
        cmocka_unit_test_setup(test_random, start),
    };
    return cmocka_run_group_tests_name("io apic model", tests, NULL, NULL);
}
