/* See linear_access.h. */
#include "guest/linear_access.h"

#include "guest/translate.h"
#include "guest/vm.h"
#include "virt/exception_rules.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

bool linear_access_is_permitted(struct vcpu *vcpu, const struct linear_access *access)
{
    uint64_t linear = access->linear;

    if (!access->is_64_bit)
        return segment_permits(&access->segment, linear, access->size, access->is_write);
    unsigned int width = linear_address_width(vcpu);
    return address_is_canonical(linear, width) &&
           address_is_canonical(linear + access->size - 1, width);
}

static bool is_misaligned(struct vcpu *vcpu, const struct linear_access *access)
{
    const struct backend *backend = vcpu->backend;

    return access->linear % access->size != 0 &&
           backend->read_register(vcpu, VCPU_CPL) == 3 &&
           (backend->read_register(vcpu, VCPU_CR0) & CR0_AM) != 0 &&
           (backend->read_register(vcpu, VCPU_RFLAGS) & RFLAGS_AC) != 0;
}

/* Outside 64-bit code, linear addresses have 32 bits. */
static enum exit_outcome find_part(struct vcpu *vcpu, const struct linear_access *access,
                                   struct access_target *target, size_t i)
{
    uint64_t linear           = access->linear + (i > 0 ? target->part[0].size : 0);
    gpa_t *address            = &target->part[i].address;
    enum exit_outcome outcome = linear_address_translate(
        vcpu, access->is_64_bit ? linear : (uint32_t)linear, access->is_write, address);

    if (outcome == EXIT_NEXT)
        target->part[i].ram =
            guest_memory_pointer(&vcpu->vm->memory, *address, target->part[i].size);
    return outcome;
}

enum exit_outcome linear_access_find(struct vcpu *vcpu,
                                     const struct linear_access *access,
                                     struct access_target *target)
{
    unsigned int left = (unsigned int)(PAGE_SIZE - access->linear % PAGE_SIZE);

    if (!linear_access_is_permitted(vcpu, access))
        return vcpu_inject_exception(vcpu, access->is_stack ? VECTOR_SS : VECTOR_GP, 0);
    if (is_misaligned(vcpu, access))
        return vcpu_inject_exception(vcpu, VECTOR_AC, 0);
    target->part[0].size      = left < access->size ? left : access->size;
    target->part[1].size      = access->size - target->part[0].size;
    enum exit_outcome outcome = find_part(vcpu, access, target, 0);
    if (outcome == EXIT_NEXT && target->part[1].size > 0)
        outcome = find_part(vcpu, access, target, 1);
    return outcome;
}

static bool has_breakpoints(struct vcpu *vcpu)
{
    return (vcpu->backend->read_register(vcpu, VCPU_DR7) & DR7_ENABLE) != 0;
}

bool linear_access_may_trap(struct vcpu *vcpu)
{
    const struct backend *backend = vcpu->backend;

    return has_breakpoints(vcpu) ||
           instruction_end_traps(backend->read_register(vcpu, VCPU_RFLAGS),
                                 backend->read_register(vcpu, VCPU_DEBUGCTL));
}

void linear_access_trap_breakpoints(struct vcpu *vcpu, const struct linear_access *access)
{
    const struct backend *backend = vcpu->backend;
    uint64_t dr[DR_COUNT];

    if (!has_breakpoints(vcpu))
        return;
    for (unsigned int i = 0; i < DR_COUNT; i++)
        dr[i] = backend->read_register(vcpu, VCPU_DR_0 + i);
    uint64_t causes =
        data_breakpoints_hit(dr, backend->read_register(vcpu, VCPU_DR7), access->linear,
                             access->size, access->is_write);
    if (causes != 0)
        backend->add_debug_causes(vcpu, causes);
}

/* Returns how many of up to 8 bytes a bus accesses at once. */
static unsigned int bus_size(uint64_t address, unsigned int size)
{
    unsigned int count = sizeof(uint64_t);

    while (count > size || !is_aligned(address, count))
        count /= 2;
    return count;
}

static uint64_t read_device(struct vcpu *vcpu, uint64_t address, unsigned int size)
{
    uint64_t value = 0;

    for (unsigned int at = 0, count; at < size; at += count) {
        count = bus_size(address + at, size - at);
        value |= (vm_memory_read(vcpu, address + at, count) & BYTES_MASK(count))
                 << 8 * at;
    }
    return value;
}

static void write_device(struct vcpu *vcpu, uint64_t address, unsigned int size,
                         uint64_t value)
{
    for (unsigned int at = 0, count; at < size; at += count) {
        count = bus_size(address + at, size - at);
        vm_memory_write(vcpu, address + at, count, value >> 8 * at & BYTES_MASK(count));
    }
}

uint64_t access_target_read(struct vcpu *vcpu, const struct access_target *target)
{
    uint64_t value = 0;

    for (unsigned int i = 0, at = 0; i < 2 && target->part[i].size > 0; i++) {
        unsigned int size = target->part[i].size;
        uint64_t part     = target->part[i].ram != NULL
                                ? ram_read(target->part[i].ram, size)
                                : read_device(vcpu, target->part[i].address.value, size);
        value |= part << 8 * at;
        at += size;
    }
    return value;
}

void access_target_write(struct vcpu *vcpu, const struct access_target *target,
                         uint64_t value)
{
    for (unsigned int i = 0, at = 0; i < 2 && target->part[i].size > 0; i++) {
        unsigned int size = target->part[i].size;
        uint64_t part     = value >> 8 * at & BYTES_MASK(size);
        if (target->part[i].ram != NULL)
            ram_write(target->part[i].ram, size, part);
        else
            write_device(vcpu, target->part[i].address.value, size, part);
        at += size;
    }
}
