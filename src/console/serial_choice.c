/* See serial_choice.h. */
#include "console/serial_choice.h"

#include "console/serial.h"
#include "lib/format.h"
#include "lib/log.h"
#include "platform/machine.h"
#include "platform/serial_ports.h"

#define PLACE_SIZE 40

void serial_choice_start(const struct options *options)
{
    struct serial_port port = options->serial == SERIAL_DEFAULT
                                  ? serial_port_at(UART_COM1)
                                  : options->serial_port;
    TEXT_DECLARE(place, PLACE_SIZE);

    if (options->serial != SERIAL_DEFAULT &&
        (options->serial != SERIAL_PORT || port.space != SERIAL_SPACE_IO))
        return;
    serial_port_describe(&port, &place);
    if (!serial_init(&port))
        log_info("console: no serial port at %s", place.buffer);
}

bool serial_choice_is_final(const struct options *options)
{
    return options->serial == SERIAL_NONE ||
           (options->serial == SERIAL_PORT &&
            options->serial_port.space == SERIAL_SPACE_IO);
}

/* Replaces the port in use; returns false, and goes back to it, if the new one sticks. */
static bool replace_port(const struct serial_port *port)
{
    struct serial_port previous = *serial_get_port();
    bool was_present            = serial_is_present();

    serial_drain();
    if (serial_init(port))
        log_replay(serial_write);
    if (serial_is_present())
        return true;
    if (was_present)
        (void)serial_init(&previous);
    return false;
}

/* Returns whether a UART answers at a port; otherwise logs why it is not used. */
static bool probe_port(const struct described_port *described, const char *place)
{
    serial_port_enable(described);
    serial_drain();
    enum status status = serial_probe(&described->port);
    if (status != STATUS_OK)
        log_info("console: %s names a serial port at %s: %s; not used", described->name,
                 place,
                 status == STATUS_NOT_FOUND ? "no UART there" : "RAM, or not mappable");
    return status == STATUS_OK;
}

/* Continues at a port; returns false if it is unusable. */
static bool use_port(const struct described_port *described)
{
    const struct serial_port *port = &described->port;
    TEXT_DECLARE(place, PLACE_SIZE);
    TEXT_DECLARE(speed, PLACE_SIZE);

    serial_port_describe(port, &place);
    if (port->baud == SERIAL_BAUD_AS_IS)
        text_append(&speed, "speed unchanged");
    else
        text_append(&speed, "%u baud", port->baud);
    if (serial_is_using(port)) {
        log_debug("console: %s names the serial port in use", described->name);
        return true;
    }
    if (!probe_port(described, place.buffer))
        return false;
    log_info("console: serial output continues at %s, %s, named by %s", place.buffer,
             speed.buffer, described->name);
    if (replace_port(port))
        return true;
    log_warning("console: the serial port at %s does not send; not used", place.buffer);
    return false;
}

/* Returns whether the options want a port of that source, with what was found so far. */
static bool is_wanted(enum serial_choice choice, enum serial_source source)
{
    if (choice == SERIAL_PCI)
        return source == SERIAL_SOURCE_PCI;
    return source == SERIAL_SOURCE_SPCR || !serial_is_present();
}

/* Names the first port in PCI if another port is used. */
static void log_unused(const struct serial_ports *ports)
{
    for (size_t i = 0; i < ports->count; i++) {
        const struct described_port *described = &ports->port[i];
        if (described->source != SERIAL_SOURCE_PCI)
            continue;
        if (serial_is_present() && !serial_is_using(&described->port))
            log_info("console: there is a serial port at %s too; console=pci uses it",
                     described->name);
        return;
    }
}

void serial_choice_finish(const struct options *options)
{
    struct serial_ports ports;
    bool is_done = false;

    if (options->serial == SERIAL_PORT) {
        (void)use_port(
            &(struct described_port){.port = options->serial_port, .name = "console="});
        return;
    }
    serial_ports_find(machine_get()->acpi, &ports);
    for (size_t i = 0; i < ports.count && !is_done; i++) {
        if (is_wanted(options->serial, ports.port[i].source))
            is_done = use_port(&ports.port[i]);
    }
    if (options->serial == SERIAL_PCI && !is_done)
        log_info("console: no serial port in PCI");
    log_unused(&ports);
}
