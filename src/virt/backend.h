/*
 * The operations of a processor's virtualization that guest/ uses, vendor-neutral.
 */
#ifndef HYMIR_VIRT_BACKEND_H
#define HYMIR_VIRT_BACKEND_H

#include "lib/format.h"
#include "lib/status.h"
#include "virt/nested_paging.h"
#include "virt/vcpu.h"
#include "virt/vendor_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The registers of a vCPU besides the general ones; only RSP, RFLAGS, CR2, the TSC and
 * its offset, DEBUGCTL and the last two are writable.
 */
enum vcpu_register {
    VCPU_RIP,
    VCPU_RSP,
    VCPU_RFLAGS,
    VCPU_CR0, /* as the guest reads it */
    VCPU_CR2,
    VCPU_CR3,
    VCPU_CR4,
    VCPU_EFER,
    VCPU_TSC,        /* as the guest reads it */
    VCPU_TSC_OFFSET, /* from the TSC of its CPU */
    VCPU_DEBUGCTL,
    VCPU_XCR0,
    VCPU_CPL,
    VCPU_CODE_SIZE, /* enum code_size */
    VCPU_CS_BASE,
    VCPU_PDPTE_0, /* as loaded with CR3, if the guest uses PAE paging */
    VCPU_PDPTE_3 = VCPU_PDPTE_0 + 3,
    VCPU_PKRU, /* if CR4.PKE is set */
    VCPU_DR_0,
    VCPU_DR_3 = VCPU_DR_0 + 3,
    VCPU_DR7,
    VCPU_SPEC_CTRL,      /* if the guest's CPUID reports any bit of it */
    VCPU_VIRT_SPEC_CTRL, /* the same; its bit SSBD */
    VCPU_REGISTER_COUNT,
};

/* GDTR. */
struct vcpu_table {
    uint64_t base;
    uint32_t limit;
};

/* The registers at the start of a guest; all others are as after reset. */
struct vcpu_start {
    uint64_t rip;
    uint64_t cr0, cr3, cr4, efer;
    struct vcpu_segment code, data; /* data: ES, SS, DS, FS and GS */
    struct vcpu_table gdt;          /* limit 0 for a guest that loads its own */
    uint64_t rax, rbx, rdx, rsi;
};

/* The parameters that all vCPUs of a VM share. */
struct vcpu_plan {
    bool avoids_preemption_timer; /* for alarms, if there is another timer */
    bool has_apicv;    /* the processor virtualizes the local APIC, if it can */
    hpa_t memory_root; /* of the tables that map it */
};

struct backend {
    const struct nested_format *nested_format; /* of the tables for guest memory */

    /* The size of vcpu->arch, which is in zeroed pages below 4 GiB, in bytes. */
    size_t state_size;

    /* Prepares vcpu->arch, with the exit rows. The plan must outlive it. */
    void (*init)(struct vcpu *vcpu, const struct vcpu_plan *plan);

    /*
     * Runs *vcpu from *vcpu->start on this CPU until it ends. vcpu->end has the reason,
     * also if the run could not start.
     */
    void (*run)(struct vcpu *vcpu);

    /*
     * Sets the registers to *vcpu->start, as INIT does, for the handler interrupted:
     * events that wait for delivery and the TLB's translations are lost; the TSC, MSRs
     * and the registers of the FPU, SSE and AVX are preserved. SDM 3A, "Processor State
     * After Reset".
     */
    void (*restart)(struct vcpu *vcpu);

    /* For handlers, on the vCPU's CPU. */
    uint64_t (*read_register)(struct vcpu *vcpu, enum vcpu_register which);
    void (*write_register)(struct vcpu *vcpu, enum vcpu_register which, uint64_t value);

    void (*read_segment)(struct vcpu *vcpu, enum segment_number number,
                         struct vcpu_segment *segment);

    /* Delivers a fault at the next entry, with the error code if it has one. */
    void (*inject_exception)(struct vcpu *vcpu, uint8_t vector, uint32_t error_code);

    /* Delivers #DB, with causes as in DR6, at the end of the instruction or iteration. */
    void (*add_debug_causes)(struct vcpu *vcpu, uint64_t causes);

    /*
     * Request events. While an interrupt is requested, take_interrupt is called as soon
     * as the guest can accept one, and its vector is delivered. An NMI is delivered once,
     * as soon as NMIs are not blocked.
     */
    void (*request_interrupt)(struct vcpu *vcpu, bool is_requested);
    void (*request_nmi)(struct vcpu *vcpu);

    /*
     * Sets the only alarm of a vCPU to a time of the TSC, or to TICKS_NEVER. It may come
     * slightly later, whether the guest is running or halted.
     */
    void (*set_alarm)(struct vcpu *vcpu, uint64_t time);

    /* Applies a change of vcpu->apic, while it runs. NULL if that is not used. */
    void (*update_apic)(struct vcpu *vcpu);

    /*
     * Removes the translations of guest memory from this CPU's TLB. NULL if the format of
     * the tables has no pages to split.
     */
    void (*invalidate_memory)(struct vcpu *vcpu);

    /* Returns the name of the exits that vcpu->row[row] counts. */
    const char *(*exit_name)(uint32_t row);

    /* Appends a description of an exit. */
    void (*describe_exit)(const struct exit_record *record, struct text *words);

    /* Executes CPUID, without the features that a guest cannot use on this CPU. */
    struct cpuid_result (*read_cpuid)(uint32_t leaf, uint32_t subleaf);

    /* Returns IA32_ARCH_CAPABILITIES of this CPU, 0 without one. */
    uint64_t (*read_capabilities)(void);

    /* The vendor's part of a guest's CPUID and MSRs. */
    const struct vendor_cpuid *cpuid;
    const struct vendor_msrs *msrs;
};

/* Raises an exception in the guest, for a handler. Returns EXIT_RESUME. */
static inline enum exit_outcome vcpu_inject_exception(struct vcpu *vcpu, uint8_t vector,
                                                      uint32_t error_code)
{
    vcpu->backend->inject_exception(vcpu, vector, error_code);
    return EXIT_RESUME;
}

#endif
