/* See bios_entries.h. */
#include "dev/bios_entries.h"

#include "virt/backend.h"
#include "x86/control_registers.h"

/* Returns whether the guest executes as an 8086 does: segments begin at selector * 16. */
static bool is_8086_code(struct vcpu *vcpu)
{
    return (vcpu->backend->read_register(vcpu, VCPU_CR0) & CR0_PE) == 0 ||
           (vcpu->backend->read_register(vcpu, VCPU_RFLAGS) & RFLAGS_VM) != 0;
}

static enum exit_outcome end_at_interrupt(struct vcpu *vcpu, unsigned int vector)
{
    unsigned int function = (uint8_t)(vcpu->run.registers.r[REGISTER_RAX] >> 8); /* AH */

    if (vector == BIOS_SERVICE_BASIC || vector == BIOS_SERVICE_BOOTSTRAP)
        return vcpu_end_by_reset(vcpu, "reset by BIOS interrupt %02Xh", vector);
    if (vector < BIOS_SERVICE_FIRST || vector > BIOS_SERVICE_LAST)
        return vcpu_end_abnormally(
            vcpu, "real-mode interrupt %02Xh has no handler; Hymir provides no BIOS",
            vector);
    return vcpu_end_abnormally(
        vcpu, "called BIOS interrupt %02Xh, function %02Xh; Hymir provides no BIOS",
        vector, function);
}

static enum exit_outcome write_port(void *device, uint16_t port, uint32_t value)
{
    const struct port_map *ports = device;
    struct vcpu *vcpu            = ports->accessor;
    uint64_t offset              = vcpu->backend->read_register(vcpu, VCPU_RIP);
    uint64_t distance            = offset - BIOS_ENTRY_INTERRUPT;

    (void)port;
    (void)value;
    if (!is_8086_code(vcpu))
        return EXIT_NEXT;
    if (offset == PC_BIOS_POST)
        return vcpu_end_by_reset(vcpu, "reset by the BIOS reset vector");
    if (distance >= (uint64_t)REAL_MODE_VECTORS * BIOS_ENTRY_SIZE ||
        distance % BIOS_ENTRY_SIZE != 0)
        return EXIT_NEXT;
    return end_at_interrupt(vcpu, (unsigned int)(distance / BIOS_ENTRY_SIZE));
}

void bios_entries_init(struct port_map *ports)
{
    port_map_add(ports, (struct port_device){BIOS_ENTRY_PORT, BIOS_ENTRY_PORT, 1, ports,
                                             port_read_ones, write_port});
}
