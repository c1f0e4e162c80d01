/* See acpi_pm.h. */
#include "dev/acpi_pm.h"

#include "lib/clamp.h"
#include "x86/power_control.h"

#define CARRY_TICKS BIT(31)

/* The bits of each register that a write sets and clears; one to the status clears. */
static const uint16_t writable[ACPI_PM_REGISTERS] = {
    [ACPI_PM_ENABLE]  = PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC,
    [ACPI_PM_CONTROL] = PM1_BM_RLD | PM1_SLP_TYP_MASK,
};

/* Not inlined: see pit.c. */
static __attribute__((noinline)) uint64_t ticks_now(const struct acpi_pm *pm)
{
    return ticks_scale(device_clock_now(pm->timer.clock), pm->factor);
}

/* Updates status, output and timer after time has passed or a register has changed. */
static void update(struct acpi_pm *pm)
{
    uint16_t *r       = pm->registers;
    uint64_t carries  = ticks_now(pm) / CARRY_TICKS;
    uint64_t deadline = TICKS_NEVER;

    if (carries != pm->carries_seen)
        r[ACPI_PM_STATUS] |= PM1_TMR;
    pm->carries_seen = carries;
    interrupt_line_set(pm->sci, (r[ACPI_PM_STATUS] & r[ACPI_PM_ENABLE]) != 0);
    if ((r[ACPI_PM_ENABLE] & PM1_TMR) != 0)
        deadline =
            ticks_until((carries + 1) * CARRY_TICKS, PM_TIMER_HZ, pm->timer.clock->hz);
    device_timer_set(&pm->timer, deadline);
}

static void timer_expired(void *device)
{
    update(device);
}

static size_t register_of(uint16_t port)
{
    return clamp_index((size_t)(port - ACPI_PM_PORT) / 2, ACPI_PM_REGISTERS);
}

static uint32_t read_register(void *device, uint16_t port)
{
    struct acpi_pm *pm = device;

    update(pm);
    return (uint32_t)pm->registers[register_of(port)] >> 8 * (port % 2);
}

/* The ports take bytes: a narrow write leaves the rest of a register as it is. */
static enum exit_outcome write_register(void *device, uint16_t port, uint32_t value)
{
    struct acpi_pm *pm = device;
    size_t index       = register_of(port);
    uint32_t bits      = value << 8 * (port % 2);
    uint32_t mask      = (uint32_t)UINT8_MAX << 8 * (port % 2) & writable[index];

    update(pm);
    uint32_t old = pm->registers[index];
    if (index == ACPI_PM_STATUS)
        old &= ~bits;
    pm->registers[index] = (uint16_t)((old & ~mask) | (bits & mask));
    update(pm);
    if (index == ACPI_PM_CONTROL && (bits & PM1_SLP_EN) != 0 &&
        (bits & PM1_SLP_TYP_MASK) == ACPI_PM_S5 << PM1_SLP_TYP_SHIFT)
        return vcpu_end(*pm->accessor, "powered off by port 0x604");
    return EXIT_NEXT;
}

uint32_t acpi_pm_read_timer(const struct acpi_pm *pm)
{
    return (uint32_t)ticks_now(pm);
}

static uint32_t read_timer(void *device, uint16_t port)
{
    return acpi_pm_read_timer(device) >> 8 * (port - ACPI_PM_PORT_TIMER);
}

static enum exit_outcome ignore_write(void *device, uint16_t port, uint32_t value)
{
    (void)device;
    (void)port;
    (void)value;
    return EXIT_NEXT;
}

void acpi_pm_press_power_button(struct acpi_pm *pm)
{
    pm->registers[ACPI_PM_STATUS] |= PM1_PWRBTN;
    update(pm);
}

void acpi_pm_init(struct acpi_pm *pm, struct port_map *ports, struct device_clock *clock,
                  struct interrupt_line *sci)
{
    *pm = (struct acpi_pm){.registers = {[ACPI_PM_CONTROL] = PM1_SCI_EN},
                           .factor    = ticks_factor(clock->hz, PM_TIMER_HZ),
                           .sci       = sci,
                           .accessor  = &ports->accessor};
    device_timer_init(&pm->timer, clock, timer_expired, pm);
    port_map_add(ports, (struct port_device){ACPI_PM_PORT,
                                             ACPI_PM_PORT + sizeof(pm->registers) - 1, 1,
                                             pm, read_register, write_register});
    port_map_add(ports, (struct port_device){ACPI_PM_PORT_TIMER, ACPI_PM_PORT_TIMER + 3,
                                             4, pm, read_timer, ignore_write});
}
