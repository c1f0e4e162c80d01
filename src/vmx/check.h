/*
 * The steps from "what processor is this" to "VMX operation left", each a row with a
 * judgement.
 *
 * Pure: functions of a record. The rows print the report, explain a refusal and are
 * unit-tested; vmx/trial.c asks the same rows whether it may go on.
 */
#ifndef HYMIR_VMX_CHECK_H
#define HYMIR_VMX_CHECK_H

#include "lib/format.h"
#include "vmx/record.h"

#include <stdbool.h>
#include <stddef.h>

/* In the order in which they are tried. */
enum vmx_check {
    CHECK_CPUID,
    CHECK_BASIC,
    CHECK_CR0,
    CHECK_CR4,
    CHECK_INTEL_PT,
    CHECK_FEATURE_CONTROL, /* last before VMXON: what Hymir writes there stays set */
    CHECK_VMXON,
    CHECK_ROOT_OPERATION,
    CHECK_GUEST,
    CHECK_VMXOFF,
    CHECK_COUNT,
};

/*
 * The name of a check in the report, up to 20 characters, and the section of the SDM it
 * rests on.
 */
const char *vmx_check_name(enum vmx_check check);
const char *vmx_check_source(enum vmx_check check);

/*
 * Judges one step, all steps before it being in order: true if it is. Appends to *detail
 * what was seen, with the raw values: about 50 characters if it is in order, a sentence
 * if not.
 */
bool vmx_check_passes(enum vmx_check check, const struct vmx_record *record,
                      struct text *detail);

/*
 * The first step that is not in order, with its detail, or CHECK_COUNT, with *detail as
 * it was.
 */
enum vmx_check vmx_check_first_failure(const struct vmx_record *record,
                                       struct text *detail);

/*
 * True if IA32_FEATURE_CONTROL is to be written before VMXON: unlocked, nolock was not
 * given, and nothing else stands in the way of VMXON.
 */
bool vmx_check_wants_lock(const struct vmx_record *record);

/* True if every step before end is in order. */
bool vmx_check_passes_all_before(enum vmx_check end, const struct vmx_record *record);

/* CR0 and CR4 for VMX operation; only if the checks CHECK_CR0 and CHECK_CR4 pass. */
uint64_t vmx_check_cr0(const struct vmx_record *record);
uint64_t vmx_check_cr4(const struct vmx_record *record);

#endif
