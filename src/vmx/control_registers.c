/*
 * See control_registers.h.
 *
 * SDM 3C, "Guest/Host Masks and Read Shadows for CR0 and CR4". CR3 and the guest-owned
 * bits of CR0 and CR4 are accessed without an exit. These accesses exit: changing CR0.NE,
 * NW or CD, which only affects the shadow; setting a bit of CR4 that the guest's CPUID
 * does not offer; and CR8, which the VM has. The rules of the architecture are in
 * virt/control_register_rules.h.
 */
#include "vmx/control_registers.h"

#include "cpu/instructions.h"
#include "virt/backend.h"
#include "virt/control_register_rules.h"
#include "vmx/ept.h"
#include "vmx/qualification.h"
#include "vmx/vcpu.h"
#include "x86/cpuid.h"
#include "x86/exceptions.h"
#include "x86/paging.h"

uint64_t guest_cr0_read(void)
{
    return (vmread_known(VMCS_GUEST_CR0) & ~(uint64_t)CR0_HOST_OWNED) |
           (vmread_known(VMCS_CR0_READ_SHADOW) & CR0_HOST_OWNED);
}

/* Outside 64-bit code, MOV to a control register takes 32 bits. */
static inline uint64_t read_general_register(const struct vcpu *vcpu, unsigned int number)
{
    uint64_t value =
        number == REGISTER_RSP ? vmcs_get(VMCS_GUEST_RSP) : vcpu->run.registers.r[number];

    return value <= UINT32_MAX || guest_is_64_bit() ? value : (uint32_t)value;
}

static void write_general_register(struct vcpu *vcpu, unsigned int number, uint64_t value)
{
    if (number == REGISTER_RSP)
        vmcs_set(VMCS_GUEST_RSP, value);
    else
        vcpu->run.registers.r[number] = value;
}

/* Loads the PDPTEs that CR3 points to; returns false if they are invalid. */
static bool load_pdptes(struct vcpu *vcpu)
{
    gpa_t table             = gpa(vmcs_get(VMCS_GUEST_CR3) & CR3_ADDRESS_PAE);
    const uint64_t *entries = vcpu->handlers->ram(vcpu, table, 4 * sizeof(*entries));
    unsigned int width =
        CPUID_80000008_EAX_PHYSICAL(cpuid(CPUID_LEAF_ADDRESS_SIZES, 0).eax);

    if (entries == NULL || !pdptes_are_valid(entries, width))
        return false;
    for (uint32_t i = 0; i < 4; i++)
        vmcs_set(VMCS_GUEST_PDPTE0 + 2 * i, entries[i]);
    return true;
}

static void set_long_mode_active(uint64_t efer, bool is_active)
{
    uint64_t entry = vmcs_get(VMCS_ENTRY_CONTROLS) & ~(uint64_t)VM_ENTRY_IA32E_MODE_GUEST;

    vmcs_set(VMCS_GUEST_IA32_EFER, (efer & ~EFER_LMA) | (is_active ? EFER_LMA : 0));
    vmcs_set(VMCS_ENTRY_CONTROLS, entry | (is_active ? VM_ENTRY_IA32E_MODE_GUEST : 0));
}

static bool switch_paging(struct vcpu *vcpu, const struct paging_state *state, bool is_on)
{
    enum paging_switch effect = paging_switch_effect(state, is_on);

    if (effect == PAGING_SWITCH_FAULTS)
        return false;
    set_long_mode_active(state->efer, effect == PAGING_SWITCH_TO_LONG_MODE);
    ept_invalidate_translations(&vmx_of(vcpu)->capabilities);
    return true;
}

/*
 * Checks a change of any bit but CR0_UNCHECKED, and performs the effects on paging.
 * Returns false for #GP.
 */
static __attribute__((noinline)) bool change_cr0(struct vcpu *vcpu, uint64_t old,
                                                 uint64_t value)
{
    const struct paging_state state = {
        .cr4              = vmcs_get(VMCS_GUEST_CR4),
        .efer             = vmcs_get(VMCS_GUEST_IA32_EFER),
        .cs_access_rights = (uint32_t)vmcs_get(VMCS_GUEST_CS_ACCESS_RIGHTS),
        .tr_access_rights = (uint32_t)vmcs_get(VMCS_GUEST_TR_ACCESS_RIGHTS),
    };
    bool loads = cr0_change_loads_pdptes(old, value, state.cr4, state.efer);

    if (!cr0_is_valid(value) || (loads && !load_pdptes(vcpu)))
        return false;
    return ((old ^ value) & CR0_PG) == 0 ||
           switch_paging(vcpu, &state, (value & CR0_PG) != 0);
}

static enum exit_outcome write_cr0(struct vcpu *vcpu, uint64_t value)
{
    uint64_t old = guest_cr0_read();

    if (((old ^ value) & ~CR0_UNCHECKED) != 0 && !change_cr0(vcpu, old, value))
        return vcpu_inject_exception(vcpu, VECTOR_GP, 0);
    vmwrite_known(VMCS_CR0_READ_SHADOW, value | CR0_ET);
    vmwrite_known(VMCS_GUEST_CR0,
                  (value & ~(uint64_t)(CR0_CD | CR0_NW)) | CR0_NE | CR0_ET);
    return EXIT_NEXT;
}

static enum exit_outcome write_register(struct vcpu *vcpu, unsigned int cr,
                                        uint64_t value)
{
    if (cr == 8)
        return vcpu->handlers->write_cr8(vcpu, value);
    /* CR4 exits only to set a bit that is not allowed. */
    return vcpu_inject_exception(vcpu, VECTOR_GP, 0);
}

static __attribute__((noinline)) enum exit_outcome
handle_other_access(struct vcpu *vcpu, uint64_t qualification)
{
    unsigned int general = ACCESS_GENERAL(qualification);
    unsigned int cr      = ACCESS_REGISTER(qualification);

    switch ((enum access_type)ACCESS_TYPE(qualification)) {
    case ACCESS_TO_CR:
        return write_register(vcpu, cr, read_general_register(vcpu, general));
    case ACCESS_FROM_CR: /* CR8: the others are read without an exit */
        write_general_register(vcpu, general, vcpu->handlers->read_cr8(vcpu));
        return EXIT_NEXT;
    case ACCESS_CLTS:
        return write_cr0(vcpu, guest_cr0_read() & ~(uint64_t)CR0_TS);
    case ACCESS_LMSW_TYPE:
        return write_cr0(vcpu,
                         cr0_after_lmsw(guest_cr0_read(), ACCESS_LMSW(qualification)));
    }
    return EXIT_NEXT;
}

enum exit_outcome control_register_handle_exit(struct vcpu *vcpu)
{
    uint64_t qualification = vmread_known(VMCS_EXIT_QUALIFICATION);
    unsigned int general   = ACCESS_GENERAL(qualification);

    if (register_stays_in_cpu(general) && !vcpu->run.has_all_registers)
        return vcpu_request_all_registers(vcpu);
    vcpu->newest->detail = qualification;
    if (ACCESS_IS_MOV_TO_CR0(qualification)) /* the most frequent */
        return write_cr0(vcpu, read_general_register(vcpu, general));
    return handle_other_access(vcpu, qualification);
}
