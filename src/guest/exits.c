/* See vm.h: what a VM does at its exits. */
#include "guest/hypercall.h"
#include "guest/string_io.h"
#include "guest/vm.h"
#include "lib/bits.h"

static void set_eax_edx(struct vcpu *vcpu, uint64_t value)
{
    vcpu->run.registers.r[REGISTER_RAX] = value & UINT32_MAX;
    vcpu->run.registers.r[REGISTER_RDX] = value >> 32;
}

static enum exit_outcome general_protection(struct vcpu *vcpu)
{
    vcpu->vm->ignored_accesses++;
    vcpu->backend->inject_exception(vcpu, EXCEPTION_GENERAL_PROTECTION, 0);
    return EXIT_RESUME;
}

static inline enum exit_outcome give_cpuid(uint64_t *r, const struct cpuid_values *values)
{
    r[REGISTER_RAX] = values->eax;
    r[REGISTER_RBX] = values->ebx;
    r[REGISTER_RCX] = values->ecx;
    r[REGISTER_RDX] = values->edx;
    return EXIT_NEXT;
}

static __attribute__((noinline)) enum exit_outcome handle_other_cpuid(struct vcpu *vcpu)
{
    uint64_t *r  = vcpu->run.registers.r;
    uint64_t cr4 = vcpu->backend->read_register(vcpu, VCPU_CR4);
    struct cpuid_values values =
        cpuid_policy_answer(&vcpu->vm->cpuid, (uint32_t)r[REGISTER_RAX],
                            (uint32_t)r[REGISTER_RCX], cr4, vcpu->backend->read_cpuid);
    return give_cpuid(r, &values);
}

/* Most leaves have one answer, which only has to be looked up. */
static enum exit_outcome handle_cpuid(struct vcpu *vcpu)
{
    const struct cpuid_answers *answers = &vcpu->vm->cpuid;
    uint64_t *r                         = vcpu->run.registers.r;
    uint32_t leaf                       = (uint32_t)r[REGISTER_RAX];

    if (leaf < CPUID_BASIC_LEAVES && (answers->plain & BIT(leaf)) != 0)
        return give_cpuid(r, &answers->basic[leaf]);
    return handle_other_cpuid(vcpu);
}

static enum exit_outcome handle_read_msr(struct vcpu *vcpu)
{
    uint32_t msr = (uint32_t)vcpu->run.registers.r[REGISTER_RCX];
    uint64_t value;

    vcpu->newest->detail = msr;
    if (!msr_policy_read(&vcpu->vm->msrs, msr, &value))
        return general_protection(vcpu);
    set_eax_edx(vcpu, value);
    return EXIT_NEXT;
}

static enum exit_outcome handle_write_msr(struct vcpu *vcpu)
{
    const uint64_t *r = vcpu->run.registers.r;
    uint64_t value    = r[REGISTER_RDX] << 32 | (r[REGISTER_RAX] & UINT32_MAX);
    uint32_t msr      = (uint32_t)r[REGISTER_RCX];

    vcpu->newest->detail = msr;
    if (!msr_policy_write(&vcpu->vm->msrs, msr, value))
        return general_protection(vcpu);
    return EXIT_NEXT;
}

/* The bits of an access of size bytes. */
static uint32_t all_ones(uint8_t size)
{
    return UINT32_MAX >> (32 - 8 * size);
}

uint32_t vm_port_read(struct vcpu *vcpu, uint16_t port, uint8_t size)
{
    const struct port_device *device = port_map_find(&vcpu->vm->ports, port);
    if (device != NULL)
        return device->read(device->device, port, size) & all_ones(size);
    vcpu->vm->ignored_accesses++;
    return all_ones(size);
}

enum exit_outcome vm_port_write(struct vcpu *vcpu, uint16_t port, uint8_t size,
                                uint32_t value)
{
    const struct port_device *device = port_map_find(&vcpu->vm->ports, port);
    if (device != NULL)
        return device->write(device->device, vcpu, port, size, value & all_ones(size));
    vcpu->vm->ignored_accesses++;
    return EXIT_NEXT;
}

static enum exit_outcome handle_memory(struct vcpu *vcpu,
                                       const struct memory_access *access)
{
    const char *what = access->is_fetch   ? "execution"
                       : access->is_write ? "write"
                                          : "read";
    return vcpu_end_abnormally(
        vcpu, "%s at guest-physical 0x%lx, beyond its %lu MiB, with RIP 0x%lx", what,
        access->address.value, vcpu->vm->memory.size >> 20,
        vcpu->backend->read_register(vcpu, VCPU_RIP));
}

static void *ram(struct vcpu *vcpu, gpa_t address, uint64_t size)
{
    return guest_memory_pointer(&vcpu->vm->memory, address, size);
}

const struct exit_handlers vm_exit_handlers = {
    .cpuid      = handle_cpuid,
    .read_msr   = handle_read_msr,
    .write_msr  = handle_write_msr,
    .port_read  = vm_port_read,
    .port_write = vm_port_write,
    .string_io  = string_io,
    .hypercall  = hypercall,
    .memory     = handle_memory,
    .ram        = ram,
};
