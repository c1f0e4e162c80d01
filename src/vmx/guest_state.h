/*
 * The guest-state area of the current VMCS at the start of a guest.
 *
 * SDM 3C, "Guest Register State", "Guest Non-Register State".
 */
#ifndef HYMIR_VMX_GUEST_STATE_H
#define HYMIR_VMX_GUEST_STATE_H

#include "lib/status.h"
#include "virt/backend.h"
#include "x86/descriptors.h"

#include <stdint.h>

/* The segments, in the order of the encodings of each kind of field. */
enum guest_segment {
    SEGMENT_ES,
    SEGMENT_CS,
    SEGMENT_SS,
    SEGMENT_DS,
    SEGMENT_FS,
    SEGMENT_GS,
    SEGMENT_LDTR,
    SEGMENT_TR,
    SEGMENT_COUNT,
};

/* The registers that differ between guests at their start. */
struct guest_state {
    uint64_t cr0, cr3, cr4, rip;
    struct vcpu_table gdt;
    const struct vcpu_segment *segment[SEGMENT_COUNT]; /* NULL: unusable */
};

/*
 * Writes the area: *state, and the rest as after reset, with interrupts off. PAT and
 * EFER, which only a control loads, are left to the caller. STATUS_UNSUPPORTED if the
 * processor rejects a field.
 */
enum status MUST_CHECK guest_state_write(const struct guest_state *state);

#endif
