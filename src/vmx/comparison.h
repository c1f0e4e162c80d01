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

/* The VMX capability MSR that it is, or 0 if it is none. */
uint32_t comparison_vmx_msr(size_t row);

/* What it was on a CPU that answered. */
struct msr_reading comparison_reading(size_t row, const struct vmx_record *record);

/*
 * The first CPU that is like the one of index: that itself if none in front of it is, or
 * if it did not answer.
 */
size_t comparison_first_alike(const struct vmx_record *records, size_t index);

/* True if not all of the CPUs that answered have the same in it. */
bool comparison_differs(size_t row, const struct vmx_record *records, size_t count);

/* Gets a value as text, and the CPUs that have it, such as "0-3,5". */
typedef void comparison_visit(const char *value, const char *cpus, void *context);

/*
 * Calls visit for each value that the register has on some CPU, in the order of the
 * CPUs. CPUs that are a list of more than COMPARISON_CPUS_SIZE - 1 characters end in
 * dots.
 */
void comparison_visit_values(size_t row, const struct vmx_record *records, size_t count,
                             comparison_visit *visit, void *context);
#define COMPARISON_CPUS_SIZE 512

/* Appends a value, "none" of a register that is not there, or what RDMSR raised. */
void comparison_append_reading(const struct msr_reading *reading, struct text *text);

/* What software can use on all CPUs that answered and have VMX; false if none has. */
bool comparison_usable(const struct vmx_record *records, size_t count,
                       struct vmx_capabilities *usable);

#endif
