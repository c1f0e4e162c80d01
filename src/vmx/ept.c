/* See ept.h. */
#include "vmx/ept.h"

#include "lib/log.h"
#include "mm/memory.h"
#include "mm/page_table.h"
#include "vmx/vmcs.h"

#define EPT_READ            BIT(0)
#define EPT_WRITE           BIT(1)
#define EPT_EXECUTE         BIT(2)
#define EPT_MEMORY_TYPE(t)  ((uint64_t)(t) << 3)
#define EPT_ALL             (EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPTP_WALK_LENGTH_4  (UINT64_C(3) << 3)
#define EPTP_ACCESSED       BIT(6)
#define EPTP_MEMORY_TYPE(t) ((uint64_t)(t))

static const struct page_table_format ept_format = {.present = EPT_ALL, .table = EPT_ALL};

static uint64_t largest_page = PAGE_SIZE;

void ept_choose_page_size(const struct vmx_capabilities *capabilities,
                          bool may_have_multihit)
{
    uint64_t ept = vmx_capability_value(capabilities, MSR_IA32_VMX_EPT_VPID_CAP);

    largest_page = PAGE_SIZE;
    if (may_have_multihit)
        return;
    if ((ept & EPT_CAP_PAGES_1_GIB) != 0)
        largest_page = PAGE_SIZE_1_GIB;
    else if ((ept & EPT_CAP_PAGES_2_MIB) != 0)
        largest_page = PAGE_SIZE_2_MIB;
}

static enum status allocate_table(void **page)
{
    return memory_allocate(1, frames_above_1_mib, page);
}

enum status ept_map(hpa_t *root, gpa_t guest, hpa_t host, uint64_t size)
{
    struct page_table table = {.format       = &ept_format,
                               .allocate     = allocate_table,
                               .largest_page = largest_page,
                               .root         = *root};
    if (root->value == 0) {
        enum status status = page_table_init(&table);
        if (status != STATUS_OK)
            return status;
        *root = table.root;
    }
    return page_table_map(&table, guest.value, host, size,
                          EPT_ALL | EPT_MEMORY_TYPE(VMX_MEMORY_TYPE_WRITE_BACK));
}

uint64_t ept_pointer(const struct vmx_capabilities *capabilities, hpa_t root)
{
    uint64_t ept = vmx_capability_value(capabilities, MSR_IA32_VMX_EPT_VPID_CAP);

    return root.value | EPTP_MEMORY_TYPE(VMX_MEMORY_TYPE_WRITE_BACK) |
           EPTP_WALK_LENGTH_4 | ((ept & EPT_CAP_ACCESSED) != 0 ? EPTP_ACCESSED : 0);
}

void ept_invalidate_translations(const struct vmx_capabilities *capabilities)
{
    uint64_t caps = vmx_capability_value(capabilities, MSR_IA32_VMX_EPT_VPID_CAP);
    uint64_t ept  = EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL;
    uint64_t vpid = VPID_CAP_INVVPID | VPID_CAP_INVVPID_ALL;

    if ((caps & ept) == ept && invept_all() != VMX_SUCCEED)
        log_error("INVEPT failed: %s", vmx_error_name(vmcs_instruction_error()));
    if ((caps & vpid) == vpid && invvpid_all() != VMX_SUCCEED)
        log_error("INVVPID failed: %s", vmx_error_name(vmcs_instruction_error()));
}
