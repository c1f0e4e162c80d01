/*
 * What happens at each VM exit, before and after its handler.
 */
#ifndef HYMIR_SVM_ON_EXIT_H
#define HYMIR_SVM_ON_EXIT_H

#include "virt/vcpu.h"

/* Functions for struct vcpu_run's on_exit. */
enum run_next svm_on_exit(struct vcpu_run *run);

/*
 * The same on a processor that does not save the next RIP: decodes the instruction first.
 * If the guest has changed it meanwhile, the guest gets #UD.
 */
enum run_next svm_on_exit_without_next_rip(struct vcpu_run *run);

#endif
