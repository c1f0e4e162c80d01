/*
 * The kinds of exits: their rows with handlers, and their names.
 */
#ifndef HYMIR_SVM_EXIT_H
#define HYMIR_SVM_EXIT_H

#include "lib/format.h"
#include "svm/vcpu.h"

/* Sets the handler of each row. */
void svm_exit_rows_init(struct svm_vcpu *svm);

/* Operations of struct backend; those on exits are in exit_description.c. */
void svm_segment_read(struct vcpu *vcpu, enum segment_number number,
                      struct vcpu_segment *segment);
const char *svm_exit_name(uint32_t row);
void svm_exit_describe(const struct exit_record *record, struct text *words);

/*
 * Handlers of a guest's accesses that exit to CR4, CR8, EFER and PAT; the VM's handlers
 * have the other MSRs that exit. In system_registers.c.
 */
enum exit_outcome svm_cr4_read_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_cr4_write_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_cr8_read_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_cr8_write_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_msr_handle_exit(struct vcpu *vcpu);

/* Returns the row of an exit code. */
static inline uint32_t svm_exit_row_index(uint64_t code)
{
    if (code < SVM_EXIT_CODES)
        return (uint32_t)code;
    uint64_t high = code - SVM_EXIT_NESTED_PAGE_FAULT;
    return high < SVM_HIGH_EXITS ? SVM_EXIT_CODES + (uint32_t)high : SVM_EXIT_OTHER;
}

#endif
