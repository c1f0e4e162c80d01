/* See vm.h: access to the VM's memory-mapped devices. */
#include "guest/vm.h"

/* Returns the device of the VM that claims an address, or NULL, after counting that. */
static const struct memory_device *find_device(struct vm *vm, uint64_t address)
{
    const struct memory_device *device = address_map_find(&vm->addresses, address);

    if (device == NULL)
        vm->ignored_accesses++;
    return device;
}

uint64_t vm_memory_read(struct vcpu *vcpu, uint64_t address, unsigned int size)
{
    struct local_apic *apic = &vm_cpu_of(vcpu)->apic;
    struct vm *vm           = vcpu->vm;

    if (local_apic_claims(apic, address))
        return local_apic_read(apic, address % PAGE_SIZE, size);
    const struct memory_device *device = find_device(vm, address);
    if (device == NULL)
        return UINT64_MAX;
    unsigned int ticket = vm_lock(vm);
    uint64_t value =
        device->read(device->device, (uint32_t)(address - device->first), size);
    vm_unlock(vm, ticket);
    return value;
}

void vm_memory_write(struct vcpu *vcpu, uint64_t address, unsigned int size,
                     uint64_t value)
{
    struct local_apic *apic = &vm_cpu_of(vcpu)->apic;
    struct vm *vm           = vcpu->vm;

    if (local_apic_claims(apic, address)) {
        local_apic_write(apic, address % PAGE_SIZE, size, value);
        return;
    }
    const struct memory_device *device = find_device(vm, address);
    if (device == NULL)
        return;
    unsigned int ticket = vm_lock(vm);
    device->write(device->device, (uint32_t)(address - device->first), size, value);
    vm_unlock(vm, ticket);
}
