/*
 * The record of virtualization on one CPU: its registers, the result of each step of the
 * trial, and the judgement.
 *
 * check/trial.c fills it in on that CPU. Pure functions of check/ and report/ read it,
 * also, in the unit tests, for recorded processors.
 */
#ifndef HYMIR_VIRT_RECORD_H
#define HYMIR_VIRT_RECORD_H

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/tsc_offset.h"
#include "virt/entry_rules.h"
#include "virt/timing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct virtualization;

/* Whether the CPU started and finished its trial. */
enum cpu_answer {
    CPU_ANSWERED,       /* the record is complete */
    CPU_NO_ANSWER,      /* it did not start: nothing else is known */
    CPU_NOT_ADDRESSED,  /* its APIC ID requires x2APIC mode, which is unavailable */
    CPU_DID_NOT_FINISH, /* it started, and did not return from the trial */
};

/*
 * The words that scripts rely on: docs/VERDICT.md. boot/multiboot.asm prints
 * NO-LONG-MODE, the only one that is not here.
 */
enum verdict_word {
    VERDICT_NONE, /* not judged yet */
    VERDICT_READY,
    VERDICT_NO_VIRTUALIZATION,
    VERDICT_HIDDEN_BY_HYPERVISOR,
    VERDICT_LOCKED_OFF,
    VERDICT_TXT_ONLY,
    VERDICT_UNLOCKED,
    VERDICT_MIXED,
    VERDICT_FAILED,
    VERDICT_WORDS,
};

/* The judgement on one CPU, made once, by check/verdict.c. */
struct cpu_judgement {
    enum verdict_word word;
    size_t failed_check; /* the first that does not pass; check_count if all do */
};

/* The VM exits of a guest of the trial. */
struct trial_exits {
    uint32_t nmis;      /* of the host; not counted */
    uint32_t count;     /* all; the first two are kept */
    uint64_t number[2]; /* the processor's: an exit reason with all bits, or exit code */
};
#define TRIAL_EXITS_MAX 16 /* more are an endless loop */

/* Bytes of the vendor's part. */
#define CPU_RECORD_OWN_SIZE 1024

struct cpu_record {
    const struct virtualization *virtualization; /* tried on the CPU */
    uint32_t apic_id;
    enum cpu_answer answer;
    bool nolock;            /* the option: Hymir must not set a lock bit */
    bool has_siblings;      /* another CPU shares its core */
    bool has_shadow_stacks; /* Hymir has chosen them, instead of retpolines */
    bool had_cpuid_limit;   /* of firmware, removed before the registers were read */

    /* The registers, read before anything is changed. */
    struct cpuid_snapshot cpuid;
    uint64_t cr0, cr4;
    uint32_t microcode; /* revision, 0 if unknown */
    bool accepts_sbpb;  /* IA32_PRED_CMD does, without IBPB_BRTYPE in CPUID */
    struct msr_reading arch_capabilities;
    struct msr_reading mcu_opt_ctrl; /* IA32_MCU_OPT_CTRL */
    struct msr_reading tsc_adjust;   /* IA32_TSC_ADJUST */

    struct tsc_offset tsc_offset; /* from the boot CPU's; not compared on that one */

    struct entry_summary entry_violations; /* if the trial's guest could not be entered */

    struct cpu_judgement judgement;
    struct timings timings; /* of the first CPU of its core type */
    _Alignas(uint64_t) uint8_t own[CPU_RECORD_OWN_SIZE];
};

#endif
