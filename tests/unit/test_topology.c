/*
 * src/guest/topology.c and the leaves of src/guest/cpuid_policy.c that report it: guests
 * on the real processors of tests/recordings, read as SDM 3A, "Identifying Topological
 * Relationships in an MP System", and APM 3, "Multiple Core Processor Topology", say.
 */
#include "recordings.h"

#include "guest/cpuid_policy.h"
#include "svm/guest_policy.h"
#include "virt/threads.h"
#include "vmx/guest_policy.h"

typedef struct cpuid_result reader(uint32_t leaf, uint32_t subleaf);

/* A logical processor's place, by one way to find it. */
struct place {
    bool is_known;
    unsigned int thread_bits, package_bits;
    uint32_t id;
};

static unsigned int bits_for(uint32_t values)
{
    unsigned int bits = 0;
    while (1U << bits < values)
        bits++;
    return bits;
}

/* Leaf 0BH or 1FH: the levels up to the first invalid one. */
static struct place read_levels(reader *read, uint32_t leaf)
{
    struct place place = {0};
    if (read(0, 0).eax < leaf || read(leaf, 0).ebx == 0)
        return place;
    for (uint32_t level = 0; (read(leaf, level).ecx >> 8 & 0xFF) != 0; level++) {
        struct cpuid_result values = read(leaf, level);
        assert_int_equal(values.ecx & 0xFF, level);
        assert_true(place.package_bits <= (values.eax & 31));
        place.package_bits = values.eax & 31;
        if ((values.ecx >> 8 & 0xFF) == 1)
            place.thread_bits = values.eax & 31;
        place.id = values.edx;
    }
    place.is_known = true;
    return place;
}

/* Leaves 01H and 04H. */
static struct place read_counts(reader *read)
{
    struct cpuid_result features = read(1, 0), caches = read(4, 0);
    if (read(0, 0).eax < 4 || (caches.eax & 31) == 0)
        return (struct place){0};
    bool is_valid      = (features.edx >> 28 & 1) != 0; /* HTT */
    struct place place = {true, 0, 0, features.ebx >> 24};
    place.package_bits = bits_for(is_valid ? features.ebx >> 16 & 0xFF : 1);
    unsigned int cores = bits_for((caches.eax >> 26) + 1);
    place.thread_bits  = place.package_bits > cores ? place.package_bits - cores : 0;
    return place;
}

/* Leaves 80000008H and 8000001EH. */
static struct place read_extended(reader *read)
{
    if (read(0x80000000, 0).eax < 0x8000001E || (read(0x80000001, 0).ecx >> 22 & 1) == 0)
        return (struct place){0};
    struct cpuid_result values = read(0x8000001E, 0), sizes = read(0x80000008, 0);
    struct place place = {true, bits_for((values.ebx >> 8 & 0xFF) + 1),
                          sizes.ecx >> 12 & 15, values.eax};
    return place;
}

/* The machine's, by the first way that its processor has. */
static struct place read_machine(reader *read)
{
    struct place place = read_levels(read, 0xB);
    if (!place.is_known)
        place = read_extended(read);
    return place.is_known ? place : read_counts(read);
}

#define CPUS_MAX 64
static struct guest_topology topology;
static struct cpuid_answers answers[CPUS_MAX];
static size_t current;

static struct cpuid_result read_guest(uint32_t leaf, uint32_t subleaf)
{
    return cpuid_policy_answer(&answers[current], leaf, subleaf,
                               &(struct cpuid_state){0, 1});
}

static bool is_amd(void)
{
    return cpuid_is_amd(&recording.snapshot);
}

static void expect_place(struct place place, const char *way)
{
    if (place.is_known && (place.id != topology.apic_id[current] ||
                           place.thread_bits != topology.thread_bits ||
                           place.package_bits != topology.package_bits))
        fail_msg("%s, vCPU %zu of %zu, %s: id %u, %u and %u bits", recording.path,
                 current, topology.count, way, place.id, place.thread_bits,
                 place.package_bits);
}

/* All ways to find the vCPU's place agree. */
static void check_place(void)
{
    struct cpuid_result features = read_guest(1, 0);
    uint32_t capacity            = topology.cores * topology.threads;

    assert_true(read_levels(read_guest, 0xB).is_known);
    expect_place(read_levels(read_guest, 0xB), "leaf 0BH");
    expect_place(read_levels(read_guest, 0x1F), "leaf 1FH");
    assert_int_equal(read_levels(read_guest, 0x1F).is_known,
                     recording.snapshot.leaf_0.eax >= 0x1F);
    assert_int_equal(features.ebx >> 24, topology.apic_id[current]);
    assert_int_equal(features.edx >> 28 & 1, capacity > 1);
    assert_int_equal(read_guest(0xB, 0).ebx, topology.threads);
    assert_int_equal(read_guest(0xB, 1).ebx, capacity);
    struct cpuid_result beyond = read_guest(0xB, 0x102);
    assert_int_equal(beyond.eax | beyond.ebx, 0);
    assert_int_equal(beyond.ecx, 2);
    assert_int_equal(beyond.edx, topology.apic_id[current]);
    if (!is_amd()) {
        expect_place(read_counts(read_guest), "leaves 01H and 04H");
        assert_int_equal(read_guest(0x80000008, 0).ecx, 0);
        return;
    }
    expect_place(read_extended(read_guest), "leaf 8000001EH");
    assert_int_equal(read_extended(read_guest).is_known,
                     recording.snapshot.leaf_80000001.ecx >> 22 & 1);
    if (read_extended(read_guest).is_known) {
        assert_int_equal(read_guest(0x8000001E, 0).ebx & 0xFF,
                         topology.apic_id[current] >> topology.thread_bits);
        assert_int_equal(read_guest(0x8000001E, 0).ecx, 0); /* one node */
    }
    assert_int_equal(features.ebx >> 16 & 0xFF, capacity);
    assert_int_equal(read_guest(0x80000001, 0).ecx >> 1 & 1, capacity > 1);
    assert_int_equal(read_guest(0x80000008, 0).ecx & 0xFF, capacity - 1);
    assert_int_equal(read_guest(0x80000008, 0).ecx >> 12 & 15, topology.package_bits);
}

/* A cache is the core's, or shared by all; its size is the machine's. */
static void check_caches(unsigned int host_thread_bits)
{
    uint32_t leaf    = is_amd() ? 0x8000001D : 4;
    uint32_t subleaf = 0;
    for (; (recording_cpuid(leaf, subleaf).eax & 31) != 0; subleaf++) {
        struct cpuid_result real = recording_cpuid(leaf, subleaf);
        struct cpuid_result seen = read_guest(leaf, subleaf);
        bool is_of_core          = (real.eax >> 14 & 0xFFF) < 1U << host_thread_bits;
        assert_int_equal(seen.eax & 0x3FFF, real.eax & 0x3FF);
        assert_memory_equal(&seen.ebx, &real.ebx, 12);
        assert_int_equal(
            seen.eax >> 14 & 0xFFF,
            (1U << (is_of_core ? topology.thread_bits : topology.package_bits)) - 1);
        if (is_amd())
            assert_int_equal(seen.eax >> 26, 0);
    }
    struct cpuid_result end = read_guest(leaf, subleaf);
    assert_int_equal(end.eax | end.ebx | end.ecx | end.edx, 0);
}

/* vCPUs share a core exactly if their CPUs do; the IDs are unique and start with 0. */
static void check_cores(const uint32_t host_ids[], unsigned int host_thread_bits)
{
    bool are_alone = true;
    assert_int_equal(topology.apic_id[0], 0);
    for (size_t i = 0; i < topology.count; i++) {
        assert_true(topology.apic_id[i] >> topology.package_bits == 0);
        for (size_t k = 0; k < i; k++) {
            bool share_core =
                host_ids[i] >> host_thread_bits == host_ids[k] >> host_thread_bits;
            uint32_t different = topology.apic_id[i] ^ topology.apic_id[k];
            assert_true(different != 0);
            assert_int_equal(different >> topology.thread_bits == 0, share_core);
            are_alone = are_alone && !share_core;
        }
    }
    for (size_t i = 0; are_alone && i < topology.count; i++)
        assert_int_equal(topology.apic_id[i], i);
}

/* A guest with that many vCPUs, whose CPUs share no core, all, or some. */
static void check_guest(size_t count, int sharing)
{
    unsigned int bits = read_machine(recording_cpuid).thread_bits;
    uint32_t host_ids[CPUS_MAX];

    for (uint32_t i = 0; i < count; i++)
        host_ids[i] = sharing == 0 ? i << bits : sharing == 1 ? i + 6 : i * 5 % 128;
    topology_init(&topology, host_ids, count, threads_id_bits(recording_cpuid));
    assert_int_equal(topology.count, count);
    check_cores(host_ids, bits);
    for (current = 0; current < count; current++) {
        cpuid_policy_init(&answers[current],
                          &(struct cpuid_setup){.vendor   = is_amd() ? &svm_guest_cpuid
                                                                     : &vmx_guest_cpuid,
                                                .read     = recording_cpuid,
                                                .topology = &topology},
                          current);
        check_place();
        check_caches(bits);
    }
}

/* Every number of vCPUs. */
static void check_recording(void)
{
    assert_int_equal(threads_id_bits(recording_cpuid),
                     read_machine(recording_cpuid).thread_bits);
    for (size_t count = 1; count <= CPUS_MAX; count++) {
        for (int sharing = 0; sharing < 3; sharing++)
            check_guest(count, sharing);
    }
}

static void test_recordings(void **state)
{
    (void)state;
    recordings_visit(check_recording);
}

/* Hides what newer processors have. */
static struct cpuid_result read_older(uint32_t leaf, uint32_t subleaf)
{
    return leaf == 0xB || leaf == 0x1F ? (struct cpuid_result){0}
                                       : recording_cpuid(leaf, subleaf);
}

/* The older leaves say the same as leaf 0BH. */
static void check_older(void)
{
    struct place place = read_levels(recording_cpuid, 0xB);

    if (place.is_known)
        assert_int_equal(threads_id_bits(read_older), place.thread_bits);
}

static void test_older(void **state)
{
    (void)state;
    recordings_visit(check_older);
}

static struct cpuid_result odd_levels[3];

/* A processor of an outer hypervisor, with only leaf 0BH. */
static struct cpuid_result read_odd(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == 0)
        return (struct cpuid_result){.eax = 0xB};
    return leaf == 0xB && subleaf < 3 ? odd_levels[subleaf] : (struct cpuid_result){0};
}

static void test_odd_levels(void **state)
{
    (void)state;
    static const struct {
        struct cpuid_result first;
        unsigned int bits;
    } cases[] = {
        {{0, 0, 0, 0}, 0},
        {{1, 2, 0x100, 0}, 1},
        {{UINT32_MAX, UINT32_MAX, 0x100, 0}, 31},
        {{4, 16, 0x200, 0}, 0}, /* cores first: no threads */
        {{1, 0, 0x100, 0}, 0},  /* no processors: not valid */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        odd_levels[0] = cases[i].first;
        assert_int_equal(threads_id_bits(read_odd), cases[i].bits);
    }
}

/* The first vCPUs share no core; the others are on as few as possible. */
static void spread(uint32_t host_ids[CPUS_MAX], uint32_t alone, unsigned int bits)
{
    for (uint32_t i = 0; i < CPUS_MAX; i++)
        host_ids[i] = i < alone ? (i + CPUS_MAX) << bits : i - alone;
}

/*
 * With more threads a core than any processor has, IDs still fit into an xAPIC: cores
 * are merged, but never split.
 */
static void test_wide_cores(void **state)
{
    (void)state;
    uint32_t host_ids[CPUS_MAX];
    bool are_merged = false;

    for (uint32_t i = 0; i < 25 * CPUS_MAX; i++) {
        unsigned int bits = i / CPUS_MAX;
        spread(host_ids, i % CPUS_MAX, bits);
        topology_init(&topology, host_ids, CPUS_MAX, bits);
        assert_int_equal(topology.apic_id[0], 0);
        for (size_t k = 0; k < CPUS_MAX; k++) {
            assert_in_range(topology.apic_id[k], 0, 254);
            for (size_t m = 0; m < k; m++) {
                uint32_t different = topology.apic_id[k] ^ topology.apic_id[m];
                bool share_core    = different >> topology.thread_bits == 0;
                bool must_share    = (host_ids[k] ^ host_ids[m]) >> bits == 0;
                assert_true(different != 0);
                assert_true(share_core || !must_share);
                assert_true(bits > 2 || share_core == must_share);
                are_merged = are_merged || share_core != must_share;
            }
        }
    }
    assert_true(are_merged);
}

/* 31 vCPUs without siblings and 8 on a core would be IDs 0 to 255, which is no ID. */
static void test_broadcast(void **state)
{
    (void)state;
    uint32_t host_ids[CPUS_MAX];
    spread(host_ids, 31, 3);
    topology_init(&topology, host_ids, 38, 3);
    assert_int_equal(topology.apic_id[37], 254);
    topology_init(&topology, host_ids, 39, 3);
    for (size_t i = 0; i < 39; i++)
        assert_in_range(topology.apic_id[i], 0, 254);
}

/* The count of 256 IDs in leaf 01H has 8 bits. */
static void test_full_package(void **state)
{
    (void)state;
    uint32_t host_ids[CPUS_MAX];
    spread(host_ids, 60, 2);
    topology_init(&topology, host_ids, CPUS_MAX, 2);
    const struct cpuid_setup setup = {
        .vendor = &vmx_guest_cpuid, .read = read_odd, .topology = &topology};
    for (current = 0; current < CPUS_MAX; current++) {
        cpuid_policy_init(&answers[current], &setup, current);
        expect_place(read_levels(read_guest, 0xB), "leaf 0BH");
        assert_int_equal(read_guest(1, 0).ebx >> 16 & 0xFF, 255);
        assert_int_equal(read_guest(1, 0).ebx >> 24, topology.apic_id[current]);
    }
    assert_int_equal(topology.package_bits, 8);
}

/* The largest IDs that exist fill all 32 bits. */
static void test_large_ids(void **state)
{
    (void)state;
    static const uint32_t host_ids[] = {UINT32_MAX, 0, UINT32_MAX - 1, 1U << 31};
    topology_init(&topology, host_ids, 4, 1);
    static const uint32_t expected[] = {0, 2, 1, 4};
    assert_memory_equal(topology.apic_id, expected, sizeof(expected));
    assert_int_equal(topology.package_bits, 3);
    topology_init(&topology, host_ids, 4, 31);
    static const uint32_t halves[] = {0, 4, 1, 2};
    assert_memory_equal(topology.apic_id, halves, sizeof(halves));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recordings), cmocka_unit_test(test_older),
        cmocka_unit_test(test_odd_levels), cmocka_unit_test(test_wide_cores),
        cmocka_unit_test(test_broadcast),  cmocka_unit_test(test_full_package),
        cmocka_unit_test(test_large_ids),
    };
    return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
