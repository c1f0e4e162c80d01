/* See vmcs.h. */
#include "vmx/vmcs.h"

#include "lib/log.h"

static const struct {
    uint32_t encoding;
    const char *name;
} field_names[] = {
#define VMCS_FIELD_NAME(name, width, type, index) {VMCS_##name, #name},
    VMCS_FIELDS(VMCS_FIELD_NAME)
#undef VMCS_FIELD_NAME
};

static const char *const error_names[] = {
    [1]  = "VMCALL executed in VMX root operation",
    [2]  = "VMCLEAR with invalid physical address",
    [3]  = "VMCLEAR with VMXON pointer",
    [4]  = "VMLAUNCH with non-clear VMCS",
    [5]  = "VMRESUME with non-launched VMCS",
    [6]  = "VMRESUME after VMXOFF",
    [7]  = "VM entry with invalid control fields",
    [8]  = "VM entry with invalid host-state fields",
    [9]  = "VMPTRLD with invalid physical address",
    [10] = "VMPTRLD with VMXON pointer",
    [11] = "VMPTRLD with incorrect VMCS revision identifier",
    [12] = "VMREAD or VMWRITE of an unsupported VMCS component",
    [13] = "VMWRITE to a read-only VMCS component",
    [15] = "VMXON executed in VMX root operation",
    [16] = "VM entry with invalid executive-VMCS pointer",
    [17] = "VM entry with non-launched executive VMCS",
    [18] = "VM entry with executive-VMCS pointer not VMXON pointer",
    [19] = "VMCALL with non-clear VMCS",
    [20] = "VMCALL with invalid VM-exit control fields",
    [22] = "VMCALL with incorrect MSEG revision identifier",
    [23] = "VMXOFF under dual-monitor treatment of SMIs and SMM",
    [24] = "VMCALL with invalid SMM-monitor features",
    [25] = "VM entry with invalid VM-execution control fields in executive VMCS",
    [26] = "VM entry with events blocked by MOV SS",
    [28] = "invalid operand to INVEPT or INVVPID",
};

const char *vmx_error_name(uint32_t error)
{
    if (error >= ARRAY_SIZE(error_names) || error_names[error] == NULL)
        return "unknown error";
    return error_names[error];
}

const char *exit_reason_name(uint32_t reason)
{
    static const char *const names[] = {
#define EXIT_REASON_NAME(name, number, text) [number] = (text),
        EXIT_REASONS(EXIT_REASON_NAME)
#undef EXIT_REASON_NAME
    };
    if (reason >= ARRAY_SIZE(names) || names[reason] == NULL)
        return "unknown reason";
    return names[reason];
}

const char *vmcs_field_name(uint32_t encoding)
{
    for (size_t i = 0; i < ARRAY_SIZE(field_names); i++) {
        if (field_names[i].encoding == encoding)
            return field_names[i].name;
    }
    return NULL;
}

uint32_t vmcs_instruction_error(void)
{
    uint64_t error = 0;
    if (vmread(VMCS_INSTRUCTION_ERROR, &error) != VMX_SUCCEED)
        return 0;
    return (uint32_t)error;
}

static enum status report(const char *instruction, enum vmcs_field field,
                          enum vmx_result result)
{
    if (result == VMX_SUCCEED)
        return STATUS_OK;
    uint32_t error = result == VMX_FAIL_VALID ? vmcs_instruction_error() : 0;
    log_error("%s of %s (0x%x) failed: %s", instruction, vmcs_field_name(field),
              (unsigned int)field,
              result == VMX_FAIL_VALID ? vmx_error_name(error) : "no current VMCS");
    return STATUS_UNSUPPORTED;
}

enum status vmcs_read(enum vmcs_field field, uint64_t *value)
{
    return report("VMREAD", field, vmread(field, value));
}

enum status vmcs_write(enum vmcs_field field, uint64_t value)
{
    return report("VMWRITE", field, vmwrite(field, value));
}

_Noreturn void vmcs_panic(const char *instruction, enum vmcs_field field)
{
    log_error("%s of %s (0x%x) failed in a VM exit: error %u", instruction,
              vmcs_field_name(field), (unsigned int)field, vmcs_instruction_error());
    for (;;)
        undefined_instruction();
}

void vmcs_log(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(field_names); i++) {
        uint64_t value = 0;
        if (vmread(field_names[i].encoding, &value) == VMX_SUCCEED)
            log_info("  %-32s 0x%lx", field_names[i].name, value);
    }
}

enum status vmcs_write_rows(const struct vmcs_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = vmcs_write(rows[i].field, rows[i].value);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
