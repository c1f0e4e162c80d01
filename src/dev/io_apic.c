/* See io_apic.h. */
#include "dev/io_apic.h"

#include "dev/apic_bus.h"
#include "lib/bits.h"
#include "lib/clamp.h"
#include "x86/io_apic.h"

#define VERSION \
    (IO_APIC_VERSION_WITH_EOI | (IO_APIC_INPUTS - 1) << IO_APIC_VERSION_LAST_SHIFT)
#define ABSENT UINT32_MAX

/* Delivery status, bit 12, is always idle: a message is sent at once. */
#define LOW_WRITABLE                                                          \
    (IO_APIC_ENTRY_VECTOR(UINT32_MAX) | IO_APIC_ENTRY_DELIVERY(UINT32_MAX) |  \
     IO_APIC_ENTRY_LOGICAL | IO_APIC_ENTRY_ACTIVE_LOW | IO_APIC_ENTRY_LEVEL | \
     IO_APIC_ENTRY_MASKED)
#define HIGH_WRITABLE (UINT32_MAX << IO_APIC_DESTINATION_SHIFT)

static enum apic_delivery_mode mode_of(const struct io_apic_entry *entry)
{
    return IO_APIC_ENTRY_DELIVERY(entry->low) >> IO_APIC_DELIVERY_SHIFT;
}

/* Returns whether the message has a vector; others are edges: "Delivery Mode". */
static bool has_vector(const struct io_apic_entry *entry)
{
    return mode_of(entry) <= APIC_LOWEST_PRIORITY;
}

static bool is_level(const struct io_apic_entry *entry)
{
    return (entry->low & IO_APIC_ENTRY_LEVEL) != 0 && has_vector(entry);
}

/* Reports that the last request of an input is acknowledged, or dropped. */
static void report_taken(struct io_apic *apic, unsigned int input)
{
    atomic_fetch_and(&apic->awaited, ~(1U << input));
    interrupt_line_report(&apic->input[input], INTERRUPT_TAKEN);
}

/* Sends the message of an input; those of a reserved delivery mode are dropped. */
static void send_message(struct io_apic *apic, unsigned int input)
{
    struct io_apic_entry *entry       = &apic->entry[input];
    const struct apic_message message = {
        .destination = entry->high >> IO_APIC_DESTINATION_SHIFT,
        .vector      = IO_APIC_ENTRY_VECTOR(entry->low),
        .mode        = mode_of(entry),
        .is_logical  = (entry->low & IO_APIC_ENTRY_LOGICAL) != 0,
        .is_level    = is_level(entry),
    };

    if (apic->input[input].event != NULL && has_vector(entry))
        atomic_fetch_or(&apic->awaited, 1U << input);
    bool is_reserved = message.mode == APIC_RESERVED || message.mode == APIC_STARTUP;
    size_t receivers = is_reserved ? 0 : apic_bus_send(apic->bus, &message);
    if (message.is_level && receivers > 0)
        entry->low |= IO_APIC_ENTRY_REMOTE_IRR;
    if (receivers == 0 || !has_vector(entry))
        report_taken(apic, input);
}

/*
 * Interrupts if an input is high, neither masked nor waiting for the end of its last
 * interrupt. Data sheet, "I/O Redirection Table Registers".
 */
static void request_interrupt(struct io_apic *apic, unsigned int input)
{
    const uint32_t blocking = IO_APIC_ENTRY_MASKED | IO_APIC_ENTRY_REMOTE_IRR;

    if (apic->input[input].is_high && (apic->entry[input].low & blocking) == 0)
        send_message(apic, input);
}

/* An edge at a masked input is "not delivered or held pending". */
static void input_changed(void *listener, const struct interrupt_line *line)
{
    request_interrupt(listener, line->number);
}

/*
 * The device of an input that becomes unmasked may have requested an interrupt in vain,
 * and one whose message is on its way would be told of another vector: its request counts
 * as taken.
 */
static void write_low(struct io_apic *apic, unsigned int input, uint32_t value)
{
    struct io_apic_entry *entry = &apic->entry[input];
    bool is_masked              = (value & IO_APIC_ENTRY_MASKED) != 0;
    bool was_masked             = (entry->low & IO_APIC_ENTRY_MASKED) != 0;

    entry->low = (value & LOW_WRITABLE) | (entry->low & IO_APIC_ENTRY_REMOTE_IRR);
    if (!is_level(entry))
        entry->low &= ~IO_APIC_ENTRY_REMOTE_IRR;
    if (is_masked != was_masked)
        interrupt_line_report(&apic->input[input],
                              is_masked ? INTERRUPT_MASKED : INTERRUPT_UNMASKED);
    if (is_masked)
        atomic_fetch_and(&apic->awaited, ~(1U << input));
    else
        report_taken(apic, input);
    if (is_level(entry))
        request_interrupt(apic, input);
}

static uint32_t read_selected(const struct io_apic *apic)
{
    unsigned int word = apic->selected - IO_APIC_TABLE;

    if (apic->selected == IO_APIC_ID || apic->selected == IO_APIC_ARBITRATION)
        return (uint32_t)apic->id << IO_APIC_ID_SHIFT;
    if (apic->selected == IO_APIC_VERSION)
        return VERSION;
    if (word >= 2 * IO_APIC_INPUTS)
        return ABSENT;
    word = (unsigned int)clamp_index(word, (size_t)2 * IO_APIC_INPUTS);
    return word % 2 == 0 ? apic->entry[word / 2].low : apic->entry[word / 2].high;
}

static void write_selected(struct io_apic *apic, uint32_t value)
{
    unsigned int word = apic->selected - IO_APIC_TABLE;

    size_t input = clamp_index(word / 2, IO_APIC_INPUTS);

    if (apic->selected == IO_APIC_ID)
        apic->id = value >> IO_APIC_ID_SHIFT & IO_APIC_ID_MASK;
    else if (word < 2 * IO_APIC_INPUTS && word % 2 == 0)
        write_low(apic, (unsigned int)input, value);
    else if (word < 2 * IO_APIC_INPUTS)
        apic->entry[input].high = value & HIGH_WRITABLE;
}

static uint64_t read_register(void *device, uint32_t offset, unsigned int size)
{
    const struct io_apic *apic = device;

    (void)size;
    if (offset == IO_APIC_SELECT * sizeof(uint32_t))
        return apic->selected;
    return offset == IO_APIC_WINDOW * sizeof(uint32_t) ? read_selected(apic) : ABSENT;
}

static void write_register(void *device, uint32_t offset, unsigned int size,
                           uint64_t value)
{
    struct io_apic *apic = device;

    if (offset == IO_APIC_SELECT * sizeof(uint32_t))
        apic->selected = (uint8_t)value;
    else if (offset == IO_APIC_WINDOW * sizeof(uint32_t) && size >= sizeof(uint32_t))
        write_selected(apic, (uint32_t)value);
    else if (offset == IO_APIC_EOI * sizeof(uint32_t))
        io_apic_end_of_interrupt(apic, (uint8_t)value);
}

void io_apic_end_of_interrupt(struct io_apic *apic, uint8_t vector)
{
    for (unsigned int input = 0; input < IO_APIC_INPUTS; input++) {
        struct io_apic_entry *entry = &apic->entry[input];
        if ((entry->low & IO_APIC_ENTRY_REMOTE_IRR) == 0 ||
            IO_APIC_ENTRY_VECTOR(entry->low) != vector)
            continue;
        entry->low &= ~IO_APIC_ENTRY_REMOTE_IRR;
        request_interrupt(apic, input);
    }
}

void io_apic_interrupt_taken(struct io_apic *apic, uint8_t vector)
{
    for (unsigned int left = atomic_load(&apic->awaited); left != 0; left &= left - 1) {
        unsigned int input = (unsigned int)__builtin_ctz(left);
        if (IO_APIC_ENTRY_VECTOR(apic->entry[input].low) == vector)
            report_taken(apic, input);
    }
}

bool io_apic_can_interrupt(const struct io_apic *apic)
{
    for (unsigned int input = 0; input < IO_APIC_INPUTS; input++) {
        if ((apic->entry[input].low & IO_APIC_ENTRY_MASKED) == 0)
            return true;
    }
    return false;
}

void io_apic_init(struct io_apic *apic, struct address_map *addresses,
                  struct apic_bus *bus, uint8_t id)
{
    *apic = (struct io_apic){.id = id & IO_APIC_ID_MASK, .bus = bus};
    for (uint8_t input = 0; input < IO_APIC_INPUTS; input++) {
        apic->entry[input].low = IO_APIC_ENTRY_MASKED;
        apic->input[input]     = (struct interrupt_line){
                .number = input, .changed = input_changed, .listener = apic};
    }
    address_map_add(addresses, (struct memory_device){
                                   IO_APIC_ADDRESS,
                                   IO_APIC_ADDRESS + IO_APIC_PAGE_SIZE - 1,
                                   apic,
                                   read_register,
                                   write_register,
                               });
}
