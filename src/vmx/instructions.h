/*
 * The VMX instructions, one a function.
 *
 * SDM 3C, "VMX Instruction Reference", "Conventions": success clears CF and ZF,
 * VMfailInvalid sets CF, VMfailValid sets ZF and leaves an error number in the current
 * VMCS. The functions named *_try survive an exception, for entering VMX operation on an
 * unknown machine; the others require a CPU in VMX operation. VMLAUNCH and VMRESUME are
 * in entry.asm.
 */
#ifndef HYMIR_VMX_INSTRUCTIONS_H
#define HYMIR_VMX_INSTRUCTIONS_H

#include "cpu/instructions.h"
#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"

#include <stdbool.h>
#include <stdint.h>

enum vmx_result {
    VMX_SUCCEED,
    VMX_FAIL_INVALID,
    VMX_FAIL_VALID,
};

static inline enum vmx_result vmx_result_of(bool carry, bool zero)
{
    return carry ? VMX_FAIL_INVALID : zero ? VMX_FAIL_VALID : VMX_SUCCEED;
}

/* The outcome of an instruction that may fault; vmx/attempt.h describes it. */
struct vmx_attempt {
    bool is_tried;
    uint32_t fault; /* FAULT_NONE, or the exception; the rest is then invalid */
    enum vmx_result result;
    uint32_t error; /* the VM-instruction error number, if VMX_FAIL_VALID */
};

/* An instruction that faults leaves the flags unchanged, so they are ignored then. */
static inline struct vmx_attempt vmx_attempt_of(uint64_t fault, bool carry, bool zero)
{
    return (struct vmx_attempt){
        .is_tried = true, .fault = (uint32_t)fault, .result = vmx_result_of(carry, zero)};
}

/* The functions *_try leave the error number to vmx_attempt_complete. */
static inline struct vmx_attempt vmxon_try(hpa_t region)
{
    bool carry, zero;
    register uint64_t fault __asm__("r11") = FAULT_NONE;
    __asm__ volatile("1: vmxon %[region]\n2:\n\t" EXCEPTION_TABLE_ROW
                     : "+r"(fault), "=@ccc"(carry), "=@ccz"(zero)
                     : [region] "m"(region.value)
                     : "memory");
    return vmx_attempt_of(fault, carry, zero);
}

static inline struct vmx_attempt vmxoff_try(void)
{
    bool carry, zero;
    register uint64_t fault __asm__("r11") = FAULT_NONE;
    __asm__ volatile("1: vmxoff\n2:\n\t" EXCEPTION_TABLE_ROW
                     : "+r"(fault), "=@ccc"(carry), "=@ccz"(zero)
                     :
                     : "memory");
    return vmx_attempt_of(fault, carry, zero);
}

/* Sets *pointer to the current VMCS, or all ones; a fault leaves it unchanged. */
static inline struct vmx_attempt vmptrst_try(uint64_t *pointer)
{
    bool carry, zero;
    register uint64_t fault __asm__("r11") = FAULT_NONE;
    __asm__ volatile("1: vmptrst %[pointer]\n2:\n\t" EXCEPTION_TABLE_ROW
                     : [pointer] "+m"(*pointer), "+r"(fault), "=@ccc"(carry),
                       "=@ccz"(zero)
                     :
                     : "memory");
    return vmx_attempt_of(fault, carry, zero);
}

static inline MUST_CHECK enum vmx_result vmclear(hpa_t vmcs)
{
    bool carry, zero;
    __asm__ volatile("vmclear %[vmcs]"
                     : "=@ccc"(carry), "=@ccz"(zero)
                     : [vmcs] "m"(vmcs.value)
                     : "memory");
    return vmx_result_of(carry, zero);
}

static inline MUST_CHECK enum vmx_result vmptrld(hpa_t vmcs)
{
    bool carry, zero;
    __asm__ volatile("vmptrld %[vmcs]"
                     : "=@ccc"(carry), "=@ccz"(zero)
                     : [vmcs] "m"(vmcs.value)
                     : "memory");
    return vmx_result_of(carry, zero);
}

static inline MUST_CHECK enum vmx_result vmread(uint32_t field, uint64_t *value)
{
    bool carry, zero;
    uint64_t read = 0;
    __asm__ volatile("vmread %[field], %[value]"
                     : [value] "=r"(read), "=@ccc"(carry), "=@ccz"(zero)
                     : [field] "r"((uint64_t)field)
                     : "memory");
    if (!carry && !zero)
        *value = read;
    return vmx_result_of(carry, zero);
}

static inline MUST_CHECK enum vmx_result vmwrite(uint32_t field, uint64_t value)
{
    bool carry, zero;
    __asm__ volatile("vmwrite %[value], %[field]"
                     : "=@ccc"(carry), "=@ccz"(zero)
                     : [value] "r"(value), [field] "r"((uint64_t)field)
                     : "memory");
    return vmx_result_of(carry, zero);
}

/* The same without the kind of failure, at the cost of one conditional jump. */
static inline MUST_CHECK bool vmread_quick(uint32_t field, uint64_t *value)
{
    bool failed;
    __asm__ volatile("vmread %[field], %[value]"
                     : [value] "=r"(*value), "=@ccbe"(failed)
                     : [field] "r"((uint64_t)field)
                     : "memory");
    return !failed;
}

static inline MUST_CHECK bool vmwrite_quick(uint32_t field, uint64_t value)
{
    bool failed;
    __asm__ volatile("vmwrite %[value], %[field]"
                     : "=@ccbe"(failed)
                     : [value] "r"(value), [field] "r"((uint64_t)field)
                     : "memory");
    return !failed;
}

/* Removes all translations of guests from the TLB: INVVPID, all contexts. */
static inline MUST_CHECK enum vmx_result invvpid_all(void)
{
    bool carry, zero;
    const struct {
        uint64_t vpid, address;
    } descriptor = {0};
    __asm__ volatile("invvpid %[descriptor], %[type]"
                     : "=@ccc"(carry), "=@ccz"(zero)
                     : [descriptor] "m"(descriptor), [type] "r"((uint64_t)2)
                     : "memory");
    return vmx_result_of(carry, zero);
}

/* Removes all translations derived from EPT from the TLB: INVEPT, all contexts. */
static inline MUST_CHECK enum vmx_result invept_all(void)
{
    bool carry, zero;
    const struct {
        uint64_t ept_pointer, reserved;
    } descriptor = {0};
    __asm__ volatile("invept %[descriptor], %[type]"
                     : "=@ccc"(carry), "=@ccz"(zero)
                     : [descriptor] "m"(descriptor), [type] "r"((uint64_t)2)
                     : "memory");
    return vmx_result_of(carry, zero);
}

#endif
