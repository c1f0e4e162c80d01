/*
 * Compares the CPUs of a machine, register by register.
 *
 * A row is a register of CPUID, the microcode revision, or one of the vendor's registers
 * as firmware left it. CPUs that did not answer are ignored. All records have the same
 * struct virtualization. Pure.
 */
#ifndef HYMIR_CHECK_COMPARISON_H
#define HYMIR_CHECK_COMPARISON_H

#include "platform/smp.h"
#include "virt/virtualization.h"

/* Returns the number of rows. */
size_t comparison_count(const struct virtualization *virtualization);

/* Returns the name of a register, row being below comparison_count(). */
const char *comparison_name(const struct virtualization *virtualization, size_t row);

/*
 * Appends the value on a CPU that answered, or the exception that RDMSR raised. Appends
 * "none" and returns false if the register is not present.
 */
bool comparison_append_value(size_t row, const struct cpu_record *record,
                             struct text *text);
#define COMPARISON_VALUE_SIZE 32

/*
 * Returns the first CPU that equals the one at index in all rows: index itself if no
 * earlier one does, or if it did not answer.
 */
size_t comparison_first_alike(const struct cpu_record *records, size_t index);

/* Returns whether the CPUs that answered differ in a row. */
bool comparison_differs(size_t row, const struct cpu_record *records, size_t count);

/*
 * Receives a value as text and the CPUs with it, such as "0-3,5,8-14/2": single CPUs,
 * ranges, and ranges with a step.
 */
typedef void comparison_visit(const char *value, const char *cpus, void *context);

/* Calls visit for each value of a row, in the order of the CPUs. Not reentrant. */
void comparison_visit_values(size_t row, const struct cpu_record *records, size_t count,
                             comparison_visit *visit, void *context);

/* The longest list of CPUs: each takes at most four digits and a separator. */
#define COMPARISON_CPUS_SIZE (5 * SMP_MAX_CPUS + 1)

/*
 * Computes the capabilities that all CPUs share that answered and have any. Returns false
 * if none has.
 */
bool comparison_usable(const struct cpu_record *records, size_t count,
                       struct capability_set *usable);

#endif
