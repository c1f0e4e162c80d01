/*
 * Which microarchitecture a processor has, by its vendor, family, model and stepping: the
 * lists of affected processors, virt/issues.c, name microarchitectures.
 *
 * Intel, "Affected Processors: Transient Execution Attacks"; AMD, "Revision Guides"; the
 * names of Linux, arch/x86/include/asm/intel-family.h. Pure.
 */
#ifndef HYMIR_VIRT_MICROARCHITECTURE_H
#define HYMIR_VIRT_MICROARCHITECTURE_H

#include "cpu/cpuid.h"

/*
 * X(constant, name). In order of the vendors; the last one of each stands for its
 * processors that are newer than this list, or not in it.
 */
#define MICROARCHITECTURES(X)                           \
    X(NETBURST, "NetBurst")                             \
    X(CORE_2, "Core 2")                                 \
    X(NEHALEM, "Nehalem")                               \
    X(WESTMERE, "Westmere")                             \
    X(SANDY_BRIDGE, "Sandy Bridge")                     \
    X(IVY_BRIDGE, "Ivy Bridge")                         \
    X(IVY_BRIDGE_SERVER, "Ivy Bridge server")           \
    X(HASWELL, "Haswell")                               \
    X(HASWELL_SERVER, "Haswell server")                 \
    X(BROADWELL, "Broadwell")                           \
    X(BROADWELL_SERVER, "Broadwell server")             \
    X(SKYLAKE, "Skylake")                               \
    X(SKYLAKE_SERVER, "Skylake server")                 \
    X(CASCADE_LAKE, "Cascade Lake")                     \
    X(KABY_LAKE, "Kaby Lake")                           \
    X(COFFEE_LAKE_REFRESH, "Coffee Lake refresh")       \
    X(CANNON_LAKE, "Cannon Lake")                       \
    X(COMET_LAKE, "Comet Lake")                         \
    X(ICE_LAKE, "Ice Lake")                             \
    X(ICE_LAKE_SERVER, "Ice Lake server")               \
    X(TIGER_LAKE, "Tiger Lake")                         \
    X(TIGER_LAKE_B, "Tiger Lake, stepping B")           \
    X(LAKEFIELD, "Lakefield")                           \
    X(ROCKET_LAKE, "Rocket Lake")                       \
    X(ALDER_LAKE, "Alder Lake")                         \
    X(RAPTOR_LAKE, "Raptor Lake")                       \
    X(SAPPHIRE_RAPIDS, "Sapphire Rapids")               \
    X(GRANITE_RAPIDS, "Granite Rapids")                 \
    X(METEOR_LAKE, "Meteor Lake")                       \
    X(ARROW_LAKE, "Arrow Lake")                         \
    X(LUNAR_LAKE, "Lunar Lake")                         \
    X(PANTHER_LAKE, "Panther Lake")                     \
    X(BONNELL, "Bonnell")                               \
    X(SILVERMONT, "Silvermont")                         \
    X(AIRMONT, "Airmont SoC")                           \
    X(GOLDMONT, "Goldmont")                             \
    X(GOLDMONT_PLUS, "Goldmont Plus")                   \
    X(TREMONT, "Tremont")                               \
    X(TREMONT_SERVER, "Tremont server")                 \
    X(GRACEMONT, "Gracemont")                           \
    X(CRESTMONT, "Crestmont")                           \
    X(KNIGHTS, "Knights Landing")                       \
    X(INTEL_OTHER, "a microarchitecture not in a list") \
    X(K8, "K8")                                         \
    X(K10, "K10")                                       \
    X(BOBCAT, "Bobcat")                                 \
    X(BULLDOZER, "Bulldozer")                           \
    X(JAGUAR, "Jaguar")                                 \
    X(ZEN_1, "Zen")                                     \
    X(ZEN_2, "Zen 2")                                   \
    X(ZEN_3, "Zen 3")                                   \
    X(ZEN_4, "Zen 4")                                   \
    X(ZEN_5, "Zen 5")                                   \
    X(DHYANA, "Dhyana")                                 \
    X(AMD_OTHER, "a microarchitecture not in a list")   \
    X(ZHAOXIN, "Zhaoxin")                               \
    X(OTHER, "a microarchitecture not in a list")

enum microarchitecture {
#define CONSTANT(constant, name) MICRO_##constant,
    MICROARCHITECTURES(CONSTANT)
#undef CONSTANT
        MICROARCHITECTURE_COUNT,
};
_Static_assert(MICROARCHITECTURE_COUNT <= 64, "a set of them is a uint64_t");

/* All microarchitectures of a vendor; a set has BIT(MICRO_SKYLAKE) and so on. */
#define MICROS_OF_INTEL BITS_MASK(MICRO_INTEL_OTHER, MICRO_NETBURST)
#define MICROS_OF_AMD   BITS_MASK(MICRO_AMD_OTHER, MICRO_K8)

/* Returns the microarchitecture, by Intel's, AMD's, Hygon's and Zhaoxin's numbers. */
enum microarchitecture microarchitecture_of(const struct cpuid_snapshot *cpuid);

const char *microarchitecture_name(enum microarchitecture micro);

#endif
