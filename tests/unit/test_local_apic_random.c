/*
 * src/dev/local_apic.c and the files that it uses: a hostile guest, whose CPUs access
 * their APICs at random. What must hold after each access, by SDM 3A.
 */
#include "local_apic.h"
#include "random.h"

static const uint32_t offsets[] = {0x20,  0x30,  0x80,  0x90,  0xA0,  0xB0,  0xC0,
                                   0xD0,  0xE0,  0xF0,  0x100, 0x180, 0x200, 0x280,
                                   0x2F0, 0x300, 0x310, 0x320, 0x330, 0x340, 0x350,
                                   0x360, 0x370, 0x380, 0x390, 0x3E0, 0x3F0, 0x400};

static uint64_t random_value(void)
{
    switch (random_below(6)) {
    case 0:
        return 0;
    case 1:
        return random_below(256);
    case 2:
        return 0x1FF; /* SVR: enabled */
    case 3:
        return 0x4000 | random_below(0x800) | random_below(4) << 18; /* ICR */
    case 4:
        return random_number() & 0xFFFFFFFF;
    default:
        return random_number() & (UINT64_MAX >> random_below(64));
    }
}

static void access_memory(struct local_apic *which)
{
    uint32_t offset   = offsets[random_below(sizeof(offsets) / sizeof(offsets[0]))];
    unsigned int size = 4;
    if (random_below(4) == 0) {
        offset = (uint32_t)random_below(4096);
        size   = 1U << random_below(4);
    }
    if (random_below(2) == 0)
        local_apic_write(which, offset, size, random_value());
    else
        assert_true(local_apic_read(which, offset, size) >> (size * 8 - 1) <= 1);
}

static void access_msr(struct local_apic *which)
{
    uint32_t msr =
        0x800 + offsets[random_below(sizeof(offsets) / sizeof(offsets[0]))] / 16;
    uint64_t value = random_value();
    if (random_below(16) == 0)
        msr = DEADLINE, value = clock_now + tsc_offset + random_below(5000000);
    if (random_below(64) == 0)
        msr = BASE_MSR, value = ADDRESS | random_below(4) << 10;
    if (random_below(3) == 0)
        local_apic_read_msr(which, msr, &value);
    else
        local_apic_write_msr(which, msr, value);
}

/* What others do to an APIC, and its CPU. */
static void act_from_outside(struct local_apic *which)
{
    uint8_t vector;
    switch (random_below(8)) {
    case 0:
        if (random_below(2) == 0)
            local_apic_set_line(which, random_below(2), random_below(2) != 0);
        else
            local_apic_drive_line(which, random_below(2), random_below(2) != 0);
        break;
    case 1:
        apic_bus_send(
            &bus, &(struct apic_message){.destination = (uint32_t)random_below(10),
                                         .vector      = (uint8_t)random_number(),
                                         .mode = (enum apic_delivery_mode)random_below(8),
                                         .is_logical = random_below(2) != 0,
                                         .is_level   = random_below(2) != 0,
                                         .is_x2apic  = random_below(2) != 0});
        break;
    case 2:
        local_apic_write_cr8(which, random_below(4) == 0 ? random_below(16) : 0);
        assert_in_range(local_apic_read_cr8(which), 0, 15);
        break;
    case 3:
        if ((local_apic_take_events(which, &vector) & LOCAL_APIC_INIT) != 0)
            local_apic_init_signal(which);
        break;
    case 4:
        tsc_offset += random_below(1000000) - 500000;
        for (size_t i = 0; i < APICS; i++)
            local_apic_tsc_changed(&apics[i]);
        break;
    default:
        local_apic_receive(which);
        if (is_output_high[which->index])
            assert_int_not_equal(local_apic_acknowledge(which), 0);
    }
}

static uint32_t get(const struct local_apic *which, uint32_t offset)
{
    return which->registers[offset / 4];
}

static uint32_t highest(const struct local_apic *which, uint32_t bitmap)
{
    for (uint32_t vector = 256; vector-- > 0;)
        if ((get(which, bitmap + vector / 32 * 16) >> vector % 32 & 1) != 0)
            return vector;
    return 0;
}

/* The 8259's line, or a message of its kind, goes past the priorities. */
static bool has_extint(const struct local_apic *which)
{
    bool is_enabled = (which->base & 0x800) != 0, has = which->has_extint;
    for (uint32_t pin = 0; pin < 2; pin++) {
        uint32_t entry = get(which, 0x350 + 16 * pin);
        bool is_extint = is_enabled ? (entry & 0x10700) == 0x700 : pin == 0;
        has |= is_extint && which->line[pin];
    }
    return has;
}

static void check(const struct local_apic *which)
{
    bool is_x2apic   = (which->base & 0x400) != 0;
    uint32_t service = highest(which, 0x100) & 0xF0, task = get(which, 0x80);
    uint32_t priority = task >> 4 >= service >> 4 ? task : service;
    assert_int_equal(get(which, 0xA0), priority);
    if (!which->is_notified) /* it has seen its pins */
        assert_int_equal(is_output_high[which->index],
                         highest(which, 0x200) >> 4 > priority >> 4 || has_extint(which));
    for (uint32_t bitmap = 0x100; bitmap <= 0x200; bitmap += 0x80)
        assert_int_equal(get(which, bitmap) & 0xFFFF, 0);
    for (uint32_t offset = 0; offset < 4096; offset += 4)
        if (offset % 16 != 0 || offset >= 0x3F0)
            assert_int_equal(get(which, offset), 0);
    for (uint32_t offset = 0x320; offset <= 0x370; offset += 16)
        assert_true((get(which, 0xF0) & 0x100) != 0 ||
                    (get(which, offset) & 0x10000) != 0);
    assert_true((which->base & EXTENDED) != 0x400);
    assert_true(!is_x2apic || get(which, 0x20) == which->setup.id);
    assert_true(apic_timer_read_count(which) <= get(which, 0x380));
    assert_true(apic_timer_read_deadline(which) == 0 ||
                (get(which, 0x320) & 0x60000) == 0x40000);
    assert_int_equal(get(which, 0x30), 0x00050014);
    assert_int_equal(which->events & ~7U, 0);
}

/* However the timers are set, running the clock leaves an alarm to come. */
static void pass_time(void)
{
    clock_now += random_below(2000000);
    if (clock_now >= alarm_time) {
        alarm_time = TICKS_NEVER;
        device_clock_run(&test_clock);
        assert_true(alarm_time > clock_now);
    }
}

static void test_hostile_guest(void **state)
{
    (void)state;
    for (unsigned int step = 0; step < 60000; step++) {
        struct local_apic *which = &apics[random_below(APICS)];
        uint64_t choice          = random_below(8);
        if (choice == 0)
            pass_time();
        else if (choice < 3)
            act_from_outside(which);
        else if ((which->base & EXTENDED) == ENABLED)
            access_memory(which);
        else
            access_msr(which);
        if (random_below(32) == 0)
            access_msr(which);
        check(which);
        for (size_t i = 0; step % 64 == 0 && i < APICS; i++)
            check(&apics[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_hostile_guest, start_enabled),
    };
    return cmocka_run_group_tests_name("local APIC of a hostile guest", tests, NULL,
                                       NULL);
}
