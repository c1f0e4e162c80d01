/*
 * An emulated I/O APIC of src/dev/io_apic.h at its address, and the messages that it
 * sends: the linker replaces apic_bus_send.
 */
#ifndef HYMIR_TESTS_IO_APIC_H
#define HYMIR_TESTS_IO_APIC_H

#include "unit.h"

#include "dev/apic_bus.h"
#include "dev/io_apic.h"

#define WINDOW 0xFEC00010
#define MASKED 0x10000U
#define LEVEL  0x8000U

static struct address_map addresses;
static struct io_apic io_apic;
static struct apic_bus test_bus;
static struct apic_message last_message;
static unsigned int messages; /* since the last call of sent */
static size_t receivers;      /* of each message */

size_t __wrap_apic_bus_send(struct apic_bus *bus, const struct apic_message *message);
size_t __wrap_apic_bus_send(struct apic_bus *bus, const struct apic_message *message)
{
    assert_ptr_equal(bus, &test_bus);
    last_message = *message;
    messages++;
    return receivers;
}

/* Returns how many messages were sent since the last call. */
static inline unsigned int sent(void)
{
    unsigned int count = messages;
    messages           = 0;
    return count;
}

static inline void io_apic_store(uint64_t address, unsigned int size, uint64_t value)
{
    const struct memory_device *device = address_map_find(&addresses, address);
    assert_non_null(device);
    device->write(device->device, (uint32_t)(address - device->first), size, value);
}

static inline uint32_t io_apic_load(uint64_t address, unsigned int size)
{
    const struct memory_device *device = address_map_find(&addresses, address);
    assert_non_null(device);
    return (uint32_t)device->read(device->device, (uint32_t)(address - device->first),
                                  size);
}

static inline uint32_t register_read(unsigned int number)
{
    io_apic_store(0xFEC00000, 4, number);
    return io_apic_load(WINDOW, 4);
}

static inline void register_write(unsigned int number, uint32_t value)
{
    io_apic_store(0xFEC00000, 4, number);
    io_apic_store(WINDOW, 4, value);
}

static inline uint32_t entry_low(unsigned int input)
{
    return register_read(0x10 + 2 * input);
}

static inline void set_entry(unsigned int input, uint32_t low)
{
    register_write(0x10 + 2 * input, low);
}

static char events[32]; /* of the devices whose inputs the test connects to this */

static inline void record_event(void *device, enum interrupt_event event)
{
    assert_ptr_equal(device, &events);
    strcat(events, event == INTERRUPT_TAKEN    ? "t"
                   : event == INTERRUPT_MASKED ? "m"
                                               : "u");
}

#define ASSERT_EVENTS(expected)                \
    do {                                       \
        assert_string_equal(events, expected); \
        events[0] = '\0';                      \
    } while (0)

static inline void io_apic_start(void)
{
    messages  = 0;
    receivers = 1;
    address_map_init(&addresses);
    io_apic_init(&io_apic, &addresses, &test_bus, 5);
    assert_false(addresses.is_full);
}

#endif
