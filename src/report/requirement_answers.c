/* See requirements.h: requirement_answer and premise_holds. */
#include "report/requirements.h"

#include "lib/string.h"
#include "vmx/comparison.h"
#include "vmx/feature_control.h"
#include "vmx/vcpu_controls.h"

#define MIB(n) ((uint64_t)(n) << 20)

/* Firmware keeps some of it: 8 GiB of memory modules are somewhat less here. */
#define ESXI_LEAST_RAM MIB(7680)

/* A requirement, what it is asked of, and where the answers go. */
struct asked {
    const struct requirement *requirement;
    const struct hypervisor_question *question;
    requirement_visit *visit;
    void *context;
};

static void tell(const struct asked *asked, const char *name, const char *kind,
                 bool is_known, bool is_met)
{
    enum requirement_state state = is_met ? REQUIREMENT_MET : REQUIREMENT_MISSING;
    const struct requirement_answer answer = {name, kind,
                                              is_known ? state : REQUIREMENT_UNKNOWN};
    asked->visit(&answer, asked->context);
}

/* Something that the usable capabilities tell, of which nothing is known without VMX. */
static void tell_of_vmx(const struct asked *asked, const char *name, const char *kind,
                        bool is_met)
{
    tell(asked, name, kind, asked->question->has_capabilities, is_met);
}

/* ---- Bits of the capability MSRs --------------------------------------------------- */

static struct capability_bits bits_of(const struct asked *asked,
                                      enum capability_group group)
{
    return capability_bits_of(&asked->question->usable, group);
}

#define KIND_SIZE 96

/* What a bit of the requirement's group is, and of what machines it is demanded. */
static void append_kind(const struct requirement *requirement, struct text *kind)
{
    const char *words = premises[requirement->premise].words;

    text_append(kind, "%s%s%s", capability_group_facts(requirement->group)->singular,
                words[0] != '\0' ? ", " : "", words);
}

/* Tells each of the bits, of which those of right are as they are wanted. */
static void tell_bits(const struct asked *asked, const char *word, uint64_t bits,
                      uint64_t right)
{
    const struct requirement *requirement = asked->requirement;
    TEXT_DECLARE(kind, KIND_SIZE);

    append_kind(requirement, &kind);
    for (; bits != 0; bits &= bits - 1) {
        TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);
        text_append(&name, "%s\"%s\"", word,
                    capability_name(requirement->group, bits & -bits));
        tell_of_vmx(asked, name.buffer, kind.buffer, (bits & -bits & right) != 0);
    }
}

static void tell_may_be_1(const struct asked *asked)
{
    tell_bits(asked, "", asked->requirement->bits,
              bits_of(asked, asked->requirement->group).may_be_1);
}

static void tell_may_be_0(const struct asked *asked)
{
    enum capability_group group = asked->requirement->group;
    struct capability_bits bits = bits_of(asked, group);

    tell_bits(
        asked, "0 for ", asked->requirement->bits,
        ~(capability_group_facts(group)->has_settings ? bits.must_be_1 : bits.may_be_1));
}

static void tell_own_controls(const struct asked *asked)
{
    enum capability_group group = asked->requirement->group;

    for (enum vmx_control kind = CONTROL_PIN_BASED; kind < CONTROL_KINDS; kind++) {
        if (capability_group_of(kind) == group)
            tell_bits(asked, "", vcpu_controls_required(kind),
                      bits_of(asked, group).may_be_1);
    }
}

static void tell_any_of(const struct asked *asked)
{
    const struct requirement *requirement = asked->requirement;
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);
    TEXT_DECLARE(kind, KIND_SIZE);

    append_kind(requirement, &kind);
    text_append(&name, "one of");
    for (uint64_t bits = requirement->bits; bits != 0; bits &= bits - 1)
        text_append(&name, "%s \"%s\"", bits == requirement->bits ? "" : ",",
                    capability_name(requirement->group, bits & -bits));
    tell_of_vmx(asked, name.buffer, kind.buffer,
                (requirement->bits & bits_of(asked, requirement->group).may_be_1) != 0);
}

static void tell_both_or_neither(const struct asked *asked)
{
    const struct requirement *requirement = asked->requirement;
    bool of_entry = (requirement->bits & bits_of(asked, GROUP_ENTRY).may_be_1) != 0;
    bool of_exit  = (requirement->partner & bits_of(asked, GROUP_EXIT).may_be_1) != 0;
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);

    text_append(&name, "both or neither of \"%s\" and \"%s\"",
                capability_name(GROUP_ENTRY, requirement->bits),
                capability_name(GROUP_EXIT, requirement->partner));
    tell_of_vmx(asked, name.buffer, "VM-entry and VM-exit control", of_entry == of_exit);
}

static uint64_t basic_of(const struct asked *asked)
{
    return vmx_capability_value(&asked->question->usable, MSR_IA32_VMX_BASIC);
}

static void tell_write_back(const struct asked *asked)
{
    tell_of_vmx(asked, "write-back VMCSs", "IA32_VMX_BASIC",
                VMX_BASIC_MEMORY_TYPE(basic_of(asked)) == VMX_MEMORY_TYPE_WRITE_BACK);
}

static void tell_region(const struct asked *asked)
{
    tell_of_vmx(asked, "VMCSs of 4096 bytes at most", "IA32_VMX_BASIC",
                VMX_BASIC_REGION_SIZE(basic_of(asked)) <= PAGE_SIZE);
}

static void tell_same_on_all(const struct asked *asked)
{
    const struct report_facts *facts = asked->question->facts;
    bool are_alike                   = true;

    for (size_t row = 0; row < comparison_count(); row++) {
        uint32_t number = comparison_vmx_msr(row) - VMX_MSR_FIRST;
        if (comparison_vmx_msr(row) != 0 && (BIT(number) & asked->requirement->bits) != 0)
            are_alike &= !comparison_differs(row, facts->records, facts->count);
    }
    tell_of_vmx(asked, "the same VMX MSRs on all CPUs", "", are_alike);
}

/* ---- What CPUs say ----------------------------------------------------------------- */

typedef bool cpu_test(const struct vmx_record *record,
                      const struct requirement *requirement);

/* True if the test says so of all CPUs that answered. */
static bool do_all(const struct hypervisor_question *question, cpu_test *test,
                   const struct requirement *requirement)
{
    const struct report_facts *facts = question->facts;

    for (size_t i = 0; i < facts->count; i++) {
        if (facts->records[i].answer == CPU_ANSWERED &&
            !test(&facts->records[i], requirement))
            return false;
    }
    return true;
}

static bool has_no_answer(const struct vmx_record *record,
                          const struct requirement *requirement)
{
    (void)record;
    (void)requirement;
    return false;
}

static void tell_of_cpus(const struct asked *asked, const char *name, cpu_test *test)
{
    bool has_answer = !do_all(asked->question, has_no_answer, asked->requirement);
    tell(asked, name, premises[asked->requirement->premise].words, has_answer,
         do_all(asked->question, test, asked->requirement));
}

static bool has_cpuid_bits(const struct vmx_record *record,
                           const struct requirement *requirement)
{
    const char *cpuid = (const char *)&record->before.cpuid;
    uint32_t word     = *(const uint32_t *)(cpuid + requirement->offset);
    return (word & requirement->bits) == requirement->bits;
}

static void tell_cpuid_bits(const struct asked *asked)
{
    tell_of_cpus(asked, asked->requirement->name, has_cpuid_bits);
}

static bool has_cpuid_leaf(const struct vmx_record *record,
                           const struct requirement *requirement)
{
    return record->before.cpuid.leaf_0.eax >= requirement->bits;
}

static void tell_cpuid_leaf(const struct asked *asked)
{
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);

    text_append(&name, "CPUID leaf 0x%lx", asked->requirement->bits);
    tell_of_cpus(asked, name.buffer, has_cpuid_leaf);
}

/* What some do not do themselves, and Hymir does only until the next reset. */
static bool is_locked_on(const struct vmx_record *record,
                         const struct requirement *requirement)
{
    (void)requirement;
    return feature_control_state(record->before.feature_control.value) ==
           FEATURE_CONTROL_ENABLED;
}

static void tell_locked_on(const struct asked *asked)
{
    tell_of_cpus(asked, "IA32_FEATURE_CONTROL set and locked by firmware", is_locked_on);
}

static bool has_misc_enable(const struct vmx_record *record,
                            const struct requirement *requirement)
{
    (void)requirement;
    return record->before.misc_enable.state == MSR_READ;
}

static bool has_fast_strings(const struct vmx_record *record,
                             const struct requirement *requirement)
{
    (void)requirement;
    return (record->before.misc_enable.value & MISC_ENABLE_FAST_STRINGS) != 0;
}

static void tell_fast_strings(const struct asked *asked)
{
    bool is_known = do_all(asked->question, has_misc_enable, asked->requirement);
    tell(asked, "fast strings", "IA32_MISC_ENABLE", is_known,
         do_all(asked->question, has_fast_strings, asked->requirement));
}

/* ---- The machine ------------------------------------------------------------------- */

static void tell_verdict(const struct asked *asked)
{
    enum verdict_word verdict = asked->question->facts->verdict;
    enum hypervisor whose     = requirement_source_hypervisor(asked->requirement->source);

    /* What Hymir was told not to unlock, others unlock, or say that it is locked. */
    if (verdict == VERDICT_UNLOCKED && whose == HYPERVISOR_HYMIR)
        tell(asked, "VT-x that works: a boot without nolock", "", true, false);
    else
        tell(asked,
             verdict == VERDICT_MIXED ? "VT-x that works on all CPUs: see the verdict"
                                      : "VT-x that works: see the verdict",
             "", true, verdict == VERDICT_READY || verdict == VERDICT_UNLOCKED);
}

static void tell_two_cpus(const struct asked *asked)
{
    const struct report_facts *facts = asked->question->facts;
    bool is_met                      = facts->count >= 2;
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);

    text_append(&name, "two CPUs");
    if (!is_met && facts->unseen != NULL)
        text_append(&name, ": %s", facts->unseen);
    tell(asked, name.buffer, "", is_met || facts->unseen == NULL, is_met);
}

static void tell_ram(const struct asked *asked)
{
    tell(asked, "8 GiB of memory", "", true,
         asked->question->facts->ram_bytes >= ESXI_LEAST_RAM);
}

/* The bits that all units have in the register at the offset. */
static uint64_t common_vt_d_bits(const struct asked *asked, size_t offset)
{
    const struct vt_d *vt_d = &asked->question->facts->vt_d;
    uint64_t common         = UINT64_MAX;

    for (size_t i = 0; i < vt_d->count; i++)
        common &= *(const uint64_t *)((const char *)&vt_d->unit[i] + offset);
    return common;
}

static void tell_vt_d_units(const struct asked *asked)
{
    const struct report_facts *facts = asked->question->facts;
    bool do_answer                   = facts->vt_d.count > 0;

    for (size_t i = 0; i < facts->vt_d.count; i++)
        do_answer &= facts->vt_d.unit[i].answers;
    tell(asked, facts->vt_d.has_table ? "VT-d units that answer" : "VT-d",
         "an ACPI table DMAR", facts->has_acpi, do_answer);
}

static void tell_vt_d_bits(const struct asked *asked)
{
    const struct requirement *requirement = asked->requirement;
    uint64_t common                       = common_vt_d_bits(asked, requirement->offset);

    tell(asked, requirement->name, "VT-d", true,
         (common & requirement->bits) == requirement->bits);
}

static void tell_vt_d_width(const struct asked *asked)
{
    uint64_t common = common_vt_d_bits(asked, offsetof(struct vt_d_unit, capability));
    tell(asked, "39 or 48 bits of address", "VT-d", true,
         (common & asked->requirement->bits) != 0);
}

/* ------------------------------------------------------------------------------------ */

bool premise_holds(enum premise premise, const struct hypervisor_question *question)
{
    const struct premise_facts *facts = &premises[premise];
    uint64_t may_be_1 = capability_bits_of(&question->usable, facts->group).may_be_1;
    const struct requirement cpuid = {.bits = facts->bits, .offset = facts->offset};

    switch (facts->test) {
    case TEST_NOTHING:
        return true;
    case TEST_CPUID:
        return do_all(question, has_cpuid_bits, &cpuid);
    case TEST_ANY:
        return (may_be_1 & facts->bits) != 0;
    case TEST_NONE:
        return (may_be_1 & facts->bits) == 0;
    case TEST_WIDTH:
        return cpuid_physical_address_width(&question->facts->records[0].before.cpuid) >
               facts->bits;
    case TEST_VT_D:
        return question->facts->vt_d.count > 0;
    }
    return false;
}

void requirement_answer(const struct requirement *requirement,
                        const struct hypervisor_question *question,
                        requirement_visit *visit, void *context)
{
    static void (*const tellers[])(const struct asked *asked) = {
        [VMX_WORKS]       = tell_verdict,
        [LOCKED_ON]       = tell_locked_on,
        [MAY_BE_1]        = tell_may_be_1,
        [MAY_BE_0]        = tell_may_be_0,
        [ANY_OF]          = tell_any_of,
        [BOTH_OR_NEITHER] = tell_both_or_neither,
        [OWN_CONTROLS]    = tell_own_controls,
        [WRITE_BACK]      = tell_write_back,
        [REGION_4_KIB]    = tell_region,
        [SAME_ON_ALL]     = tell_same_on_all,
        [CPUID_BITS]      = tell_cpuid_bits,
        [CPUID_LEAF]      = tell_cpuid_leaf,
        [FAST_STRINGS]    = tell_fast_strings,
        [TWO_CPUS]        = tell_two_cpus,
        [RAM_8_GIB]       = tell_ram,
        [VT_D_UNITS]      = tell_vt_d_units,
        [VT_D_BITS]       = tell_vt_d_bits,
        [VT_D_WIDTH]      = tell_vt_d_width,
    };
    const struct asked asked = {requirement, question, visit, context};

    tellers[requirement->condition](&asked);
}
