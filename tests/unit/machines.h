/*
 * The VMX capability MSRs of real machines. Each names its public source: dumps of
 * VirtualBox's VBoxCpuReport and of AIDA64, and a log in a bug report.
 */
#ifndef HYMIR_TESTS_MACHINES_H
#define HYMIR_TESTS_MACHINES_H

#include "snapshots.h"

struct machine_msrs {
    const char *name;
    uint64_t feature_control, arch_capabilities; /* NONE: not in the source */
    uint64_t msr[VMX_MSR_COUNT];
};

// clang-format off
/* Intel Core2 CPU X6800 @ 2.93GHz, github.com/krjdev/VirtualBox c3b4df22c2
 * src/VBox/VMM/VMMR3/cpus/Intel_Core2_X6800_2_93GHz.h. */
static const struct machine_msrs core2_x6800 = {
    "Core2 CPU X6800 @ 2.93GHz", 0x5, NONE,
    {0x1A040000000007, 0x1F00000016, 0x77B9FFFE0401E172, 0x3EFFF00036DFF,
     0x1FFF000011FF, 0x403C0, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x27FF, 0x2C, NONE,
     NONE, NONE, NONE, NONE,
     NONE, NONE, NONE, NONE}};

/* Intel Xeon CPU W3670 @ 3.20GHz, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00206C2_Gulftown_01_CPUID.txt. */
static const struct machine_msrs xeon_w3670 = {
    "Xeon CPU W3670 @ 3.20GHz", NONE, NONE,
    {0xDA04000000000F, 0x7F00000016, 0xFFF9FFFE0401E172, 0x7FFFFF00036DFF,
     0xFFFF000011FF, 0x401E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x267FF, 0x2A, 0x4FF00000000,
     0xF0106134141, 0x7F00000016, 0xFFF9FFFE04006172, 0x7FFFFF00036DFB,
     0xFFFF000011FB, NONE, NONE, NONE}};

/* Intel Core i7-2635QM CPU @ 2.00GHz, github.com/krjdev/VirtualBox c3b4df22c2
 * src/VBox/VMM/VMMR3/cpus/Intel_Core_i7_2635QM.h. */
static const struct machine_msrs core_i7_2635qm = {
    "Core i7-2635QM CPU @ 2.00GHz", 0x5, NONE,
    {0xDA040000000010, 0x7F00000016, 0xFFF9FFFE0401E172, 0x7FFFFF00036DFF,
     0xFFFF000011FF, 0x100401E5, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x627FF, 0x2A, 0xFF00000000,
     0xF0106114141, 0x7F00000016, 0xFFF9FFFE04006172, 0x7FFFFF00036DFB,
     0xFFFF000011FB, NONE, NONE, NONE}};

/* Intel Core i7-4770 CPU @ 3.40GHz, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00306C3_Haswell_CPUID.txt. */
static const struct machine_msrs core_i7_4770 = {
    "Core i7-4770 CPU @ 3.40GHz", NONE, NONE,
    {0xDA040000000012, 0x7F00000016, 0xFFF9FFFE0401E172, 0x7FFFFF00036DFF,
     0xFFFF000011FF, 0x300481E5, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x1767FF, 0x2A, 0x7CFF00000000,
     0xF0106334141, 0x7F00000016, 0xFFF9FFFE04006172, 0x7FFFFF00036DFB,
     0xFFFF000011FB, NONE, NONE, NONE}};

/* Intel Core i7-6700K CPU @ 4.00GHz, github.com/krjdev/VirtualBox c3b4df22c2
 * src/VBox/VMM/VMMR3/cpus/Intel_Core_i7_6700K.h. */
static const struct machine_msrs core_i7_6700k = {
    "Core i7-6700K CPU @ 4.00GHz", 0x5, NONE,
    {0xDA040000000004, 0x7F00000016, 0xFFF9FFFE0401E172, 0x1FFFFFF00036DFF,
     0x3FFFF000011FF, 0x7004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x3727FF, 0x2E, 0x1FFCFF00000000,
     0xF0106334141, 0x7F00000016, 0xFFF9FFFE04006172, 0x1FFFFFF00036DFB,
     0x3FFFF000011FB, 0x1, NONE, NONE}};

/* Intel Core i7-1065G7 CPU @ 1.30GHz, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00706E5_IceLakeY_CPUID.txt. */
static const struct machine_msrs core_i7_1065g7 = {
    "Core i7-1065G7 CPU @ 1.30GHz", NONE, 0x2B,
    {0xDA050000000013, 0xFF00000016, 0xFFF9FFFE0401E172, 0x37FFFFF00036DFF,
     0x6FFFF000011FF, 0x7004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x772FFF, 0x2E, 0x335FBFFF00000000,
     0xF0106734141, 0xFF00000016, 0xFFF9FFFE04006172, 0x37FFFFF00036DFB,
     0x6FFFF000011FB, NONE, NONE, NONE}};

/* 11th Gen Intel Core i7-1165G7 @ 2.80GHz, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00806C1_TigerLake_CPUID3.txt. */
static const struct machine_msrs core_i7_1165g7 = {
    "11th Gen Core i7-1165G7 @ 2.80GHz", NONE, 0x6B,
    {0x1DA050000000013, 0xFF00000016, 0xFFFBFFFE0401E172, 0x137FFFFF00036DFF,
     0x16FFFF000011FF, 0x7004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0xFF2FFF, 0x2E, 0x35F3FFF00000000,
     0xF0106F34141, 0xFF00000016, 0xFFFBFFFE04006172, 0x137FFFFF00036DFB,
     0x16FFFF000011FB, NONE, NONE, NONE}};

/* Intel Xeon w7-2475X, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00806F8_SapphireRapids_05_CPUID.txt. */
static const struct machine_msrs xeon_w7_2475x = {
    "Xeon w7-2475X", NONE, 0x28FDEB,
    {0x3DA050000000013, 0xFF00000016, 0xFFFBFFFE0401E172, 0xFF7FFFFF00036DFF,
     0x7EFFFF000011FF, 0x7004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x3F77FFF, 0x2E, 0xCFFF3FFF00000000,
     0x10F0106F341C1, 0xFF00000016, 0xFFFBFFFE04006172, 0xFF7FFFFF00036DFB,
     0x7EFFFF000011FB, NONE, NONE, NONE}};

/* Intel Xeon 658X, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00A06D1_GraniteRapids_03_CPUID.txt. */
static const struct machine_msrs xeon_658x = {
    "Xeon 658X", NONE, 0x2DA9FDEB,
    {0x3DA050000000013, 0xFF00000016, 0xFFFBFFFE0401E172, 0xFF7FFFFF00036DFF,
     0x7EFFFF000011FF, 0x7004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x3F77FFF, 0x2E, 0xCFFF7FFF00000000,
     0x10F0106F341C1, 0xFF00000016, 0xFFFBFFFE04006172, 0xFF7FFFFF00036DFB,
     0x7EFFFF000011FB, NONE, NONE, NONE}};

/* Intel Atom CPU E680 @ 1.60GHz (Bonnell), github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel0020661_TunnelCreek_CPUID2.txt. */
static const struct machine_msrs atom_e680 = {
    "Atom CPU E680 @ 1.60GHz", NONE, NONE,
    {0x5A040000000009, 0x3F00000016, 0x77F9FFFE0401E172, 0x3EFFF00036DFF,
     0x1FFF000011FF, 0x403C0, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x27FF, 0x2C, NONE,
     NONE, NONE, NONE, NONE,
     NONE, NONE, NONE, NONE}};

/* Intel Pentium CPU N3530 @ 2.16GHz, github.com/krjdev/VirtualBox c3b4df22c2
 * src/VBox/VMM/VMMR3/cpus/Intel_Pentium_N3530_2_16GHz.h. */
static const struct machine_msrs pentium_n3530 = {
    "Pentium CPU N3530 @ 2.16GHz", 0x5, NONE,
    {0xDA040000000002, 0x7F00000016, 0xFFF9FFFE0401E172, 0x7FFFFF00036DFF,
     0xFFFF000011FF, 0x481E6, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x1027FF, 0x2E, 0x28EF00000000,
     0xF0106114141, 0x7F00000016, 0xFFF9FFFE04006172, 0x7FFFFF00036DFB,
     0xFFFF000011FB, 0x1, NONE, NONE}};

/* Intel Pentium CPU N4200 @ 1.10GHz (Goldmont), github.com/InstLatx64/InstLatx64
 * 087af2c7d7 GenuineIntel/GenuineIntel00506C9_Goldmont_CPUID.txt. */
static const struct machine_msrs pentium_n4200 = {
    "Pentium CPU N4200 @ 1.10GHz", NONE, NONE,
    {0xDA040000000011, 0xFF00000016, 0xFFF9FFFE0401E172, 0x1FFFFFF00036DFF,
     0x3FFFF000011FF, 0x6004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x3527FF, 0x2E, 0x1D6FFF00000000,
     0xF0106334141, 0xFF00000016, 0xFFF9FFFE04006172, 0x1FFFFFF00036DFB,
     0x3FFFF000011FB, NONE, NONE, NONE}};

/* Intel Core i5-L16G7 CPU @ 1.40GHz -- E cores, github.com/InstLatx64/InstLatx64
 * 087af2c7d7 GenuineIntel/GenuineIntel00806A1_Lakefield_CPUID.txt. */
static const struct machine_msrs lakefield_efficient = {
    "Core i5-L16G7 CPU @ 1.40GHz -- E cores",
    NONE,
    0x8000002B,
    {0xDA050000000013,
     0xFF00000016,
     0xFFF9FFFE0401E172,
     0x37FFFFF00036DFF,
     0x6FFFF000011FF,
     0x7004C1E7,
     0x80000021,
     0xFFFFFFFF,
     0x2000,
     0x352FFF,
     0x2E,
     0x35D6FFF00000000,
     0xF0106714141,
     0xFF00000016,
     0xFFF9FFFE04006172,
     0x37FFFFF00036DFB,
     0x6FFFF000011FB,
     NONE,
     NONE,
     NONE}};

/* Intel Core i5-L16G7 CPU @ 1.40GHz -- P cores, github.com/InstLatx64/InstLatx64
 * 087af2c7d7 GenuineIntel/GenuineIntel00806A1_Lakefield_CPUID.txt. */
static const struct machine_msrs lakefield_performance = {
    "Core i5-L16G7 CPU @ 1.40GHz -- P cores",
    NONE,
    0x2B,
    {0xDA050000000013,
     0xFF00000016,
     0xFFF9FFFE0401E172,
     0x37FFFFF00036DFF,
     0x6FFFF000011FF,
     0x7004C1E7,
     0x80000021,
     0xFFFFFFFF,
     0x2000,
     0x352FFF,
     0x2E,
     0x435D6FFF00000000,
     0xF0106714141,
     0xFF00000016,
     0xFFF9FFFE04006172,
     0x37FFFFF00036DFB,
     0x6FFFF000011FB,
     NONE,
     NONE,
     NONE}};

/* 12th Gen Intel Core i9-12900K -- P/E cores, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel0090672_AlderLake_01_LC_BC_CPUID.txt. */
static const struct machine_msrs core_i9_12900k = {
    "12th Gen Core i9-12900K -- P/E cores", NONE, 0xD6B,
    {0x3DA050000000013, 0xFF00000016, 0xFFFBFFFE0401E172, 0xF77FFFFF00036DFF,
     0x76FFFF000011FF, 0x7004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x1FF6FFF, 0x2E, 0xF5D7FFF00000000,
     0x10F0106F34141, 0xFF00000016, 0xFFFBFFFE04006172, 0xF77FFFFF00036DFB,
     0x76FFFF000011FB, NONE, NONE, NONE}};

/* 12th Gen Intel Core i9-12900HK -- P cores, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00906A2_AlderLakeP_01_CPUID.txt. */
static const struct machine_msrs core_i9_12900hk_performance = {
    "12th Gen Core i9-12900HK -- P cores",
    NONE,
    0xD6B,
    {0x3DA050000000013,
     0xFF00000016,
     0xFFFBFFFE0401E172,
     0xF77FFFFF00036DFF,
     0x76FFFF000011FF,
     0x7004C1E7,
     0x80000021,
     0xFFFFFFFF,
     0x2000,
     0x1FF6FFF,
     0x2E,
     0x75D7FFF00000000,
     0xF0106F34141,
     0xFF00000016,
     0xFFFBFFFE04006172,
     0xF77FFFFF00036DFB,
     0x76FFFF000011FB,
     NONE,
     NONE,
     NONE}};

/* 12th Gen Intel Core i9-12900HK -- E cores, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00906A2_AlderLakeP_01_CPUID.txt. */
static const struct machine_msrs core_i9_12900hk_efficient = {
    "12th Gen Core i9-12900HK -- E cores",
    NONE,
    0x16B,
    {0x3DA050000000013,
     0xFF00000016,
     0xFFFBFFFE0401E172,
     0xF77FFFFF00036DFF,
     0x76FFFF000011FF,
     0x7004C1E7,
     0x80000021,
     0xFFFFFFFF,
     0x2000,
     0x1FF6FFF,
     0x2E,
     0x75D7FFF00000000,
     0xF0106F34141,
     0xFF00000016,
     0xFFFBFFFE04006172,
     0xF77FFFFF00036DFB,
     0x76FFFF000011FB,
     NONE,
     NONE,
     NONE}};

/* Intel Core Ultra 9 288V -- P/E cores, github.com/InstLatx64/InstLatx64 087af2c7d7
 * GenuineIntel/GenuineIntel00B06D1_LunarLake_04_CPUID.txt. */
static const struct machine_msrs core_ultra_9_288v = {
    "Core Ultra 9 288V -- P/E cores", NONE, 0xDF9FD6B,
    {0x3DA060000000015, 0xFF00000016, 0xFFFBFFFE0401E172, 0xFF7FFFFF00036DFF,
     0x7EFFFF000011FF, 0x7004C1E7, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x1BF76FFF, 0x2E, 0xCF5F7FFF00000000,
     0x10F0106F34141, 0xFF00000016, 0xFFFBFFFE04006172, 0xFF7FFFFF00036DFB,
     0x7EFFFF000011FB, NONE, NONE, NONE}};

/* QEMU/KVM guest running LHV (all VMX MSRs + 0x3a), github.com/lxylxy123456/uberxmhf
 * 3172c09b8e bug_082/README.md. */
static const struct machine_msrs nested_in_kvm = {
    "a guest of KVM", 0x5, NONE,
    {0xD8100011E57ED0, 0x7F00000016, 0xFFF9FFFE0401E172, 0x7FFDFF00036DFF,
     0xF3FF000011FF, 0x20000065, 0x80000021, 0xFFFFFFFF,
     0x2000, 0x1727FF, 0x2E, 0x78FF00000000,
     0xF0106334041, 0x7F00000016, 0xFFF9FFFE04006172, 0x7FFDFF00036DFB,
     0xF3FF000011FB, 0x1, NONE, NONE}};

// clang-format on

static const struct machine_msrs *const all_machines[] = {&core2_x6800,
                                                          &xeon_w3670,
                                                          &core_i7_2635qm,
                                                          &core_i7_4770,
                                                          &core_i7_6700k,
                                                          &core_i7_1065g7,
                                                          &core_i7_1165g7,
                                                          &xeon_w7_2475x,
                                                          &xeon_658x,
                                                          &atom_e680,
                                                          &pentium_n3530,
                                                          &pentium_n4200,
                                                          &lakefield_efficient,
                                                          &lakefield_performance,
                                                          &core_i9_12900k,
                                                          &core_i9_12900hk_performance,
                                                          &core_i9_12900hk_efficient,
                                                          &core_ultra_9_288v,
                                                          &nested_in_kvm};

/* Returns the record of a CPU of that machine on which every step passed. */
static inline struct cpu_record record_of_machine(const struct machine_msrs *machine)
{
    struct recorded recorded = coffee_lake;

    recorded.name = machine->name;
    recorded.feature_control =
        machine->feature_control == NONE ? 5 : machine->feature_control;
    memcpy(recorded.msr, machine->msr, sizeof(recorded.msr));
    struct cpu_record record = record_ready(&recorded);
    record.arch_capabilities = reading_of(machine->arch_capabilities);
    return record;
}

#endif
