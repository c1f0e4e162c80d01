/*
 * The requirements on machines with AMD-V. See requirements.h; docs/REFERENCES.md lists
 * the sources.
 */
#include "report/requirement_rows.h"

#include "x86/svm_capabilities.h"

/* KVM refuses a processor of another vendor, even if it has AMD-V. */
PREMISE(not_amd, "", CPUID(leaf_0.ebx), UINT32_MAX, IS_NOT(CPUID_0_EBX_AMD));
PREMISE(ivrs, "", READ_IVRS, 0, 1, IS(1));
PREMISE(no_ivrs, "", READ_IVRS, 0, 1, IS(0));
PREMISE(amd_vi_units, "", READ_AMD_VI_UNIT, 0, 0, IS(0));

#define AMD_VI_IF(premise, name) \
    ROW(name, "an ACPI table IVRS", &(premise), READ_AMD_VI_ANSWERS, 0, 1, IS(1))

static const struct requirement_source sources[] = {
    SOURCE(HYMIR, "src/svm/checks.c svm_checks[]", WORKS_ON_ONE("AMD-V")),
    SOURCE(HYMIR, "src/svm/svm.c find_missing()",
           ROW("nested paging that works", "the trial", NULL, READ_GUESTS, 0, 1, IS(1),
               .agreement = AGREEMENT_ANY)),

    SOURCE(KVM, "arch/x86/kvm/svm/svm.c __kvm_is_svm_supported()", WORKS("AMD-V"),
           ROW("a processor of AMD or Hygon", "CPUID.00H:EBX", &not_amd,
               CPUID(leaf_0.ebx), UINT32_MAX, IS(CPUID_0_EBX_HYGON))),
    SOURCE(KVM, "arch/x86/kvm/svm/svm.c svm_hardware_setup()", NX(NULL)),

    SOURCE(XEN, "xen/arch/x86/hvm/svm/svm.c start_svm()", WORKS("AMD-V")),

    SOURCE(HYPER_V,
           "System requirements for Hyper-V on Windows and Windows Server: AMD-V",
           WORKS("AMD-V"), ONE(FEATURES, SVM_FEATURE_NESTED_PAGING)),

    SOURCE(ESXI, "ESXi Hardware Requirements: AMD-V", WORKS("AMD-V"),
           ONE(FEATURES, SVM_FEATURE_NESTED_PAGING)),

    SOURCE(VIRTUALBOX, "VMMR0/HMR0.cpp hmR0InitAmd()", WORKS("AMD-V")),

    SOURCE(BHYVE, "sys/amd64/vmm/amd/svm.c svm_available()", WORKS("AMD-V")),
    SOURCE(BHYVE, "sys/amd64/vmm/amd/svm.c check_svm_features()",
           ONE(FEATURES, SVM_FEATURE_NESTED_PAGING | SVM_FEATURE_NRIP_SAVE),
           ROW("two ASIDs", "CPUID.8000000AH:EBX", NULL, READ_MAY_BE_1, GROUP_ASIDS,
               UINT32_MAX, AT_LEAST(2))),

    SOURCE(JAILHOUSE, "tools/jailhouse-hardware-check: AMD-V",
           AMD_VI_IF(ivrs, "AMD-Vi units that answer"), AMD_VI_IF(no_ivrs, "AMD-Vi")),
    SOURCE(JAILHOUSE, "hypervisor/arch/x86/amd_iommu.c amd_iommu_init_features()",
           ROW("SMI filter", "AMD-Vi", &amd_vi_units, READ_AMD_VI_UNIT,
               offsetof(struct iommu_unit, extended_features), AMD_VI_SMI_F_SUP,
               IS(AMD_VI_SMI_FILTER))),
    SOURCE(JAILHOUSE, "hypervisor/arch/x86/svm.c svm_check_features()", WORKS("AMD-V"),
           ONE(FEATURES, SVM_FEATURE_NESTED_PAGING)),

    SOURCE(NOVA, "src/x86_64/svm.cpp Vmcb::init()", WORKS("AMD-V")),
    SOURCE(NOVA, "src/x86_64/regs.cpp", ONE(FEATURES, SVM_FEATURE_NESTED_PAGING)),
};

const struct requirement_table amd_v_requirement_table = TABLE("AMD-V");
