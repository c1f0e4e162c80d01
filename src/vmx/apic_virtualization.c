/* See apic_virtualization.h. */
#include "vmx/apic_virtualization.h"

#include "lib/string.h"
#include "vmx/ept.h"
#include "vmx/qualification.h"
#include "vmx/vcpu.h"
#include "vmx/vcpu_events.h"
#include "x86/apic.h"
#include "x86/paging.h"

#define MODES (SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_VIRTUALIZE_X2APIC_MODE)
#define ALL                                           \
    (MODES | SECONDARY_APIC_REGISTER_VIRTUALIZATION | \
     SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)

/* Bit n: the x2APIC's MSR with number 800H + n. */
#define MSR(offset)         BIT(X2APIC_MSR(offset) - X2APIC_MSR(0))
#define MSRS(offset, count) (BITS_MASK((count)-1, 0) * MSR(offset))

/*
 * Those whose value is in the page: not the current count, PPR, which TPR changes, ICR,
 * whose upper half is elsewhere in xAPIC mode, and those that can only be written.
 */
#define READABLE                                                                      \
    (MSR(APIC_ID) | MSR(APIC_VERSION) | MSR(APIC_TASK_PRIORITY) |                     \
     MSR(APIC_LOGICAL_DESTINATION) | MSR(APIC_SPURIOUS) | MSRS(APIC_IN_SERVICE, 24) | \
     MSR(APIC_ERROR_STATUS) | MSRS(APIC_LVT_TIMER, 6) | MSR(APIC_INITIAL_COUNT) |     \
     MSR(APIC_DIVIDE))

uint32_t apic_virtualization_controls(uint32_t available, const struct vcpu_apic *apic)
{
    uint64_t state = apic->base & (APIC_BASE_ADDRESS | APIC_BASE_EN | APIC_BASE_EXTD);
    uint32_t mode = 0, others = SECONDARY_APIC_REGISTER_VIRTUALIZATION;

    if ((state & APIC_BASE_EXTD) != 0)
        mode = SECONDARY_VIRTUALIZE_X2APIC_MODE;
    else if (state == (APIC_BASE_AFTER_RESET | APIC_BASE_EN))
        mode = SECONDARY_VIRTUALIZE_APIC_ACCESSES;
    if (mode == SECONDARY_VIRTUALIZE_X2APIC_MODE && !apic->needs_eoi)
        others |= SECONDARY_VIRTUAL_INTERRUPT_DELIVERY;
    return (available & mode) == 0 ? 0 : available & (mode | others);
}

void apic_virtualization_pass_msrs(uint8_t *msr_bitmap, uint32_t controls)
{
    uint64_t reads = 0, writes = 0;
    uint64_t *of_reads  = (uint64_t *)(void *)(msr_bitmap + X2APIC_MSR(0) / 8);
    uint64_t *of_writes = of_reads + 2 * MSR_BITMAP_QUARTER / sizeof(*of_reads);

    if ((controls & SECONDARY_VIRTUALIZE_X2APIC_MODE) != 0)
        reads = writes = MSR(APIC_TASK_PRIORITY);
    if (reads != 0 && (controls & SECONDARY_APIC_REGISTER_VIRTUALIZATION) != 0)
        reads = READABLE;
    if (writes != 0 && (controls & SECONDARY_VIRTUAL_INTERRUPT_DELIVERY) != 0)
        writes |= MSR(APIC_EOI);
    *of_reads  = ~reads;
    *of_writes = ~writes;
}

/*
 * Builds EPT with the APIC-access page, which shares the tables of the guest's memory
 * from the third level on: the pages that are split for code are below it.
 */
static void map_access_page(struct vmx_vcpu *vmx)
{
    struct apic_virtualization *apic = &vmx->apic;
    struct page_pool pool  = {.pages = apic->tables, .count = APIC_VIRTUALIZATION_TABLES};
    const uint64_t *shared = hpa_pointer(vmx->plan->memory_root);
    uint64_t *own          = (uint64_t *)apic->tables;

    memset(apic->tables, 0, sizeof(apic->tables));
    (void)!nested_paging_map(&ept_format, &pool, gpa(APIC_BASE_AFTER_RESET),
                             hpa_of(apic->access_page), PAGE_SIZE);
    shared = hpa_pointer(hpa(shared[0] & PAGE_ENTRY_ADDRESS));
    own    = hpa_pointer(hpa(own[0] & PAGE_ENTRY_ADDRESS));
    for (size_t i = 0; i < PAGE_SIZE / sizeof(*own); i++) {
        if (own[i] == 0)
            own[i] = shared[i];
    }
}

void apic_virtualization_start(struct vmx_vcpu *vmx)
{
    struct vcpu_controls *controls = &vmx->controls;
    struct capability_bits primary =
        vmx_capability_bits(&vmx->capabilities, GROUP_PRIMARY);
    uint32_t cr8 = PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING;

    vmx->apic.has_tpr_shadow =
        vmx->plan->has_apicv && controls->switched[GROUP_PRIMARY] != 0;
    vmx->apic.available = 0;
    if (!vmx->apic.has_tpr_shadow)
        return;
    vmx->apic.available = controls->switched[GROUP_SECONDARY];
    controls->field[GROUP_PRIMARY] |= PRIMARY_USE_TPR_SHADOW;
    controls->field[GROUP_PRIMARY] &= ~cr8 | (uint32_t)primary.must_be_1;
    map_access_page(vmx);
}

static bool has_delivery(const struct vmx_vcpu *vmx)
{
    return (vmx->apic.available & SECONDARY_VIRTUAL_INTERRUPT_DELIVERY) != 0;
}

/* Adapts the controls, the MSR bitmap and EPT to the state of the local APIC. */
static void write_state(struct vmx_vcpu *vmx)
{
    const struct vcpu_apic *apic = &vmx->vcpu->apic;
    uint32_t *secondary          = &vmx->controls.field[GROUP_SECONDARY];
    uint32_t old                 = *secondary;
    uint32_t controls = apic_virtualization_controls(vmx->apic.available, apic);

    vmx->apic.is_outdated = false;
    vmcs_set(VMCS_TPR_THRESHOLD, apic->threshold);
    if (has_delivery(vmx))
        vmcs_set(VMCS_GUEST_INTERRUPT_STATUS, INTERRUPT_STATUS(apic->in_service));
    *secondary = (old & ~(uint32_t)ALL) | controls;
    if (*secondary == old)
        return;
    apic_virtualization_pass_msrs(vmx->msr_bitmap, controls);
    vmcs_set(VMCS_SECONDARY_CONTROLS, *secondary);
    if (((*secondary ^ old) & SECONDARY_VIRTUALIZE_APIC_ACCESSES) == 0)
        return;
    hpa_t root = (controls & SECONDARY_VIRTUALIZE_APIC_ACCESSES) != 0
                     ? hpa_of(vmx->apic.tables)
                     : vmx->plan->memory_root;
    vmcs_set(VMCS_EPT_POINTER, ept_pointer(&vmx->capabilities, root));
}

bool apic_virtualization_write(struct vmx_vcpu *vmx)
{
    static const struct vmcs_row delivery[] = {{VMCS_EOI_EXIT_BITMAP_0, 0},
                                               {VMCS_EOI_EXIT_BITMAP_1, 0},
                                               {VMCS_EOI_EXIT_BITMAP_2, 0},
                                               {VMCS_EOI_EXIT_BITMAP_3, 0},
                                               {VMCS_GUEST_INTERRUPT_STATUS, 0}};
    bool has_accesses = (vmx->apic.available & SECONDARY_VIRTUALIZE_APIC_ACCESSES) != 0;

    if (!vmx->apic.has_tpr_shadow)
        return true;
    /* write_state needs no check: the fields that it writes exist after this. */
    if (!vmcs_write(VMCS_VIRTUAL_APIC_ADDRESS, hpa_of(vmx->vcpu->apic.page).value) ||
        !vmcs_write(VMCS_TPR_THRESHOLD, 0) ||
        (has_accesses &&
         !vmcs_write(VMCS_APIC_ACCESS_ADDRESS, hpa_of(vmx->apic.access_page).value)) ||
        (has_delivery(vmx) && !vmcs_write_rows(delivery, ARRAY_SIZE(delivery))))
        return false;
    write_state(vmx);
    return true;
}

void vcpu_update_apic(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);

    vmx->apic.is_outdated = vmx->apic.has_tpr_shadow;
    if (vmx->apic.has_tpr_shadow && !vmx->defers_events)
        write_state(vmx);
}

/* Other types are a walk of page tables, the delivery of an event, or a fetch. */
enum exit_outcome apic_access_handle_exit(struct vcpu *vcpu)
{
    uint64_t qualification            = vmcs_get(VMCS_EXIT_QUALIFICATION);
    unsigned int type                 = APIC_ACCESS_TYPE(qualification);
    const struct memory_access access = {
        .address = gpa(APIC_BASE_AFTER_RESET + APIC_ACCESS_OFFSET(qualification)),
        .kind    = type == APIC_ACCESS_FETCH   ? MEMORY_FETCH
                   : type == APIC_ACCESS_WRITE ? MEMORY_WRITE
                                               : MEMORY_READ,
        .is_by_instruction = type == APIC_ACCESS_READ || type == APIC_ACCESS_WRITE,
    };

    vcpu->newest->detail = qualification;
    event_redeliver();
    return vcpu->handlers->memory(vcpu, &access);
}

enum exit_outcome apic_write_handle_exit(struct vcpu *vcpu)
{
    uint64_t qualification = vmcs_get(VMCS_EXIT_QUALIFICATION);

    vcpu->newest->detail = qualification;
    vcpu->handlers->apic_written(vcpu, APIC_ACCESS_OFFSET(qualification));
    return interrupt_resume(vcpu);
}

enum exit_outcome tpr_handle_exit(struct vcpu *vcpu)
{
    vcpu->handlers->tpr_changed(vcpu);
    return interrupt_resume(vcpu);
}
