/* See string_io.h. */
#include "guest/string_io.h"

#include "guest/linear_access.h"
#include "guest/vm.h"

/* Returns the access to the element at a distance from the next. */
static struct linear_access element_access(const struct string_access *access,
                                           uint64_t distance)
{
    uint64_t linear = access->linear_address + distance;

    return (struct linear_access){
        .linear    = access->is_64_bit ? linear : (uint32_t)linear,
        .segment   = access->segment,
        .size      = access->size,
        .is_write  = access->is_in,
        .is_64_bit = access->is_64_bit,
        .is_stack  = access->is_stack,
    };
}

/* Returns how many elements are in the page of the first, which has been checked. */
static uint64_t elements_in_page(const struct string_access *access, uint64_t step)
{
    uint64_t before = access->linear_address % PAGE_SIZE;

    if (before + access->size > PAGE_SIZE)
        return 1;
    return (step == access->size ? PAGE_SIZE - before : before + access->size) /
           access->size;
}

/*
 * Returns how many of the elements this exit can transfer: one if each is to be trapped,
 * or if one of the page is not permitted or has an index that wraps around.
 */
static uint64_t count_elements(struct vcpu *vcpu, const struct string_access *access,
                               uint64_t left, uint64_t index, uint64_t step)
{
    uint64_t count = elements_in_page(access, step);

    count             = count < left ? count : left;
    count             = count < STRING_ELEMENTS_MAX ? count : STRING_ELEMENTS_MAX;
    uint64_t distance = (count - 1) * step;
    uint64_t first    = index & BYTES_MASK(access->address_size);
    uint64_t last     = (index + distance) & BYTES_MASK(access->address_size);
    bool wraps        = step == access->size ? last < first : last > first;
    struct linear_access last_access = element_access(access, distance);
    return wraps || linear_access_may_trap(vcpu) ||
                   !linear_access_is_permitted(vcpu, &last_access)
               ? 1
               : count;
}

/* Accesses that the VM's ports split among devices. */
struct port_access {
    struct vcpu *vcpu;
    unsigned int size;
};

static uint32_t read_any(void *device, uint16_t port)
{
    const struct port_access *access = device;
    return vm_port_read(access->vcpu, port, access->size);
}

static enum exit_outcome write_any(void *device, uint16_t port, uint32_t value)
{
    const struct port_access *access = device;
    return vm_port_write(access->vcpu, port, access->size, value);
}

/*
 * Transfers up to *count elements, each in one page, and sets it to those transferred.
 * Looks the port's device up once, because the guest waits for each element. Returns what
 * ended it before: EXIT_STOP, or EXIT_RESUME if the device cannot take the next one yet.
 */
static enum exit_outcome transfer_elements(struct vcpu *vcpu,
                                           const struct string_access *access,
                                           uint8_t *bytes, uint64_t *count, uint64_t step)
{
    struct vm *vm             = vcpu->vm;
    struct port_access any    = {vcpu, access->size};
    struct port_device device = {.device = &any, .read = read_any, .write = write_any};
    enum exit_outcome outcome = EXIT_NEXT;
    uint16_t port             = access->port;
    uint8_t size              = access->size;
    uint64_t left             = *count;
    bool is_byte              = size == sizeof(uint8_t); /* wider ones may be split */
    unsigned int ticket       = is_byte ? vm_lock(vm) : 0;

    if (is_byte) {
        vm->ports.accessor = vcpu;
        device             = *port_map_find(&vm->ports, port);
    }
    for (; access->is_in && left > 0; left--, bytes += step)
        ram_write(bytes, size, device.read(device.device, port));
    for (; left > 0; left--, bytes += step) {
        outcome = device.write(device.device, port, (uint32_t)ram_read(bytes, size));
        if (outcome != EXIT_NEXT)
            break;
    }
    if (is_byte)
        vm_unlock(vm, ticket);
    *count -= left;
    return outcome;
}

/* Transfers the only element of this exit, which is in two pages or not in RAM. */
static enum exit_outcome transfer_element(struct vcpu *vcpu,
                                          const struct string_access *access,
                                          const struct access_target *target,
                                          uint64_t *count)
{
    uint8_t bytes[sizeof(uint64_t)] = {0};

    if (!access->is_in)
        ram_write(bytes, access->size, access_target_read(vcpu, target));
    enum exit_outcome outcome = transfer_elements(vcpu, access, bytes, count, 0);
    if (access->is_in)
        access_target_write(vcpu, target, ram_read(bytes, access->size));
    return outcome;
}

enum exit_outcome string_io_handle(struct vcpu *vcpu, const struct string_access *access)
{
    uint64_t *r                = vcpu->run.registers.r;
    uint64_t *index            = &r[access->is_in ? REGISTER_RDI : REGISTER_RSI];
    uint64_t mask              = BYTES_MASK(access->address_size);
    uint64_t left              = access->is_repeated ? r[REGISTER_RCX] & mask : 1;
    struct linear_access first = element_access(access, 0);
    struct access_target target;

    if (left == 0)
        return EXIT_NEXT;
    enum exit_outcome outcome = linear_access_find(vcpu, &first, &target);
    if (outcome != EXIT_NEXT)
        return outcome;
    uint64_t step =
        string_step(vcpu->backend->read_register(vcpu, VCPU_RFLAGS), access->size);
    bool is_in_ram = target.part[0].ram != NULL && target.part[1].size == 0;
    uint64_t count = is_in_ram ? count_elements(vcpu, access, left, *index, step) : 1;
    outcome        = is_in_ram
                         ? transfer_elements(vcpu, access, target.part[0].ram, &count, step)
                         : transfer_element(vcpu, access, &target, &count);
    if (outcome == EXIT_STOP || count == 0)
        return outcome;
    linear_access_trap_breakpoints(vcpu, &first);
    string_advance(index, access->address_size, count * step);
    if (access->is_repeated)
        string_advance(&r[REGISTER_RCX], access->address_size, 0 - count);
    return count == left ? EXIT_NEXT : EXIT_REPEAT;
}
