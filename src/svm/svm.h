/*
 * AMD-V, the Secure Virtual Machine: the only header of src/svm that other folders
 * include.
 */
#ifndef HYMIR_SVM_SVM_H
#define HYMIR_SVM_SVM_H

#include "virt/virtualization.h"

extern const struct virtualization amd_v;

#endif
