/* See power.h. */
#include "platform/power.h"

#include "cpu/instructions.h"
#include "lib/bits.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "platform/clock.h"
#include "platform/pci.h"
#include "platform/smp.h"
#include "x86/i8042.h"
#include "x86/power_control.h"

/* PM1 status register: ACPI 6.5, "PM1 Status Registers". */
#define PM1_WAK_STS 0x8000U

/* Sleep control register: ACPI 6.5, "Sleep Control and Status Registers". */
#define SLEEP_CONTROL_TYPE_SHIFT 2
#define SLEEP_CONTROL_ENABLE     0x20U

#define KEYBOARD_READS       100000U
#define ACPI_MODE_TIMEOUT_US 3000000
#define POWER_OFF_TIMEOUT_US 3000000
#define RESET_TIMEOUT_US     500000

static struct platform_power registers;

void power_set_registers(const struct platform_power *power)
{
    registers = *power;
}

static void write_pci_byte(uint64_t at, uint8_t value)
{
    const struct pci_address address = {
        .device   = PCI_REGISTER_DEVICE(at),
        .function = PCI_REGISTER_FUNCTION(at),
    };
    pci_write8(address, PCI_REGISTER_OFFSET(at), value);
}

static void write_byte(const struct platform_register *target, uint8_t value)
{
    if (target->space == REGISTER_PCI)
        write_pci_byte(target->address, value);
    else if (target->space == REGISTER_IO)
        io_out8((uint16_t)target->address, value);
    else if (target->space == REGISTER_MEMORY)
        *(volatile uint8_t *)(uintptr_t)target->address = value;
}

/* Returns 0 for a register that does not exist; writes to it are ignored. */
static uint16_t read_word(const struct platform_register *target)
{
    if (target->space == REGISTER_IO)
        return io_in16((uint16_t)target->address);
    return target->space == REGISTER_MEMORY
               ? *(volatile uint16_t *)(uintptr_t)target->address
               : 0;
}

static void write_word(const struct platform_register *target, uint16_t value)
{
    if (target->space == REGISTER_IO)
        io_out16((uint16_t)target->address, value);
    else if (target->space == REGISTER_MEMORY)
        *(volatile uint16_t *)(uintptr_t)target->address = value;
}

/* Enters ACPI mode, in which the operating system controls the PM1 registers. */
static void enter_acpi_mode(void)
{
    if (registers.smi_command_port == 0 ||
        (read_word(&registers.pm1a_control) & PM1_SCI_EN) != 0)
        return;
    io_out8(registers.smi_command_port, registers.acpi_enable_value);
    struct deadline deadline = deadline_in(ACPI_MODE_TIMEOUT_US);
    while ((read_word(&registers.pm1a_control) & PM1_SCI_EN) == 0 &&
           !deadline_has_passed(&deadline))
        cpu_pause();
}

/* Replaces the mask bits of a PM1 control register by bits. */
static void update_control(const struct platform_register *control, uint16_t mask,
                           uint16_t bits)
{
    write_word(control, (uint16_t)((read_word(control) & ~mask) | bits));
}

/* Sets the sleep type of both registers before enabling either: some chipsets need it. */
static void sleep_by_pm1(void)
{
    enter_acpi_mode();
    write_word(&registers.pm1a_status, PM1_WAK_STS); /* writing 1 clears it */
    write_word(&registers.pm1b_status, PM1_WAK_STS);
    update_control(&registers.pm1a_control, PM1_SLP_TYP_MASK | PM1_SLP_EN,
                   (uint16_t)(registers.s5_type_a << PM1_SLP_TYP_SHIFT));
    update_control(&registers.pm1b_control, PM1_SLP_TYP_MASK | PM1_SLP_EN,
                   (uint16_t)(registers.s5_type_b << PM1_SLP_TYP_SHIFT));
    update_control(&registers.pm1a_control, 0, PM1_SLP_EN);
    update_control(&registers.pm1b_control, 0, PM1_SLP_EN);
}

/* Returns only if the machine does not power off. */
static void power_off(void)
{
    bool has_sleep_control = registers.sleep_control.space != REGISTER_NONE;

    if (!registers.has_s5 ||
        (!has_sleep_control && registers.pm1a_control.space == REGISTER_NONE)) {
        log_warning(
            "no power-off: ACPI provides no method; switch the machine off by hand");
        return;
    }
    if (has_sleep_control)
        write_byte(&registers.sleep_control, (uint8_t)((unsigned int)registers.s5_type_a
                                                           << SLEEP_CONTROL_TYPE_SHIFT |
                                                       SLEEP_CONTROL_ENABLE));
    else
        sleep_by_pm1();
    clock_wait(POWER_OFF_TIMEOUT_US);
    log_warning("the machine did not power off; switch it off by hand");
}

static void reset_by_keyboard_controller(void)
{
    for (uint32_t i = 0; i < KEYBOARD_READS; i++) {
        if ((io_in8(I8042_PORT_COMMAND) & I8042_STATUS_INPUT_FULL) == 0)
            break;
    }
    io_out8(I8042_PORT_COMMAND, I8042_PULSE_RESET);
}

static void reset_by_triple_fault(void)
{
    const struct descriptor_table_register no_idt = {0};
    lidt(&no_idt);
    undefined_instruction();
}

/* Tries each method in turn; the last never returns. */
static void reset(void)
{
    if (registers.reset.space != REGISTER_NONE) {
        write_byte(&registers.reset, registers.reset_value);
        clock_wait(RESET_TIMEOUT_US);
    }
    io_out8(RESET_CONTROL_PORT, RESET_CONTROL_SYSTEM);
    io_out8(RESET_CONTROL_PORT, RESET_CONTROL_SYSTEM | RESET_CONTROL_CPU);
    clock_wait(RESET_TIMEOUT_US);
    reset_by_keyboard_controller();
    clock_wait(RESET_TIMEOUT_US);
    reset_by_triple_fault();
}

_Noreturn void power_exit(enum end_action action, void (*drain)(void))
{
    interrupts_disable();
    (void)smp_stop_others(); /* CPUs that do not respond are ignored */
    cpu_leave_virtualization();
    if (test_hook_end != NULL)
        test_hook_end();
    if (drain != NULL)
        drain();
    if (action == END_POWEROFF)
        power_off();
    else if (action == END_REBOOT)
        reset();
    for (;;)
        halt();
}
