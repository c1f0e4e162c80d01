/*
 * Indices that a guest controls: a processor may access an array before the comparison
 * with its size has been decided, with an index beyond it (Spectre v1).
 *
 * docs/SECURITY.md lists the indices. Pure.
 */
#ifndef HYMIR_LIB_CLAMP_H
#define HYMIR_LIB_CLAMP_H

#include "lib/instructions.h"

/*
 * Returns index if it is less than count, at most 2^63; else 0, also while the processor
 * speculates that it is less. Called after the comparison, which reports the error.
 */
static inline size_t clamp_index(size_t index, size_t count)
{
    size_t hidden =
        hide_value(index); /* from the optimizer, which knows the comparison */

    return hidden & (((hidden | (count - 1 - hidden)) >> 63) - 1);
}

#endif
