/*
 * The guest-state area of the current VMCS, as it is when a guest starts.
 *
 * SDM 3C, "Guest Register State", "Guest Non-Register State".
 */
#ifndef HYMIR_VMX_GUEST_STATE_H
#define HYMIR_VMX_GUEST_STATE_H

#include "lib/status.h"
#include "virt/backend.h"
#include "x86/descriptors.h"

#include <stdint.h>

#define CODE_SEGMENT_L  BIT(13) /* in access rights: 64-bit code */
#define TSS_16_BIT_BUSY 3U      /* a type */

/* The segments, in the order in which each kind of their fields lies in a row. */
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

/* What guests differ in at their start. */
struct guest_state {
    uint64_t cr0, cr3, cr4, rip;
    struct vcpu_table gdt;
    const struct vcpu_segment *segment[SEGMENT_COUNT]; /* NULL: unusable */
};

/*
 * Writes the area: what *state names, bases of 0, and the rest as after reset, with
 * interrupts off. Not the MSRs that only a control loads, PAT and EFER.
 * STATUS_UNSUPPORTED if a field is refused.
 */
enum status MUST_CHECK guest_state_write(const struct guest_state *state);

#endif
