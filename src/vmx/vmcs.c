/* See vmcs.h. */
#include "vmx/vmcs.h"

#include "lib/clamp.h"
#include "lib/log.h"
#include "vmx/entry_values.h"

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

static const char *const reason_names[] = {
#define EXIT_REASON_NAME(name, number, text) [number] = (text),
    EXIT_REASONS(EXIT_REASON_NAME)};

/* Returns names[number], or unknown if it has no name. */
static const char *name_of(const char *const *names, size_t count, uint32_t number,
                           const char *unknown)
{
    const char *name = number < count ? names[clamp_index(number, count)] : NULL;

    return name != NULL ? name : unknown;
}

const char *vmx_error_name(uint32_t error)
{
    return name_of(error_names, ARRAY_SIZE(error_names), error, "unknown error");
}

const char *exit_reason_name(uint32_t reason)
{
    return name_of(reason_names, ARRAY_SIZE(reason_names), reason, "unknown reason");
}

const char *vmcs_field_name(uint32_t encoding)
{
    return vmx_entry_value_names[vmx_entry_value_of_field(encoding)];
}

uint32_t vmcs_instruction_error(void)
{
    uint64_t error;
    return vmread(VMCS_INSTRUCTION_ERROR, &error) ? (uint32_t)error : 0;
}

/* Without a current VMCS there is no error number either. */
static void log_failure(const char *instruction, enum vmcs_field field)
{
    uint32_t error = vmcs_instruction_error();

    log_error("%s of %s (0x%x) failed: %s", instruction, vmcs_field_name(field),
              (unsigned int)field,
              error != 0 ? vmx_error_name(error) : "no current VMCS");
}

bool vmcs_read(enum vmcs_field field, uint64_t *value)
{
    uint64_t read;
    bool succeeded = vmread(field, &read);

    if (succeeded)
        *value = read;
    else
        log_failure("VMREAD", field);
    return succeeded;
}

bool vmcs_write(enum vmcs_field field, uint64_t value)
{
    bool succeeded = vmwrite(field, value);

    if (!succeeded)
        log_failure("VMWRITE", field);
    return succeeded;
}

_Noreturn void vmcs_panic(const char *instruction, enum vmcs_field field)
{
    log_failure(instruction, field);
    for (;;)
        undefined_instruction();
}

void vmcs_log(void)
{
    for (uint32_t value = 1; vmx_entry_value_is_field(value); value++) {
        uint64_t content;
        if (vmread(vmx_entry_field_of_value(value), &content))
            log_info("  %-32s 0x%lx", vmx_entry_value_names[value], content);
    }
}

bool vmcs_write_rows(const struct vmcs_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!vmcs_write(rows[i].field, rows[i].value))
            return false;
    }
    return true;
}
