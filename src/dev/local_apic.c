/* See local_apic.h. */
#include "dev/local_apic.h"

#include "dev/local_apic_interrupts.h"
#include "lib/clamp.h"
#include "lib/string.h"

#define DISTANCE APIC_REGISTER_DISTANCE
#define VERSION  0x50014U /* version 14H, the last LVT entry is number 5 */

enum access {
    X_READ       = 1, /* in xAPIC mode */
    X_WRITE      = 2,
    X2APIC_READ  = 4,
    X2APIC_WRITE = 8,
    READ         = X_READ | X2APIC_READ,
    ALL          = READ | X_WRITE | X2APIC_WRITE,
};

struct register_row {
    uint8_t access;   /* 0: reserved */
    uint32_t defined; /* bits that can be written as 1 */
};

#define ROW(offset)   [(offset) / DISTANCE]
#define EIGHT(offset) [(offset) / DISTANCE...(offset) / DISTANCE + 7]

/* SDM 3A, "Local APIC Register Address Map" and "x2APIC Register Address Space". */
static const struct register_row rows[] = {
    ROW(APIC_ID)                   = {READ | X_WRITE, XAPIC_ID_MASK},
    ROW(APIC_VERSION)              = {READ, 0},
    ROW(APIC_TASK_PRIORITY)        = {ALL, UINT8_MAX},
    ROW(APIC_ARBITRATION_PRIORITY) = {X_READ, 0},
    ROW(APIC_PROCESSOR_PRIORITY)   = {READ, 0},
    ROW(APIC_EOI)                  = {ALL & ~X2APIC_READ, 0},
    ROW(APIC_REMOTE_READ)          = {X_READ, 0},
    ROW(APIC_LOGICAL_DESTINATION)  = {READ | X_WRITE, XAPIC_ID_MASK},
    ROW(APIC_DESTINATION_FORMAT)   = {X_READ | X_WRITE, DESTINATION_FORMAT_DEFINED},
    ROW(APIC_SPURIOUS)             = {ALL, SPURIOUS_DEFINED},
    EIGHT(APIC_IN_SERVICE)         = {READ, 0},
    EIGHT(APIC_TRIGGER_MODE)       = {READ, 0},
    EIGHT(APIC_INTERRUPT_REQUEST)  = {READ, 0},
    ROW(APIC_ERROR_STATUS)         = {ALL, 0},
    ROW(APIC_INTERRUPT_COMMAND)    = {ALL, ICR_DEFINED},
    ROW(APIC_INTERRUPT_COMMAND_H)  = {X_READ | X_WRITE, XAPIC_ID_MASK},
    ROW(APIC_LVT_TIMER)            = {ALL, LVT_TIMER_DEFINED},
    ROW(APIC_LVT_THERMAL)          = {ALL, LVT_SENSOR_DEFINED},
    ROW(APIC_LVT_PERFORMANCE)      = {ALL, LVT_SENSOR_DEFINED},
    ROW(APIC_LVT_LINT0)            = {ALL, LVT_PIN_DEFINED},
    ROW(APIC_LVT_LINT1)            = {ALL, LVT_PIN_DEFINED},
    ROW(APIC_LVT_ERROR)            = {ALL, LVT_ERROR_DEFINED},
    ROW(APIC_INITIAL_COUNT)        = {ALL, UINT32_MAX},
    ROW(APIC_CURRENT_COUNT)        = {READ, 0},
    ROW(APIC_DIVIDE)               = {ALL, DIVIDE_DEFINED},
    ROW(APIC_SELF_IPI)             = {X2APIC_WRITE, UINT8_MAX},
};

static bool is_x2apic(const struct local_apic *apic)
{
    return (apic->base & APIC_BASE_EXTD) != 0;
}

/* Returns the row of a register if it permits one of the accesses, or NULL. */
static const struct register_row *find_row(uint32_t offset, unsigned int accesses)
{
    size_t i       = clamp_index(offset / DISTANCE, ARRAY_SIZE(rows));
    bool is_inside = offset / DISTANCE < ARRAY_SIZE(rows);
    return is_inside && (rows[i].access & accesses) != 0 ? &rows[i] : NULL;
}

/* ---- States ---- */

/* Sets the IDs that the mode derives from the initial one. */
static void set_ids(struct local_apic *apic)
{
    uint32_t id = apic->setup.id, logical = 0;

    if (is_x2apic(apic))
        logical = X2APIC_LOGICAL_ID(id);
    else
        id <<= XAPIC_ID_SHIFT;
    local_apic_set(apic, APIC_ID, id);
    local_apic_set(apic, APIC_LOGICAL_DESTINATION, logical);
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
    for (unsigned int word = 0; word < ARRAY_SIZE(apic->posted[0]); word++)
        apic->posted[false][word] = apic->posted[true][word] = 0;
    apic->has_extint        = false;
    apic->errors            = 0;
    apic->is_error_reported = false;
    apic_timer_stop(apic);
    for (uint32_t offset = APIC_VERSION; offset <= APIC_DIVIDE; offset += DISTANCE)
        if (offset != APIC_LOGICAL_DESTINATION)
            local_apic_set(apic, offset, 0);
    local_apic_set(apic, APIC_VERSION, VERSION);
    local_apic_set(apic, APIC_DESTINATION_FORMAT, DESTINATION_FORMAT_FLAT);
    local_apic_set(apic, APIC_SPURIOUS, SPURIOUS_AFTER_RESET);
    mask_entries(apic);
    local_apic_update(apic);
    apic->in_service = 0;
    apic->setup.changed(apic->setup.context);
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
    apic->base =
        APIC_BASE_AFTER_RESET | APIC_BASE_EN | (setup->is_bootstrap ? APIC_BASE_BSP : 0);
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

static void change_mode(struct local_apic *apic)
{
    set_ids(apic);
    local_apic_set(apic, APIC_INTERRUPT_COMMAND_H, 0);
    if (!local_apic_is_enabled(apic))
        reset_registers(apic);
    local_apic_update(apic);
}

/* SDM 3A, "x2APIC State Transitions". */
static bool write_base(struct local_apic *apic, uint64_t value)
{
    const uint64_t modes = APIC_BASE_EN | APIC_BASE_EXTD;
    uint64_t address     = APIC_BASE_ADDRESS & apic->setup.address_mask;
    uint64_t old = apic->base & modes, mode = value & modes;

    if ((value & ~(address | modes | APIC_BASE_BSP)) != 0 || mode == APIC_BASE_EXTD ||
        (mode == modes && old == 0) || (mode == APIC_BASE_EN && old == modes))
        return false;
    apic->base = value;
    if (mode != old)
        change_mode(apic);
    apic->setup.changed(apic->setup.context);
    return true;
}

/* ---- Writes of registers ---- */

/*
 * Returns whether a command of ICR is ignored: ExtINT, which is reserved, and INIT level
 * de-assert, as on newer processors.
 */
static bool is_ignored(uint32_t command)
{
    return ICR_DELIVERY(command) == APIC_EXTINT ||
           (ICR_DELIVERY(command) == APIC_INIT &&
            (command & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL);
}

/*
 * SDM 3A, "Valid Combinations for the Pentium 4 and Intel Xeon Processors' Local xAPIC
 * Interrupt Command Register": all IPIs are edge-triggered. Modes that are not valid with
 * a shorthand do what they say.
 */
static void send_command(struct local_apic *apic, uint32_t command)
{
    uint32_t high               = local_apic_get(apic, APIC_INTERRUPT_COMMAND_H);
    uint32_t shorthand          = ICR_SHORTHAND(command);
    struct apic_message message = {
        .destination = is_x2apic(apic) ? high : high >> XAPIC_ID_SHIFT,
        .vector      = ICR_VECTOR(command),
        .mode        = ICR_DELIVERY(command),
        .is_logical  = (command & ICR_LOGICAL) != 0,
        .is_x2apic   = is_x2apic(apic) || shorthand != 0,
        .excluded    = shorthand == ICR_SHORTHAND_ALL_BUT_ONE ? apic : NULL,
    };

    if (shorthand != 0)
        message.destination = X2APIC_BROADCAST;
    if (message.mode <= APIC_LOWEST_PRIORITY && message.vector < APIC_FIRST_VECTOR)
        local_apic_report_error(apic, ESR_SEND_ILLEGAL_VECTOR);
    else if (shorthand == ICR_SHORTHAND_SELF && !is_ignored(command))
        local_apic_post(apic, &message);
    else if (!is_ignored(command))
        apic_bus_send(apic->setup.bus, &message);
    local_apic_receive(apic); /* what it has sent to itself */
}

/* Interrupts its own CPU, without a message. */
static void send_to_self(struct local_apic *apic, uint8_t vector)
{
    if (vector < APIC_FIRST_VECTOR)
        apic->errors |= ESR_SEND_ILLEGAL_VECTOR;
    else if (local_apic_is_software_enabled(apic))
        local_apic_accept(apic, vector, false);
    local_apic_update(apic);
}

static void write_entry(struct local_apic *apic, uint32_t offset, uint32_t value)
{
    value &= ~(LVT_PENDING | LVT_REMOTE_IRR);
    if (!local_apic_is_software_enabled(apic))
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

/* Writes a value without reserved bits, and does what the write demands. */
static void write_register(struct local_apic *apic, uint32_t offset, uint32_t value)
{
    offset = (uint32_t)clamp_index(offset, (size_t)APIC_REGISTERS * DISTANCE);
    switch (offset) {
    case APIC_LVT_TIMER ... APIC_LVT_ERROR:
        write_entry(apic, offset, value);
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
    case APIC_EOI:
        local_apic_end(apic);
        return;
    case APIC_DESTINATION_FORMAT:
        value |= ~DESTINATION_FORMAT_DEFINED;
        break;
    case APIC_ERROR_STATUS:
        value                   = apic->errors;
        apic->errors            = 0;
        apic->is_error_reported = false;
        break;
    case APIC_INTERRUPT_COMMAND:
        value &= ~ICR_PENDING;
        break;
    }
    local_apic_set(apic, offset, value);
    if (offset == APIC_INTERRUPT_COMMAND)
        send_command(apic, value);
    else if (offset == APIC_SPURIOUS && (value & SPURIOUS_APIC_ENABLE) == 0)
        mask_entries(apic);
    local_apic_update(apic);
}

static uint32_t read_register(const struct local_apic *apic, uint32_t offset)
{
    offset = (uint32_t)clamp_index(offset, (size_t)APIC_REGISTERS * DISTANCE);
    if (offset == APIC_CURRENT_COUNT)
        return apic_timer_read_count(apic);
    return offset == APIC_PROCESSOR_PRIORITY ? local_apic_priority(apic)
                                             : local_apic_get(apic, offset);
}

/* ---- Accesses ---- */

bool local_apic_claims(const struct local_apic *apic, uint64_t address)
{
    uint64_t mask = APIC_BASE_EN | APIC_BASE_EXTD | APIC_BASE_ADDRESS;
    return (apic->base & mask) == (align_down(address, PAGE_SIZE) | APIC_BASE_EN);
}

uint64_t local_apic_read(struct local_apic *apic, uint32_t offset, unsigned int size)
{
    uint32_t byte = offset % DISTANCE;

    if (find_row(offset, X_READ | X_WRITE) == NULL)
        local_apic_report_error(apic, ESR_ILLEGAL_REGISTER);
    else if (byte < sizeof(uint32_t))
        return read_register(apic, offset - byte) >> byte * 8 & BYTES_MASK(size);
    return 0;
}

void local_apic_write(struct local_apic *apic, uint32_t offset, unsigned int size,
                      uint64_t value)
{
    const struct register_row *row = find_row(offset, X_READ | X_WRITE);

    if (offset % DISTANCE != 0 || size < sizeof(uint32_t))
        return;
    if (row == NULL)
        local_apic_report_error(apic, ESR_ILLEGAL_REGISTER);
    else if ((row->access & X_WRITE) != 0)
        write_register(apic, offset, (uint32_t)value & row->defined);
}

/* Undoes what the processor wrote, because the model needs the previous value. */
void local_apic_written(struct local_apic *apic, uint32_t offset)
{
    uint32_t start = offset - offset % DISTANCE;
    uint32_t value = local_apic_get(apic, start);

    if (find_row(start, X_WRITE) == NULL)
        return;
    local_apic_set(apic, start, apic->stored[start / DISTANCE]);
    local_apic_write(apic, offset, sizeof(value), value);
}

bool local_apic_read_msr(struct local_apic *apic, uint32_t msr, uint64_t *value)
{
    uint32_t offset = (msr - X2APIC_MSR(0)) * DISTANCE;

    if (msr == MSR_IA32_APIC_BASE)
        *value = apic->base;
    else if (msr == MSR_IA32_TSC_DEADLINE)
        *value = apic_timer_read_deadline(apic);
    else if (!is_x2apic(apic) || find_row(offset, X2APIC_READ) == NULL)
        return false;
    else
        *value = read_register(apic, offset);
    if (msr == X2APIC_MSR(APIC_INTERRUPT_COMMAND))
        *value |= (uint64_t)local_apic_get(apic, APIC_INTERRUPT_COMMAND_H) << 32;
    return true;
}

static bool write_x2apic(struct local_apic *apic, uint32_t offset, uint64_t value)
{
    const struct register_row *row = find_row(offset, X2APIC_WRITE);
    bool is_command                = offset == APIC_INTERRUPT_COMMAND;

    if (row == NULL || ((uint32_t)value & ~row->defined) != 0 ||
        (value > UINT32_MAX && !is_command))
        return false;
    if (is_command)
        local_apic_set(apic, APIC_INTERRUPT_COMMAND_H, (uint32_t)(value >> 32));
    write_register(apic, offset, (uint32_t)value);
    return true;
}

bool local_apic_write_msr(struct local_apic *apic, uint32_t msr, uint64_t value)
{
    if (msr == MSR_IA32_APIC_BASE)
        return write_base(apic, value);
    if (msr != MSR_IA32_TSC_DEADLINE)
        return is_x2apic(apic) &&
               write_x2apic(apic, (msr - X2APIC_MSR(0)) * DISTANCE, value);
    apic_timer_write_deadline(apic, value);
    return true;
}

uint64_t local_apic_read_cr8(const struct local_apic *apic)
{
    return local_apic_get(apic, APIC_TASK_PRIORITY) >> PRIORITY_CLASS_SHIFT;
}

void local_apic_write_cr8(struct local_apic *apic, uint64_t value)
{
    local_apic_set(apic, APIC_TASK_PRIORITY, (uint32_t)value << PRIORITY_CLASS_SHIFT);
    local_apic_update(apic);
}

void local_apic_tsc_changed(struct local_apic *apic)
{
    apic_timer_update(apic);
}

bool local_apic_can_interrupt(const struct local_apic *apic)
{
    return apic->setup.output.is_high || apic->events != 0 || apic->is_notified ||
           apic->timer.alarm.deadline != TICKS_NEVER;
}
