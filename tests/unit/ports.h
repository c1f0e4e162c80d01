/*
 * A port map and an interrupt line for the tests of a device of src/dev.
 */
#ifndef HYMIR_TESTS_PORTS_H
#define HYMIR_TESTS_PORTS_H

#include "unit.h"

#include "dev/interrupt_line.h"
#include "dev/port_map.h"

static struct port_map test_ports;
static struct interrupt_line output_line;
static unsigned int rises; /* of the line */
static uint64_t unclaimed_accesses;

static void line_changed(void *listener, const struct interrupt_line *changed)
{
    assert_ptr_equal(listener, &rises);
    assert_ptr_equal(changed, &output_line);
    rises += output_line.is_high;
}

static inline void start_ports(bool is_high)
{
    rises       = 0;
    output_line = (struct interrupt_line){
        .is_high = is_high, .changed = line_changed, .listener = &rises};
    port_map_init(&test_ports, &unclaimed_accesses);
}

static inline enum exit_outcome port_write(unsigned int port, unsigned int value)
{
    const struct port_device *device = port_map_find(&test_ports, (uint16_t)port);
    assert_true(test_ports.owner[(uint16_t)port] != 0);
    return device->write(device->device, (uint16_t)port, value);
}

static inline void port_out(unsigned int port, unsigned int value)
{
    assert_int_equal(port_write(port, value), EXIT_NEXT);
}

/* Returns all that the device returns; port_read returns the byte that the guest sees. */
static inline unsigned int port_read_whole(unsigned int port)
{
    const struct port_device *device = port_map_find(&test_ports, (uint16_t)port);
    assert_true(test_ports.owner[(uint16_t)port] != 0);
    return device->read(device->device, (uint16_t)port);
}

static inline unsigned int port_read(unsigned int port)
{
    return port_read_whole(port) & 0xFF;
}

#endif
