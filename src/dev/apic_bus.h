/*
 * Interrupt messages between the local APICs and the I/O APIC of a VM.
 *
 * SDM 3A, "Determining IPI Destination" and "Lowest Priority Delivery Mode". A message
 * of an xAPIC or an I/O APIC has a destination of 8 bits, one of an x2APIC 32 bits; both
 * reach APICs in either mode. Any CPU of the VM may send, without a lock.
 */
#ifndef HYMIR_DEV_APIC_BUS_H
#define HYMIR_DEV_APIC_BUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SDM 3A, "Interrupt Command Register (ICR)": bits 10:8, also of an I/O APIC's entry. */
enum apic_delivery_mode {
    APIC_FIXED,
    APIC_LOWEST_PRIORITY,
    APIC_SMI,
    APIC_RESERVED,
    APIC_NMI,
    APIC_INIT,
    APIC_STARTUP,
    APIC_EXTINT,
};

struct local_apic;

struct apic_message {
    uint32_t destination; /* an APIC ID, or a logical destination */
    uint8_t vector;
    enum apic_delivery_mode mode;
    bool is_logical;
    bool is_level;  /* the acceptor's EOI ends it at the I/O APIC */
    bool is_x2apic; /* the destination has 32 bits, and X2APIC_BROADCAST is all APICs */
    const struct local_apic *excluded; /* this one does not receive it; usually NULL */
};

#define APIC_BUS_CPUS 64

struct apic_bus {
    struct local_apic *apic[APIC_BUS_CPUS];
    size_t count;
    /*
     * apic[index] has received something: its CPU must call local_apic_receive soon. On
     * the sender's CPU, which may be the same, and not again until it has done so.
     */
    void (*notify)(void *context, size_t index);
    /* A level-triggered interrupt has ended, for the I/O APIC. On the APIC's CPU. */
    void (*end_of_interrupt)(void *context, uint8_t vector);
    void *context;
    atomic_size_t first; /* where the next search for the lowest priority begins */
};

/*
 * Delivers a message to the APICs that it addresses; returns to how many. SMI and the
 * reserved mode reach none. Lowest priority reaches the one whose processor priority is
 * lowest; equal ones take turns.
 */
size_t apic_bus_send(struct apic_bus *bus, const struct apic_message *message);

#endif
