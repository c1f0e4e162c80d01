/* See microarchitecture.h. */
#include "virt/microarchitecture.h"

#include "lib/string.h"

/* Families, models and steppings of a microarchitecture. */
struct models {
    uint16_t family;
    uint16_t first, last;         /* models */
    uint8_t steppings[2];         /* first and last */
    enum microarchitecture micro; /* the first row that fits applies */
};

#define ANY_STEPPING \
    {                \
        0, 15        \
    }
#define MODEL(model, micro)                          \
    {                                                \
        6, model, model, ANY_STEPPING, MICRO_##micro \
    }
#define STEPPINGS(model, first, last, micro)          \
    {                                                 \
        6, model, model, {first, last}, MICRO_##micro \
    }
#define MODELS(family, first, last, micro)               \
    {                                                    \
        family, first, last, ANY_STEPPING, MICRO_##micro \
    }

static const struct models intel[] = {
    MODEL(0x0E, CORE_2), /* Yonah */
    MODEL(0x0F, CORE_2),
    MODEL(0x16, CORE_2),
    MODEL(0x17, CORE_2),
    MODEL(0x1D, CORE_2),
    MODEL(0x1A, NEHALEM),
    MODEL(0x1E, NEHALEM),
    MODEL(0x1F, NEHALEM),
    MODEL(0x2E, NEHALEM),
    MODEL(0x25, WESTMERE),
    MODEL(0x2C, WESTMERE),
    MODEL(0x2F, WESTMERE),
    MODEL(0x2A, SANDY_BRIDGE),
    MODEL(0x2D, SANDY_BRIDGE),
    MODEL(0x3A, IVY_BRIDGE),
    MODEL(0x3E, IVY_BRIDGE_SERVER),
    MODEL(0x3C, HASWELL),
    MODEL(0x45, HASWELL),
    MODEL(0x46, HASWELL),
    MODEL(0x3F, HASWELL_SERVER),
    MODEL(0x3D, BROADWELL),
    MODEL(0x47, BROADWELL),
    MODEL(0x4F, BROADWELL_SERVER),
    MODEL(0x56, BROADWELL_SERVER),
    MODEL(0x4E, SKYLAKE),
    MODEL(0x5E, SKYLAKE),
    STEPPINGS(0x55, 0, 5, SKYLAKE_SERVER),
    STEPPINGS(0x55, 6, 15, CASCADE_LAKE), /* and Cooper Lake */
    STEPPINGS(0x8E, 0, 11, KABY_LAKE),
    STEPPINGS(0x8E, 12, 15, COFFEE_LAKE_REFRESH), /* Comet Lake-U, Whiskey Lake-V */
    STEPPINGS(0x9E, 0, 12, KABY_LAKE),
    STEPPINGS(0x9E, 13, 15, COFFEE_LAKE_REFRESH),
    MODEL(0x66, CANNON_LAKE),
    MODEL(0xA5, COMET_LAKE),
    MODEL(0xA6, COMET_LAKE),
    MODEL(0x7D, ICE_LAKE),
    MODEL(0x7E, ICE_LAKE),
    MODEL(0x6A, ICE_LAKE_SERVER),
    MODEL(0x6C, ICE_LAKE_SERVER),
    STEPPINGS(0x8C, 0, 1, TIGER_LAKE_B),
    MODEL(0x8C, TIGER_LAKE),
    MODEL(0x8D, TIGER_LAKE),
    MODEL(0x8A, LAKEFIELD),
    MODEL(0xA7, ROCKET_LAKE),
    MODEL(0x97, ALDER_LAKE),
    MODEL(0x9A, ALDER_LAKE),
    MODEL(0xB7, RAPTOR_LAKE),
    MODEL(0xBA, RAPTOR_LAKE),
    MODEL(0xBF, RAPTOR_LAKE),
    MODEL(0x8F, SAPPHIRE_RAPIDS),
    MODEL(0xCF, SAPPHIRE_RAPIDS), /* Emerald Rapids */
    MODEL(0xAD, GRANITE_RAPIDS),
    MODEL(0xAE, GRANITE_RAPIDS),
    MODEL(0xAA, METEOR_LAKE),
    MODEL(0xAC, METEOR_LAKE),
    MODEL(0xB5, METEOR_LAKE), /* Arrow Lake-U */
    MODEL(0xC5, ARROW_LAKE),
    MODEL(0xC6, ARROW_LAKE),
    MODEL(0xBD, LUNAR_LAKE),
    MODEL(0xCC, PANTHER_LAKE),
    MODEL(0x1C, BONNELL),
    MODEL(0x26, BONNELL),
    MODEL(0x27, BONNELL), /* Saltwell, as the next two */
    MODEL(0x35, BONNELL),
    MODEL(0x36, BONNELL),
    MODEL(0x37, SILVERMONT),
    MODEL(0x4A, SILVERMONT),
    MODEL(0x4D, SILVERMONT),
    MODEL(0x4C, SILVERMONT), /* Airmont; the others bypass stores */
    MODEL(0x5A, AIRMONT),
    MODEL(0x75, AIRMONT),
    MODEL(0x5C, GOLDMONT),
    MODEL(0x5F, GOLDMONT),
    MODEL(0x7A, GOLDMONT_PLUS),
    MODEL(0x96, TREMONT),
    MODEL(0x9C, TREMONT),
    MODEL(0x86, TREMONT_SERVER),
    MODEL(0xBE, GRACEMONT),
    MODEL(0xAF, CRESTMONT),
    MODEL(0xB6, CRESTMONT),
    MODEL(0x57, KNIGHTS),
    MODEL(0x85, KNIGHTS),
    MODELS(15, 0, UINT8_MAX, NETBURST),
    MODELS(0, 0, 0, INTEL_OTHER), /* the end */
};

static const struct models amd[] = {
    MODELS(0x0F, 0, UINT8_MAX, K8),     MODELS(0x10, 0, UINT8_MAX, K10),
    MODELS(0x11, 0, UINT8_MAX, K10),    MODELS(0x12, 0, UINT8_MAX, K10),
    MODELS(0x14, 0, UINT8_MAX, BOBCAT), MODELS(0x15, 0, UINT8_MAX, BULLDOZER),
    MODELS(0x16, 0, UINT8_MAX, JAGUAR), MODELS(0x17, 0x00, 0x2F, ZEN_1),
    MODELS(0x17, 0x50, 0x5F, ZEN_1),    MODELS(0x17, 0x30, UINT8_MAX, ZEN_2),
    MODELS(0x18, 0, UINT8_MAX, DHYANA), MODELS(0x19, 0x00, 0x0F, ZEN_3),
    MODELS(0x19, 0x20, 0x5F, ZEN_3),    MODELS(0x19, 0x10, UINT8_MAX, ZEN_4),
    MODELS(0x1A, 0x00, 0x4F, ZEN_5),    MODELS(0x1A, 0x60, 0x7F, ZEN_5),
    MODELS(0, 0, 0, AMD_OTHER), /* the end */
};

static const struct models zhaoxin[] = {
    MODELS(6, 0, UINT8_MAX, ZHAOXIN), MODELS(7, 0, UINT8_MAX, ZHAOXIN),
    MODELS(0, 0, 0, OTHER), /* the end */
};

static bool fits(const struct models *models, struct cpuid_signature signature)
{
    return models->family == signature.family && models->first <= signature.model &&
           signature.model <= models->last &&
           models->steppings[0] <= signature.stepping &&
           signature.stepping <= models->steppings[1];
}

enum microarchitecture microarchitecture_of(const struct cpuid_snapshot *cpuid)
{
    char vendor[CPUID_VENDOR_SIZE];
    cpuid_vendor(cpuid, vendor);
    bool is_zhaoxin =
        strcmp(vendor, "  Shanghai  ") == 0 || strcmp(vendor, "CentaurHauls") == 0;
    const struct models *models = cpuid_is_intel(cpuid) ? intel
                                  : cpuid_is_amd(cpuid) ? amd
                                                        : zhaoxin;

    if (models == zhaoxin && !is_zhaoxin)
        return MICRO_OTHER;
    while (models->family != 0 && !fits(models, cpuid_signature(cpuid)))
        models++;
    return models->micro;
}

const char *microarchitecture_name(enum microarchitecture micro)
{
    static const char *const names[] = {
#define NAME(constant, name) name,
        MICROARCHITECTURES(NAME)
#undef NAME
    };
    _Static_assert(ARRAY_SIZE(names) == MICROARCHITECTURE_COUNT, "all have names");

    return names[micro];
}
