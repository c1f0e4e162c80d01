/* See asked.h and requirements.h: what the CPUs and the machine tell. */
#include "report/asked.h"

#include "x86/msr.h"

#define MIB(n) ((uint64_t)(n) << 20)

/* Firmware keeps some of it: 8 GiB of memory modules are somewhat less here. */
#define ESXI_LEAST_RAM MIB(7680)

bool asked_were_all_seen(const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->records[i].answer != CPU_ANSWERED)
            return false;
    }
    return facts->unseen == NULL;
}

/* ---- What CPUs say ----------------------------------------------------------------- */

typedef bool cpu_test(const struct cpu_record *record,
                      const struct requirement *requirement);

/* True if the test says so of any CPU that answered. */
static bool does_any(const struct hypervisor_question *question, cpu_test *test,
                     const struct requirement *requirement)
{
    const struct report_facts *facts = question->facts;

    for (size_t i = 0; i < facts->count; i++) {
        if (facts->records[i].answer == CPU_ANSWERED &&
            test(&facts->records[i], requirement))
            return true;
    }
    return false;
}

/*
 * Missing if a CPU that can be tested does not pass; unknown if that is not so, and not
 * all that answered, or none, can be tested.
 */
static void tell_of_cpus(const struct asked *asked, const char *name, const char *kind,
                         cpu_test *can_be_tested, cpu_test *test)
{
    const struct report_facts *facts = asked->question->facts;
    size_t answers = 0, tested = 0, passed = 0;

    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        if (record->answer != CPU_ANSWERED)
            continue;
        answers++;
        if (!can_be_tested(record, asked->requirement))
            continue;
        tested++;
        passed += test(record, asked->requirement) ? 1 : 0;
    }
    asked_tell(asked, name, kind, passed < tested || (answers > 0 && tested == answers),
               passed == tested);
}

static bool has_answered(const struct cpu_record *record,
                         const struct requirement *requirement)
{
    (void)requirement;
    return record->answer == CPU_ANSWERED;
}

static bool has_cpuid_bits(const struct cpu_record *record,
                           const struct requirement *requirement)
{
    const char *cpuid = (const char *)&record->cpuid;
    uint32_t word     = *(const uint32_t *)(cpuid + requirement->offset);
    return (word & requirement->bits) == requirement->bits;
}

void tell_cpuid_bits(const struct asked *asked)
{
    tell_of_cpus(asked, asked->requirement->name,
                 premises[asked->requirement->premise].words, has_answered,
                 has_cpuid_bits);
}

static bool has_cpuid_leaf(const struct cpu_record *record,
                           const struct requirement *requirement)
{
    return record->cpuid.leaf_0.eax >= requirement->bits;
}

void tell_cpuid_leaf(const struct asked *asked)
{
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);

    text_append(&name, "CPUID leaf 0x%lx", asked->requirement->bits);
    tell_of_cpus(asked, name.buffer, "", has_answered, has_cpuid_leaf);
}

static bool has_feature_control(const struct cpu_record *record,
                                const struct requirement *requirement)
{
    (void)requirement;
    return record_msr(record, MSR_IA32_FEATURE_CONTROL).state == MSR_READ;
}

static uint64_t feature_control_of(const struct cpu_record *record)
{
    return record_msr(record, MSR_IA32_FEATURE_CONTROL).value;
}

/* What some do not do themselves, and Hymir does only until the next reset. */
static bool is_locked_on(const struct cpu_record *record,
                         const struct requirement *requirement)
{
    (void)requirement;
    return (feature_control_of(record) & FEATURE_CONTROL_LOCK) != 0 &&
           (feature_control_of(record) & FEATURE_CONTROL_VMX_OUTSIDE_SMX) != 0;
}

void tell_locked_on(const struct asked *asked)
{
    tell_of_cpus(asked, "IA32_FEATURE_CONTROL set and locked by firmware", "",
                 has_feature_control, is_locked_on);
}

static bool is_not_locked_off(const struct cpu_record *record,
                              const struct requirement *requirement)
{
    (void)requirement;
    return (feature_control_of(record) & FEATURE_CONTROL_LOCK) == 0 ||
           (feature_control_of(record) & FEATURE_CONTROL_VMX_OUTSIDE_SMX) != 0;
}

void tell_not_locked_off(const struct asked *asked)
{
    tell_of_cpus(asked, "IA32_FEATURE_CONTROL set or unlocked", "", has_feature_control,
                 is_not_locked_off);
}

static bool has_misc_enable(const struct cpu_record *record,
                            const struct requirement *requirement)
{
    (void)requirement;
    return record_msr(record, MSR_IA32_MISC_ENABLE).state == MSR_READ;
}

static bool has_fast_strings(const struct cpu_record *record,
                             const struct requirement *requirement)
{
    (void)requirement;
    return (record_msr(record, MSR_IA32_MISC_ENABLE).value & MISC_ENABLE_FAST_STRINGS) !=
           0;
}

void tell_fast_strings(const struct asked *asked)
{
    tell_of_cpus(asked, "fast strings", "IA32_MISC_ENABLE", has_misc_enable,
                 has_fast_strings);
}

void tell_same_processor(const struct asked *asked)
{
    const struct report_facts *facts = asked->question->facts;
    const struct cpu_record *first   = NULL;
    bool are_alike                   = true;

    for (size_t i = 0; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        if (record->answer != CPU_ANSWERED)
            continue;
        first = first == NULL ? record : first;
        are_alike &= record->cpuid.leaf_1.eax == first->cpuid.leaf_1.eax;
    }
    asked_tell(asked, "the same processor on all CPUs", "CPUID.01H:EAX",
               !are_alike || asked_were_all_seen(facts), are_alike);
}

/* ---- The machine ------------------------------------------------------------------- */

void tell_verdict(const struct asked *asked)
{
    enum verdict_word verdict = asked->question->facts->verdict;
    enum hypervisor whose     = requirement_source_hypervisor(asked->requirement->source);

    /* What Hymir was told not to unlock, others unlock, or say that it is locked. */
    if (verdict == VERDICT_UNLOCKED && whose == HYPERVISOR_HYMIR)
        asked_tell(asked, "VT-x that works", "boot without nolock", true, false);
    else
        asked_tell(
            asked,
            verdict == VERDICT_MIXED ? "VT-x that works on all CPUs" : "VT-x that works",
            "the verdict", true, verdict == VERDICT_READY || verdict == VERDICT_UNLOCKED);
}

void tell_to_be_looked_up(const struct asked *asked)
{
    asked_tell(asked, asked->requirement->name, "look it up", false, false);
}

void tell_two_cpus(const struct asked *asked)
{
    const struct report_facts *facts = asked->question->facts;
    bool is_met                      = facts->count >= 2;
    bool is_known                    = is_met || facts->unseen == NULL;

    asked_tell(asked, "two CPUs", is_known ? "" : facts->unseen, is_known, is_met);
}

void tell_ram(const struct asked *asked)
{
    asked_tell(asked, "8 GiB of memory", "", true,
               asked->question->facts->ram_bytes >= ESXI_LEAST_RAM);
}

/* True if Hymir looked at all units that there are. */
static bool were_units_read(const struct vt_d *vt_d)
{
    return !vt_d->is_broken && vt_d->dropped == 0;
}

/* What is asked of a VT-d unit. */
typedef bool unit_test(const struct vt_d_unit *unit,
                       const struct requirement *requirement);

/*
 * Missing if a unit that answers does not pass; unknown if that is not so, and there are
 * others.
 */
static void tell_of_units(const struct asked *asked, const char *name, unit_test *test)
{
    const struct vt_d *vt_d = asked->question->facts->vt_d;
    bool is_met             = true;
    bool is_known           = were_units_read(vt_d);

    for (size_t i = 0; i < vt_d->count; i++) {
        is_known &= vt_d->unit[i].answers;
        is_met &= !vt_d->unit[i].answers || test(&vt_d->unit[i], asked->requirement);
    }
    asked_tell(asked, name, "VT-d", is_known || !is_met, is_met);
}

void tell_vt_d_units(const struct asked *asked)
{
    const struct report_facts *facts = asked->question->facts;
    const struct vt_d *vt_d          = facts->vt_d;
    bool do_answer                   = vt_d->count > 0;

    for (size_t i = 0; i < vt_d->count; i++)
        do_answer &= vt_d->unit[i].answers;
    bool has_silent = vt_d->count > 0 && !do_answer;
    asked_tell(asked, vt_d->has_table ? "VT-d units that answer" : "VT-d",
               "an ACPI table DMAR",
               has_silent || (facts->has_acpi && were_units_read(vt_d)), do_answer);
}

static bool has_unit_bits(const struct vt_d_unit *unit,
                          const struct requirement *requirement)
{
    uint64_t value = *(const uint64_t *)((const char *)unit + requirement->offset);
    return (value & requirement->bits) == requirement->bits;
}

void tell_vt_d_bits(const struct asked *asked)
{
    tell_of_units(asked, asked->requirement->name, has_unit_bits);
}

static bool has_unit_version(const struct vt_d_unit *unit,
                             const struct requirement *requirement)
{
    return (unit->version & 0xFF) >= requirement->bits;
}

void tell_vt_d_version(const struct asked *asked)
{
    tell_of_units(asked, "version 1.0", has_unit_version);
}

/* What Jailhouse uses of a unit: the smaller one. */
static uint64_t width_of(const struct vt_d_unit *unit)
{
    return (unit->capability & VT_D_CAP_39_BITS) != 0
               ? VT_D_CAP_39_BITS
               : unit->capability & VT_D_CAP_48_BITS;
}

static bool has_unit_width(const struct vt_d_unit *unit,
                           const struct requirement *requirement)
{
    return width_of(unit) != 0 && width_of(unit) == requirement->bits;
}

/* The first unit that answers says which width all must have. */
void tell_vt_d_width(const struct asked *asked)
{
    const struct vt_d *vt_d        = asked->question->facts->vt_d;
    struct requirement requirement = *asked->requirement;
    struct asked same              = *asked;

    for (size_t i = 0; i < vt_d->count && requirement.bits == 0; i++)
        requirement.bits = width_of(&vt_d->unit[i]);
    same.requirement = &requirement;
    tell_of_units(&same, "39 bits of address or else 48, of all units", has_unit_width);
}

/* ------------------------------------------------------------------------------------ */

static bool is_wide(const struct cpu_record *record,
                    const struct requirement *requirement)
{
    return cpuid_physical_address_width(&record->cpuid) > requirement->bits;
}

bool premise_holds(enum premise premise, const struct hypervisor_question *question)
{
    const struct premise_facts *facts = &premises[premise];
    uint64_t may_be_1                 = question->usable.group[facts->group].may_be_1;
    const struct requirement of_cpu   = {.bits = facts->bits, .offset = facts->offset};

    switch (facts->test) {
    case TEST_NOTHING:
        return true;
    case TEST_CPUID:
        return does_any(question, has_cpuid_bits, &of_cpu);
    case TEST_WIDTH:
        return does_any(question, is_wide, &of_cpu);
    case TEST_ANY:
        return (may_be_1 & facts->bits) != 0;
    case TEST_NONE:
        return (may_be_1 & facts->bits) == 0;
    case TEST_NOT_ALL:
        return (may_be_1 & facts->bits) != facts->bits;
    case TEST_VT_D:
        return question->facts->vt_d->count > 0;
    }
    return false;
}
