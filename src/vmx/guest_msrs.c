/* See guest_policy.h. SDM 4, "Model-Specific Registers (MSRs)". */
#include "lib/bits.h"
#include "vmx/guest_policy.h"
#include "x86/msr.h"

const struct msr_range vmx_passed_msrs[] = {
    {MSR_IA32_UMWAIT_CONTROL, MSR_IA32_UMWAIT_CONTROL}, /* the CPU's, if it has one */
    {MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP},      /* in the VMCS */
    {MSR_IA32_PAT, MSR_IA32_PAT},                       /* in the VMCS */
    {MSR_IA32_EFER, MSR_IA32_EFER},                     /* in the VMCS */
    {MSR_IA32_STAR, MSR_IA32_FMASK},                    /* the CPU's, unused by Hymir */
    {MSR_IA32_FS_BASE, MSR_IA32_GS_BASE},               /* in the VMCS */
    {MSR_IA32_KERNEL_GS_BASE, MSR_IA32_TSC_AUX},        /* the CPU's, unused by Hymir */
};
const size_t vmx_passed_msr_count = ARRAY_SIZE(vmx_passed_msrs);

const struct vendor_msrs vmx_guest_msrs = {{
    {MSR_IA32_PLATFORM_ID, MSR_CONSTANT, 0, 0},
    {MSR_IA32_FEATURE_CONTROL, MSR_CONSTANT, FEATURE_CONTROL_LOCK, 0}, /* without VMX */
    {MSR_IA32_BIOS_SIGN_ID, MSR_WRITABLE_CONSTANT, 0, 0}, /* no microcode update */
    {MSR_IA32_MISC_ENABLE, MSR_WRITABLE_CONSTANT,
     MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_BTS_UNAVAILABLE |
         MISC_ENABLE_PEBS_UNAVAILABLE,
     0},
}};
