/* See interrupts.h. */
#include "platform/interrupts.h"

#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/format.h"
#include "lib/log.h"
#include "mm/address_space.h"
#include "platform/apic.h"
#include "platform/clock.h"
#include "platform/io_apic.h"
#include "platform/local_sources.h"
#include "platform/pic.h"
#include "x86/hpet.h"
#include "x86/pic_8259.h"

/* Machines of 8 sockets have one for each socket, and two or three more. */
#define IO_APICS_MAX 64

static volatile uint32_t *io_apics[IO_APICS_MAX];
static size_t io_apic_count;

static atomic_uint unwanted[VECTOR_COUNT];

/* ---- What firmware left on --------------------------------------------------------- */

static void mask_io_apic(uint64_t address)
{
    volatile uint32_t *registers =
        address_space_map_device(address, IO_APIC_REGISTERS_SIZE);

    if (registers == NULL) {
        log_warning("ACPI: I/O APIC at 0x%lx cannot be mapped", address);
        return;
    }
    io_apics[io_apic_count++] = registers;
    uint32_t masked           = io_apic_mask(registers);
    if (masked > 0)
        log_debug("I/O APIC at 0x%lx: %u inputs masked", address, masked);
}

static void mask_io_apics(const struct acpi *acpi)
{
    static uint64_t addresses[IO_APICS_MAX];
    struct acpi_view madt;

    if (acpi_find(acpi, "APIC", &madt) != STATUS_OK)
        return;
    struct acpi_listing found = acpi_list_io_apics(&madt, addresses, IO_APICS_MAX);
    if (found.dropped > 0)
        log_warning("ACPI: %zu I/O APICs beyond %d not masked", found.dropped,
                    IO_APICS_MAX);
    for (size_t i = 0; i < found.count; i++)
        mask_io_apic(addresses[i]);
}

/* Clears bits of an HPET register; returns whether any was set. */
static bool clear_bits(volatile uint32_t *value, uint64_t bits)
{
    uint32_t before = *value;

    if ((before & bits) == 0)
        return false;
    *value = before & (uint32_t)~bits;
    return true;
}

static void stop_hpet(const struct acpi *acpi)
{
    struct acpi_timers timers;

    acpi_find_timers(acpi, &timers);
    volatile uint8_t *hpet =
        timers.hpet == 0 ? NULL
                         : address_space_map_device(timers.hpet, HPET_REGISTERS_SIZE);
    if (hpet == NULL)
        return;
    volatile uint32_t *capabilities = (volatile uint32_t *)(hpet + HPET_CAPABILITIES);
    if (!hpet_period_is_valid(capabilities[1]))
        return; /* nothing responds, or another device */
    uint32_t last = HPET_CAPABILITIES_LAST_TIMER(capabilities[0]);
    bool was_on   = clear_bits((volatile uint32_t *)(hpet + HPET_CONFIGURATION),
                               HPET_CONFIGURATION_LEGACY);
    for (uint32_t i = 0; i <= last && i < HPET_TIMERS_MAX; i++)
        was_on |= clear_bits(
            (volatile uint32_t *)(hpet + HPET_TIMER + (uint64_t)i * HPET_TIMER_SIZE),
            HPET_TIMER_INTERRUPT | HPET_TIMER_FSB);
    *(volatile uint32_t *)(hpet + HPET_STATUS) = UINT32_MAX;
    if (was_on)
        log_debug("HPET at 0x%lx: interrupts stopped", timers.hpet);
}

void interrupts_stop_sources(const struct acpi *acpi)
{
    mask_io_apics(acpi);
    stop_hpet(acpi);
}

/* ---- What arrives ------------------------------------------------------------------ */

/* Masks the inputs of I/O APICs that have the vector. Describes the last one. */
static bool mask_inputs(uint8_t vector, struct text *source)
{
    bool is_found = false;
    uint32_t input;

    for (size_t i = 0; i < io_apic_count; i++) {
        while (io_apic_mask_vector(io_apics[i], vector, &input) == STATUS_OK) {
            is_found       = true;
            source->length = 0;
            text_append(source, "masked at input %u of the I/O APIC at 0x%lx", input,
                        (uintptr_t)io_apics[i]);
        }
    }
    return is_found;
}

/* Masks a vector where it comes from, or else, at last, in this CPU's priority. */
static void mask_source(uint8_t vector, bool is_last, struct text *source)
{
    if (mask_inputs(vector, source))
        return;
    if (apic_is_enabled() && local_source_mask_vector(vector)) {
        text_append(source, "masked in the local vector table");
    } else if (apic_is_enabled() && is_last) {
        local_source_hold_back(vector);
        text_append(source, "source unknown; held back by the task priority");
    } else {
        text_append(source, "source unknown");
    }
}

bool interrupt_is_in_service(uint8_t vector)
{
    return apic_is_enabled() && local_source_is_in_service(vector);
}

/*
 * Ends an interrupt that is an 8259A's; false if it is not. A spurious one has the vector
 * of its last input. Any other one that is in service in the local APIC comes from
 * software before Hymir: Linux's timer has such a vector, and is pending after kexec.
 */
static bool end_pic_interrupt(uint8_t vector, struct text *source)
{
    unsigned int number = (unsigned int)vector - VECTOR_PIC;

    if (number >= 2 * PIC_CHIP_INPUTS)
        return false;
    if (pic_end_interrupt(vector)) {
        text_append(source, "masked in the 8259A");
        return true;
    }
    if (number % PIC_CHIP_INPUTS != PIC_CHIP_INPUTS - 1 &&
        interrupt_is_in_service(vector))
        return false;
    text_append(source, "a spurious one of the 8259A");
    return true;
}

static void end_unwanted(uint8_t vector, bool is_last, struct text *source)
{
    if (end_pic_interrupt(vector, source))
        return;
    mask_source(vector, is_last, source);
    apic_end_of_interrupt();
}

void interrupt_handle_unwanted(uint8_t vector)
{
    TEXT_DECLARE(source, 80);
    unsigned int count = atomic_fetch_add(&unwanted[vector], 1) + 1;
    bool is_storm      = count == INTERRUPT_STORM_COUNT;

    if (count != 1 && !is_storm) {
        end_unwanted(vector, false, &source);
        return;
    }
    end_unwanted(vector, is_storm, &source);
    log_warning("cpu %u: %s, vector 0x%x: %s", this_cpu()->index,
                is_storm ? "storm of interrupts" : "unexpected interrupt", vector,
                source.buffer);
}

void interrupts_report(void)
{
    for (unsigned int vector = 0; vector < VECTOR_COUNT; vector++) {
        unsigned int count = atomic_load(&unwanted[vector]);
        if (count > 1)
            log_warning("%u unexpected interrupts of vector 0x%x; ignored", count,
                        vector);
    }
}

/* ---- Storms of interrupts that have a handler -------------------------------------- */

bool interrupt_storm_count(struct interrupt_storm *storm, uint64_t now, uint64_t pause)
{
    if (now - storm->ended <= pause)
        return ++storm->count == INTERRUPT_STORM_COUNT;
    storm->count -= storm->count > 0 ? 1 : 0;
    return false;
}

/* Returns the counts of a device's interrupts, which only the boot CPU gets, or NULL. */
static struct interrupt_storm *find_storm(uint8_t vector)
{
    static struct interrupt_storm serial, keyboard;

    if (this_cpu() != &boot_cpu)
        return NULL;
    return vector == VECTOR_SERIAL     ? &serial
           : vector == VECTOR_KEYBOARD ? &keyboard
                                       : NULL;
}

void interrupt_begin(uint8_t vector)
{
    TEXT_DECLARE(source, 80);
    struct interrupt_storm *storm = find_storm(vector);
    uint64_t pause = clock_frequency() / 1000000 * INTERRUPT_STORM_PAUSE_US;

    if (storm == NULL || !interrupt_storm_count(storm, rdtsc(), pause))
        return;
    mask_source(vector, false, &source);
    log_warning("cpu 0: storm of interrupts, vector 0x%x: %s", vector, source.buffer);
}

void interrupt_end(uint8_t vector)
{
    struct interrupt_storm *storm = find_storm(vector);

    if (storm != NULL)
        storm->ended = rdtsc();
    apic_end_of_interrupt();
}
