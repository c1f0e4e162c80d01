/*
 * See vcpu.h: INS and OUTS, which exit before the processor has looked at the memory they
 * speak of.
 *
 * SDM 3C, "VM-Exit Instruction-Information Field"; SDM 1, "Segment Limit Checking" and
 * "Type Checking" are the processor's otherwise.
 */
#include "vmx/guest_state.h"
#include "vmx/qualification.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/exceptions.h"

#define SEGMENT_TYPE_CODE        BIT(3)
#define SEGMENT_TYPE_EXPAND_DOWN BIT(2) /* of data */
#define SEGMENT_TYPE_WRITABLE    BIT(1) /* of data; of code: readable */
#define SEGMENT_BIG              BIT(14)

static bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* SDM 3A, "Type Checking": what a segment may be used for. */
static bool allows(uint64_t rights, bool is_write)
{
    if ((rights & ACCESS_RIGHTS_UNUSABLE) != 0)
        return false;
    if (is_write)
        return (rights & SEGMENT_TYPE_CODE) == 0 && (rights & SEGMENT_TYPE_WRITABLE) != 0;
    return (rights & SEGMENT_TYPE_CODE) == 0 || (rights & SEGMENT_TYPE_WRITABLE) != 0;
}

/* SDM 3A, "Limit Checking". */
static bool is_within(uint64_t rights, uint64_t limit, uint64_t offset, uint8_t size)
{
    uint64_t last = offset + size - 1;
    bool is_down =
        (rights & SEGMENT_TYPE_CODE) == 0 && (rights & SEGMENT_TYPE_EXPAND_DOWN) != 0;

    if (!is_down)
        return last <= limit;
    return offset > limit &&
           last <= ((rights & SEGMENT_BIG) != 0 ? UINT32_MAX : UINT16_MAX);
}

/* False if the processor would refuse it. */
static bool is_permitted(const struct string_access *access, uint32_t segment)
{
    uint64_t base   = vmcs_get(VMCS_GUEST_ES_BASE + 2 * segment);
    uint64_t limit  = vmcs_get(VMCS_GUEST_ES_LIMIT + 2 * segment);
    uint64_t rights = vmcs_get(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * segment);

    if (guest_is_64_bit())
        return is_canonical(access->linear_address) &&
               is_canonical(access->linear_address + access->size - 1);
    return allows(rights, access->is_in) &&
           is_within(rights, limit, (uint32_t)(access->linear_address - base),
                     access->size);
}

enum exit_outcome handle_string_io(struct vcpu *vcpu, uint64_t qualification)
{
    uint64_t information              = vmcs_get(VMCS_EXIT_INSTRUCTION_INFORMATION);
    const struct string_access access = {
        .port           = IO_PORT(qualification),
        .size           = IO_SIZE(qualification),
        .is_in          = (qualification & IO_IN) != 0,
        .is_repeated    = (qualification & IO_REPEATED) != 0,
        .address_size   = (uint8_t)(2U << BITS_GET(information, 9, 7)),
        .linear_address = vmcs_get(VMCS_GUEST_LINEAR_ADDRESS),
    };
    uint32_t segment =
        access.is_in ? SEGMENT_ES : (uint32_t)BITS_GET(information, 17, 15);

    if (segment > SEGMENT_GS || !is_permitted(&access, segment)) {
        vcpu->backend->inject_exception(vcpu,
                                        segment == SEGMENT_SS ? VECTOR_SS : VECTOR_GP, 0);
        return EXIT_RESUME;
    }
    return vcpu->handlers->string_io(vcpu, &access);
}
