/* See requirements.h and asked.h; requirement_machine.c has the rest. */
#include "report/asked.h"

#include "check/comparison.h"

void asked_tell(const struct asked *asked, const char *name, const char *kind,
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
    asked_tell(asked, name, kind, asked->question->has_capabilities, is_met);
}

/* ---- Bits of the capability MSRs --------------------------------------------------- */

static const struct capability_table *capability_table_of(const struct asked *asked)
{
    return asked->question->facts->records[0].virtualization->capability_table;
}

static struct capability_bits bits_of(const struct asked *asked,
                                      enum vmx_capability_group group)
{
    return asked->question->usable.group[group];
}

#define KIND_SIZE 96

/* What a bit of the requirement's group is, and of what machines it is demanded. */
static void append_kind(const struct asked *asked, struct text *kind)
{
    const struct requirement *requirement = asked->requirement;
    const char *words                     = premises[requirement->premise].words;

    text_append(kind, "%s%s%s",
                capability_table_of(asked)->groups[asked->requirement->group].singular,
                words[0] != '\0' ? ", " : "", words);
}

/* Tells each of the bits, of which those of right are as they are wanted. */
static void tell_bits(const struct asked *asked, const char *word, uint64_t bits,
                      uint64_t right)
{
    const struct requirement *requirement = asked->requirement;
    TEXT_DECLARE(kind, KIND_SIZE);

    append_kind(asked, &kind);
    for (; bits != 0; bits &= bits - 1) {
        TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);
        text_append(&name, "%s\"%s\"", word,
                    capability_name(capability_table_of(asked), requirement->group,
                                    bits & -bits));
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
    enum vmx_capability_group group = asked->requirement->group;
    struct capability_bits bits     = bits_of(asked, group);

    tell_bits(asked, "0 for ", asked->requirement->bits,
              ~(capability_table_of(asked)->groups[group].has_settings ? bits.must_be_1
                                                                       : bits.may_be_1));
}

static void tell_own_controls(const struct asked *asked)
{
    enum vmx_capability_group group = asked->requirement->group;

    tell_bits(
        asked, "",
        asked->question->facts->records[0].virtualization->required_capabilities(group),
        bits_of(asked, group).may_be_1);
}

static void tell_any_of(const struct asked *asked)
{
    const struct requirement *requirement = asked->requirement;
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);
    TEXT_DECLARE(kind, KIND_SIZE);

    append_kind(asked, &kind);
    text_append(&name, "one of");
    for (uint64_t bits = requirement->bits; bits != 0; bits &= bits - 1)
        text_append(&name, "%s \"%s\"", bits == requirement->bits ? "" : ",",
                    capability_name(capability_table_of(asked), requirement->group,
                                    bits & -bits));
    tell_of_vmx(asked, name.buffer, kind.buffer,
                (requirement->bits & bits_of(asked, requirement->group).may_be_1) != 0);
}

static void tell_both_or_neither(const struct asked *asked)
{
    const struct requirement *requirement = asked->requirement;
    bool of_entry = (requirement->bits & bits_of(asked, GROUP_ENTRY).may_be_1) != 0;
    bool of_exit  = (requirement->partner & bits_of(asked, GROUP_EXIT).may_be_1) != 0;
    TEXT_DECLARE(name, REQUIREMENT_NAME_SIZE);

    text_append(
        &name, "both or neither of \"%s\" and \"%s\"",
        capability_name(capability_table_of(asked), GROUP_ENTRY, requirement->bits),
        capability_name(capability_table_of(asked), GROUP_EXIT, requirement->partner));
    tell_of_vmx(asked, name.buffer, "VM-entry and VM-exit control", of_entry == of_exit);
}

static uint64_t basic_of(const struct asked *asked)
{
    return bits_of(asked, GROUP_BASIC).may_be_1;
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

    const struct virtualization *virtualization = facts->records[0].virtualization;
    for (size_t row = 0; row < comparison_count(virtualization); row++) {
        uint32_t number = comparison_msr(virtualization, row) - VMX_MSR_FIRST;
        if (number < VMX_MSR_COUNT && (BIT(number) & asked->requirement->bits) != 0)
            are_alike &= !comparison_differs(row, facts->records, facts->count);
    }
    asked_tell(asked, "the same VMX MSRs on all CPUs", "",
               asked->question->has_capabilities &&
                   (!are_alike || asked_were_all_seen(facts)),
               are_alike);
}

void requirement_answer(const struct requirement *requirement,
                        const struct hypervisor_question *question,
                        requirement_visit *visit, void *context)
{
    static void (*const tellers[])(const struct asked *asked) = {
        [VMX_WORKS]       = tell_verdict,
        [LOCKED_ON]       = tell_locked_on,
        [NOT_LOCKED_OFF]  = tell_not_locked_off,
        [TO_BE_LOOKED_UP] = tell_to_be_looked_up,
        [SAME_PROCESSOR]  = tell_same_processor,
        [VT_D_VERSION]    = tell_vt_d_version,
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
