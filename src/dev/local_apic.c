/* See local_apic.h. */
#include "dev/local_apic.h"

#include "dev/local_apic_interrupts.h"
#include "lib/string.h"
#include "x86/msr.h"

#define DISTANCE                                                           \
    16U /* of two registers in memory, of which the first 4 bytes are used \
         */
#define VERSION 0x50014U /* version 14H, the last LVT entry is number 5 */

enum access {
    XAPIC_READ   = 1,
    XAPIC_WRITE  = 2,
    X2APIC_READ  = 4,
    X2APIC_WRITE = 8,
    READ         = XAPIC_READ | X2APIC_READ,
    WRITE        = XAPIC_WRITE | X2APIC_WRITE,
};

struct register_row {
    uint8_t access; /* 0: reserved */
    uint32_t writable;
    uint32_t ignored; /* read-only bits of a register that can be written */
};

#define ROW(offset)        [(offset) / DISTANCE]
#define EIGHT_ROWS(offset) [(offset) / DISTANCE...(offset) / DISTANCE + 7]

/* SDM 3A, "Local APIC Register Address Map" and "x2APIC Register Address Space". */
static const struct register_row rows[] = {
    ROW(APIC_ID)                   = {READ | XAPIC_WRITE, XAPIC_ID_MASK, 0},
    ROW(APIC_VERSION)              = {READ, 0, 0},
    ROW(APIC_TASK_PRIORITY)        = {READ | WRITE, UINT8_MAX, 0},
    ROW(APIC_ARBITRATION_PRIORITY) = {XAPIC_READ, 0, 0},
    ROW(APIC_PROCESSOR_PRIORITY)   = {READ, 0, 0},
    ROW(APIC_EOI)                  = {XAPIC_READ | WRITE, 0, 0},
    ROW(APIC_REMOTE_READ)          = {XAPIC_READ, 0, 0},
    ROW(APIC_LOGICAL_DESTINATION)  = {READ | XAPIC_WRITE, XAPIC_ID_MASK, 0},
    ROW(APIC_DESTINATION_FORMAT) = {XAPIC_READ | XAPIC_WRITE, DESTINATION_FORMAT_WRITABLE,
                                    0},
    ROW(APIC_SPURIOUS)           = {READ | WRITE, SPURIOUS_WRITABLE, 0},
    EIGHT_ROWS(APIC_IN_SERVICE)  = {READ, 0, 0},
    EIGHT_ROWS(APIC_TRIGGER_MODE)      = {READ, 0, 0},
    EIGHT_ROWS(APIC_INTERRUPT_REQUEST) = {READ, 0, 0},
    ROW(APIC_ERROR_STATUS)             = {READ | WRITE, 0, 0},
    ROW(APIC_INTERRUPT_COMMAND)        = {READ | WRITE, ICR_WRITABLE, ICR_PENDING},
    ROW(APIC_INTERRUPT_COMMAND_H)      = {XAPIC_READ | XAPIC_WRITE, XAPIC_ID_MASK, 0},
    ROW(APIC_LVT_TIMER)                = {READ | WRITE, LVT_TIMER_WRITABLE, LVT_PENDING},
    ROW(APIC_LVT_THERMAL)              = {READ | WRITE, LVT_SENSOR_WRITABLE, LVT_PENDING},
    ROW(APIC_LVT_PERFORMANCE)          = {READ | WRITE, LVT_SENSOR_WRITABLE, LVT_PENDING},
    ROW(APIC_LVT_LINT0) = {READ | WRITE, LVT_PIN_WRITABLE, LVT_PENDING | LVT_REMOTE_IRR},
    ROW(APIC_LVT_LINT1) = {READ | WRITE, LVT_PIN_WRITABLE, LVT_PENDING | LVT_REMOTE_IRR},
    ROW(APIC_LVT_ERROR) = {READ | WRITE, LVT_ERROR_WRITABLE, LVT_PENDING},
    ROW(APIC_INITIAL_COUNT) = {READ | WRITE, UINT32_MAX, 0},
    ROW(APIC_CURRENT_COUNT) = {READ, 0, 0},
    ROW(APIC_DIVIDE)        = {READ | WRITE, DIVIDE_WRITABLE, 0},
    ROW(APIC_SELF_IPI)      = {X2APIC_WRITE, UINT8_MAX, 0},
};

static bool is_x2apic(const struct local_apic *apic)
{
    return (atomic_load_explicit(&apic->base, memory_order_relaxed) & APIC_BASE_EXTD) !=
           0;
}

/* Returns the accesses that a register permits in any mode of those in mask. */
static unsigned int permitted(uint32_t offset, unsigned int mask)
{
    return offset / DISTANCE < ARRAY_SIZE(rows) ? rows[offset / DISTANCE].access & mask
                                                : 0;
}

/* ---- States ---- */

/* Sets the IDs that the mode derives from the initial one. */
static void set_ids(struct local_apic *apic)
{
    uint32_t id = apic->setup.id;

    local_apic_set(apic, APIC_ID, is_x2apic(apic) ? id : id << XAPIC_ID_SHIFT);
    local_apic_set(apic, APIC_LOGICAL_DESTINATION,
                   is_x2apic(apic) ? X2APIC_LOGICAL_ID(id) : 0);
}

static void mask_entries(struct local_apic *apic)
{
    for (uint32_t offset = APIC_LVT_TIMER; offset <= APIC_LVT_ERROR; offset += DISTANCE)
        local_apic_set(apic, offset, local_apic_get(apic, offset) | LVT_MASKED);
    apic_timer_update(apic);
}

/* SDM 3A, "Local APIC State After Power-Up or Reset", but for the IDs. */
static void reset_registers(struct local_apic *apic)
{
    local_apic_drop_interrupts(apic);
    apic_timer_stop(apic);
    for (uint32_t offset = APIC_VERSION; offset <= APIC_DIVIDE; offset += DISTANCE)
        if (offset != APIC_LOGICAL_DESTINATION)
            local_apic_set(apic, offset, 0);
    local_apic_set(apic, APIC_VERSION, VERSION);
    local_apic_set(apic, APIC_DESTINATION_FORMAT, DESTINATION_FORMAT_FLAT);
    local_apic_set(apic, APIC_SPURIOUS, SPURIOUS_AFTER_RESET);
    apic->errors = 0;
    mask_entries(apic);
    local_apic_update(apic);
}

static void add_to_bus(struct local_apic *apic)
{
    struct apic_bus *bus = apic->setup.bus;

    for (apic->index = 0; apic->index < bus->count; apic->index++)
        if (bus->apic[apic->index] == apic)
            return;
    if (bus->count < APIC_BUS_CPUS)
        bus->apic[bus->count++] = apic;
}

void local_apic_reset(struct local_apic *apic, const struct local_apic_setup *setup)
{
    memset(apic, 0, sizeof(*apic));
    apic->setup = *setup;
    atomic_store(&apic->base, APIC_BASE_AFTER_RESET | APIC_BASE_EN |
                                  (setup->is_bootstrap ? APIC_BASE_BSP : 0));
    apic_timer_init(apic);
    set_ids(apic);
    reset_registers(apic);
    add_to_bus(apic);
}

void local_apic_init_signal(struct local_apic *apic)
{
    if (!is_x2apic(apic))
        local_apic_set(apic, APIC_LOGICAL_DESTINATION, 0);
    reset_registers(apic);
}

/* SDM 3A, "x2APIC State Transitions". */
static bool write_base(struct local_apic *apic, uint64_t value)
{
    uint64_t old    = atomic_load_explicit(&apic->base, memory_order_relaxed);
    uint64_t states = APIC_BASE_EN | APIC_BASE_EXTD;
    uint64_t valid =
        states | APIC_BASE_BSP | (APIC_BASE_ADDRESS & apic->setup.address_mask);

    if ((value & ~valid) != 0 || (value & states) == APIC_BASE_EXTD)
        return false;
    if ((value & states) == states && (old & APIC_BASE_EN) == 0)
        return false;
    if ((value & states) == APIC_BASE_EN && (old & APIC_BASE_EXTD) != 0)
        return false;
    atomic_store(&apic->base, value);
    if (((old ^ value) & states) == 0)
        return true;
    set_ids(apic);
    local_apic_set(apic, APIC_INTERRUPT_COMMAND_H, 0);
    if ((value & APIC_BASE_EN) == 0)
        reset_registers(apic);
    local_apic_update(apic);
    return true;
}

/* ---- Writes of registers ---- */

/*
 * SDM 3A, "Valid Combination of Delivery Modes and Destination Shorthands", of newer
 * processors: IPIs are edge-triggered, and an INIT level de-assert is ignored. Other
 * modes than those that are valid with a shorthand do what they say.
 */
static void send_command(struct local_apic *apic)
{
    uint32_t command            = local_apic_get(apic, APIC_INTERRUPT_COMMAND);
    uint32_t high               = local_apic_get(apic, APIC_INTERRUPT_COMMAND_H);
    uint32_t shorthand          = ICR_SHORTHAND(command);
    bool is_whole               = is_x2apic(apic) || shorthand != ICR_SHORTHAND_NONE;
    struct apic_message message = {
        .destination = is_x2apic(apic) ? high : high >> XAPIC_ID_SHIFT,
        .vector      = ICR_VECTOR(command),
        .mode        = ICR_DELIVERY(command),
        .is_logical  = (command & ICR_LOGICAL) != 0,
        .is_x2apic   = is_whole,
        .excluded    = shorthand == ICR_SHORTHAND_ALL_BUT_ONE ? apic : NULL,
    };

    if (message.mode == APIC_EXTINT ||
        (message.mode == APIC_INIT && (command & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL))
        return;
    if (message.mode <= APIC_LOWEST_PRIORITY && message.vector < APIC_FIRST_VECTOR) {
        local_apic_report_error(apic, ESR_SEND_ILLEGAL_VECTOR);
        return;
    }
    if (shorthand != ICR_SHORTHAND_NONE)
        message.destination = X2APIC_BROADCAST;
    if (shorthand == ICR_SHORTHAND_SELF)
        local_apic_post(apic, &message);
    else
        apic_bus_send(apic->setup.bus, &message);
    local_apic_receive(apic);
}

static void send_to_self(struct local_apic *apic, uint8_t vector)
{
    if (vector < APIC_FIRST_VECTOR) {
        local_apic_report_error(apic, ESR_SEND_ILLEGAL_VECTOR);
        return;
    }
    if ((local_apic_get(apic, APIC_SPURIOUS) & SPURIOUS_APIC_ENABLE) != 0)
        local_apic_accept(apic, vector, false);
    local_apic_update(apic);
}

static void write_entry(struct local_apic *apic, uint32_t offset, uint32_t value)
{
    if ((local_apic_get(apic, APIC_SPURIOUS) & SPURIOUS_APIC_ENABLE) == 0)
        value |= LVT_MASKED;
    if (offset == APIC_LVT_TIMER) {
        apic_timer_write_entry(apic, value);
        return;
    }
    if (offset == APIC_LVT_LINT0 && (value & LVT_LEVEL) != 0)
        value |= local_apic_get(apic, offset) & LVT_REMOTE_IRR;
    local_apic_set(apic, offset, value);
    local_apic_update(apic);
}

/* Writes a register, without its reserved bits, and does what the write demands. */
static void write_register(struct local_apic *apic, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case APIC_EOI:
        local_apic_end(apic);
        return;
    case APIC_ERROR_STATUS:
        local_apic_set(apic, offset, apic->errors);
        apic->errors = 0;
        return;
    case APIC_INITIAL_COUNT:
        apic_timer_write_count(apic, value);
        return;
    case APIC_DIVIDE:
        apic_timer_write_divide(apic, value);
        return;
    case APIC_SELF_IPI:
        send_to_self(apic, (uint8_t)value);
        return;
    case APIC_DESTINATION_FORMAT:
        value |= ~DESTINATION_FORMAT_WRITABLE;
        break;
    }
    if (offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR) {
        write_entry(apic, offset, value);
        return;
    }
    local_apic_set(apic, offset, value);
    if (offset == APIC_TASK_PRIORITY)
        local_apic_update(apic);
    else if (offset == APIC_INTERRUPT_COMMAND)
        send_command(apic);
    else if (offset == APIC_SPURIOUS && (value & SPURIOUS_APIC_ENABLE) == 0)
        mask_entries(apic);
}

static uint32_t read_register(const struct local_apic *apic, uint32_t offset)
{
    return offset == APIC_CURRENT_COUNT ? apic_timer_read_count(apic)
                                        : local_apic_get(apic, offset);
}

/* ---- Accesses ---- */

bool local_apic_claims(const struct local_apic *apic, uint64_t address)
{
    uint64_t base = atomic_load_explicit(&apic->base, memory_order_relaxed);
    return (base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN &&
           align_down(address, PAGE_SIZE) == (base & APIC_BASE_ADDRESS);
}

uint64_t local_apic_read(struct local_apic *apic, uint32_t offset, unsigned int size)
{
    uint32_t byte = offset % DISTANCE;

    if (permitted(offset, XAPIC_READ | XAPIC_WRITE) == 0) {
        local_apic_report_error(apic, ESR_ILLEGAL_REGISTER);
        return 0;
    }
    if (byte >= sizeof(uint32_t))
        return 0;
    return read_register(apic, offset - byte) >> byte * 8 & UINT64_MAX >> (64 - size * 8);
}

void local_apic_write(struct local_apic *apic, uint32_t offset, unsigned int size,
                      uint64_t value)
{
    if (offset % DISTANCE != 0 || size < sizeof(uint32_t))
        return;
    if (permitted(offset, XAPIC_READ | XAPIC_WRITE) == 0)
        local_apic_report_error(apic, ESR_ILLEGAL_REGISTER);
    else if (permitted(offset, XAPIC_WRITE) != 0)
        write_register(apic, offset, (uint32_t)value & rows[offset / DISTANCE].writable);
}

bool local_apic_has_msr(uint32_t msr)
{
    return msr == MSR_IA32_APIC_BASE || msr == MSR_IA32_TSC_DEADLINE ||
           (msr >= X2APIC_MSR(0) && msr <= X2APIC_MSR_LAST);
}

bool local_apic_read_msr(struct local_apic *apic, uint32_t msr, uint64_t *value)
{
    uint32_t offset = (msr - X2APIC_MSR(0)) * DISTANCE;

    if (msr == MSR_IA32_APIC_BASE) {
        *value = atomic_load_explicit(&apic->base, memory_order_relaxed);
        return true;
    }
    if (msr == MSR_IA32_TSC_DEADLINE) {
        *value = apic_timer_read_deadline(apic);
        return true;
    }
    if (!is_x2apic(apic) || permitted(offset, X2APIC_READ) == 0)
        return false;
    *value = read_register(apic, offset);
    if (offset == APIC_INTERRUPT_COMMAND)
        *value |= (uint64_t)local_apic_get(apic, APIC_INTERRUPT_COMMAND_H) << 32;
    return true;
}

static bool write_x2apic(struct local_apic *apic, uint32_t offset, uint64_t value)
{
    const struct register_row *row = &rows[offset / DISTANCE];

    if ((value & UINT32_MAX & ~(uint64_t)(row->writable | row->ignored)) != 0)
        return false;
    if (offset == APIC_INTERRUPT_COMMAND)
        local_apic_set(apic, APIC_INTERRUPT_COMMAND_H, (uint32_t)(value >> 32));
    else if (value > UINT32_MAX)
        return false;
    write_register(apic, offset, (uint32_t)value & row->writable);
    return true;
}

bool local_apic_write_msr(struct local_apic *apic, uint32_t msr, uint64_t value)
{
    uint32_t offset = (msr - X2APIC_MSR(0)) * DISTANCE;

    if (msr == MSR_IA32_APIC_BASE)
        return write_base(apic, value);
    if (msr == MSR_IA32_TSC_DEADLINE) {
        apic_timer_write_deadline(apic, value);
        return true;
    }
    return is_x2apic(apic) && permitted(offset, X2APIC_WRITE) != 0 &&
           write_x2apic(apic, offset, value);
}

#define TASK_PRIORITY_CLASS_SHIFT 4

uint64_t local_apic_read_cr8(const struct local_apic *apic)
{
    return local_apic_get(apic, APIC_TASK_PRIORITY) >> TASK_PRIORITY_CLASS_SHIFT;
}

void local_apic_write_cr8(struct local_apic *apic, uint64_t value)
{
    local_apic_set(apic, APIC_TASK_PRIORITY,
                   (uint32_t)value << TASK_PRIORITY_CLASS_SHIFT);
    local_apic_update(apic);
}

void local_apic_tsc_changed(struct local_apic *apic)
{
    apic_timer_update(apic);
}

bool local_apic_can_interrupt(const struct local_apic *apic)
{
    return apic->setup.output.is_high || apic->events != 0 ||
           atomic_load(&apic->is_notified) || apic->timer.alarm.deadline != TICKS_NEVER;
}
