/* See string_io.h. */
#include "guest/string_io.h"

#include "guest/translate.h"
#include "guest/vm.h"
#include "lib/string.h"
#include "virt/exception_rules.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

/* An element is in one or two pages. */
struct operand {
    uint8_t *part[2]; /* in Hymir's memory */
    unsigned int size[2];
};

/* Returns the address of an element's byte: it has 32 bits outside 64-bit code. */
static uint64_t byte_address(const struct string_access *access, uint64_t offset)
{
    uint64_t linear = access->linear_address + offset;
    return access->is_64_bit ? linear : (uint32_t)linear;
}

static bool is_permitted(struct vcpu *vcpu, const struct string_access *access,
                         uint64_t linear)
{
    if (!access->is_64_bit)
        return segment_permits(&access->segment, linear, access->size, access->is_in);
    unsigned int width = linear_address_width(vcpu);
    return address_is_canonical(linear, width) &&
           address_is_canonical(linear + access->size - 1, width);
}

/* SDM 3A, "Interrupt 17 - Alignment Check Exception (#AC)". */
static bool is_misaligned(struct vcpu *vcpu, const struct string_access *access)
{
    const struct backend *backend = vcpu->backend;

    return access->linear_address % access->size != 0 &&
           backend->read_register(vcpu, VCPU_CPL) == 3 &&
           (backend->read_register(vcpu, VCPU_CR0) & CR0_AM) != 0 &&
           (backend->read_register(vcpu, VCPU_RFLAGS) & RFLAGS_AC) != 0;
}

/* Finds the memory of a part. Returns EXIT_NEXT, or the outcome of a fault. */
static enum exit_outcome find_part(struct vcpu *vcpu, const struct string_access *access,
                                   struct operand *operand, size_t i, uint64_t linear)
{
    gpa_t physical;
    enum exit_outcome outcome =
        linear_address_translate(vcpu, linear, access->is_in, &physical);

    if (outcome != EXIT_NEXT)
        return outcome;
    operand->part[i] =
        guest_memory_pointer(&vcpu->vm->memory, physical, operand->size[i]);
    if (operand->part[i] != NULL)
        return EXIT_NEXT;
    enum memory_access_kind kind = access->is_in ? MEMORY_WRITE : MEMORY_READ;
    return vcpu->handlers->memory(vcpu, &(struct memory_access){physical, kind});
}

static enum exit_outcome find_operand(struct vcpu *vcpu,
                                      const struct string_access *access,
                                      struct operand *operand)
{
    unsigned int left = (unsigned int)(PAGE_SIZE - access->linear_address % PAGE_SIZE);

    operand->size[0] = left < access->size ? left : access->size;
    operand->size[1] = access->size - operand->size[0];
    enum exit_outcome outcome =
        find_part(vcpu, access, operand, 0, access->linear_address);
    if (outcome == EXIT_NEXT && operand->size[1] > 0)
        outcome =
            find_part(vcpu, access, operand, 1, byte_address(access, operand->size[0]));
    return outcome;
}

/* Checks the element and finds its memory, in a processor's order of priority. */
static enum exit_outcome check_element(struct vcpu *vcpu,
                                       const struct string_access *access,
                                       struct operand *operand)
{
    if (!is_permitted(vcpu, access, access->linear_address))
        return vcpu_inject_exception(vcpu, access->is_stack ? VECTOR_SS : VECTOR_GP, 0);
    if (is_misaligned(vcpu, access))
        return vcpu_inject_exception(vcpu, VECTOR_AC, 0);
    return find_operand(vcpu, access, operand);
}

static uint64_t address_mask(const struct string_access *access)
{
    return UINT64_MAX >> (64 - 8 * access->address_size);
}

/* Adds to a register of the address size: one of 2 bytes keeps the bits above. */
static void advance_register(uint64_t *reg, const struct string_access *access,
                             uint64_t by)
{
    uint64_t mask = address_mask(access);
    uint64_t kept = access->address_size == sizeof(uint16_t) ? *reg & ~mask : 0;

    *reg = kept | ((*reg + by) & mask);
}

/* Returns the distance to the next element. */
static uint64_t element_step(struct vcpu *vcpu, const struct string_access *access)
{
    bool is_downward = (vcpu->backend->read_register(vcpu, VCPU_RFLAGS) & RFLAGS_DF) != 0;
    return is_downward ? 0 - (uint64_t)access->size : access->size;
}

static bool has_breakpoints(struct vcpu *vcpu)
{
    return (vcpu->backend->read_register(vcpu, VCPU_DR7) & DR7_ENABLE) != 0;
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
    uint64_t first    = index & address_mask(access);
    uint64_t last     = (index + distance) & address_mask(access);
    bool wraps        = step == access->size ? last < first : last > first;
    bool is_traced =
        instruction_end_traps(vcpu->backend->read_register(vcpu, VCPU_RFLAGS),
                              vcpu->backend->read_register(vcpu, VCPU_DEBUGCTL)) ||
        has_breakpoints(vcpu);
    return wraps || is_traced ||
                   !is_permitted(vcpu, access, byte_address(access, distance))
               ? 1
               : count;
}

static uint32_t load_element(const uint8_t *bytes, uint8_t size)
{
    uint32_t value = *bytes;

    if (size == sizeof(uint16_t))
        __builtin_memcpy(&value, bytes, sizeof(uint16_t));
    else if (size == sizeof(uint32_t))
        __builtin_memcpy(&value, bytes, sizeof(uint32_t));
    return value;
}

static void store_element(uint8_t *bytes, uint8_t size, uint32_t value)
{
    if (size == sizeof(uint8_t))
        *bytes = (uint8_t)value;
    else if (size == sizeof(uint16_t))
        __builtin_memcpy(bytes, &value, sizeof(uint16_t));
    else
        __builtin_memcpy(bytes, &value, sizeof(uint32_t));
}

/* Accesses that the VM's ports split among devices. */
struct port_access {
    struct vcpu *vcpu;
    unsigned int size;
};

static uint32_t read_any(void *device, uint16_t port)
{
    const struct port_access *access = device;
    return access->vcpu->handlers->port_read(access->vcpu, port, access->size);
}

static enum exit_outcome write_any(void *device, uint16_t port, uint32_t value)
{
    const struct port_access *access = device;
    return access->vcpu->handlers->port_write(access->vcpu, port, access->size, value);
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
    struct port_access any    = {vcpu, access->size};
    struct port_device device = {.device = &any, .read = read_any, .write = write_any};
    enum exit_outcome outcome = EXIT_NEXT;
    uint16_t port             = access->port;
    uint8_t size              = access->size;
    uint64_t left             = *count;

    if (size == sizeof(uint8_t)) /* wider ones may be split */
        device = *port_map_find(&vcpu->vm->ports, port);
    for (; access->is_in && left > 0; left--, bytes += step)
        store_element(bytes, size, device.read(device.device, port));
    for (; left > 0; left--, bytes += step) {
        outcome = device.write(device.device, port, load_element(bytes, size));
        if (outcome != EXIT_NEXT)
            break;
    }
    *count -= left;
    return outcome;
}

/* Transfers the only element of this exit, which is in two pages. */
static enum exit_outcome transfer_split_element(struct vcpu *vcpu,
                                                const struct string_access *access,
                                                const struct operand *operand,
                                                uint64_t *count)
{
    uint8_t bytes[sizeof(uint32_t)];
    size_t first = operand->size[0], second = operand->size[1];

    memcpy(bytes, operand->part[0], first);
    memcpy(bytes + first, operand->part[1], second);
    enum exit_outcome outcome = transfer_elements(vcpu, access, bytes, count, 0);
    if (access->is_in) {
        memcpy(operand->part[0], bytes, first);
        memcpy(operand->part[1], bytes + first, second);
    }
    return outcome;
}

/* Traps a guest that has a data breakpoint on the only element of this exit. */
static void trap_breakpoints(struct vcpu *vcpu, const struct string_access *access)
{
    const struct backend *backend = vcpu->backend;
    uint64_t dr[DR_COUNT];

    for (unsigned int i = 0; i < DR_COUNT; i++)
        dr[i] = backend->read_register(vcpu, VCPU_DR_0 + i);
    uint64_t causes =
        data_breakpoints_hit(dr, backend->read_register(vcpu, VCPU_DR7),
                             access->linear_address, access->size, access->is_in);
    if (causes != 0)
        backend->add_debug_causes(vcpu, causes);
}

enum exit_outcome string_io_handle(struct vcpu *vcpu, const struct string_access *access)
{
    uint64_t *r     = vcpu->run.registers.r;
    uint64_t *index = &r[access->is_in ? REGISTER_RDI : REGISTER_RSI];
    uint64_t left   = access->is_repeated ? r[REGISTER_RCX] & address_mask(access) : 1;
    struct operand operand = {0};

    if (left == 0)
        return EXIT_NEXT;
    enum exit_outcome outcome = check_element(vcpu, access, &operand);
    if (outcome != EXIT_NEXT)
        return outcome;
    uint64_t step  = element_step(vcpu, access);
    uint64_t count = count_elements(vcpu, access, left, *index, step);
    outcome        = operand.size[1] > 0
                         ? transfer_split_element(vcpu, access, &operand, &count)
                         : transfer_elements(vcpu, access, operand.part[0], &count, step);
    if (outcome == EXIT_STOP || count == 0)
        return outcome;
    if (has_breakpoints(vcpu))
        trap_breakpoints(vcpu, access);
    advance_register(index, access, count * step);
    if (access->is_repeated)
        advance_register(&r[REGISTER_RCX], access, 0 - count);
    return count == left ? EXIT_NEXT : EXIT_REPEAT;
}
