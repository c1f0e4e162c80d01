/*
 * The ways to violate the rules of VM entry for which perturbation.c does not derive them
 * from the test: see perturbation.h.
 */
#ifndef HYMIR_TESTS_FAULTS_PERTURBATION_WAYS_H
#define HYMIR_TESTS_FAULTS_PERTURBATION_WAYS_H

#include "vmx/rules.h"

/* A change of a value, which is own if 0, or of the one of the same segment. */
struct change {
    uint16_t value;
    uint64_t clear, set;
    bool is_of_instance;
};

/* A change of the rule's value; of a value; of one of the same segment; the content. */
#define OWN(clear, set)               \
    {                                 \
        VALUE_NONE, clear, set, false \
    }
#define TO(value, clear, set)            \
    {                                    \
        VALUE_##value, clear, set, false \
    }
#define OF(value, clear, set)                    \
    {                                            \
        VALUE_GUEST_ES_##value, clear, set, true \
    }
#define EXACTLY(value, content)                   \
    {                                             \
        VALUE_##value, UINT64_MAX, content, false \
    }

/* Guests and hosts other than those of the good snapshot, which can be combined. */
enum environment_flag {
    GUEST_32   = 1,
    V8086      = 2,
    RESTRICTED = 4,
    HOST_32    = 8,
    RING_3     = 16,
    SMM        = 32,
    NO_EPT     = 64,
};

/* A way to violate a rule. */
struct way {
    const char *rule;
    unsigned int environment; /* of enum environment_flag */
    struct change prepare[3], violate[2];
};

#define WAYS 158
extern const struct way perturbation_ways[WAYS];

#endif
