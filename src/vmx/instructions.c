/* See instructions.h. */
#include "vmx/instructions.h"

#include "virt/exception_rules.h"
#include "vmx/vmcs.h"
#include "x86/exceptions.h"

struct vmx_attempt vmx_attempt_of(uint64_t fault, enum vmx_result result)
{
    struct vmx_attempt attempt = {
        .is_tried = true, .fault = (uint32_t)fault, .result = result};

    if (fault == FAULT_NONE && result == VMX_FAIL_VALID)
        attempt.error = vmcs_instruction_error();
    return attempt;
}

bool vmx_attempt_succeeded(const struct vmx_attempt *attempt)
{
    return attempt->is_tried && attempt->fault == FAULT_NONE &&
           attempt->result == VMX_SUCCEED;
}

void vmx_attempt_describe(const struct vmx_attempt *attempt, const char *instruction,
                          struct text *text)
{
    uint32_t vector = FAULT_VECTOR(attempt->fault);

    if (!attempt->is_tried)
        text_append(text, "%s was not reached", instruction);
    else if (attempt->fault != FAULT_NONE)
        text_append(text, "%s raised %s (vector %u)", instruction,
                    exception_mnemonic(vector), vector);
    else if (attempt->result == VMX_FAIL_INVALID)
        text_append(text, "%s failed with VMfailInvalid", instruction);
    else if (attempt->result == VMX_FAIL_VALID)
        text_append(text, "%s failed with VMfailValid, error %u: %s", instruction,
                    attempt->error, vmx_error_name(attempt->error));
    else
        text_append(text, "%s succeeded", instruction);
}
