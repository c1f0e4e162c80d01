/*
 * The local APIC of a guest, as far as the processor virtualizes it: SDM 3C, "APIC
 * Virtualization and Virtual Interrupts".
 *
 * The registers are those of the software model (dev/local_apic.h), which is the
 * virtual-APIC page. The processor reads and writes TPR there (CR8, and the page or the
 * MSR of TPR), reads other registers, and stores writes to them before it exits. In
 * xAPIC mode at the usual address, EPT maps the APIC-access page there; at another
 * address, each access is an EPT violation. What the processor lacks exits as without
 * this.
 *
 * Of virtual-interrupt delivery, an x2APIC's EOI is used, while no interrupt waits and
 * none in service is level-triggered: then it has no other effects. RVI is always 0: the
 * software model selects the interrupt, which the entry injects.
 */
#ifndef HYMIR_VMX_APIC_VIRTUALIZATION_H
#define HYMIR_VMX_APIC_VIRTUALIZATION_H

#include "lib/bits.h"
#include "virt/vcpu.h"

/* A PML4 table, a page-directory-pointer table, a page directory and a page table. */
#define APIC_VIRTUALIZATION_TABLES 4

struct vmx_vcpu;

struct apic_virtualization {
    uint8_t access_page[PAGE_SIZE]; /* first: page-aligned; never accessed */

    /* EPT of the VM's memory and, where the guest expects its local APIC, that page. */
    uint8_t tables[APIC_VIRTUALIZATION_TABLES * PAGE_SIZE];
    bool has_tpr_shadow;
    bool is_outdated;   /* vcpu->apic has changed: the VMCS follows when the exit ends */
    uint32_t available; /* secondary controls */
};

/* Returns the secondary controls, of those available, for a state of the local APIC. */
uint32_t apic_virtualization_controls(uint32_t available, const struct vcpu_apic *apic);

/*
 * Lets the guest access the x2APIC's MSRs as these controls permit, without an exit: SDM
 * 3C, "Virtualizing MSR-Based APIC Accesses".
 */
void apic_virtualization_pass_msrs(uint8_t *msr_bitmap, uint32_t controls);

/* Selects what the processor does, before the VMCS is written and EPT invalidated. */
void apic_virtualization_start(struct vmx_vcpu *vmx);

/* Writes its fields of the current VMCS. Returns false if the processor rejects one. */
bool MUST_CHECK apic_virtualization_write(struct vmx_vcpu *vmx);

/* The operation update_apic of struct backend. */
void vcpu_update_apic(struct vcpu *vcpu);

/* Handlers of exits. */
enum exit_outcome apic_access_handle_exit(struct vcpu *vcpu);
enum exit_outcome apic_write_handle_exit(struct vcpu *vcpu);
enum exit_outcome tpr_handle_exit(struct vcpu *vcpu);

#endif
