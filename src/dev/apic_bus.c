/* See apic_bus.h. */
#include "dev/apic_bus.h"

#include "dev/local_apic_interrupts.h"

/* SDM 3A, "Logical Destination Mode". */
static bool matches_logical(const struct local_apic *apic, bool is_x2apic,
                            uint32_t destination)
{
    uint32_t own = local_apic_get(apic, APIC_LOGICAL_DESTINATION);

    if (is_x2apic)
        return X2APIC_LOGICAL_CLUSTER(own) == X2APIC_LOGICAL_CLUSTER(destination) &&
               (X2APIC_LOGICAL_MEMBERS(own) & destination) != 0;
    own >>= XAPIC_ID_SHIFT;
    if (destination > XAPIC_BROADCAST)
        return false;
    if (local_apic_get(apic, APIC_DESTINATION_FORMAT) == DESTINATION_FORMAT_FLAT)
        return (own & destination) != 0;
    return XAPIC_LOGICAL_CLUSTER(own) == XAPIC_LOGICAL_CLUSTER(destination) &&
           (XAPIC_LOGICAL_MEMBERS(own) & destination) != 0;
}

static bool is_addressed(const struct local_apic *apic,
                         const struct apic_message *message)
{
    uint64_t base        = apic->base;
    bool is_x2apic       = (base & APIC_BASE_EXTD) != 0;
    uint32_t destination = message->destination;

    if ((base & APIC_BASE_EN) == 0 || apic == message->excluded)
        return false;
    if (destination == (message->is_x2apic ? X2APIC_BROADCAST : XAPIC_BROADCAST))
        return true;
    if (message->is_logical)
        return matches_logical(apic, is_x2apic, destination);
    return local_apic_get(apic, APIC_ID) >> (is_x2apic ? 0 : XAPIC_ID_SHIFT) ==
           destination;
}

/* SDM 3A, "Lowest Priority Delivery Mode"; by PPR instead of the arbitration priority. */
static size_t send_to_lowest(struct apic_bus *bus, const struct apic_message *message)
{
    size_t first = bus->first, best = 0;
    uint32_t lowest = UINT32_MAX;

    for (size_t i = 0; i < bus->count; i++) {
        size_t index                  = (first + i) % bus->count;
        const struct local_apic *apic = bus->apic[index];
        uint32_t priority             = local_apic_get(apic, APIC_PROCESSOR_PRIORITY);
        if (priority < lowest && is_addressed(apic, message) &&
            local_apic_is_software_enabled(apic)) {
            lowest = priority;
            best   = index;
        }
    }
    if (lowest == UINT32_MAX)
        return 0;
    bus->first = best + 1;
    return local_apic_post(bus->apic[best], message);
}

size_t apic_bus_send(struct apic_bus *bus, const struct apic_message *message)
{
    size_t accepted = 0;

    if (message->mode == APIC_LOWEST_PRIORITY)
        return send_to_lowest(bus, message);
    for (size_t i = 0; i < bus->count; i++)
        if (is_addressed(bus->apic[i], message))
            accepted += local_apic_post(bus->apic[i], message);
    return accepted;
}
