/*
 * src/platform/pci.c, included, on a simulated host bridge: configuration mechanism #1
 * for segment 0, memory for others.
 */
#ifndef HYMIR_TESTS_PCI_H
#define HYMIR_TESTS_PCI_H

#include "unit.h"

#include <stdbool.h>

/* Replaces src/cpu/instructions.h: port accesses go to the simulated host bridge. */
#define HYMIR_CPU_INSTRUCTIONS_H
#include "lib/bits.h"
static uint8_t io_in8(uint16_t port);
static uint16_t io_in16(uint16_t port);
static uint32_t io_in32(uint16_t port);
static void io_out8(uint16_t port, uint8_t value);
static void io_out16(uint16_t port, uint16_t value);
static void io_out32(uint16_t port, uint32_t value);

#include "../../src/platform/pci.c"

#define SIMULATED_MAX 64

/* A function: its address as in the address port, and its configuration space. */
static struct simulated {
    uint32_t address;
    uint8_t space[256];
    uint8_t fixed; /* bits of the Command register that do not change */
} simulated[SIMULATED_MAX];
static size_t simulated_count;
static bool has_no_ports, answers_everywhere;
static uint32_t address_port;
static size_t probe_count;

/* The configuration space of two buses of a segment. */
#define MEMORY_SEGMENT   3
#define MEMORY_FIRST_BUS 5
static uint8_t memory_space[2 * PCI_ECAM_BUS_SIZE];

/* Returns the buses of memory_space. */
static inline struct acpi_pci_buses memory_space_buses(void)
{
    return (struct acpi_pci_buses){.address = (uintptr_t)memory_space -
                                              MEMORY_FIRST_BUS * PCI_ECAM_BUS_SIZE,
                                   .segment = MEMORY_SEGMENT,
                                   .first   = MEMORY_FIRST_BUS,
                                   .last    = MEMORY_FIRST_BUS + 1};
}

static int start_pci(void **state)
{
    range_count        = 0;
    simulated_count    = 0;
    has_no_ports       = false;
    answers_everywhere = false;
    address_port       = 0;
    probe_count        = 0;
    return start_log(state);
}

/* Makes memory_space accessible, without functions. */
static inline void start_memory_space(void)
{
    const struct acpi_pci_buses buses = memory_space_buses();

    memset(memory_space, 0xFF, sizeof(memory_space));
    assert_int_equal(pci_add_buses(&buses), STATUS_OK);
}

/* Adds a function with a class code of 24 bits. */
static struct simulated *add_function(unsigned int bus, unsigned int device,
                                      unsigned int function, uint32_t class_code,
                                      uint8_t header, uint8_t command)
{
    struct simulated *added = &simulated[simulated_count++];
    *added                  = (struct simulated){
                         .address = 0x80000000U | bus << 16 | device << 11 | function << 8,
                         .space = {0x86, 0x80, 0x0E, 0x10, command, 0, 0x10, 0xFF, 3, (uint8_t)class_code,
                                   (uint8_t)(class_code >> 8), (uint8_t)(class_code >> 16), 0, 0, header}};
    return added;
}

/* Adds a function like it to memory_space, whose first bus is 0 here. */
static inline uint8_t *add_memory_function(unsigned int bus, unsigned int device,
                                           unsigned int function, uint32_t class_code,
                                           uint8_t header, uint8_t command)
{
    struct simulated *model = add_function(0xFF, 31, 7, class_code, header, command);
    uint8_t *space          = memory_space + (bus << 20 | device << 15 | function << 12);

    memcpy(space, model->space, sizeof(model->space));
    simulated_count--;
    return space;
}

static uint8_t *find_byte(uint16_t port)
{
    assert_in_range(port, 0xCFC, 0xCFF);
    assert_int_equal(address_port & 0x7F000003, 0); /* reserved bits */
    for (size_t i = 0; i < simulated_count; i++) {
        if (simulated[i].address == (address_port & 0xFFFFFF00) || answers_everywhere)
            return &simulated[i].space[(address_port & 0xFC) + port - 0xCFC];
    }
    return NULL;
}

static uint32_t read_port(uint16_t port, size_t size)
{
    uint32_t value = UINT32_MAX;

    if (port == 0xCF8 && size == 4)
        return has_no_ports ? UINT32_MAX : address_port;
    assert_false(has_no_ports);
    const uint8_t *byte = find_byte(port);
    probe_count++;
    if (byte != NULL)
        memcpy(&value, byte, size);
    return value;
}

static void write_port(uint16_t port, uint32_t value, size_t size)
{
    if (port == 0xCF8) {
        assert_int_equal(size, 4); /* 0xCF9 resets the machine */
        address_port = value;
        return;
    }
    uint8_t *byte = find_byte(port);
    if (byte == NULL)
        return;
    uint8_t command = (address_port & 0xFC) == 4 ? *byte : 0;
    memcpy(byte, &value, size);
    for (size_t i = 0; i < simulated_count && (address_port & 0xFC) == 4; i++) {
        if (byte == &simulated[i].space[4])
            *byte =
                (uint8_t)((*byte & ~simulated[i].fixed) | (command & simulated[i].fixed));
    }
}

static uint8_t io_in8(uint16_t port)
{
    return (uint8_t)read_port(port, 1);
}

static uint16_t io_in16(uint16_t port)
{
    return (uint16_t)read_port(port, 2);
}

static uint32_t io_in32(uint16_t port)
{
    return read_port(port, 4);
}

static void io_out8(uint16_t port, uint8_t value)
{
    write_port(port, value, 1);
}

static void io_out16(uint16_t port, uint16_t value)
{
    write_port(port, value, 2);
}

static void io_out32(uint16_t port, uint32_t value)
{
    write_port(port, value, 4);
}

#endif
