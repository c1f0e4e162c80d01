/*
 * Raw registers of real and emulated processors, and records made from them. The emulated
 * ones are from Hymir's log=debug in Bochs 2.7. The real ones are from published
 * VirtualBox logs, which contain the VMX MSRs and CPUID of the host.
 */
#ifndef HYMIR_TESTS_SNAPSHOTS_H
#define HYMIR_TESTS_SNAPSHOTS_H

#include "readings.h"

#include "x86/exceptions.h"

#include "check/verdict.h"
#include "vmx/feature_control.h"
#include "vmx/fixed_bits.h"
#include "vmx/record.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

struct recorded {
    const char *name;
    struct cpuid_result leaf_0, leaf_1, leaf_7, leaf_80000001, leaf_80000008;
    struct cpuid_result leaf_hypervisor;
    uint64_t feature_control;
    uint64_t rtit_control;
    uint64_t msr[VMX_MSR_COUNT];
};

/* Core 2 T9600, in Bochs: no EPT, and no EFER or PAT in the VMCS. */
static const struct recorded penryn = {
    .name            = "core2_penryn_t9600 (Bochs)",
    .leaf_0          = {0x0D, 0x756E6547, 0x6C65746E, 0x49656E69},
    .leaf_1          = {0x0001067A, 0x00010800, 0x0408E3FD, 0xBFEBFBFF},
    .leaf_80000001   = {0, 0, 0x00000001, 0x20100800},
    .leaf_80000008   = {0x3028, 0, 0, 0},
    .feature_control = 5,
    .rtit_control    = NONE,
    .msr             = {0x00D810000000002B,
                        0x0000003F00000016,
                        0xF7F9FFFE0401E172,
                        0x0003FFFF00036DFF,
                        0x00003FFF000011FF,
                        0x00000000000401E0,
                        0x80000021,
                        0xFFFFFFFF,
                        0x2000,
                        0x467FF,
                        0x34,
                        0x0000004100000000,
                        NONE,
                        0x0000003F00000016,
                        0xF7F9FFFE04006172,
                        0x0003FFFF00036DFB,
                        0x00003FFF000011FB,
                        NONE,
                        NONE,
                        NONE},
};

/* Core i7-1065G7, in Bochs: VMCS revision 4, monitor trap flag. */
static const struct recorded icelake = {
    .name            = "corei7_icelake_u (Bochs)",
    .leaf_0          = {0x1B, 0x756E6547, 0x6C65746E, 0x49656E69},
    .leaf_1          = {0x000706E5, 0x00010800, 0x77FAF3BF, 0xBFEBFBFF},
    .leaf_7          = {0, 0xF0BF27EB, 0x00405F4E, 0xBC000110},
    .leaf_80000001   = {0, 0, 0x00000121, 0x2C100800},
    .leaf_80000008   = {0x3028, 0, 0, 0},
    .feature_control = 5,
    .rtit_control    = NONE,
    .msr             = {0x00D8100000000004,
                        0x0000007F00000016,
                        0xFFF9FFFE0401E172,
                        0x007FFFFF00036DFF,
                        0x0000FFFF000011FF,
                        0x00000000600401E0,
                        0x80000021,
                        0xFFFFFFFF,
                        0x2000,
                        0x772FFF,
                        0x34,
                        0x02977FFF00000000,
                        0x00000F0106334141,
                        0x0000007F00000016,
                        0xFFF9FFFE04006172,
                        0x007FFFFF00036DFB,
                        0x0000FFFF000011FB,
                        1,
                        NONE,
                        NONE},
};

/*
 * A real Ivy Bridge, family 6 model 58 stepping 9: TRUE controls, EPT without 1-GiB
 * pages, no VMFUNC.
 */
static const struct recorded ivy_bridge = {
    .name            = "Ivy Bridge, CPUID 000306A9",
    .leaf_0          = {0x0D, 0x756E6547, 0x6C65746E, 0x49656E69},
    .leaf_1          = {0x000306A9, 0x03100800, 0x7FBAE3FF, 0xBFEBFBFF},
    .leaf_7          = {0, 0x00000281, 0, 0x9C000400},
    .leaf_80000001   = {0, 0, 0x00000001, 0x28100800},
    .leaf_80000008   = {0x3024, 0, 0, 0},
    .feature_control = 5,
    .rtit_control    = NONE,
    .msr             = {0x00DA040000000010,
                        0x0000007F00000016,
                        0xFFF9FFFE0401E172,
                        0x007FFFFF00036DFF,
                        0x0000FFFF000011FF,
                        0x00000000100401E5,
                        0x80000021,
                        0xFFFFFFFF,
                        0x2000,
                        0x1767FF,
                        0x2A,
                        0x000008FF00000000,
                        0x00000F0106114141,
                        0x0000007F00000016,
                        0xFFF9FFFE04006172,
                        0x007FFFFF00036DFB,
                        0x0000FFFF000011FB,
                        NONE,
                        NONE,
                        NONE},
};

/* A real Coffee Lake, family 6 model 158 stepping 10: SGX, Intel PT, VMFUNC. */
static const struct recorded coffee_lake = {
    .name            = "Coffee Lake, CPUID 000906EA",
    .leaf_0          = {0x16, 0x756E6547, 0x6C65746E, 0x49656E69},
    .leaf_1          = {0x000906EA, 0x03100800, 0x7FFAFBBF, 0xBFEBFBFF},
    .leaf_7          = {0, 0x029C67AF, 0x40000000, 0x9C002400},
    .leaf_80000001   = {0, 0, 0x00000121, 0x2C100800},
    .leaf_80000008   = {0x3027, 0, 0, 0},
    .feature_control = 0x20005,
    .rtit_control    = 0,
    .msr             = {0x00DA040000000004,
                        0x0000007F00000016,
                        0xFFF9FFFE0401E172,
                        0x01FFFFFF00036DFF,
                        0x0003FFFF000011FF,
                        0x000000007004C1E7,
                        0x80000021,
                        0xFFFFFFFF,
                        0x2000,
                        0x3727FF,
                        0x2E,
                        0x005FBCFF00000000,
                        0x00000F0106734141,
                        0x0000007F00000016,
                        0xFFF9FFFE04006172,
                        0x01FFFFFF00036DFB,
                        0x0003FFFF000011FB,
                        1,
                        NONE,
                        NONE},
};

/* Processors without VMX, whose VMX MSRs are not read. */
#define NO_MSRS                                                         \
    .feature_control = NONE, .rtit_control = NONE,                      \
    .msr = {NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, \
            NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE}

static const struct recorded ryzen = {
    .name          = "ryzen (Bochs)",
    .leaf_0        = {0x0D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00800F11, 0x00010800, 0x76D8320B, 0x178BFBFF},
    .leaf_7        = {0, 0x209C01A9, 0, 0},
    .leaf_80000001 = {0x00800F11, 0x20000000, 0x35C223FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x3028, 1, 0, 0},
    NO_MSRS,
};

static const struct recorded prescott = {
    .name          = "p4_prescott_celeron_336 (Bochs)",
    .leaf_0        = {3, 0x756E6547, 0x6C65746E, 0x49656E69},
    .leaf_1        = {0x00000F41, 0x00010800, 0x0000651D, 0xBFEBFBFF},
    .leaf_80000001 = {0, 0, 0, 0x20100800},
    .leaf_80000008 = {0x3028, 0, 0, 0},
    NO_MSRS,
};

static const struct recorded haswell_in_tcg = {
    .name            = "Haswell (QEMU 7.2's TCG)",
    .leaf_0          = {0x0D, 0x756E6547, 0x6C65746E, 0x49656E69},
    .leaf_1          = {0x000306C4, 0x00000800, 0xF6D83203, 0x078BFBFD},
    .leaf_7          = {0, 0x000003A9, 0, 0},
    .leaf_hypervisor = {0x40000001, 0x54474354, 0x43544743, 0x47435447},
    .leaf_80000001   = {0x000306C4, 0, 0x00000021, 0x28100800},
    .leaf_80000008   = {0x3028, 0, 0, 0},
    NO_MSRS,
};

static const struct recorded *const all_recorded[] = {&penryn, &icelake, &ivy_bridge,
                                                      &coffee_lake};

/*
 * Returns the record of a processor before its trial, with CR0 and CR4 as the boot code
 * sets them.
 */
static inline struct cpu_record record_before(const struct recorded *recorded)
{
    struct cpu_record record     = {.virtualization = &vt_x, .answer = CPU_ANSWERED};
    struct vmx_record *own       = vmx_record_of(&record);
    record.cpuid.leaf_0          = recorded->leaf_0;
    record.cpuid.leaf_1          = recorded->leaf_1;
    record.cpuid.leaf_7          = recorded->leaf_7;
    record.cpuid.leaf_80000001   = recorded->leaf_80000001;
    record.cpuid.leaf_80000008   = recorded->leaf_80000008;
    record.cpuid.leaf_hypervisor = recorded->leaf_hypervisor;
    record.cr0                   = 0x80010033;
    record.cr4                   = 0x60;
    own->feature_control         = reading_of(recorded->feature_control);
    own->rtit_control            = reading_of(recorded->rtit_control);
    for (size_t i = 0; i < VMX_MSR_COUNT; i++)
        own->capabilities.msr[i] = reading_of(recorded->msr[i]);
    return record;
}

static const struct vmx_attempt attempt_succeeded = {.is_tried = true};
static const struct vmx_attempt attempt_ud        = {.is_tried = true,
                                                     .fault    = FAULT_RAISED | VECTOR_UD};
static const struct vmx_attempt attempt_gp        = {.is_tried = true,
                                                     .fault    = FAULT_RAISED | VECTOR_GP};
static const struct vmx_attempt attempt_error_15  = {
     .is_tried = true, .result = VMX_FAIL_VALID, .error = 15};

/* Returns the record of a processor on which every step passed. */
static inline struct cpu_record record_ready(const struct recorded *recorded)
{
    struct cpu_record record      = record_before(recorded);
    vmx_record_of(&record)->steps = (struct vmx_steps){
        .vmxon           = attempt_succeeded,
        .vmptrst         = attempt_succeeded,
        .vmptrst_pointer = UINT64_MAX,
        .vmclear         = attempt_succeeded,
        .vmptrld         = attempt_succeeded,
        .second_vmxon    = attempt_error_15,
        .guest           = {.is_prepared = true,
                            .uses_ept    = vmx_has_ept(&vmx_record(&record)->capabilities),
                            .entry       = attempt_succeeded,
                            .exits = {.count = 2, .number = {EXIT_REASON_CPUID, EXIT_REASON_HLT}},
                            .registers_survived = true},
        .last_vmclear    = attempt_succeeded,
        .vmxoff          = attempt_succeeded,
        .vmxe_cleared    = true,
        .after_vmxoff    = attempt_ud,
    };
    verdict_judge_cpu(&record);
    return record;
}

/* Replaces one MSR in a record. */
static inline void set_msr(struct cpu_record *record, enum vmx_msr msr, uint64_t value)
{
    vmx_record_of(record)->capabilities.msr[msr - VMX_MSR_FIRST] = reading_of(value);
}

/* Makes the record that of a processor without VMX, on which only CPUID was read. */
static inline void remove_vmx(struct cpu_record *record)
{
    record->cpuid.leaf_1.ecx &= ~(uint32_t)CPUID_1_ECX_VMX;
    memset(record->own, 0, sizeof(record->own));
}

#endif
