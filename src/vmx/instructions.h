/*
 * The VMX instructions, one per function, and the outcome of those that may fault.
 *
 * SDM 3C, "VMX Instruction Reference", "Conventions": success clears CF and ZF,
 * VMfailInvalid sets CF, VMfailValid sets ZF and leaves an error number in the current
 * VMCS: "VM-Instruction Error Numbers". The functions named *_try handle an exception,
 * for entering VMX operation on an unknown machine; the others require a CPU in VMX
 * operation.
 */
#ifndef HYMIR_VMX_INSTRUCTIONS_H
#define HYMIR_VMX_INSTRUCTIONS_H

#include "cpu/instructions.h"
#include "lib/format.h"
#include "lib/status.h"
#include "mm/address.h"

enum vmx_result {
    VMX_SUCCEED,
    VMX_FAIL_INVALID,
    VMX_FAIL_VALID,
};

/* The outcome of an instruction that may fault. */
struct vmx_attempt {
    bool is_tried;
    uint32_t fault; /* FAULT_NONE, or the exception; the rest is then invalid */
    enum vmx_result result;
    uint32_t error; /* the VM-instruction error number, if VMX_FAIL_VALID */
};

/*
 * Returns the outcome of an instruction, with the error number of VMfailValid; called
 * right after the instruction, on the same CPU.
 */
struct vmx_attempt vmx_attempt_of(uint64_t fault, enum vmx_result result);

/* Returns whether it was tried, raised no exception and set neither CF nor ZF. */
bool vmx_attempt_succeeded(const struct vmx_attempt *attempt);

/* Appends the outcome of the instruction, as in "VMXON raised #UD (vector 6)". */
void vmx_attempt_describe(const struct vmx_attempt *attempt, const char *instruction,
                          struct text *text);

static inline enum vmx_result vmx_result_of(bool carry, bool zero)
{
    return carry ? VMX_FAIL_INVALID : zero ? VMX_FAIL_VALID : VMX_SUCCEED;
}

/* A fault leaves the flags unchanged, so the result is then invalid. */
#define DEFINE_VMX_TRY(function, parameter, assembly, ...)             \
    static inline struct vmx_attempt function(parameter)               \
    {                                                                  \
        bool carry, zero;                                              \
        register uint64_t fault __asm__("r11") = FAULT_NONE;           \
        __asm__ volatile("1: " assembly "\n2:\n\t" EXCEPTION_TABLE_ROW \
                         : "+r"(fault), "=@ccc"(carry), "=@ccz"(zero)  \
                         : __VA_ARGS__                                 \
                         : "memory");                                  \
        return vmx_attempt_of(fault, vmx_result_of(carry, zero));      \
    }
DEFINE_VMX_TRY(vmxon_try, hpa_t region, "vmxon %3", "m"(region.value))
DEFINE_VMX_TRY(vmxoff_try, void, "vmxoff", )

/* Sets *pointer to the current VMCS, or all ones; a fault leaves it unchanged. */
DEFINE_VMX_TRY(vmptrst_try, uint64_t *pointer, "vmptrst (%3)", "r"(pointer))

#define DEFINE_VMX_INSTRUCTION(function, parameter, assembly, ...) \
    static inline MUST_CHECK enum vmx_result function(parameter)   \
    {                                                              \
        bool carry, zero;                                          \
        __asm__ volatile(assembly                                  \
                         : "=@ccc"(carry), "=@ccz"(zero)           \
                         : __VA_ARGS__                             \
                         : "memory");                              \
        return vmx_result_of(carry, zero);                         \
    }
DEFINE_VMX_INSTRUCTION(vmclear, hpa_t vmcs, "vmclear %2", "m"(vmcs.value))
DEFINE_VMX_INSTRUCTION(vmptrld, hpa_t vmcs, "vmptrld %2", "m"(vmcs.value))

/* The operands of INVEPT and INVVPID for all contexts. */
struct invalidation_descriptor {
    uint64_t context, address;
};
#define INVALIDATE_ALL_CONTEXTS \
    "m"((const struct invalidation_descriptor){0}), "r"(UINT64_C(2))

/* Remove all translations of guests, or all derived from EPT, from the TLB. */
DEFINE_VMX_INSTRUCTION(invvpid_all, void, "invvpid %2, %3", INVALIDATE_ALL_CONTEXTS)
DEFINE_VMX_INSTRUCTION(invept_all, void, "invept %2, %3", INVALIDATE_ALL_CONTEXTS)

/*
 * Return false on failure, which leaves *value undefined. One conditional jump each,
 * because most are executed at VM exits.
 */
static inline MUST_CHECK bool vmread(uint32_t field, uint64_t *value)
{
    bool failed;
    __asm__ volatile("vmread %[field], %[value]"
                     : [value] "=r"(*value), "=@ccbe"(failed)
                     : [field] "r"((uint64_t)field)
                     : "memory");
    return !failed;
}

static inline MUST_CHECK bool vmwrite(uint32_t field, uint64_t value)
{
    bool failed;
    __asm__ volatile("vmwrite %[value], %[field]"
                     : "=@ccbe"(failed)
                     : [value] "r"(value), [field] "r"((uint64_t)field)
                     : "memory");
    return !failed;
}

/*
 * The same for a field that vcpu_state_write has written or that all processors have:
 * they succeed while a VMCS is current, as it is after a VM exit. For the path of every
 * exit, which a check would lengthen by an instruction.
 */
static inline uint64_t vmread_known(uint32_t field)
{
    uint64_t value;
    __asm__ volatile("vmread %[field], %[value]"
                     : [value] "=r"(value)
                     : [field] "r"((uint64_t)field)
                     : "cc");
    return value;
}

static inline void vmwrite_known(uint32_t field, uint64_t value)
{
    __asm__ volatile("vmwrite %[value], %[field]"
                     :
                     : [value] "r"(value), [field] "r"((uint64_t)field)
                     : "cc");
}

struct vcpu_run;

/*
 * Enters the guest of the current VMCS, by VMLAUNCH the first time and VMRESUME
 * afterwards, and calls run->on_exit at each VM exit, on the caller's stack, until that
 * returns RUN_STOP. Returns VMX_SUCCEED, or how an entry failed. Writes HOST_RSP and
 * HOST_RIP. In VMX root operation, with interrupts off. In entry.asm.
 */
enum vmx_result MUST_CHECK vmx_run(struct vcpu_run *run);

#endif
