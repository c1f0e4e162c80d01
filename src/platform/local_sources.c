/* See local_sources.h. */
#include "platform/local_sources.h"

#include "lib/bits.h"
#include "platform/apic.h"

#define REGISTER_DISTANCE    16U
#define VECTORS              256U
#define VECTORS_PER_REGISTER 32U
#define PRIORITY_CLASS(v)    ((v)&0xF0U)
#define OWN_CLASS            0xF0U /* of all vectors of cpu/traps.h */
#define ANY_VECTOR           VECTORS

/* An entry, and the least "Max LVT Entry" of an APIC that has it. */
static const struct local_source {
    enum apic_register entry;
    uint8_t least_max_lvt;
    bool is_pin;
} sources[] = {
    {APIC_LVT_TIMER, 0, false},       {APIC_LVT_LINT0, 0, true},
    {APIC_LVT_LINT1, 0, true},        {APIC_LVT_ERROR, 3, false},
    {APIC_LVT_PERFORMANCE, 4, false}, {APIC_LVT_THERMAL, LVT_THERMAL_LEAST_MAX, false},
    {APIC_LVT_CMCI, 6, false},
};

/* Masks an entry, if it has the vector or any may be masked. */
static bool mask_entry(enum apic_register entry, bool is_pin, unsigned int vector)
{
    uint32_t value    = apic_read(entry);
    uint32_t delivery = LVT_DELIVERY(value);
    bool is_kept =
        delivery == LVT_DELIVERY_SMI || (is_pin && delivery == LVT_DELIVERY_NMI);

    if ((value & LVT_MASKED) != 0 || is_kept ||
        (vector != ANY_VECTOR && vector != LVT_VECTOR(value)))
        return false;
    apic_write(entry, value | LVT_MASKED);
    return true;
}

/* Masks the entries with a vector, or all; returns whether there was any. */
static bool mask_entries(unsigned int vector)
{
    uint32_t version = apic_read(APIC_VERSION);
    bool has_any     = false;

    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        if (APIC_VERSION_MAX_LVT(version) >= sources[i].least_max_lvt)
            has_any |= mask_entry(sources[i].entry, sources[i].is_pin, vector);
    }
    if ((version & APIC_VERSION_EXTENDED) == 0)
        return has_any;
    uint32_t count = APIC_EXTENDED_LVT_COUNT(apic_read(APIC_EXTENDED_FEATURE));
    for (uint32_t i = 0; i < count && i < APIC_EXTENDED_LVT_MAX; i++)
        has_any |= mask_entry(APIC_EXTENDED_LVT + i * REGISTER_DISTANCE, false, vector);
    return has_any;
}

bool local_source_is_in_service(uint8_t vector)
{
    uint32_t offset = vector / VECTORS_PER_REGISTER * REGISTER_DISTANCE;

    return (apic_read(APIC_IN_SERVICE + offset) >> vector % VECTORS_PER_REGISTER & 1) !=
           0;
}

/* An EOI ends the one of highest priority, which is the highest vector. */
static void end_all_in_service(void)
{
    for (unsigned int vector = VECTORS; vector-- > 0;) {
        if (local_source_is_in_service((uint8_t)vector))
            apic_write(APIC_EOI, 0);
    }
}

void local_sources_mask(void)
{
    apic_write(APIC_INITIAL_COUNT, 0);
    (void)mask_entries(ANY_VECTOR);
    end_all_in_service();
}

bool local_source_mask_vector(uint8_t vector)
{
    return mask_entries(vector);
}

void local_source_hold_back(uint8_t vector)
{
    if (PRIORITY_CLASS(vector) < OWN_CLASS)
        apic_write(APIC_TASK_PRIORITY, PRIORITY_CLASS(vector));
}
