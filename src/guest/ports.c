/* See vm.h: access to the VM's ports. */
#include "guest/vm.h"

/*
 * Returns how many of an access's bytes its first port takes, as a bus splits it: as many
 * as its owner's registers have, and none beyond the owner's last port.
 */
static unsigned int part_size(const struct port_device *device, uint16_t port,
                              unsigned int size)
{
    unsigned int most = device->last - port + 1U;
    if (most > device->width)
        most = device->width;
    return size < most ? size : most;
}

/* Returns a mask of the low bytes of a value, 1 to 4. */
static uint32_t low_bytes(unsigned int count)
{
    return (uint32_t)(BIT(8 * count) - 1);
}

static __attribute__((noinline)) uint32_t read_wide(struct vm *vm, uint16_t port,
                                                    unsigned int size)
{
    uint32_t value = 0;

    for (unsigned int at = 0, part; at < size; at += part) {
        const struct port_device *device =
            port_map_find(&vm->ports, (uint16_t)(port + at));
        part = part_size(device, (uint16_t)(port + at), size - at);
        value |= (device->read(device->device, (uint16_t)(port + at)) & low_bytes(part))
                 << (8 * at);
    }
    return value;
}

static __attribute__((noinline)) enum exit_outcome
write_wide(struct vm *vm, uint16_t port, unsigned int size, uint32_t value)
{
    enum exit_outcome outcome = EXIT_NEXT;

    for (unsigned int at = 0, part; at < size && outcome == EXIT_NEXT; at += part) {
        const struct port_device *device =
            port_map_find(&vm->ports, (uint16_t)(port + at));
        part    = part_size(device, (uint16_t)(port + at), size - at);
        outcome = device->write(device->device, (uint16_t)(port + at),
                                value >> (8 * at) & low_bytes(part));
    }
    return outcome;
}

/*
 * The PM timer needs no lock: where the TSC is not used, all vCPUs read it for each look
 * at the time.
 */
static __attribute__((noinline)) uint32_t read_locked(struct vcpu *vcpu, uint16_t port,
                                                      unsigned int size)
{
    struct vm *vm = vcpu->vm;
    uint32_t value;

    if (port == ACPI_PM_PORT_TIMER && size == sizeof(value))
        return acpi_pm_read_timer(&vm->acpi_pm);
    unsigned int ticket = vm_lock(vm);
    vm->ports.accessor  = vcpu;
    value               = read_wide(vm, port, size);
    vm_unlock(vm, ticket);
    return value;
}

static __attribute__((noinline)) enum exit_outcome
write_locked(struct vcpu *vcpu, uint16_t port, unsigned int size, uint32_t value)
{
    struct vm *vm       = vcpu->vm;
    unsigned int ticket = vm_lock(vm);

    vm->ports.accessor        = vcpu;
    enum exit_outcome outcome = write_wide(vm, port, size, value);
    vm_unlock(vm, ticket);
    return outcome;
}

/* A byte, which a VM's only vCPU accesses, needs no more than its device. */
uint32_t vm_port_read(struct vcpu *vcpu, unsigned int port, unsigned int size)
{
    const struct vm *vm              = vcpu->vm;
    const struct port_device *device = port_map_find(&vm->ports, port);

    if (__builtin_expect(size != vm->ports.plain_size, 0))
        return read_locked(vcpu, (uint16_t)port, size);
    return device->read(device->device, (uint16_t)port);
}

enum exit_outcome vm_port_write(struct vcpu *vcpu, unsigned int port, unsigned int size,
                                uint32_t value)
{
    const struct vm *vm              = vcpu->vm;
    const struct port_device *device = port_map_find(&vm->ports, port);

    if (__builtin_expect(size != vm->ports.plain_size, 0))
        return write_locked(vcpu, (uint16_t)port, size, value);
    return device->write(device->device, (uint16_t)port, (uint8_t)value);
}
