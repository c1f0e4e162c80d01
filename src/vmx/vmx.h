/*
 * Intel VT-x: the one header of this folder for the rest of Hymir.
 */
#ifndef HYMIR_VMX_VMX_H
#define HYMIR_VMX_VMX_H

#include "virt/virtualization.h"

extern const struct virtualization vt_x;

#endif
