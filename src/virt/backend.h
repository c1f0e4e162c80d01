/*
 * What guest/ needs of a processor's virtualization, as operations that no vendor owns.
 * vmx/vcpu.c has Intel's.
 */
#ifndef HYMIR_VIRT_BACKEND_H
#define HYMIR_VIRT_BACKEND_H

#include "lib/format.h"
#include "lib/status.h"
#include "mm/address.h"
#include "virt/vcpu.h"
#include "virt/vendor_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state of a vCPU beside its general registers. */
enum vcpu_register {
    VCPU_RIP,
    VCPU_RSP,
    VCPU_RFLAGS,
    VCPU_CR0, /* as the guest sees it */
    VCPU_CR3,
    VCPU_CR4,
    VCPU_EFER,
    VCPU_TSC,  /* time-stamp counter, as the guest reads it */
    VCPU_XCR0, /* read-only */
    VCPU_CPL,  /* read-only */
};

/* A segment register as VM entry loads it: SDM 3C, "Guest Register State". */
struct vcpu_segment {
    uint16_t selector;
    uint32_t limit;
    uint32_t access_rights;
};

/* The GDT's place in the guest's memory, as VM entry loads GDTR. */
struct vcpu_table {
    uint64_t base;
    uint32_t limit;
};

/* Where a guest starts. Bases are 0, what is not named is as after reset. */
struct vcpu_start {
    uint64_t rip;
    uint64_t cr0, cr3, cr4, efer;
    struct vcpu_segment code, data; /* data: ES, SS, DS, FS and GS */
    struct vcpu_table gdt;          /* limit 0 for a guest that brings its own first */
    uint64_t rax, rbx, rsi;
};

/* What a VM gives each of its vCPUs. */
struct vcpu_plan {
    bool avoids_preemption_timer; /* for alarms, where there is another timer */
    hpa_t memory_root;            /* of map_memory */
    const struct vcpu_start *start;
};

struct backend {
    /*
     * Maps guest memory, readable, writable, executable and cached; *root is 0 at first
     * and then the root of the tables. Multiples of PAGE_SIZE. STATUS_NO_MEMORY.
     */
    enum status (*map_memory)(hpa_t *root, gpa_t guest, hpa_t host, uint64_t size);

    /*
     * Gives *vcpu the memory it needs; the plan stays as it is while it lives. On the
     * boot CPU. STATUS_NO_MEMORY.
     */
    enum status (*create)(struct vcpu *vcpu, const struct vcpu_plan *plan);

    /*
     * Runs *vcpu on the CPU that executes this, until it ends: vcpu->end says why, also
     * if it could not be started.
     */
    void (*run)(struct vcpu *vcpu);

    /* For handlers, on the vCPU's CPU. */
    uint64_t (*read_register)(struct vcpu *vcpu, enum vcpu_register which);
    void (*write_register)(struct vcpu *vcpu, enum vcpu_register which, uint64_t value);

    /* Delivers an exception at the next entry; a vector with an error code has one. */
    void (*inject_exception)(struct vcpu *vcpu, uint8_t vector, uint32_t error_code);

    /*
     * Interrupts of the VM's devices. While one is requested, take_interrupt is called as
     * soon as the guest can take it, and it is delivered. An NMI is delivered once, when
     * no other one is being handled.
     */
    void (*request_interrupt)(struct vcpu *vcpu, bool is_requested);
    void (*request_nmi)(struct vcpu *vcpu);

    /*
     * Sets the only alarm of a vCPU, which comes at that time of the TSC or soon after,
     * whether the guest is busy or idle; TICKS_NEVER: none.
     */
    void (*set_alarm)(struct vcpu *vcpu, uint64_t time);

    /* What a page fault leaves in CR2. */
    void (*write_cr2)(uint64_t address);

    /* The words for the reason that a row of struct vcpu is for. */
    const char *(*exit_name)(uint32_t row);

    /* Appends what an exit was about, in words. */
    void (*describe_exit)(const struct exit_record *record, struct text *words);

    /* What CPUID says on the vCPU's CPU. */
    struct cpuid_result (*read_cpuid)(uint32_t leaf, uint32_t subleaf);

    /* What guests see that only the vendor's processors have. */
    const struct vendor_cpuid *cpuid;
    const struct vendor_msrs *msrs;
};

#endif
