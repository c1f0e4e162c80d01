/* See vm.h: access to the VM's ports. */
#include "guest/vm.h"

/* Reads a device whole if its width is 0; otherwise each byte from its own port. */
static __attribute__((noinline)) uint32_t read_wide(struct vcpu *vcpu,
                                                    const struct port_device *device,
                                                    uint16_t port, unsigned int size)
{
    uint32_t value = 0;

    if (device->width == 0)
        return device->read(device->device, port);
    for (unsigned int i = 0; i < size; i++) {
        uint16_t at   = (uint16_t)(port + i);
        device        = port_map_find(&vcpu->vm->ports, at);
        uint32_t byte = device == NULL ? UINT8_MAX : device->read(device->device, at);
        value |= (byte & UINT8_MAX) << (8 * i);
    }
    return value;
}

/* Writes a device whole if its width is 0; otherwise each byte to its own port. */
static __attribute__((noinline)) enum exit_outcome
write_wide(struct vcpu *vcpu, const struct port_device *device, uint16_t port,
           unsigned int size, uint32_t value)
{
    enum exit_outcome outcome = EXIT_NEXT;

    if (device->width == 0)
        return device->write(device->device, port, value & UINT32_MAX >> (32 - 8 * size));
    for (unsigned int i = 0; i < size && outcome == EXIT_NEXT; i++) {
        uint16_t at = (uint16_t)(port + i);
        device      = port_map_find(&vcpu->vm->ports, at);
        if (device != NULL)
            outcome = device->write(device->device, at, (uint8_t)(value >> (8 * i)));
    }
    return outcome;
}

uint32_t vm_port_read(struct vcpu *vcpu, uint16_t port, unsigned int size)
{
    const struct port_device *device = port_map_find(&vcpu->vm->ports, port);
    if (device == NULL) {
        vcpu->vm->ignored_accesses++;
        return UINT32_MAX;
    }
    if (size > device->width)
        return read_wide(vcpu, device, port, size);
    return device->read(device->device, port);
}

enum exit_outcome vm_port_write(struct vcpu *vcpu, uint16_t port, unsigned int size,
                                uint32_t value)
{
    const struct port_device *device = port_map_find(&vcpu->vm->ports, port);
    if (device == NULL) {
        vcpu->vm->ignored_accesses++;
        return EXIT_NEXT;
    }
    if (size > device->width)
        return write_wide(vcpu, device, port, size, value);
    return device->write(device->device, port, value);
}
