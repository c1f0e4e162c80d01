/*
 * The I/O APIC of a PC, as a guest sees it: 24 inputs, at FEC00000H.
 *
 * Intel 82093AA data sheet; version 20H, which has an EOI register: Intel ICH9 data
 * sheet, "Advanced Programmable Interrupt Controller (APIC)". Modelled: edge and level
 * triggering, masks, both destination modes, all delivery modes. An input that is high
 * requests an interrupt whatever the polarity that the guest programmed. The registers
 * have 32 bits: a narrower write to the window has no effect.
 *
 * As with the 8259A, a device that counts its interrupts is told of one when a CPU takes
 * it, not when the message is sent: its next edge would be lost in the IRR while the
 * previous one waits there. Used on one CPU at a time, but for io_apic_is_awaiting.
 */
#ifndef HYMIR_DEV_IO_APIC_H
#define HYMIR_DEV_IO_APIC_H

#include "dev/address_map.h"
#include "dev/interrupt_line.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define IO_APIC_INPUTS 24U

struct apic_bus;

struct io_apic {
    struct interrupt_line input[IO_APIC_INPUTS];
    struct io_apic_entry {
        uint32_t low, high;
    } entry[IO_APIC_INPUTS]; /* the redirection table */
    uint8_t id, selected;    /* the number of the selected register */
    atomic_uint awaited;     /* bit n: input n's device waits until its edge is taken */
    struct apic_bus *bus;
};

/* Resets it, with all inputs low and masked, and adds its registers to addresses. */
void io_apic_init(struct io_apic *apic, struct address_map *addresses,
                  struct apic_bus *bus, uint8_t id);

/* Ends the level-triggered interrupts with a vector: an input still high interrupts. */
void io_apic_end_of_interrupt(struct io_apic *apic, uint8_t vector);

/* Reports that a CPU has taken an interrupt with a vector; needed only while awaiting. */
void io_apic_interrupt_taken(struct io_apic *apic, uint8_t vector);

/* Returns whether a device waits for io_apic_interrupt_taken. From any CPU. */
static inline bool io_apic_is_awaiting(const struct io_apic *apic)
{
    return atomic_load_explicit(&apic->awaited, memory_order_relaxed) != 0;
}

/* Returns false if all inputs are masked: no interrupt until the guest changes that. */
bool io_apic_can_interrupt(const struct io_apic *apic);

#endif
