/* See local_apic_interrupts.h and local_apic.h. */
#include "dev/local_apic_interrupts.h"

#define VECTORS_PER_WORD 32U
#define REGISTERS        8U /* of ISR, TMR and IRR */
#define DISTANCE         APIC_REGISTER_DISTANCE

/*
 * Bits of signals: the events, an ExtINT message, and for each pin that it has become
 * high. The vector of STARTUP is above them.
 */
#define EVENTS                  (LOCAL_APIC_NMI | LOCAL_APIC_INIT | LOCAL_APIC_STARTUP)
#define SIGNAL_EXTINT           8U
#define SIGNAL_EDGE(pin)        (16U << (pin))
#define STARTUP_VECTOR_SHIFT    8
#define STARTUP_VECTOR(signals) ((uint8_t)((signals) >> STARTUP_VECTOR_SHIFT))
#define SIGNALS_OF_STARTUP      (0xFFU << STARTUP_VECTOR_SHIFT | LOCAL_APIC_STARTUP)

/* ---- A bit for each vector ---- */

static uint32_t *bitmap_word(struct local_apic *apic, uint32_t bitmap, uint8_t vector)
{
    uint32_t offset = bitmap + vector / VECTORS_PER_WORD * DISTANCE;
    return &apic->registers[offset / sizeof(uint32_t)];
}

static uint32_t vector_bit(uint8_t vector)
{
    return 1U << vector % VECTORS_PER_WORD;
}

/* Returns 0 if there is none: no bitmap has vectors below APIC_FIRST_VECTOR. */
static uint8_t bitmap_highest(const struct local_apic *apic, uint32_t bitmap)
{
#pragma GCC unroll 8
    for (uint32_t i = REGISTERS; i-- > 0;) {
        uint32_t word = local_apic_get(apic, bitmap + i * DISTANCE);
        if (word != 0)
            return (uint8_t)(i * VECTORS_PER_WORD + 31U - (uint32_t)__builtin_clz(word));
    }
    return 0;
}

/* ---- Pins ---- */

/* Returns the LVT entry of a pin: SDM 3A, "Enabling or Disabling the Local APIC". */
static uint32_t pin_entry(const struct local_apic *apic, enum local_apic_pin pin)
{
    if (local_apic_is_enabled(apic))
        return local_apic_get(apic, APIC_LVT_LINT0 + pin * DISTANCE);
    return pin == LOCAL_APIC_LINT0 ? LVT_DELIVERY_EXTINT : LVT_DELIVERY_NMI;
}

bool local_apic_is_pin_open(const struct local_apic *apic, enum local_apic_pin pin)
{
    return (pin_entry(apic, pin) & LVT_MASKED) == 0;
}

/* Returns whether a pin is high that is not masked and has this delivery mode. */
static bool is_requesting(const struct local_apic *apic, enum local_apic_pin pin,
                          uint32_t delivery)
{
    if (!apic->line[pin])
        return false;
    uint32_t entry = pin_entry(apic, pin);
    return (entry & LVT_MASKED) == 0 && LVT_DELIVERY(entry) == delivery;
}

/* ExtINT is always level-sensitive, whatever the entry says. */
static bool has_extint(const struct local_apic *apic)
{
    return apic->has_extint ||
           is_requesting(apic, LOCAL_APIC_LINT0, LVT_DELIVERY_EXTINT) ||
           is_requesting(apic, LOCAL_APIC_LINT1, LVT_DELIVERY_EXTINT);
}

/* Only fixed interrupts of LINT0 can be level-sensitive. */
static bool is_level_entry(enum local_apic_pin pin, uint32_t entry)
{
    return pin == LOCAL_APIC_LINT0 && (entry & LVT_LEVEL) != 0 &&
           LVT_DELIVERY(entry) == LVT_DELIVERY_FIXED;
}

/* Requests a level-sensitive interrupt of LINT0, unless its previous one is not ended. */
static void accept_level(struct local_apic *apic)
{
    uint32_t entry = pin_entry(apic, LOCAL_APIC_LINT0);

    if ((entry & LVT_REMOTE_IRR) != 0 || !is_level_entry(LOCAL_APIC_LINT0, entry) ||
        !is_requesting(apic, LOCAL_APIC_LINT0, LVT_DELIVERY_FIXED))
        return;
    local_apic_set(apic, APIC_LVT_LINT0, entry | LVT_REMOTE_IRR);
    local_apic_accept(apic, LVT_VECTOR(entry), true);
}

/* INIT makes an earlier STARTUP void. */
static void add_events(struct local_apic *apic, unsigned int events)
{
    if ((events & LOCAL_APIC_INIT) != 0)
        apic->events &= ~(unsigned int)LOCAL_APIC_STARTUP;
    apic->events |= events;
}

static void deliver(struct local_apic *apic, uint32_t entry)
{
    if ((entry & LVT_MASKED) != 0)
        return;
    if (LVT_DELIVERY(entry) == LVT_DELIVERY_FIXED)
        local_apic_accept(apic, LVT_VECTOR(entry), false);
    else if (LVT_DELIVERY(entry) == LVT_DELIVERY_NMI)
        add_events(apic, LOCAL_APIC_NMI);
    else if (LVT_DELIVERY(entry) == LVT_DELIVERY_INIT)
        add_events(apic, LOCAL_APIC_INIT);
}

static void accept_edge(struct local_apic *apic, enum local_apic_pin pin)
{
    uint32_t entry = pin_entry(apic, pin);
    if (!is_level_entry(pin, entry))
        deliver(apic, entry);
}

/* ---- Priority, acceptance and end ---- */

/*
 * SDM 3A, "Interrupt Acceptance for Fixed Interrupts". A message that was on its way when
 * the APIC was disabled in IA32_APIC_BASE is lost.
 */
void local_apic_accept(struct local_apic *apic, uint8_t vector, bool is_level)
{
    if (!local_apic_is_enabled(apic))
        return;
    if (vector < APIC_FIRST_VECTOR) {
        apic->errors |= ESR_RECEIVE_ILLEGAL_VECTOR;
        return;
    }
    uint32_t *trigger_mode = bitmap_word(apic, APIC_TRIGGER_MODE, vector);
    *trigger_mode &= ~vector_bit(vector);
    *trigger_mode |= is_level ? vector_bit(vector) : 0;
    *bitmap_word(apic, APIC_INTERRUPT_REQUEST, vector) |= vector_bit(vector);
}

/* The first error since the last write to ESR causes an interrupt. */
static void deliver_error(struct local_apic *apic)
{
    if (apic->errors == 0 || apic->is_error_reported)
        return;
    apic->is_error_reported = true;
    deliver(apic, local_apic_get(apic, APIC_LVT_ERROR));
}

static void drive_output(struct local_apic *apic)
{
    interrupt_line_set(&apic->setup.output, apic->has_request || has_extint(apic));
}

/* Returns PPR, with this vector in service. */
static uint32_t priority_of(const struct local_apic *apic, uint8_t service)
{
    uint32_t task = local_apic_get(apic, APIC_TASK_PRIORITY);
    return task >= (service & PRIORITY_CLASS_MASK) ? task : service & PRIORITY_CLASS_MASK;
}

uint32_t local_apic_priority(const struct local_apic *apic)
{
    return priority_of(apic, bitmap_highest(apic, APIC_IN_SERVICE));
}

/* Returns whether a level-triggered interrupt is in service. */
static bool serves_level(const struct local_apic *apic)
{
    uint32_t levels = 0;

#pragma GCC unroll 8
    for (uint32_t at = 0; at < REGISTERS * DISTANCE; at += DISTANCE)
        levels |= local_apic_get(apic, APIC_IN_SERVICE + at) &
                  local_apic_get(apic, APIC_TRIGGER_MODE + at);
    return levels != 0;
}

/*
 * Reports what a processor that virtualizes the APIC uses, if that may be another: it
 * ends an interrupt that was reported without a call of the model.
 */
static void report_change(struct local_apic *apic, uint8_t service, uint32_t request,
                          uint32_t priority)
{
    /* The request waits for a lower TPR, unless the one in service blocks it too. */
    bool waits        = request <= priority && request > (service & PRIORITY_CLASS_MASK);
    uint8_t threshold = waits ? (uint8_t)(request >> PRIORITY_CLASS_SHIFT) : 0;
    bool needs_eoi    = request != 0 || (service != 0 && serves_level(apic));

    if (threshold == apic->threshold && needs_eoi == apic->needs_eoi && service == 0)
        return;
    apic->threshold  = threshold;
    apic->in_service = service;
    apic->needs_eoi  = needs_eoi;
    apic->setup.changed(apic->setup.context);
}

void local_apic_update(struct local_apic *apic)
{
    accept_level(apic);
    deliver_error(apic);
    uint8_t service  = bitmap_highest(apic, APIC_IN_SERVICE);
    uint32_t request = bitmap_highest(apic, APIC_INTERRUPT_REQUEST) & PRIORITY_CLASS_MASK;
    uint32_t priority = priority_of(apic, service);

    apic->task = local_apic_get(apic, APIC_TASK_PRIORITY);
    local_apic_set(apic, APIC_PROCESSOR_PRIORITY, priority);
    apic->has_request = request > priority;
    drive_output(apic);
    report_change(apic, service, request, priority);
}

void local_apic_tpr_changed(struct local_apic *apic)
{
    if (local_apic_get(apic, APIC_TASK_PRIORITY) != apic->task)
        local_apic_update(apic);
}

void local_apic_deliver_entry(struct local_apic *apic, uint32_t offset)
{
    deliver(apic, local_apic_get(apic, offset));
    local_apic_update(apic);
}

void local_apic_report_error(struct local_apic *apic, uint32_t error)
{
    apic->errors |= error;
    local_apic_update(apic);
}

int local_apic_acknowledge(struct local_apic *apic)
{
    if (!local_apic_is_enabled(apic) || has_extint(apic)) {
        if (apic->has_extint) {
            apic->has_extint = false;
            drive_output(apic);
        }
        return LOCAL_APIC_EXTINT;
    }
    uint8_t vector = bitmap_highest(apic, APIC_INTERRUPT_REQUEST);
    if ((vector & PRIORITY_CLASS_MASK) <= local_apic_get(apic, APIC_PROCESSOR_PRIORITY))
        return SPURIOUS_VECTOR(local_apic_get(apic, APIC_SPURIOUS));
    *bitmap_word(apic, APIC_INTERRUPT_REQUEST, vector) &= ~vector_bit(vector);
    *bitmap_word(apic, APIC_IN_SERVICE, vector) |= vector_bit(vector);
    local_apic_set(apic, APIC_PROCESSOR_PRIORITY, vector & PRIORITY_CLASS_MASK);
    apic->has_request = false; /* no other one has a higher class */
    drive_output(apic);
    uint32_t request = bitmap_highest(apic, APIC_INTERRUPT_REQUEST);
    report_change(apic, vector, request & PRIORITY_CLASS_MASK,
                  vector & PRIORITY_CLASS_MASK);
    return vector;
}

/* SDM 3A, "Signaling Interrupt Servicing Completion". */
void local_apic_end(struct local_apic *apic)
{
    uint8_t vector = bitmap_highest(apic, APIC_IN_SERVICE);
    uint32_t entry = local_apic_get(apic, APIC_LVT_LINT0);

    *bitmap_word(apic, APIC_IN_SERVICE, vector) &= ~vector_bit(vector);
    bool is_level =
        (*bitmap_word(apic, APIC_TRIGGER_MODE, vector) & vector_bit(vector)) != 0;
    if (is_level && LVT_VECTOR(entry) == vector)
        local_apic_set(apic, APIC_LVT_LINT0, entry & ~LVT_REMOTE_IRR);
    local_apic_update(apic);
    if (is_level)
        apic->setup.bus->end_of_interrupt(apic->setup.bus->context, vector);
}

/* ---- Messages of other CPUs ---- */

static void notify(struct local_apic *apic)
{
    struct apic_bus *bus = apic->setup.bus;
    if (!atomic_exchange(&apic->is_notified, true))
        bus->notify(bus->context, apic->index);
}

/* Leaves signals, after removing others that they make void. */
static void post_signals(struct local_apic *apic, unsigned int removed,
                         unsigned int added)
{
    unsigned int old = apic->signals;
    while (!atomic_compare_exchange_weak(&apic->signals, &old, (old & ~removed) | added))
        ;
    notify(apic);
}

static void post_vector(struct local_apic *apic, uint8_t vector, bool is_level)
{
    atomic_fetch_or(&apic->posted[is_level][vector / 64], BIT(vector % 64));
    notify(apic);
}

bool local_apic_post(struct local_apic *apic, const struct apic_message *message)
{
    unsigned int startup = (unsigned int)message->vector << STARTUP_VECTOR_SHIFT;

    if (message->mode == APIC_NMI)
        post_signals(apic, 0, LOCAL_APIC_NMI);
    else if (message->mode == APIC_INIT)
        post_signals(apic, SIGNALS_OF_STARTUP, LOCAL_APIC_INIT);
    else if (message->mode == APIC_STARTUP)
        post_signals(apic, SIGNALS_OF_STARTUP, startup | LOCAL_APIC_STARTUP);
    else if (message->mode == APIC_SMI || message->mode == APIC_RESERVED ||
             !local_apic_is_software_enabled(apic))
        return false;
    else if (message->mode == APIC_EXTINT)
        post_signals(apic, 0, SIGNAL_EXTINT);
    else
        post_vector(apic, message->vector, message->is_level);
    return true;
}

void local_apic_drive_line(struct local_apic *apic, enum local_apic_pin pin, bool is_high)
{
    if (apic->line[pin] == is_high)
        return;
    atomic_store_explicit(&apic->line[pin], is_high, memory_order_release);
    if (LVT_DELIVERY(pin_entry(apic, pin)) == LVT_DELIVERY_EXTINT) {
        drive_output(apic); /* nothing else changes */
        return;
    }
    if (is_high)
        accept_edge(apic, pin);
    local_apic_update(apic);
}

void local_apic_set_line(struct local_apic *apic, enum local_apic_pin pin, bool is_high)
{
    if (apic->line[pin] == is_high)
        return;
    atomic_store(&apic->line[pin], is_high);
    post_signals(apic, 0, is_high ? SIGNAL_EDGE(pin) : 0);
}

/* What is posted to an empty word later notifies again. */
static uint64_t take_word(_Atomic uint64_t *word)
{
    return atomic_load(word) != 0 ? atomic_exchange(word, 0) : 0;
}

/* A vector that has come in both ways is level-triggered: the I/O APIC needs an EOI. */
static void accept_posted(struct local_apic *apic, unsigned int word)
{
    uint64_t level = take_word(&apic->posted[true][word]);
    uint64_t all   = take_word(&apic->posted[false][word]) | level;

    for (; all != 0; all &= all - 1) {
        unsigned int bit = (unsigned int)__builtin_ctzll(all);
        local_apic_accept(apic, (uint8_t)(word * 64 + bit), (level >> bit & 1) != 0);
    }
}

static void accept_signals(struct local_apic *apic, unsigned int signals)
{
    if ((signals & LOCAL_APIC_STARTUP) != 0)
        apic->startup_vector = STARTUP_VECTOR(signals);
    if ((signals & SIGNAL_EXTINT) != 0)
        apic->has_extint = true;
    add_events(apic, signals & EVENTS);
    for (enum local_apic_pin pin = 0; pin < LOCAL_APIC_PINS; pin++)
        if ((signals & SIGNAL_EDGE(pin)) != 0)
            accept_edge(apic, pin);
}

void local_apic_receive(struct local_apic *apic)
{
    /* Cleared first: what is posted after it notifies again. */
    if (!apic->is_notified || !atomic_exchange(&apic->is_notified, false))
        return;
    for (unsigned int word = 0; word < ARRAY_SIZE(apic->posted[0]); word++)
        accept_posted(apic, word);
    if (apic->signals != 0)
        accept_signals(apic, atomic_exchange(&apic->signals, 0));
    local_apic_update(apic);
}

unsigned int local_apic_take_events(struct local_apic *apic, uint8_t *startup_vector)
{
    unsigned int events = apic->events;
    apic->events        = 0;
    *startup_vector     = apic->startup_vector;
    return events;
}
