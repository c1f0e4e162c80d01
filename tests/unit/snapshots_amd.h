/*
 * Raw registers of real and emulated processors with AMD-V, and records made from them.
 * The emulated ones are from Hymir's log=debug. The CPUID of the real ones is from
 * github.com/InstLatx64/InstLatx64 087af2c7d7; their VM_CR is the value in VirtualBox's
 * profiles of an FX-8150 and a Phenom II: firmware has set LOCK and left SVMDIS clear.
 */
#ifndef HYMIR_TESTS_SNAPSHOTS_AMD_H
#define HYMIR_TESTS_SNAPSHOTS_AMD_H

#include "readings.h"

#include "check/verdict.h"
#include "svm/record.h"
#include "svm/svm.h"
#include "svm/trial.h"
#include "svm/vmcb.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"
#include "x86/msr.h"
#include "x86/svm_capabilities.h"

struct recorded_amd {
    const char *name;
    struct cpuid_result leaf_0, leaf_1, leaf_7, leaf_80000001, leaf_80000008;
    struct cpuid_result leaf_hypervisor;
    struct cpuid_result features, encryption; /* Fn8000_000A, Fn8000_001F */
    uint64_t vm_cr;                           /* NONE: RDMSR raises #GP */
};

/* AuthenticAMD0100F42_K10_Shanghai_CPUID.txt. No VMCB clean bits, no flush by ASID, no
 * decode assists; 64 ASIDs. */
static const struct recorded_amd opteron_2378 = {
    .name          = "Opteron 2378 (K10, Shanghai)",
    .leaf_0        = {0x00000005, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00100F42, 0x00040800, 0x00802009, 0x178BFBFF},
    .leaf_80000001 = {0x00100F42, 0x00000CEF, 0x000037FF, 0xEFD3FBFF},
    .leaf_80000008 = {0x00003030, 0, 0x00002003, 0},
    .features      = {0x00000001, 0x00000040, 0, 0x0000000F},
    .vm_cr         = 8,
};

/* AuthenticAMD0600F12_K15_Zambezi8C_CPUID.txt */
static const struct recorded_amd fx_8150 = {
    .name          = "FX-8150 (Bulldozer)",
    .leaf_0        = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00600F12, 0x00080800, 0x1E98220B, 0x178BFBFF},
    .leaf_80000001 = {0x00600F12, 0x10000000, 0x01C9BFFF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003030, 0, 0x00004007, 0},
    .features      = {0x00000001, 0x00010000, 0, 0x000014FF},
    .vm_cr         = 8,
};

/* AuthenticAMD0800F11_K17_Zen2_CPUID.txt */
static const struct recorded_amd ryzen_1700x = {
    .name          = "Ryzen 7 1700X (Zen)",
    .leaf_0        = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00800F11, 0x00100800, 0x7ED8320B, 0x178BFBFF},
    .leaf_7        = {0, 0x209C01A9, 0, 0},
    .leaf_80000001 = {0x00800F11, 0x20000000, 0x35C233FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003030, 0x00000007, 0x0000400F, 0},
    .features      = {0x00000001, 0x00008000, 0, 0x0001BCFF},
    .encryption    = {0x00000007, 0x0000016F, 0x0000000F, 0},
    .vm_cr         = 8,
};

/* AuthenticAMD0870F10_K17_Matisse_01_CPUID.txt */
static const struct recorded_amd ryzen_3600x = {
    .name          = "Ryzen 5 3600X (Zen 2)",
    .leaf_0        = {0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00870F10, 0x000C0800, 0x7EF8320B, 0x178BFBFF},
    .leaf_7        = {0, 0x219C91A9, 0x00400004, 0},
    .leaf_80000001 = {0x00870F10, 0x20000000, 0x75C237FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003030, 0x010CB657, 0x0000700B, 0x00010000},
    .features      = {0x00000001, 0x00008000, 0, 0x0013BCFF},
    .encryption    = {0x0001000F, 0x0000016F, 0x000001FD, 0x00000001},
    .vm_cr         = 8,
};

/* AuthenticAMD0A00F11_K19_Milan_02_CPUID.txt */
static const struct recorded_amd epyc_7763 = {
    .name          = "EPYC 7763 (Zen 3)",
    .leaf_0        = {0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00A00F11, 0x00400800, 0x7EDA320B, 0x178BFBFF},
    .leaf_7        = {0, 0x219C97A9, 0x0040068C, 0x00000010},
    .leaf_80000001 = {0x00A00F11, 0x40000000, 0x75C237FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003030, 0x91BEF75F, 0x0000603F, 0x00010007},
    .features      = {0x00000001, 0x00008000, 0, 0x119B9CFF},
    .encryption    = {0x0001FC3F, 0x00004173, 0x000001FD, 0x00000001},
    .vm_cr         = 8,
};

/* AuthenticAMD0A10F11_K19_Genoa_01_CPUID.txt */
static const struct recorded_amd epyc_9654 = {
    .name          = "EPYC 9654 (Zen 4)",
    .leaf_0        = {0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00A10F11, 0x00C00800, 0x7EFA320B, 0x178BFBFF},
    .leaf_7        = {0x00000001, 0xF1BF97A9, 0x00415FCE, 0x10000010},
    .leaf_80000001 = {0x00A10F11, 0x40000000, 0x75C237FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003934, 0x79BEF25F, 0x000080BF, 0x00010007},
    .features      = {0x00000001, 0x00008000, 0, 0x1FBFBCFF},
    .encryption    = {0x030FFFEB, 0x000041B3, 0x000003EE, 0x00000001},
    .vm_cr         = 8,
};

/* AuthenticAMD0B00F21_K20_Turin_01_CPUID.txt */
static const struct recorded_amd epyc_9655 = {
    .name          = "EPYC 9655 (Zen 5)",
    .leaf_0        = {0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00B00F21, 0x00400800, 0x7EFA320B, 0x178BFBFF},
    .leaf_7        = {0x00000001, 0xF1BF97AB, 0x19415FCE, 0x10000110},
    .leaf_80000001 = {0x00B00F21, 0x40000000, 0x75C237FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003934, 0x79BEF25F, 0x0000703F, 0x00010007},
    .features      = {0x00000001, 0x00008000, 0, 0xFFBFBDFF},
    .encryption    = {0xCFFFFFFB, 0x000041B3, 0x000003EE, 0x00000001},
    .vm_cr         = 8,
};

/* HygonGenuine0900F02_Hygon_CPUID.txt */
static const struct recorded_amd hygon_3185 = {
    .name          = "Hygon C86 3185 (Dhyana)",
    .leaf_0        = {0x0000000D, 0x6F677948, 0x656E6975, 0x6E65476E},
    .leaf_1        = {0x00900F02, 0x00100800, 0x74D83209, 0x178BFBFF},
    .leaf_7        = {0, 0x009C01A9, 0, 0},
    .leaf_80000001 = {0x00900F02, 0x60000000, 0x35C233FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003030, 0x00001007, 0x0000400F, 0},
    .features      = {0x00000001, 0x00008000, 0, 0x0001BCFF},
    .vm_cr         = 8,
};

static const struct recorded_amd tcg_qemu64 = {
    .name            = "qemu64 (QEMU 7.2's TCG)",
    .leaf_0          = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1          = {0x00060FB1, 0x00000800, 0x80002001, 0x078BFBFD},
    .leaf_80000001   = {0x00060FB1, 0, 0x00000005, 0x2193FBFD},
    .leaf_80000008   = {0x00003028, 0, 0, 0},
    .leaf_hypervisor = {0x40000001, 0x54474354, 0x43544743, 0x47435447},
    .features        = {0x00000001, 0x00000010, 0, 0},
    .vm_cr           = 0,
};

static const struct recorded_amd tcg_epyc = {
    .name            = "EPYC (QEMU 7.2's TCG)",
    .leaf_0          = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1          = {0x00800F12, 0x00000800, 0xF6D8320B, 0x078BFBFD},
    .leaf_7          = {0, 0x009801A9, 0, 0},
    .leaf_80000001   = {0x00800F12, 0, 0x00000075, 0x2DD3FBFD},
    .leaf_80000008   = {0x00003028, 0, 0, 0},
    .leaf_hypervisor = {0x40000001, 0x54474354, 0x43544743, 0x47435447},
    .features        = {0x00000001, 0x00000010, 0, 0x00000001},
    .vm_cr           = 0,
};

static const struct recorded_amd tcg_milan = {
    .name            = "EPYC-Milan (QEMU 7.2's TCG)",
    .leaf_0          = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1          = {0x00A00F11, 0x00000800, 0xF6D8320B, 0x078BFBFD},
    .leaf_7          = {0, 0x019803A9, 0x0000000C, 0},
    .leaf_80000001   = {0x00A00F11, 0, 0x00000075, 0x2DD3FBFD},
    .leaf_80000008   = {0x00003028, 0, 0, 0},
    .leaf_hypervisor = {0x40000001, 0x54474354, 0x43544743, 0x47435447},
    .features        = {0x00000001, 0x00000010, 0, 0x10000001},
    .vm_cr           = 0,
};

static const struct recorded_amd tcg_max = {
    .name            = "max (QEMU 7.2's TCG)",
    .leaf_0          = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1          = {0x00060FB1, 0x00000800, 0xF6D8320B, 0x0FCBFBFD},
    .leaf_7          = {0, 0x01D843A9, 0x8001020C, 0},
    .leaf_80000001   = {0x00060FB1, 0, 0x00000075, 0xEDD3FBFD},
    .leaf_80000008   = {0x00003928, 0, 0, 0},
    .leaf_hypervisor = {0x40000001, 0x54474354, 0x43544743, 0x47435447},
    .features        = {0x00000001, 0x00000010, 0, 0x10010001},
    .vm_cr           = 0,
};

static const struct recorded_amd bochs_ryzen = {
    .name          = "ryzen (Bochs)",
    .leaf_0        = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00800F11, 0x00010800, 0x76D8320B, 0x178BFBFF},
    .leaf_7        = {0, 0x209C01A9, 0, 0},
    .leaf_80000001 = {0x00800F11, 0x20000000, 0x35C223FF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003028, 0x00000001, 0, 0},
    .features      = {0x00000001, 0x00008000, 0, 0x0000044F},
    .vm_cr         = NONE,
};

static const struct recorded_amd bochs_zambezi = {
    .name          = "zambezi (Bochs)",
    .leaf_0        = {0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    .leaf_1        = {0x00600F12, 0x00010800, 0x1698220B, 0x178BFBFF},
    .leaf_80000001 = {0x00600F12, 0x10000000, 0x01C92FFF, 0x2FD3FBFF},
    .leaf_80000008 = {0x00003028, 0, 0, 0},
    .features      = {0x00000001, 0x00000040, 0, 0x0000044F},
    .vm_cr         = NONE,
};

static const struct recorded_amd *const all_amd[] = {
    &opteron_2378, &fx_8150,   &ryzen_1700x, &ryzen_3600x,  &epyc_7763,
    &epyc_9654,    &epyc_9655, &hygon_3185,  &tcg_qemu64,   &tcg_epyc,
    &tcg_milan,    &tcg_max,   &bochs_ryzen, &bochs_zambezi};

static const struct msr_reading msr_raised_gp = {.state  = MSR_FAULTED,
                                                 .vector = VECTOR_GP};

/* EFER as the boot code sets it. */
#define EFER_OF_HYMIR (EFER_LMA | EFER_LME | EFER_NXE)

/* Returns the record of a processor before its trial. */
static inline struct cpu_record record_before(const struct recorded_amd *recorded)
{
    struct cpu_record record     = {.virtualization = &amd_v, .answer = CPU_ANSWERED};
    struct svm_record *own       = svm_record_of(&record);
    record.cpuid.leaf_0          = recorded->leaf_0;
    record.cpuid.leaf_1          = recorded->leaf_1;
    record.cpuid.leaf_7          = recorded->leaf_7;
    record.cpuid.leaf_80000001   = recorded->leaf_80000001;
    record.cpuid.leaf_80000008   = recorded->leaf_80000008;
    record.cpuid.leaf_hypervisor = recorded->leaf_hypervisor;
    record.cr0                   = 0x80010033;
    record.cr4                   = 0x60;
    record.cpuid.leaf_8000000a   = recorded->features;
    record.cpuid.leaf_8000001f   = recorded->encryption;
    own->vm_cr                   = msr_raised_gp;
    if (recorded->vm_cr != NONE)
        own->vm_cr = reading_of(recorded->vm_cr);
    own->efer        = reading_of(EFER_OF_HYMIR);
    own->vm_hsave_pa = reading_of(0);
    return record;
}

/* Returns the outcome of a write that the MSR accepted. */
static inline struct msr_write write_of(uint64_t value)
{
    return (struct msr_write){
        .is_tried = true, .written = value, .reading = reading_of(value)};
}

/* Returns the outcome of a write that raised an exception. */
static inline struct msr_write write_that_raised(uint8_t vector, uint64_t value,
                                                 uint64_t old_value)
{
    return (struct msr_write){.is_tried = true,
                              .fault    = FAULT_RAISED | vector,
                              .written  = value,
                              .reading  = reading_of(old_value)};
}

/* Returns the record of a processor on which every step passed. */
static inline struct cpu_record record_ready(const struct recorded_amd *recorded)
{
    struct cpu_record record      = record_before(recorded);
    svm_record_of(&record)->steps = (struct svm_steps){
        .efer             = write_of(EFER_OF_HYMIR | EFER_SVME),
        .vm_hsave_pa      = write_of(0x11D000),
        .gif              = {.is_tried = true, .is_sent = true, .is_taken = true},
        .guest            = {.is_tried = true,
                             .exits    = {.count = 2, .number = {SVM_EXIT_CPUID, SVM_EXIT_HLT}},
                             .rax      = TRIAL_MARK_GUEST},
        .nested           = {.is_tried = true,
                             .exits    = {.count = 1, .number = {SVM_EXIT_VMMCALL}},
                             .rax      = TRIAL_MARK_TARGET},
        .last_vm_hsave_pa = write_of(0),
        .last_efer        = write_of(EFER_OF_HYMIR),
        .after_svme       = FAULT_RAISED | VECTOR_UD,
    };
    verdict_judge_cpu(&record);
    return record;
}

/* Makes the record that of a processor without SVM, on which only CPUID was read. */
static inline void remove_svm(struct cpu_record *record)
{
    record->cpuid.leaf_80000001.ecx &= ~(uint32_t)CPUID_80000001_ECX_SVM;
    memset(record->own, 0, sizeof(record->own));
}

#endif
