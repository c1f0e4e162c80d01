/* See ept.h. */
#include "vmx/ept.h"

#include "lib/log.h"
#include "mm/page_table.h"
#include "vmx/vmcs.h"

static const struct page_table_format ept_format = {.present = EPT_TABLE,
                                                    .table   = EPT_TABLE};

static uint64_t largest_page = PAGE_SIZE;

void ept_choose_page_size(const struct vmx_capabilities *capabilities,
                          bool may_have_multihit)
{
    largest_page = PAGE_SIZE;
    if (may_have_multihit)
        return;
    if (vmx_has_ept_capability(capabilities, EPT_CAP_PAGES_1_GIB))
        largest_page = PAGE_SIZE_1_GIB;
    else if (vmx_has_ept_capability(capabilities, EPT_CAP_PAGES_2_MIB))
        largest_page = PAGE_SIZE_2_MIB;
}

uint64_t ept_count_tables(uint64_t size)
{
    return page_table_count(size, largest_page);
}

enum status ept_map(hpa_t *root, struct page_pool *tables, gpa_t guest, hpa_t host,
                    uint64_t size)
{
    struct page_table table = {.format       = &ept_format,
                               .allocate     = page_pool_allocate,
                               .context      = tables,
                               .largest_page = largest_page};
    enum status status      = page_table_open(&table, root);

    return status != STATUS_OK
               ? status
               : page_table_map(&table, guest.value, host, size, EPT_LEAF);
}

uint64_t ept_pointer(const struct vmx_capabilities *capabilities, hpa_t root)
{
    return root.value | EPTP_WRITE_BACK_4_LEVELS |
           (vmx_has_ept_capability(capabilities, EPT_CAP_ACCESSED) ? EPTP_ACCESSED : 0);
}

bool ept_invalidate(const struct vmx_capabilities *capabilities)
{
    if (!vmx_has_ept_capability(capabilities, INVEPT_OF_ALL_CONTEXTS) ||
        invept_all() == VMX_SUCCEED)
        return true;
    log_error("INVEPT failed: %s", vmx_error_name(vmcs_instruction_error()));
    return false;
}

/* Without INVVPID of all contexts no vCPU uses VPID: vcpu_controls.c. */
void ept_invalidate_translations(const struct vmx_capabilities *capabilities)
{
    (void)ept_invalidate(capabilities);
    if (vmx_has_ept_capability(capabilities, INVVPID_OF_ALL_CONTEXTS) &&
        invvpid_all() != VMX_SUCCEED)
        log_error("INVVPID failed: %s", vmx_error_name(vmcs_instruction_error()));
}
