/*
 * Do all CPUs of a machine have the same VT-x? Every register of interest, compared.
 *
 * A row is a register: CPUID leaves, the microcode's revision, IA32_FEATURE_CONTROL as
 * firmware left it, and the VMX capability MSRs. CPUs that did not answer are left out.
 * Pure.
 */
#ifndef HYMIR_VMX_COMPARISON_H
#define HYMIR_VMX_COMPARISON_H

#include "lib/format.h"
#include "vmx/record.h"

#include <stdbool.h>
#include <stddef.h>

/* How many registers there are. */
size_t comparison_count(void);

/* The name of a register, row being below comparison_count(). */
const char *comparison_name(size_t row);

/* True for the VMX capability MSRs. */
bool comparison_is_vmx(size_t row);

/* What it was on a CPU that answered. */
struct msr_reading comparison_reading(size_t row, const struct vmx_record *record);

/* True if both CPUs, which answered, have the same in it. */
bool comparison_is_same(size_t row, const struct vmx_record *a,
                        const struct vmx_record *b);

/* True if both CPUs, which answered, have the same in all registers. */
bool comparison_are_alike(const struct vmx_record *a, const struct vmx_record *b);

/*
 * The first CPU that is like the one of index: that itself if none in front of it is, or
 * if it did not answer.
 */
size_t comparison_first_alike(const struct vmx_record *records, size_t index);

/* True if not all of the CPUs that answered have the same in it. */
bool comparison_differs(size_t row, const struct vmx_record *records, size_t count);

/*
 * Appends each value with the CPUs that have it: "0x5 on cpu 0-3 and 5; 0x1 on cpu 4".
 */
void comparison_describe(size_t row, const struct vmx_record *records, size_t count,
                         struct text *text);

/* Appends a value, or "not there", or what RDMSR raised. */
void comparison_append_reading(const struct msr_reading *reading, struct text *text);

/* Tells which of count CPUs belong to a set. */
typedef bool comparison_member(size_t index, const void *context);

/* Appends the numbers of the CPUs of the set, as ranges: "0-3,5". */
void comparison_append_cpus(size_t count, comparison_member *is_member,
                            const void *context, struct text *text);

/* What software can use on all CPUs that answered and have VMX; false if none has. */
bool comparison_usable(const struct vmx_record *records, size_t count,
                       struct vmx_capabilities *usable);

#endif
