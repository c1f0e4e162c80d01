/*
 * The macros in which the tables of requirements.h are written: conditions, premises, and
 * the requirements that several hypervisors share.
 */
#ifndef HYMIR_REPORT_REQUIREMENT_ROWS_H
#define HYMIR_REPORT_REQUIREMENT_ROWS_H

#include "cpu/cpuid.h"
#include "report/requirements.h"
#include "virt/record.h"
#include "x86/amd_vi.h"
#include "x86/control_registers.h"
#include "x86/iommu.h"
#include "x86/msr.h"
#include "x86/vt_d.h"

/* ---- Conditions -------------------------------------------------------------------- */

/* Ranges. */
#define IS(value)       (value), (value)
#define IS_NOT(value)   (value) + UINT64_C(1), (value)-UINT64_C(1)
#define AT_LEAST(value) (value), UINT64_MAX
#define AT_MOST(value)  0, (value)

#define CAN(in, bits)        READ_MAY_BE_1, GROUP_##in, bits, IS(bits)
#define CANNOT(in, bits)     READ_MAY_BE_1, GROUP_##in, bits, IS(0)
#define CAN_ANY(in, bits)    READ_MAY_BE_1, GROUP_##in, bits, IS_NOT(0)
#define CPUID(reg)           READ_CPUID, offsetof(struct cpuid_snapshot, reg)
#define CPUID_HAS(reg, bits) CPUID(reg), bits, IS(bits)
#define CPUID_NX             CPUID_HAS(leaf_80000001.edx, CPUID_80000001_EDX_NX)
#define MSR_HAS(msr, bits)   READ_MSR, MSR_IA32_##msr, bits, IS(bits)
#define MSR_LACKS(msr, bits) READ_MSR, MSR_IA32_##msr, bits, IS(0)
#define ALLOWED(msr, bits)   MSR_HAS(msr, (uint64_t)(bits) << 32) /* 1-settings */
#define WORD_IS(words)       READ_WORD, 0, words, IS_NOT(0)

/* ---- Requirements ------------------------------------------------------------------ */

#define PREMISE(name, words, ...) \
    static const struct premise name = {words, {.reading = __VA_ARGS__}}

#define ROW(name, kind, premise, ...)                 \
    {                                                 \
        {.reading = __VA_ARGS__}, name, kind, premise \
    }
#define NAMED(name, ...)   ROW(name, "", NULL, __VA_ARGS__)
#define BITS(premise, ...) ROW(NULL, "", premise, __VA_ARGS__)

/* Bits that must support 1, 0 or both, or of which at least one must support 1. */
#define ONE(in, bits)          BITS(NULL, CAN(in, bits))
#define ZERO(in, bits)         BITS(NULL, READ_MUST_BE_1, GROUP_##in, bits, IS(0))
#define EITHER(in, bits)       ONE(in, bits), ZERO(in, bits)
#define ANY(premise, in, bits) BITS(premise, CAN_ANY(in, bits))
#define IF(premise, in, bits)  BITS(&(premise), CAN(in, bits))
#define VCPU(in)               BITS(NULL, READ_VCPU_ONES, GROUP_##in, UINT64_MAX, IS(UINT64_MAX))
#define VCPU_CONTROLS(in, controls)                                            \
    VCPU(in), ROW("0 for all other controls", controls, NULL, READ_VCPU_ZEROS, \
                  GROUP_##in, UINT64_MAX, IS(0))
#define PAIR(of_entry, of_exit) BITS(NULL, READ_PAIR, of_exit, of_entry, IS_NOT(0))

#define INTERRUPTS (PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING)
#define MOV_CR3    (PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING)
#define MOV_CR8    (PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING)
#define KVM_AND_XEN                                                         \
    (PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_USE_TSC_OFFSETTING |        \
     PRIMARY_HLT_EXITING | PRIMARY_INVLPG_EXITING | PRIMARY_MWAIT_EXITING | \
     PRIMARY_MOV_DR_EXITING | PRIMARY_MONITOR_EXITING | MOV_CR3 | MOV_CR8)

#define BASIC(name, high, low, ...)                                                     \
    ROW(name, "IA32_VMX_BASIC", NULL, READ_MAY_BE_1, GROUP_BASIC, BITS_MASK(high, low), \
        __VA_ARGS__)
#define WRITE_BACK \
    BASIC("write-back VMCSs", 53, 50, IS((uint64_t)VMX_MEMORY_TYPE_WRITE_BACK << 50))
#define REGION_4_KIB \
    BASIC("VMCSs of 4096 bytes at most", 44, 32, AT_MOST(PAGE_SIZE << 32))
#define NO_32_BIT_ADDRESSES BITS(NULL, CANNOT(BASIC, VMX_BASIC_ADDRESSES_32_BIT))

/* The same on all CPUs: bits of CPUID, and those of a VMX MSR that a hypervisor uses. */
#define ON_ALL "the same on all CPUs"
#define EQUAL(name, reg, bits) \
    ROW(name, ON_ALL, NULL, CPUID(reg), bits, AT_MOST(bits), .agreement = AGREEMENT_SAME)
#define IN_USE(kind, rules, name, bits)                                        \
    ROW("IA32_VMX_" #name, kind, NULL, READ_IN_USE, MSR_IA32_VMX_##name, bits, \
        AT_LEAST(0), .agreement = AGREEMENT_SAME, .drops = (rules))
#define ALL_BITS UINT64_MAX

/* All but Hymir with nolock lock an unlocked IA32_FEATURE_CONTROL, on each CPU. */
#define USABLE (BIT(VERDICT_READY) | BIT(VERDICT_UNLOCKED))
#define WORKS(technology) \
    ROW(technology " that works on all CPUs", "the verdict", NULL, WORD_IS(USABLE))
#define WORKS_ON_ONE(technology)                                \
    ROW(technology " that works on a CPU", "the verdict", NULL, \
        WORD_IS(BIT(VERDICT_READY)), .agreement = AGREEMENT_ANY)
#define LOCKED_BY_FIRMWARE                                                      \
    ROW("IA32_FEATURE_CONTROL locked by firmware", "its document does not say", \
        &unlocked, READ_NOTHING)
#define LOCKED_ON (FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX)
#define FEATURE_CONTROL(name, ...) \
    NAMED(name, READ_MSR, MSR_IA32_FEATURE_CONTROL, LOCKED_ON, __VA_ARGS__)

#define LEAF(leaf, name)     NAMED(name, CPUID(leaf_0.eax), UINT32_MAX, AT_LEAST(leaf))
#define HAS(reg, bits, name) NAMED(name, CPUID_HAS(reg, bits))
#define LONG_MODE            HAS(leaf_80000001.edx, CPUID_80000001_EDX_LONG_MODE, "long mode")
#define NX(premise)          ROW("NX (execute disable)", "", premise, CPUID_NX)
#define FXSAVE               HAS(leaf_1.edx, CPUID_1_EDX_FXSR, "FXSAVE")
#define SSE                  HAS(leaf_1.edx, CPUID_1_EDX_SSE, "SSE")
#define TWO_CPUS             NAMED("two CPUs", READ_CPUS, 0, UINT64_MAX, AT_LEAST(2))

/* 8 GiB of modules, less what firmware reserves. */
#define ESXI_RAM (UINT64_C(7680) << 20)

#define UNITS_IF(premise, name) \
    ROW(name, "an ACPI table DMAR", &(premise), READ_UNIT_ANSWERS, 0, 1, IS(1))
#define UNITS                    UNITS_IF(dmar, "VT-d units that answer"), UNITS_IF(no_dmar, "VT-d")
#define UNIT(name, ...)          ROW(name, "VT-d", &vt_d_units, __VA_ARGS__)
#define UNIT_READ(reg)           READ_UNIT, offsetof(struct iommu_unit, reg)
#define UNIT_HAS(reg, bit, name) UNIT(name, UNIT_READ(reg), bit, IS(bit))
#define REMAPPING                                                                        \
    UNIT_HAS(extended_capability, VT_D_ECAP_QUEUED_INVALIDATION, "queued invalidation"), \
        UNIT_HAS(extended_capability, VT_D_ECAP_INTERRUPT_REMAPPING,                     \
                 "interrupt remapping")

#define SOURCE(of, name, ...)                                             \
    {                                                                     \
        HYPERVISOR_##of, name, (const struct requirement[]){__VA_ARGS__}, \
            sizeof((const struct requirement[]){__VA_ARGS__}) /           \
                sizeof(struct requirement)                                \
    }
/* The file's sources, as a table for a technology or, if that is NULL, for any. */
#define TABLE(technology)                                         \
    {                                                             \
        technology, sources, sizeof(sources) / sizeof(sources[0]) \
    }

#endif
