/* See ept.h. */
#include "vmx/ept.h"

#include "lib/log.h"
#include "vmx/vmcs.h"

const struct nested_format ept_format = {
    .table = {EPT_TABLE, EPT_TABLE}, .leaf = EPT_LEAF, .execute = EPT_EXECUTE};

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
