/*
 * The interrupt vectors that Hymir uses.
 */
#ifndef HYMIR_CPU_VECTORS_H
#define HYMIR_CPU_VECTORS_H

#include "x86/exceptions.h"

enum interrupt_vector {
    VECTOR_WAKE          = 0xF0, /* sent by another CPU that has work for this one */
    VECTOR_TIMER         = 0xF1, /* the local APIC timer's */
    VECTOR_SERIAL        = 0xF2,
    VECTOR_KEYBOARD      = 0xF3,
    VECTOR_APIC_SPURIOUS = 0xFF,
};

#endif
