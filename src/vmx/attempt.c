/* See attempt.h. */
#include "vmx/attempt.h"

#include "vmx/vmcs.h"
#include "x86/exceptions.h"

bool vmx_attempt_succeeded(const struct vmx_attempt *attempt)
{
    return attempt->is_tried && attempt->fault == FAULT_NONE &&
           attempt->result == VMX_SUCCEED;
}

struct vmx_attempt vmx_attempt_complete(struct vmx_attempt attempt)
{
    if (attempt.fault == FAULT_NONE && attempt.result == VMX_FAIL_VALID)
        attempt.error = vmcs_instruction_error();
    return attempt;
}

struct vmx_attempt vmx_attempt_done(enum vmx_result result)
{
    return vmx_attempt_complete((struct vmx_attempt){.is_tried = true, .result = result});
}

const char *vmx_fault_name(uint32_t vector)
{
    switch (vector) {
    case VECTOR_UD:
        return "#UD";
    case VECTOR_GP:
        return "#GP";
    case VECTOR_PF:
        return "#PF";
    default:
        return "an exception";
    }
}

void vmx_attempt_describe(const struct vmx_attempt *attempt, const char *instruction,
                          struct text *text)
{
    if (!attempt->is_tried)
        text_append(text, "%s was not reached", instruction);
    else if (attempt->fault != FAULT_NONE)
        text_append(text, "%s raised %s (vector %u)", instruction,
                    vmx_fault_name(FAULT_VECTOR(attempt->fault)),
                    FAULT_VECTOR(attempt->fault));
    else if (attempt->result == VMX_FAIL_INVALID)
        text_append(text, "%s ended in VMfailInvalid", instruction);
    else if (attempt->result == VMX_FAIL_VALID)
        text_append(text, "%s ended in VMfailValid, error %u: %s", instruction,
                    attempt->error, vmx_error_name(attempt->error));
    else
        text_append(text, "%s succeeded", instruction);
}
