/*
 * The local APIC of a guest's vCPU: xAPIC in memory, x2APIC by MSRs.
 *
 * SDM 3A, "Advanced Programmable Interrupt Controller (APIC)"; APM 2, "Advanced
 * Programmable Interrupt Controller (APIC)". Where they differ, a version 14H with six
 * LVT entries: no CMCI, no suppression of EOI broadcasts, no extended registers; APIC IDs
 * can be written in xAPIC mode; the arbitration priority and remote read registers read
 * as 0. Not modelled: SMIs, the delivery status (always idle), the polarity of LINT0 and
 * LINT1 (the model's lines are asserted or not), and illegal vectors written to an LVT
 * entry, which count when the entry's interrupt occurs.
 *
 * Used on its vCPU's CPU only, except apic_bus_send and local_apic_set_line, which any
 * CPU may call: they leave what they bring in atomics until local_apic_receive.
 */
#ifndef HYMIR_DEV_LOCAL_APIC_H
#define HYMIR_DEV_LOCAL_APIC_H

#include "dev/apic_bus.h"
#include "dev/apic_timer.h"
#include "dev/interrupt_line.h"
#include "x86/apic.h"
#include "x86/msr.h"

struct local_apic_setup {
    uint32_t id; /* initial x2APIC ID; its low 8 bits are the initial xAPIC ID */
    bool is_bootstrap;
    uint64_t address_mask;      /* bits of a physical address: MAXPHYADDR */
    struct apic_bus *bus;       /* with notify and end_of_interrupt */
    struct device_clock *clock; /* the vCPU's; its hz * timer_hz fits in 64 bits */
    uint64_t timer_hz;          /* of the timer, before its divider; at least 50,000 */
    uint64_t (*read_tsc)(void *context); /* the guest's TSC; it ticks with the clock */
    struct interrupt_line output;        /* high: there is an interrupt to acknowledge */
    /* Called when base, threshold, in_service or needs_eoi may have changed. */
    void (*changed)(void *context);
    void *context;
};

enum local_apic_pin { LOCAL_APIC_LINT0, LOCAL_APIC_LINT1, LOCAL_APIC_PINS };

/* What an APIC reports to its vCPU besides interrupts. */
enum local_apic_event {
    LOCAL_APIC_NMI     = 1,
    LOCAL_APIC_INIT    = 2,
    LOCAL_APIC_STARTUP = 4,
};

struct local_apic {
    /*
     * At their architectural offsets, as in a virtual-APIC page (SDM 3C, "Virtualized
     * APIC Registers"). Other CPUs read the ID, the destination registers, SVR and PPR.
     */
    _Alignas(PAGE_SIZE) uint32_t registers[PAGE_SIZE / sizeof(uint32_t)];

    /* For all CPUs. */
    _Atomic uint64_t base;         /* IA32_APIC_BASE */
    _Atomic uint64_t posted[2][4]; /* vectors: edge-triggered, level-triggered */
    atomic_uint signals;           /* other messages and edges: local_apic_interrupts.c */
    atomic_bool line[LOCAL_APIC_PINS]; /* the pin is high */
    atomic_bool is_notified;           /* notify was called, local_apic_receive was not */

    /* For its own CPU. */
    struct local_apic_setup setup;
    size_t index; /* in the bus */
    struct apic_timer timer;
    uint32_t stored[APIC_REGISTERS]; /* the registers as the model has stored them */
    uint32_t task;                   /* TPR at the last local_apic_update */
    uint32_t errors;                 /* since the last write to ESR */
    bool is_error_reported;          /* by an interrupt */
    unsigned int events;
    uint8_t startup_vector;
    uint8_t threshold;  /* a TPR of a lower class lets an interrupt pass; or 0 */
    uint8_t in_service; /* the highest vector in ISR, or 0 */
    bool needs_eoi;     /* an EOI has other effects than on ISR and PPR */
    bool has_request;   /* an interrupt above the processor priority */
    bool has_extint;    /* an ExtINT message has arrived */
};

/*
 * Sets the state after power-up: xAPIC mode, disabled by software, all LVT entries
 * masked. The first time adds the APIC to the bus, which has room for APIC_BUS_CPUS: its
 * index is the number of those before it. No other CPU uses the bus meanwhile, and the
 * clock does not have the APIC's timer, as after device_clock_init.
 */
void local_apic_reset(struct local_apic *apic, const struct local_apic_setup *setup);

/*
 * Sets the state after an INIT, which keeps IA32_APIC_BASE and the ID: SDM 3A, "Local
 * APIC State After an INIT Reset". Messages that arrive later are kept.
 */
void local_apic_init_signal(struct local_apic *apic);

/* Accepts what has arrived since the last time, and drives the output. */
void local_apic_receive(struct local_apic *apic);

/*
 * Returns the set of enum local_apic_event since the last time. INIT comes before
 * STARTUP, whose vector is stored: a later INIT drops a STARTUP.
 */
unsigned int local_apic_take_events(struct local_apic *apic, uint8_t *startup_vector);

#define LOCAL_APIC_EXTINT (-1)

/*
 * Returns the vector of the interrupt to deliver, which is then in service; the spurious
 * vector, if there is none; or LOCAL_APIC_EXTINT: the 8259 has the vector.
 */
int local_apic_acknowledge(struct local_apic *apic);

/*
 * Returns whether an interrupt is pending, or the timer will cause one. If not, only
 * LINT0 (local_apic_is_pin_open), the I/O APIC and other CPUs may interrupt.
 */
bool local_apic_can_interrupt(const struct local_apic *apic);

/*
 * Returns whether the pin is connected to the processor: not masked. With the APIC
 * disabled in IA32_APIC_BASE, LINT0 is INTR and LINT1 is NMI.
 */
bool local_apic_is_pin_open(const struct local_apic *apic, enum local_apic_pin pin);

/* Drives a pin. Any CPU may call this, but only one at a time for a pin. */
void local_apic_set_line(struct local_apic *apic, enum local_apic_pin pin, bool is_high);

/* The same on its vCPU's CPU, with effect at once. */
void local_apic_drive_line(struct local_apic *apic, enum local_apic_pin pin,
                           bool is_high);

/* Returns whether the APIC is in xAPIC mode, and its page has this physical address. */
bool local_apic_claims(const struct local_apic *apic, uint64_t address);

/*
 * Accesses to that page: offset below 4096, size 1 to 8. Bytes 4 to 15 of each register
 * read as 0. Only a write of 4 or 8 bytes to the start of a register has an effect, by
 * its low 4 bytes. SDM 3A, "Local APIC Register Address Map", leaves other accesses
 * undefined.
 */
uint64_t local_apic_read(struct local_apic *apic, uint32_t offset, unsigned int size);
void local_apic_write(struct local_apic *apic, uint32_t offset, unsigned int size,
                      uint64_t value);

/*
 * Performs a write of at most 4 bytes that the processor has made to registers, where
 * the guest, in xAPIC mode, wrote them: SDM 3C, "APIC-Write Emulation".
 */
void local_apic_written(struct local_apic *apic, uint32_t offset);

/* The processor may have written TPR: drives the output. */
void local_apic_tpr_changed(struct local_apic *apic);

/* Returns whether the MSR is IA32_APIC_BASE, IA32_TSC_DEADLINE or one of 800H to 8FFH. */
static inline bool local_apic_has_msr(uint32_t msr)
{
    return (msr >= X2APIC_MSR(0) && msr <= X2APIC_MSR_LAST) ||
           msr == MSR_IA32_TSC_DEADLINE || msr == MSR_IA32_APIC_BASE;
}

/* Access one of those; false: #GP. A write has no effect then. */
bool local_apic_read_msr(struct local_apic *apic, uint32_t msr, uint64_t *value);
bool local_apic_write_msr(struct local_apic *apic, uint32_t msr, uint64_t value);

uint64_t local_apic_read_cr8(const struct local_apic *apic);

/* Bits 63:4 of the value are 0. */
void local_apic_write_cr8(struct local_apic *apic, uint64_t value);

/* The guest's TSC jumps: an armed deadline of the timer moves. */
void local_apic_tsc_changed(struct local_apic *apic);

/* Returns IA32_APIC_BASE.EN, which is also CPUID.01H:EDX.APIC. */
static inline bool local_apic_is_enabled(const struct local_apic *apic)
{
    return (apic->base & APIC_BASE_EN) != 0;
}

#endif
