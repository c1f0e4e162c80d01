/*
 * Do all CPUs of a machine have the same virtualization? Every register of interest,
 * compared.
 *
 * A row is a register: CPUID leaves, the microcode's revision, and the vendor's
 * registers as firmware left them. CPUs that did not answer are left out. All records
 * have the same struct virtualization. Pure.
 */
#ifndef HYMIR_CHECK_COMPARISON_H
#define HYMIR_CHECK_COMPARISON_H

#include "virt/virtualization.h"

/* Returns the number of rows. */
size_t comparison_count(const struct virtualization *virtualization);

/* Returns the name of a register, row being below comparison_count(). */
const char *comparison_name(const struct virtualization *virtualization, size_t row);

/* Returns the number of the model-specific register that it is, or 0. */
uint32_t comparison_msr(const struct virtualization *virtualization, size_t row);

/* Returns what it was on a CPU that answered. */
struct msr_reading comparison_reading(size_t row, const struct cpu_record *record);

/*
 * Returns the first CPU that equals the one of index in all rows: index itself if none
 * before it does, or if it did not answer.
 */
size_t comparison_first_alike(const struct cpu_record *records, size_t index);

/* Returns whether the CPUs that answered differ in it. */
bool comparison_differs(size_t row, const struct cpu_record *records, size_t count);

/* Receives a value as text, and the CPUs that have it, such as "0-3,5". */
typedef void comparison_visit(const char *value, const char *cpus, void *context);

/*
 * Calls visit for each value that the register has on some CPU, in the order of the
 * CPUs. A list of CPUs longer than COMPARISON_CPUS_SIZE - 1 characters ends in dots.
 */
void comparison_visit_values(size_t row, const struct cpu_record *records, size_t count,
                             comparison_visit *visit, void *context);
#define COMPARISON_CPUS_SIZE 512

/* Appends a value, "none" of a register that is not present, or what RDMSR raised. */
void comparison_append_reading(const struct msr_reading *reading, struct text *text);

/*
 * Computes what software can use on all CPUs that answered and have capabilities; false
 * if none has.
 */
bool comparison_usable(const struct cpu_record *records, size_t count,
                       struct capability_set *usable);

#endif
