/* See issue_rules.h. */
#include "virt/issue_rules.h"

#define M(micro) BIT(MICRO_##micro)
#define T(trait) BIT(TRAIT_##trait)

/* Intel's microarchitectures that execute out of order, and so speculate. */
#define SPECULATING_INTEL (MICROS_OF_INTEL & ~M(BONNELL))
#define SPECULATING       (SPECULATING_INTEL | MICROS_OF_AMD | M(ZHAOXIN) | M(OTHER))
#define OLDER_ATOMS       (M(SILVERMONT) | M(AIRMONT) | M(KNIGHTS))
#define GOLDMONTS         (M(GOLDMONT) | M(GOLDMONT_PLUS))
#define TREMONTS          (M(TREMONT) | M(TREMONT_SERVER))
#define SKYLAKES                                                       \
    (M(SKYLAKE) | M(SKYLAKE_SERVER) | M(CASCADE_LAKE) | M(KABY_LAKE) | \
     M(COFFEE_LAKE_REFRESH) | M(COMET_LAKE))
#define ICE_LAKES    (M(ICE_LAKE) | M(ICE_LAKE_SERVER))
#define TIGER_LAKES  (M(TIGER_LAKE) | M(TIGER_LAKE_B))
#define ALDER_LAKES  (M(ALDER_LAKE) | M(RAPTOR_LAKE) | M(GRACEMONT))
#define ZENS_1_AND_2 (M(ZEN_1) | M(ZEN_2) | M(DHYANA))
#define ZENS         (ZENS_1_AND_2 | M(ZEN_3) | M(ZEN_4) | M(ZEN_5))

const struct issue_rule issue_rules[ISSUES] = {
    [ISSUE_SPECTRE_V1] = {.micros   = SPECULATING,
                          .count    = 2,
                          .remedies = {{.measure = MEASURE_CLAMP},
                                       {MEASURE_LFENCE, .unless = T(LFENCE_SERIALIZES),
                                        .micros = MICROS_OF_AMD & ~M(K8)}}},
    [ISSUE_SPECTRE_V2] =
        {.micros   = SPECULATING & ~M(ZHAOXIN),
         .count    = 6,
         .remedies = {{MEASURE_RETPOLINE, .unless = T(SHADOW_STACKS)},
                      {MEASURE_ENHANCED_IBRS, .only = T(ENHANCED_IBRS)},
                      {MEASURE_AUTOMATIC_IBRS, .only = T(AUTOMATIC_IBRS)},
                      {MEASURE_IBPB, .needs = T(IBPB)},
                      {.measure = MEASURE_FILL_RSB},
                      {MEASURE_GUEST_CONTROLS, .needs = T(IBRS) | T(IBPB)}}},
    [ISSUE_BHI] = {.micros   = SPECULATING_INTEL,
                   .immune   = T(BHI_NO),
                   .exposed  = T(ENHANCED_IBRS),
                   .count    = 3,
                   .remedies = {{MEASURE_RETPOLINE, .unless = T(SHADOW_STACKS)},
                                {MEASURE_BHI_DIS_S, .only = T(BHI_CTRL)},
                                {MEASURE_RRSBA_DIS_S, .needs = T(RRSBA_CTRL),
                                 .only = T(RRSBA) | T(RRSBA_CTRL)}}},
    [ISSUE_ITS] = {.micros = M(CASCADE_LAKE) | M(COFFEE_LAKE_REFRESH) | M(COMET_LAKE) |
                             ICE_LAKES | TIGER_LAKES | M(ROCKET_LAKE),
                   .immune   = T(ITS_NO),
                   .count    = 4,
                   .remedies = {{MEASURE_RETPOLINE, .unless = T(SHADOW_STACKS)},
                                {MEASURE_IBPB, .needs = T(IBPB)},
                                {.measure = MEASURE_FILL_RSB},
                                {.measure = MEASURE_ALIGN_RETURNS,
                                 .micros  = M(CASCADE_LAKE) | M(COFFEE_LAKE_REFRESH) |
                                           M(COMET_LAKE)}}},
    [ISSUE_RETBLEED] =
        {.micros = SKYLAKES | M(CANNON_LAKE) | M(ICE_LAKE) | M(LAKEFIELD) |
                   M(ROCKET_LAKE) | M(BULLDOZER) | M(JAGUAR) | ZENS_1_AND_2,
         .immune   = T(BTC_NO),
         .always   = T(RSBA),
         .count    = 5,
         .remedies = {{.measure = MEASURE_FILL_RSB, .micros = MICROS_OF_INTEL},
                      {MEASURE_ENHANCED_IBRS, .only = T(ENHANCED_IBRS)},
                      {MEASURE_IBRS_ON_EXIT, .needs = T(IBRS), .unless = T(ENHANCED_IBRS),
                       .micros = MICROS_OF_INTEL},
                      {MEASURE_IBPB_ON_EXIT, .needs = T(IBPB), .micros = MICROS_OF_AMD},
                      {MEASURE_STIBP, .needs = T(STIBP), .only = T(SIBLINGS),
                       .micros = MICROS_OF_AMD}}},
    [ISSUE_SRSO]     = {.micros   = ZENS,
                        .immune   = T(SRSO_NO),
                        .count    = 3,
                        .remedies = {{MEASURE_IBPB, .needs = T(IBPB_BRTYPE)},
                                     {MEASURE_BP_SPEC_REDUCE, .only = T(BP_SPEC_REDUCE)},
                                     {MEASURE_IBPB_ON_EXIT, .needs = T(IBPB_BRTYPE),
                                      .unless = T(BP_SPEC_REDUCE)}}},
    [ISSUE_PBRSB]    = {.micros   = SPECULATING_INTEL & ~M(GOLDMONT_PLUS) & ~TREMONTS,
                        .immune   = T(PBRSB_NO),
                        .exposed  = T(ENHANCED_IBRS),
                        .count    = 1,
                        .remedies = {{.measure = MEASURE_FILL_RSB}}},
    [ISSUE_SMT_RSB]  = {.micros   = ZENS_1_AND_2,
                        .exposed  = T(SIBLINGS),
                        .count    = 2,
                        .remedies = {{.measure = MEASURE_CORE_PER_GUEST},
                                     {.measure = MEASURE_FILL_RSB}}},
    [ISSUE_VMSCAPE]  = {.micros = M(SANDY_BRIDGE) | M(IVY_BRIDGE) | M(IVY_BRIDGE_SERVER) |
                                  M(HASWELL) | M(HASWELL_SERVER) | M(BROADWELL) |
                                  M(BROADWELL_SERVER) | SKYLAKES | M(CANNON_LAKE) |
                                  ALDER_LAKES | M(METEOR_LAKE) | M(ARROW_LAKE) |
                                  M(LUNAR_LAKE) | M(SAPPHIRE_RAPIDS) | M(GRANITE_RAPIDS) |
                                  M(CRESTMONT) | ZENS,
                        .count    = 2,
                        .remedies = {{.measure = MEASURE_NO_USER_MODE},
                                     {MEASURE_IBPB, .needs = T(IBPB)}}},
    [ISSUE_MELTDOWN] = {.micros   = SPECULATING_INTEL | M(ZHAOXIN) | M(OTHER),
                        .immune   = T(RDCL_NO),
                        .count    = 1,
                        .remedies = {{.measure = MEASURE_OWN_TABLES}}},
    [ISSUE_SSB]      = {.micros =
                            SPECULATING & ~M(SILVERMONT) & ~M(KNIGHTS) & ~M(K8) & ~M(K10),
                        .immune   = T(SSB_NO),
                        .count    = 1,
                        .remedies = {{MEASURE_GUEST_CONTROLS, .needs = T(SSBD)}}},
    [ISSUE_L1TF]     = {.micros = (SPECULATING_INTEL & ~OLDER_ATOMS & ~GOLDMONTS) |
                                  M(ZHAOXIN) | M(OTHER),
                        .immune   = T(RDCL_NO),
                        .count    = 2,
                        .remedies = {{MEASURE_FLUSH_L1D, .needs = T(L1D_FLUSH),
                                      .unless = T(SKIP_L1DFL_VMENTRY)},
                                     {MEASURE_CORE_PER_GUEST, .only = T(SIBLINGS)}}},
    [ISSUE_MDS]   = {.micros   = (SPECULATING_INTEL & ~GOLDMONTS) | M(ZHAOXIN) | M(OTHER),
                     .immune   = T(MDS_NO),
                     .count    = 2,
                     .remedies = {{MEASURE_VERW, .needs = T(MD_CLEAR)},
                                  {MEASURE_CORE_PER_GUEST, .only = T(SIBLINGS)}}},
    [ISSUE_TAA]   = {.micros   = MICROS_OF_INTEL,
                     .immune   = T(TAA_NO),
                     .exposed  = T(RTM) | T(TSX_CTRL),
                     .count    = 2,
                     .remedies = {{MEASURE_VERW, .needs = T(TAA_CLEAR)},
                                  {MEASURE_CORE_PER_GUEST, .only = T(SIBLINGS)}}},
    [ISSUE_MMIO]  = {.micros = M(HASWELL_SERVER) | M(BROADWELL_SERVER) | SKYLAKES |
                               ICE_LAKES | M(LAKEFIELD) | M(ROCKET_LAKE) |
                               M(TIGER_LAKE_B) | TREMONTS,
                     .immune   = T(FBSDP_NO) | T(PSDP_NO) | T(SBDR_SSDP_NO),
                     .count    = 1,
                     .remedies = {{MEASURE_VERW, .needs = T(FB_CLEAR)}}},
    [ISSUE_RFDS]  = {.micros   = ALDER_LAKES | TREMONTS | GOLDMONTS,
                     .immune   = T(RFDS_NO),
                     .always   = T(RFDS_CLEAR),
                     .count    = 1,
                     .remedies = {{MEASURE_VERW, .needs = T(RFDS_CLEAR)}}},
    [ISSUE_TSA]   = {.micros   = M(ZEN_3) | M(ZEN_4),
                     .immune   = T(TSA_SQ_NO) | T(TSA_L1_NO),
                     .count    = 1,
                     .remedies = {{MEASURE_VERW, .needs = T(VERW_CLEAR)}}},
    [ISSUE_SRBDS] = {.micros = M(IVY_BRIDGE) | M(HASWELL) | M(BROADWELL) | M(SKYLAKE) |
                               M(KABY_LAKE) | M(COFFEE_LAKE_REFRESH),
                     .exposed  = T(RDRAND) | T(RDSEED),
                     .count    = 2,
                     .remedies = {{MEASURE_MICROCODE, .needs = T(RNGDS_ON),
                                   .unless = T(RNGDS_OFF)},
                                  {MEASURE_SWITCH_ON, .only = T(RNGDS_OFF)}}},
    [ISSUE_GDS]   = {.micros   = SKYLAKES | ICE_LAKES | TIGER_LAKES | M(ROCKET_LAKE),
                     .immune   = T(GDS_NO),
                     .exposed  = T(AVX),
                     .count    = 2,
                     .remedies = {{MEASURE_MICROCODE, .needs = T(GDS_ON),
                                   .unless = T(GDS_OFF)},
                                  {MEASURE_SWITCH_ON, .only = T(GDS_OFF)}}},
    [ISSUE_ZENBLEED]      = {.micros   = M(ZEN_2),
                             .exposed  = T(AVX),
                             .count    = 2,
                             .remedies = {{MEASURE_MICROCODE, .needs = T(ZENBLEED_FIX)},
                                          {MEASURE_FP_BACKUP_FIX, .unless = T(ZENBLEED_FIX)}}},
    [ISSUE_ITLB_MULTIHIT] = {.micros = (MICROS_OF_INTEL & ~M(BONNELL) & ~OLDER_ATOMS &
                                        ~GOLDMONTS & ~TREMONTS) |
                                       M(ZHAOXIN) | M(OTHER),
                             .immune   = T(PSCHANGE_MC_NO),
                             .count    = 1,
                             .remedies = {{.measure = MEASURE_SMALL_PAGES}}},
    [ISSUE_SIBLINGS]      = {.micros   = UINT64_MAX,
                             .exposed  = T(SIBLINGS),
                             .count    = 1,
                             .remedies = {{MEASURE_CORE_PER_GUEST, REMEDY_ONLY_ALL}}},
};
