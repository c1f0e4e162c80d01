/* See svm.h. */
#include "svm/svm.h"

#include "svm/capabilities.h"
#include "svm/checks.h"
#include "svm/record.h"
#include "svm/trial.h"
#include "svm/vcpu.h"
#include "svm/vmcb.h"
#include "x86/control_registers.h"
#include "x86/cpuid.h"
#include "x86/msr.h"

static bool is_offered(const struct cpuid_snapshot *cpuid)
{
    return (cpuid->leaf_80000001.ecx & CPUID_80000001_ECX_SVM) != 0;
}

#define OWN(member) \
    (offsetof(struct cpu_record, own) + offsetof(struct svm_record, member))
#define CPUID_ROW(name, member)                            \
    {                                                      \
        name, 0, offsetof(struct cpu_record, cpuid.member) \
    }
static const struct register_row registers[] = {
    CPUID_ROW("CPUID.8000000AH:EAX", leaf_8000000a.eax),
    CPUID_ROW("CPUID.8000000AH:EBX", leaf_8000000a.ebx),
    CPUID_ROW("CPUID.8000000AH:EDX", leaf_8000000a.edx),
    CPUID_ROW("CPUID.8000001FH:EAX", leaf_8000001f.eax),
    CPUID_ROW("CPUID.8000001FH:EBX", leaf_8000001f.ebx),
    CPUID_ROW("CPUID.8000001FH:ECX", leaf_8000001f.ecx),
    CPUID_ROW("CPUID.8000001FH:EDX", leaf_8000001f.edx),
    CPUID_ROW("CPUID.80000026H:EAX", leaf_80000026.eax),
    CPUID_ROW("CPUID.80000026H:EBX", leaf_80000026.ebx),
    {"VM_CR", MSR_VM_CR, OWN(vm_cr)},
    {"EFER", MSR_IA32_EFER, OWN(efer)},
    {"SYSCFG", MSR_SYSCFG, OWN(syscfg)},
    {"IA32_ARCH_CAPABILITIES", MSR_IA32_ARCH_CAPABILITIES,
     offsetof(struct cpu_record, arch_capabilities)},
    {"VM_HSAVE_PA", MSR_VM_HSAVE_PA, OWN(vm_hsave_pa)}, /* not compared */
};

/*
 * What verdict, capabilities and hypervisor matrix are made from, and the outcome of
 * nested paging. The usual values are those of an EPYC.
 */
#define MSR(member, usual)  SHORT_FORM_MSR, OWN(member), usual
#define STEP(member, usual) SHORT_FORM_64_BITS, OWN(steps.member), usual
#define CPUID(leaf, usual) \
    SHORT_FORM_32_BITS, offsetof(struct cpu_record, cpuid.leaf), usual
static const struct short_form_row short_form[] = SHORT_FORM(
    {MSR(vm_cr, 0x8)}, {MSR(efer, EFER_LME | EFER_LMA | EFER_NXE)}, {MSR(syscfg, 0)},
    {SHORT_FORM_MSR, offsetof(struct cpu_record, arch_capabilities), 0},
    {CPUID(leaf_8000000a.eax, 0x1)}, {CPUID(leaf_8000000a.ebx, 0x8000)},
    {CPUID(leaf_8000000a.edx, 0x0001BCFF)}, {CPUID(leaf_8000001f.eax, 0)},
    {CPUID(leaf_8000001f.ebx, 0)}, {CPUID(leaf_8000001f.ecx, 0)},
    {CPUID(leaf_8000001f.edx, 0)}, {CPUID(leaf_80000026.eax, 0)},
    {CPUID(leaf_80000026.ebx, 0)}, {SHORT_FORM_32_BITS, OWN(steps.nested.exits.count), 1},
    {STEP(nested.exits.number[0], SVM_EXIT_VMMCALL)},
    {STEP(nested.rax, TRIAL_MARK_TARGET)}, {CPUID(leaf_0.eax, 0x10)},
    {CPUID(leaf_0.ebx, CPUID_0_EBX_AMD)}, {CPUID(leaf_0.ecx, 0x444D4163)},
    {CPUID(leaf_0.edx, 0x69746E65)}, {CPUID(leaf_1.ecx, 0x7ED8320B)},
    {CPUID(leaf_1.edx, 0x178BFBFF)}, {CPUID(leaf_7.ebx, 0x209C01A9)},
    {CPUID(leaf_7.ecx, 0)}, {CPUID(leaf_7.edx, 0)}, {CPUID(leaf_d_1.eax, 0xF)},
    {CPUID(leaf_80000001.ecx, 0x75C237FF)}, {CPUID(leaf_80000001.edx, 0x2FD3FBFF)},
    {CPUID(leaf_80000007.edx, 0)}, {CPUID(leaf_80000008.eax, 0x3030)});
_Static_assert(ARRAY_SIZE(short_form) <= SHORT_FORM_MAX_ROWS, "they fit");

static bool read_capabilities(const struct cpu_record *record,
                              struct capability_set *capabilities)
{
    for (enum svm_capability_group group = GROUP_REVISION; group < SVM_GROUP_COUNT;
         group++)
        capabilities->group[group] = svm_capability_bits(&record->cpuid, group);
    return is_offered(&record->cpuid);
}

static enum status find_missing(const struct cpu_record *record, struct text *missing)
{
    if (svm_has_nested_paging(record))
        return STATUS_OK;
    text_append(missing, "nested paging");
    return STATUS_UNSUPPORTED;
}

/*
 * Family 10H, erratum 383: if a guest changes its page tables, translations of different
 * sizes can match at once, which is a machine check.
 */
static uint64_t largest_page(const struct cpu_record *record)
{
    uint32_t edx = record->cpuid.leaf_80000001.edx;

    if (cpuid_signature(&record->cpuid).family == CPUID_FAMILY_10H)
        return PAGE_SIZE;
    return (edx & CPUID_80000001_EDX_PAGES_1_GIB) != 0 ? PAGE_SIZE_1_GIB
                                                       : PAGE_SIZE_2_MIB;
}

const struct virtualization amd_v = {
    .name    = "AMD-V",
    .success = "guests entered by VMRUN and left",
    .setting = "enable SVM Mode (AMD-V, Secure Virtual Machine)",

    .is_offered = is_offered,
    .is_usual   = cpuid_is_amd,

    .trial_pages    = SVM_TRIAL_PAGES,
    .read_registers = svm_trial_read_registers,
    .checks         = svm_checks,
    .check_count    = SVM_CHECK_COUNT,
    .enter_check    = SVM_CHECK_SVME,
    .guest_check    = SVM_CHECK_GUEST,
    .timings        = svm_timings,
    .timing_count   = SVM_TIMINGS,

    .registers         = registers,
    .register_count    = ARRAY_SIZE(registers),
    .compared_count    = ARRAY_SIZE(registers) - 1,
    .short_form        = short_form,
    .short_form_count  = ARRAY_SIZE(short_form),
    .capability_table  = &svm_capability_table,
    .read_capabilities = read_capabilities,
    .firmware_setting  = {"VM_CR", MSR_VM_CR, OWN(vm_cr)},

    .find_missing = find_missing,
    .largest_page = largest_page,
    .backend      = &svm_backend,
};
