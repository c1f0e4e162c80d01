/*
 * See vcpu.h: accesses to control registers that exit.
 *
 * SDM 3A, "Control Registers"; SDM 2, "MOV - Move to/from Control Registers"; SDM 3C,
 * "Guest/Host Masks and Read Shadows for CR0 and CR4". Most accesses do not: CR3 and all
 * bits that the guest owns are its own. What exits is a change of CR0.NE, NW or CD, which
 * the guest sees and the CPU does not take; a bit of CR4 that its CPUID does not offer;
 * and CR8, which without an APIC is only a number.
 */
#include "x86/control_registers.h"
#include "vmx/guest_state.h"
#include "vmx/qualification.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"

#define LMSW_BITS (CR0_PE | CR0_MP | CR0_EM | CR0_TS)

/* A register that is partly the guest's own: what it reads. */
static uint64_t visible(enum vmcs_field real, enum vmcs_field shadow, uint64_t owned)
{
    return (vmcs_get(real) & ~owned) | (vmcs_get(shadow) & owned);
}

uint64_t guest_cr0(void)
{
    return visible(VMCS_GUEST_CR0, VMCS_CR0_READ_SHADOW, GUEST_CR0_OWNED);
}

uint64_t guest_cr4(void)
{
    return visible(VMCS_GUEST_CR4, VMCS_CR4_READ_SHADOW, ~(uint64_t)GUEST_CR4_ALLOWED);
}

static uint64_t general_register(struct vcpu *vcpu, unsigned int number)
{
    return number == REGISTER_RSP ? vmcs_get(VMCS_GUEST_RSP)
                                  : vcpu->run.registers.r[number];
}

static void set_general_register(struct vcpu *vcpu, unsigned int number, uint64_t value)
{
    if (number == REGISTER_RSP)
        vmcs_set(VMCS_GUEST_RSP, value);
    else
        vcpu->run.registers.r[number] = value;
}

/* PDPTEs as MOV to CR0 loads them where it switches PAE paging on; false: #GP. */
static bool load_pdptes(struct vcpu *vcpu)
{
    gpa_t table             = gpa(vmcs_get(VMCS_GUEST_CR3) & 0xFFFFFFE0);
    const uint64_t *entries = vcpu->handlers->ram(vcpu, table, 32);
    /* SDM 3A, "PDPTE Registers": reserved are bits 2:1, 8:5 and those above the width. */
    unsigned int width =
        CPUID_80000008_EAX_PHYSICAL(cpuid(CPUID_LEAF_ADDRESS_SIZES, 0).eax);
    const uint64_t reserved = (UINT64_MAX << width) | 0x1E6;

    if (entries == NULL)
        return false;
    for (uint32_t i = 0; i < 4; i++) {
        if ((entries[i] & 1) != 0 && (entries[i] & reserved) != 0)
            return false;
    }
    for (uint32_t i = 0; i < 4; i++)
        vmcs_set(VMCS_GUEST_PDPTE0 + 2 * i, entries[i]);
    return true;
}

static void set_long_mode_active(bool is_active)
{
    uint64_t efer  = vmcs_get(VMCS_GUEST_IA32_EFER) & ~EFER_LMA;
    uint64_t entry = vmcs_get(VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRY_IA32E_MODE_GUEST;

    vmcs_set(VMCS_GUEST_IA32_EFER, efer | (is_active ? EFER_LMA : 0));
    vmcs_set(VMCS_ENTRY_CONTROLS, entry | (is_active ? ENTRY_IA32E_MODE_GUEST : 0));
}

/* What switching paging on or off asks for beside the bit itself; false: #GP. */
static bool switch_paging(struct vcpu *vcpu, bool on)
{
    uint64_t efer = vmcs_get(VMCS_GUEST_IA32_EFER);
    uint64_t cr4  = vmcs_get(VMCS_GUEST_CR4);
    bool is_64    = (vmcs_get(VMCS_GUEST_CS_ACCESS_RIGHTS) & CODE_SEGMENT_L) != 0;

    if (!on) {
        if ((cr4 & CR4_PCIDE) != 0 || guest_is_64_bit())
            return false;
        set_long_mode_active(false);
        return true;
    }
    if ((efer & EFER_LME) != 0) {
        uint64_t tss = BITS_GET(vmcs_get(VMCS_GUEST_TR_ACCESS_RIGHTS), 3, 0);
        if ((cr4 & CR4_PAE) == 0 || is_64 || tss == TSS_16_BIT_BUSY)
            return false;
        set_long_mode_active(true);
        return true;
    }
    return (cr4 & CR4_PAE) == 0 || load_pdptes(vcpu);
}

static enum exit_outcome write_cr0(struct vcpu *vcpu, uint64_t value)
{
    uint64_t changed = guest_cr0() ^ value;
    bool pg          = (value & CR0_PG) != 0;

    if (value > UINT32_MAX || (pg && (value & CR0_PE) == 0) ||
        ((value & CR0_NW) != 0 && (value & CR0_CD) == 0))
        return vcpu_general_protection(vcpu);
    if ((changed & CR0_PG) != 0) {
        if (!switch_paging(vcpu, pg))
            return vcpu_general_protection(vcpu);
        vcpu_forget_translations(&vmx_of(vcpu)->capabilities);
    }
    vmcs_set(VMCS_CR0_READ_SHADOW, value | CR0_ET);
    vmcs_set(VMCS_GUEST_CR0, (value & ~(CR0_CD | CR0_NW)) | CR0_NE | CR0_ET);
    return EXIT_NEXT;
}

static enum exit_outcome write_cr(struct vcpu *vcpu, unsigned int cr, uint64_t value)
{
    switch (cr) {
    case 0:
        return write_cr0(vcpu, value);
    case 8:
        if (value > 0xF)
            return vcpu_general_protection(vcpu);
        vmx_of(vcpu)->cr8 = value;
        return EXIT_NEXT;
    default: /* CR4 exits only for what is not offered */
        return vcpu_general_protection(vcpu);
    }
}

enum exit_outcome control_register_access(struct vcpu *vcpu)
{
    if (!vcpu->run.has_all_registers)
        return vcpu_ask_for_all_registers(vcpu);
    uint64_t qualification = vmcs_get(VMCS_EXIT_QUALIFICATION);
    unsigned int general   = ACCESS_GENERAL(qualification);
    unsigned int cr        = ACCESS_REGISTER(qualification);

    vcpu->newest->detail = qualification;
    switch ((enum access_type)ACCESS_TYPE(qualification)) {
    case ACCESS_TO_CR:
        return write_cr(vcpu, cr, general_register(vcpu, general));
    case ACCESS_FROM_CR: /* of CR8; all others are read without an exit */
        set_general_register(vcpu, general, vmx_of(vcpu)->cr8);
        return EXIT_NEXT;
    case ACCESS_CLTS:
        return write_cr0(vcpu, guest_cr0() & ~CR0_TS);
    case ACCESS_LMSW_TYPE: /* which can set PE, and not clear it */
        return write_cr0(vcpu, (guest_cr0() & (~(uint64_t)LMSW_BITS | CR0_PE)) |
                                   (ACCESS_LMSW(qualification) & LMSW_BITS));
    }
    return EXIT_NEXT;
}
