/* See cpuid.h. */
#include "cpu/cpuid.h"

#include "lib/format.h"
#include "lib/string.h"

static struct cpuid_result leaf_up_to(uint32_t maximum, uint32_t leaf, cpuid_reader *read)
{
    return leaf <= maximum ? read(leaf, 0) : (struct cpuid_result){0};
}

struct cpuid_result cpuid_read_existing(uint32_t leaf, uint32_t subleaf,
                                        cpuid_reader *read)
{
    uint32_t maximum = read(leaf & CPUID_LEAF_EXTENDED, 0).eax;

    return leaf <= maximum ? read(leaf, subleaf) : (struct cpuid_result){0};
}

struct cpuid_result cpuid_find_hypervisor(cpuid_reader *read)
{
    struct cpuid_result found = read(CPUID_LEAF_HYPERVISOR, 0);

    for (uint32_t base = CPUID_LEAF_HYPERVISOR; base < CPUID_LEAF_HYPERVISOR_END;
         base += CPUID_LEAF_HYPERVISOR_STEP) {
        struct cpuid_result leaf = read(base, 0);
        /* A range exists if EAX of its first leaf is the number of its last leaf. */
        if (leaf.eax >= base && leaf.eax < base + CPUID_LEAF_HYPERVISOR_STEP)
            found = leaf;
    }
    return found;
}

static void fill_hypervisor_leaves(struct cpuid_snapshot *snapshot, cpuid_reader *read)
{
    if (!cpuid_has_hypervisor(snapshot))
        return;
    snapshot->leaf_40000000   = read(CPUID_LEAF_HYPERVISOR, 0);
    snapshot->leaf_hypervisor = cpuid_find_hypervisor(read);
    snapshot->leaf_40000010 =
        leaf_up_to(snapshot->leaf_40000000.eax, CPUID_LEAF_HYPERVISOR_TIMING, read);
}

static void fill_extended_leaves(struct cpuid_snapshot *snapshot, cpuid_reader *read)
{
    snapshot->leaf_80000000 = read(CPUID_LEAF_EXTENDED, 0);
    uint32_t maximum        = snapshot->leaf_80000000.eax;
    if (maximum < CPUID_LEAF_EXTENDED)
        return; /* no extended leaves: this is the data of the highest basic leaf */
    snapshot->leaf_80000001 = leaf_up_to(maximum, CPUID_LEAF_EXTENDED_FEATURES, read);
    for (uint32_t i = 0; i < 3 && maximum >= CPUID_LEAF_BRAND_3; i++)
        snapshot->leaf_80000002[i] = read(CPUID_LEAF_BRAND_1 + i, 0);
    snapshot->leaf_80000007 = leaf_up_to(maximum, CPUID_LEAF_POWER_MANAGEMENT, read);
    snapshot->leaf_80000008 = leaf_up_to(maximum, CPUID_LEAF_ADDRESS_SIZES, read);
    snapshot->leaf_8000000a = leaf_up_to(maximum, CPUID_LEAF_SVM, read);
    snapshot->leaf_8000001f = leaf_up_to(maximum, CPUID_LEAF_ENCRYPTED_MEMORY, read);
    snapshot->leaf_80000021 = leaf_up_to(maximum, CPUID_LEAF_EXTENDED_FEATURES_2, read);
    snapshot->leaf_80000026 = leaf_up_to(maximum, CPUID_LEAF_EXTENDED_TOPOLOGY, read);
}

void cpuid_snapshot_fill(struct cpuid_snapshot *snapshot, cpuid_reader *read)
{
    memset(snapshot, 0, sizeof(*snapshot));
    snapshot->leaf_0 = read(CPUID_LEAF_BASIC, 0);
    uint32_t maximum = snapshot->leaf_0.eax;
    snapshot->leaf_1 = leaf_up_to(maximum, CPUID_LEAF_FEATURES, read);
    snapshot->leaf_7 = leaf_up_to(maximum, CPUID_LEAF_STRUCTURED_FEATURES, read);
    if (snapshot->leaf_7.eax >= 2) /* the last subleaf */
        snapshot->leaf_7_2 = read(CPUID_LEAF_STRUCTURED_FEATURES, 2);
    if (maximum >= CPUID_LEAF_EXTENDED_STATE)
        snapshot->leaf_d_1 = read(CPUID_LEAF_EXTENDED_STATE, 1);
    snapshot->leaf_15 = leaf_up_to(maximum, CPUID_LEAF_TSC, read);
    snapshot->leaf_16 = leaf_up_to(maximum, CPUID_LEAF_FREQUENCY, read);
    snapshot->leaf_1a = leaf_up_to(maximum, CPUID_LEAF_NATIVE_MODEL, read);
    fill_hypervisor_leaves(snapshot, read);
    fill_extended_leaves(snapshot, read);
}

void cpuid_snapshot_read(struct cpuid_snapshot *snapshot)
{
    cpuid_snapshot_fill(snapshot, cpuid);
}

/* Copies the characters of three registers, replacing unprintable ones by '?'. */
static void copy_signature(char signature[CPUID_VENDOR_SIZE], uint32_t first,
                           uint32_t second, uint32_t third)
{
    const uint32_t registers[] = {first, second, third};

    memcpy(signature, registers, sizeof(registers));
    signature[sizeof(registers)] = '\0';
    text_make_printable(signature, strlen(signature));
}

void cpuid_vendor(const struct cpuid_snapshot *snapshot, char vendor[CPUID_VENDOR_SIZE])
{
    const struct cpuid_result *leaf = &snapshot->leaf_0;
    copy_signature(vendor, leaf->ebx, leaf->edx, leaf->ecx);
}

bool cpuid_is_intel(const struct cpuid_snapshot *snapshot)
{
    char vendor[CPUID_VENDOR_SIZE];
    cpuid_vendor(snapshot, vendor);
    return strcmp(vendor, "GenuineIntel") == 0 || strcmp(vendor, "GenuineIotel") == 0;
}

bool cpuid_may_be_limited(const struct cpuid_snapshot *snapshot)
{
    return cpuid_is_intel(snapshot) && snapshot->leaf_0.eax <= CPUID_LIMITED_MAXIMUM;
}

bool cpuid_is_amd(const struct cpuid_snapshot *snapshot)
{
    char vendor[CPUID_VENDOR_SIZE];
    cpuid_vendor(snapshot, vendor);
    return strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0;
}

bool cpuid_has_hypervisor(const struct cpuid_snapshot *snapshot)
{
    return (snapshot->leaf_1.ecx & CPUID_1_ECX_HYPERVISOR) != 0;
}

void cpuid_hypervisor(const struct cpuid_snapshot *snapshot, char name[CPUID_VENDOR_SIZE])
{
    const struct cpuid_result *leaf = &snapshot->leaf_hypervisor;
    copy_signature(name, leaf->ebx, leaf->ecx, leaf->edx);
}

void cpuid_brand(const struct cpuid_snapshot *snapshot, char brand[CPUID_BRAND_SIZE])
{
    char raw[CPUID_BRAND_SIZE];
    char *start = raw;

    memcpy(raw, snapshot->leaf_80000002, sizeof(snapshot->leaf_80000002));
    raw[CPUID_BRAND_SIZE - 1] = '\0';
    text_make_printable(raw, strlen(raw));
    while (*start == ' ')
        start++;
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ')
        length--;
    start[length] = '\0';
    format_text(brand, CPUID_BRAND_SIZE, "%s", length > 0 ? start : "unknown");
}

struct cpuid_signature cpuid_signature(const struct cpuid_snapshot *snapshot)
{
    uint32_t eax    = snapshot->leaf_1.eax;
    uint32_t family = (uint32_t)BITS_GET(eax, 11, 8);
    uint32_t model  = (uint32_t)BITS_GET(eax, 7, 4);

    if (family == 6 || family == 15)
        model += (uint32_t)BITS_GET(eax, 19, 16) << 4;
    if (family == 15)
        family += (uint32_t)BITS_GET(eax, 27, 20);
    return (struct cpuid_signature){
        .family = family, .model = model, .stepping = (uint32_t)BITS_GET(eax, 3, 0)};
}

bool cpuid_has_preemption_timer_erratum(const struct cpuid_snapshot *snapshot)
{
    static const uint32_t signatures[] = {
        0x106A0, /* 321333: AAM126 */
        0x106A1, /* 321333: AAM126 */
        0x106A4, /* 320836: AAJ124 */
        0x106A5, /* 320836: AAJ124; 321324: AAK139; 321333: AAM126 */
        0x106E5, /* 320767: AAP86; 322166: AAN92; 322373: AAO95 */
        0x20652, /* 322814: AAT59; 322911: AAU65; 323056: AAX65 */
        0x20655, /* 322911: AAU65 */
        0x206E6, /* 323344: BA86 */
        0x306A8, /* Xeon E3-1220 V2; in no specification update */
    };
    uint32_t signature = snapshot->leaf_1.eax & CPUID_1_EAX_SIGNATURE;
    size_t i           = 0;

    while (i < ARRAY_SIZE(signatures) && signatures[i] != signature)
        i++;
    return i < ARRAY_SIZE(signatures);
}

uint8_t cpuid_core_type(const struct cpuid_snapshot *snapshot)
{
    const struct cpuid_result *amd = &snapshot->leaf_80000026;

    if ((amd->eax & CPUID_80000026_EAX_HETEROGENEOUS_CORES) == 0)
        return CPUID_1A_EAX_CORE_TYPE(snapshot->leaf_1a.eax);
    switch (CPUID_80000026_EBX_CORE_TYPE(amd->ebx)) {
    case CPUID_80000026_CORE_TYPE_PERFORMANCE:
        return CPUID_CORE_TYPE_PERFORMANCE;
    case CPUID_80000026_CORE_TYPE_EFFICIENCY:
        return CPUID_CORE_TYPE_EFFICIENT;
    default:
        return CPUID_CORE_TYPES - 1;
    }
}

const char *cpuid_core_type_name(const struct cpuid_snapshot *snapshot)
{
    static const char *const names[CPUID_CORE_TYPES] = {
        [0]                           = "uniform",
        [CPUID_CORE_TYPE_EFFICIENT]   = "efficient",
        [CPUID_CORE_TYPE_PERFORMANCE] = "performance",
    };
    const char *name = names[cpuid_core_type(snapshot)];
    return name != NULL ? name : "other";
}

unsigned int cpuid_physical_address_width(const struct cpuid_snapshot *snapshot)
{
    unsigned int width = CPUID_80000008_EAX_PHYSICAL(snapshot->leaf_80000008.eax);
    if (width == 0)
        return 36;
    return width < 32 ? 32 : width > 52 ? 52 : width;
}
