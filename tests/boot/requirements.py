"""Checks the hypervisors of a report against its own table of requirements.

The bit numbers are typed from the sources in docs/REFERENCES.md, not copied from Hymir, so that a row that is missing,
added, misnamed or misjudged in one of the two tables shows as a difference. For machines whose CPUs are identical.
"""

import re

VMX_C = "arch/x86/kvm/vmx/vmx.c"
VMCS_C = "xen/arch/x86/hvm/vmx/vmcs.c"
HMVMX = "VMMR0/HMVMXR0.cpp"
CAPS_C = "hypervisor/arch/x86/cpu_caps.c"

# Requirements by hypervisor and source, as words. GROUP+bits: all may be 1; GROUP-bits: all may be 0; GROUP|bits: one may
# be 1; GROUP=bits: all other controls may be 0; ENTRYa=EXITb: both or neither; REGISTER+bit:name: a CPUID bit; same:a,b: registers that are the same on all CPUs;
# named_of() handles the others. PREMISE?WORD applies only if the premise holds. VT_X and AMD_V are the tables of sources for
# these technologies, TABLE is for any.
TABLE = {
    "Hymir's guests": {},
    "KVM": {
        "arch/x86/kvm/x86.c __kvm_x86_vendor_init()": "1D+0:x87_FPU 1D+24:FXSAVE"},
    "Xen HVM": {
        "xen/arch/x86/boot/head.S": "80000001D+29:long_mode"},
    "Hyper-V": {
        "System requirements for Hyper-V on Windows and Windows Server":
            "80000001D+29:long_mode 80000001D+20:NX_(execute_disable)",
        "Hypervisor Boot-time CPUID Feature Requirements":
            "same:CPUID.00H:EBX,CPUID.00H:ECX,CPUID.00H:EDX,family;_model_and_type_(CPUID.01H:EAX),CLFLUSH_line_size,"
            "logical_processors_in_a_package,XSAVE,CPUID.80000001H:EAX,CPUID.80000001H:EBX old 80000001D+11:SYSCALL beyond-48?48 "
            "nested?unnested"},
    "ESXi 8": {
        "ESXi Hardware Requirements":
            "80000001D+29:long_mode 80000001D+20:NX_(execute_disable) guide two-cpus ram",
        "ESXi 8.0 Update 2 requires XSAVE (williamlam.com)": "1C+26:XSAVE"},
    "VirtualBox 7": {
        "VMMR3/CPUM.cpp CPUMR3Init()": "1D+4:TSC 1D+23:MMX 1D+24:FXSAVE"},
    "bhyve": {},
    "Jailhouse": {
        "tools/jailhouse-hardware-check": "two-cpus 80000001D+29:long_mode"},
    "ACRN": {
        f"{CAPS_C} detect_hardware_support()":
            "vt-x leaf21 80000001D+29:long_mode 80000001D+20:NX_(execute_disable) 1D+12:MTRR 1D+25:SSE 1C+21:x2APIC 1C+23:POPCNT "
            "1C+24:TSC_deadline 1C+30:RDRAND 7B+7:SMEP 7B+9:ERMS 7B+20:SMAP 7B+23:CLFLUSHOPT 80000007D+8:invariant_TSC "
            "fast-strings widths wide?80000001D+26:1-GByte_pages"},
    "NOVA": {
        "src/x86_64/start.S":
            "80000001D+29:long_mode 80000001D+20:NX_(execute_disable) 1D+13:PGE 1D+16:PAT 1D+24:FXSAVE 1D+25:SSE"},
}
VT_X = {
    "Hymir's guests": {
        "src/vmx/checks.c vmx_checks[]": "works-on-one",
        "src/vmx/vcpu_controls.c vcpu_controls_fit()":
            "PIN+0,3,5 PRI+2,3,7,10,11,19,20,22,25,28,29,31 SEC+1,7 EXIT+2,9,18,19,20,21 ENTRY+2,14,15 EPT+6,14,20,26 MISC+6 "
            "PIN=0,1,2,3,4,5,6 PRI=1,3,4,5,6,7,8,10,11,13,14,19,20,25,26,28,29,31 SEC=1,3,5,6,7,12,15,26,28,30,31 "
            "EXIT=0,1,2,3,4,5,6,7,8,9,10,11,13,14,16,17,18,19,20,21,22 ENTRY=0,1,2,3,4,5,6,7,8,12,14,15"},
    "KVM": {
        f"{VMX_C} __kvm_is_vmx_supported()": "works",
        f"{VMX_C} setup_vmcs_config()":
            "PIN+0,3 PRI+2,3,7,9,10,11,15,16,19,20,23,24,29 EXIT+2,9,15 ENTRY+2,9 BASIC-48 write-back region ept-told?SEC+1 "
            "vpid-told?SEC+5 ENTRY13=EXIT12 ENTRY14=EXIT19 ENTRY15=EXIT21 ENTRY16=EXIT23 ENTRY18=EXIT25",
        f"{VMX_C} vmx_check_processor_compat()":
            "same:IA32_VMX_BASIC,IA32_VMX_PINBASED_CTLS,IA32_VMX_PROCBASED_CTLS,IA32_VMX_PROCBASED_CTLS2,IA32_VMX_PROCBASED_CTLS3,"
            "IA32_VMX_EXIT_CTLS,IA32_VMX_ENTRY_CTLS,IA32_VMX_MISC",
        "arch/x86/kvm/vmx/nested.c nested_vmx_setup_ctls_msrs()":
            "same:IA32_VMX_CR0_FIXED1,IA32_VMX_CR4_FIXED1,IA32_VMX_EPT_VPID_CAP",
        f"{VMX_C} vmx_hardware_setup()": "no-kvm-ept?80000001D+20:NX_(execute_disable)"},
    "Xen HVM": {
        f"{VMCS_C} _vmx_cpu_up()": "works",
        f"{VMCS_C} vmx_init_vmcs_config()":
            "PIN+0,3 PRI+2,3,7,9,10,12,15,16,19,20,23,25,29 EXIT+9,15 BASIC-48 write-back region "
            "xen:IA32_VMX_BASIC,IA32_VMX_PINBASED_CTLS,IA32_VMX_PROCBASED_CTLS,IA32_VMX_PROCBASED_CTLS2,IA32_VMX_PROCBASED_CTLS3,"
            "IA32_VMX_EXIT_CTLS,IA32_VMX_ENTRY_CTLS,IA32_VMX_EPT_VPID_CAP,IA32_VMX_VMFUNC "
            "as-boot:enable_PML,Intel_PT_in_VMX_operation"},
    "Hyper-V": {
        "System requirements for Hyper-V on Windows and Windows Server: VT-x": "works unlocked?locked SEC+1",
        "Hypervisor Boot-time CPUID Feature Requirements: VT-x": "leaf4"},
    "ESXi 8": {
        "ESXi Hardware Requirements: VT-x": "works unlocked?locked"},
    "VirtualBox 7": {
        "VMMR0/HMR0.cpp hmR0InitIntel()": "works",
        f"{HMVMX} hmR0VmxStructsAlloc()": "region",
        f"{HMVMX} hmR0VmxSetupVmcsPinCtls()": "PIN+0,3",
        f"{HMVMX} hmR0VmxSetupVmcsProcCtls()":
            "PRI+3,7,10,11,23,24,29 PRI-23 no-tpr-shadow?PRI+19,20 no-ept?PRI+9,15,16",
        f"{HMVMX} hmR0VmxSetupTaggedTlb()": "ept?EPT+6,14,20 ept?EPT|25,26",
        "VMMAll/VMXAllTemplate.cpp.h vmxHCExportGuestEntryExitCtls()": "EXIT+2,9 ENTRY+2,9"},
    "bhyve": {
        "sys/amd64/vmm/intel/vmx.c vmx_modinit()":
            "works BASIC+54 PIN+0,3,5 PRI+2,10,19,20,22,24,28,29,31 PRI-15,16,25 SEC+1 EXIT+2,9,15,20,21 ENTRY+2,15 ENTRY-10,11",
        "sys/amd64/vmm/intel/ept.c ept_init()": "EPT+6,14,20,25,26,32,40,41,42,43"},
    "Jailhouse": {
        "driver/main.c jailhouse_cmd_enable()": "not-locked-off",
        "hypervisor/arch/x86/vmx.c vmx_check_features()":
            "works BASIC+55 write-back region PIN+3,6 PRI+25,28,31 PRI-15,16 SEC+0,1,7 80000001D27?SEC+3 7B10?SEC+12 DA3?SEC+20 "
            "7C5?SEC+26 EPT+6,14,20 EPT|25,26 EXIT+18,19,20,21 ENTRY+14,15 MISC+6 "
            "same:IA32_VMX_CR0_FIXED0,IA32_VMX_CR0_FIXED1,IA32_VMX_CR4_FIXED0,IA32_VMX_CR4_FIXED1",
        "hypervisor/arch/x86/vtd.c vtd_init()": "vt-d"},
    "ACRN": {
        f"{CAPS_C} detect_hardware_support(): VT-x": "works wide?EPT+17",
        f"{CAPS_C} check_essential_vmx_caps()":
            "PIN+0 PIN-0 PRI+3,7,21,25,28,31 PRI-3,7,21,25,28,31 SEC+0,1,3,5,7 SEC-0,1,3,5,7 EXIT+9,15,18,19 EXIT-9,15,18,19 "
            "ENTRY+9,14 ENTRY-9,14",
        f"{CAPS_C} is_apicv_basic_feature_supported()": "SEC+4",
        f"{CAPS_C} check_vmx_mmu_cap()": "EPT+16,20,32,41,42 MISC+5",
        f"{CAPS_C} pcpu_vmx_set_32bit_addr_width()": "BASIC-48",
        "hypervisor/arch/x86/vtd.c init_iommu()": "vt-d"},
    "NOVA": {
        "src/x86_64/vmx.cpp Vmcs::init()": "works locked-on PRI+31 SEC+1,7 EPT+20"},
}
AMD_V = {
    "Hymir's guests": {"src/svm/checks.c svm_checks[]": "works-on-one", "src/svm/svm.c find_missing()": "guests"},
    "KVM": {
        "arch/x86/kvm/svm/svm.c __kvm_is_svm_supported()": "works not-amd?hygon",
        "arch/x86/kvm/svm/svm.c svm_hardware_setup()": "80000001D+20:NX_(execute_disable)"},
    "Xen HVM": {"xen/arch/x86/hvm/svm/svm.c start_svm()": "works"},
    "Hyper-V": {"System requirements for Hyper-V on Windows and Windows Server: AMD-V": "works SVM+0"},
    "ESXi 8": {"ESXi Hardware Requirements: AMD-V": "works SVM+0"},
    "VirtualBox 7": {"VMMR0/HMR0.cpp hmR0InitAmd()": "works"},
    "bhyve": {
        "sys/amd64/vmm/amd/svm.c svm_available()": "works",
        "sys/amd64/vmm/amd/svm.c check_svm_features()": "SVM+0,3 asids"},
    "Jailhouse": {
        "tools/jailhouse-hardware-check: AMD-V": "amd-vi",
        "hypervisor/arch/x86/amd_iommu.c amd_iommu_init_features()": "smi-filter",
        "hypervisor/arch/x86/svm.c svm_check_features()": "works SVM+0"},
    "NOVA": {"src/x86_64/svm.cpp Vmcb::init()": "works", "src/x86_64/regs.cpp": "SVM+0"},
}
TECHNOLOGIES = {"VT-x": VT_X, "AMD-V": AMD_V}

GROUPS = {  # for each word: the report's name of the group, and of one of its bits
    "PIN": ("Pin-based VM-execution controls", "pin-based control"),
    "PRI": ("Primary processor-based VM-execution controls", "primary control"),
    "SEC": ("Secondary processor-based VM-execution controls", "secondary control"),
    "EXIT": ("Primary VM-exit controls", "VM-exit control"),
    "ENTRY": ("VM-entry controls", "VM-entry control"),
    "BASIC": ("Basic VMX information", "IA32_VMX_BASIC"),
    "MISC": ("Miscellaneous data", "IA32_VMX_MISC"),
    "EPT": ("EPT and VPID capabilities", "IA32_VMX_EPT_VPID_CAP"),
    "SVM": ("SVM features", "SVM feature"),
}
REGISTERS = {"1C": "CPUID.01H:ECX", "1D": "CPUID.01H:EDX", "7B": "CPUID.07H:EBX", "7C": "CPUID.07H:ECX", "DA": "CPUID.0DH.1:EAX",
             "80000001C": "CPUID.80000001H:ECX", "80000001D": "CPUID.80000001H:EDX", "80000007D": "CPUID.80000007H:EDX"}
PREMISES = {"ept-told": ", as IA32_VMX_EPT_VPID_CAP has EPT", "vpid-told": ", as IA32_VMX_EPT_VPID_CAP has VPID",
            "no-tpr-shadow": ", without TPR shadow", "no-ept": ", without EPT", "ept": ", for EPT", "80000001D27": ", for RDTSCP",
            "7B10": ", for INVPCID", "DA3": ", for XSAVES", "7C5": ", for UMWAIT", "no-kvm-ept": ", without EPT",
            "wide": ", for addresses of more than 39 bits"}
OLD = 0x078BFBFF  # the bits of CPUID.01H:EDX that Hyper-V requires


class Machine:
    """The facts in a report about a machine with identical CPUs, and its decoded VMX MSRs."""

    def __init__(self, report, names, decoded):
        self.report = report
        self.names = names | {"SVM features": {0: "nested paging", 3: "NRIP save"}}  # of the bits, by the report's group
        self.decoded = decoded | report["capabilities"]
        values = report["registers"][0]["values"]
        self.values = {name: int(value, 16) for name, value in values.items() if value.startswith("0x")}
        self.has_vmx = "IA32_VMX_BASIC" in self.values
        self.basic = self.values.get("IA32_VMX_BASIC", 0)
        self.has_capabilities = self.has_vmx or "SVM features" in report["capabilities"]
        sources = {part["source"] for hypervisor in report["hypervisors"] for part in hypervisor["requirements"]}
        is_amd_v = not sources.isdisjoint(AMD_V["KVM"])  # if no CPU offers either, the brand's table is shown
        self.technology = report["verdict"]["virtualization"] or ("AMD-V" if is_amd_v else "VT-x")

    def state(self, group, bit):
        """Returns the state of a bit in a group; in an absent group the bit cannot be 1."""
        name = GROUPS[group][0]
        default = "no" if group in ("BASIC", "MISC", "EPT", "SVM") else "fixed 0"
        return self.decoded.get(name, {}).get("bits", {}).get(self.names[name][bit], default)

    def may(self, group, bit):
        return self.state(group, bit) in ("yes", "optional", "fixed 1")

    def may_not(self, group, bit):
        return self.state(group, bit) in ("no", "optional", "fixed 0")

    def must(self, group, bit):
        """Returns whether a control must be 1, by the TRUE MSR if there is one."""
        name = "IA32_VMX_" + {"PIN": "PINBASED", "PRI": "PROCBASED", "SEC": "PROCBASED", "EXIT": "EXIT", "ENTRY": "ENTRY"}[group] + "_CTLS"
        name = name + "2" if group == "SEC" else name.replace("VMX_", "VMX_TRUE_") if self.basic >> 55 & 1 else name
        return self.values.get(name, 0) >> bit & 1 == 1

    def cpuid(self, register, bit):
        return self.values[REGISTERS[register]] >> bit & 1 == 1

    def holds(self, premise):
        if premise in ("ept-told", "vpid-told"):
            word = self.values.get("IA32_VMX_EPT_VPID_CAP", 0) >> (32 if premise == "vpid-told" else 0) & 0xFFFFFFFF
            return word != 0
        if premise in ("no-ept", "ept"):
            return self.may("SEC", 1) == (premise == "ept")
        if premise == "no-tpr-shadow":
            return not self.may("PRI", 21)
        if premise == "no-kvm-ept":
            return not all(self.may("EPT", bit) for bit in (6, 14, 26))
        if premise in ("wide", "beyond-48"):
            width = int(self.report["surroundings"]["physical_address_width"]["state"])
            return width > (39 if premise == "wide" else 48)
        if premise == "not-amd":
            return self.values["CPUID.00H:EBX"] != int.from_bytes(b"Auth", "little")
        if premise == "unlocked":
            return self.values.get("IA32_FEATURE_CONTROL", 1) & 1 == 0
        if premise == "nested":
            return self.cpuid("1C", 31)
        register, bit = re.fullmatch(r"(80000001D|7B|7C|DA)(\d+)", premise).groups()
        return self.cpuid(register, int(bit))


def bits_of(machine, group, sign, bits, premise):
    """Yields the requirements on bits of a group: the name, and whether it is met."""
    name, singular = GROUPS[group]
    kind = f" ({singular}{PREMISES.get(premise, '')})"
    if sign == "|":
        quoted = ", ".join(f'"{machine.names[name][bit]}"' for bit in bits)
        yield f"one of {quoted}{kind}", any(machine.may(group, bit) for bit in bits)
    for bit in bits if sign != "|" else []:
        word = "0 for " if sign == "-" else ""
        yield f'{word}"{machine.names[name][bit]}"{kind}', (machine.may_not if sign == "-" else machine.may)(group, bit)


def others_of(machine, group, bits):
    """Yields the requirement that all other controls of a group may be 0, or one for each that must be 1."""
    name, singular = GROUPS[group]
    forced = [bit for bit in range(32) if bit not in bits and machine.must(group, bit)]
    for bit in forced:
        yield f'0 for "{machine.names[name].get(bit) or f"bit {bit}"}" ({singular})', False
    if not forced:
        yield f"0 for all other controls ({singular}s)", True


def pair_of(machine, entry, leave):
    names = machine.names[GROUPS["ENTRY"][0]][entry], machine.names[GROUPS["EXIT"][0]][leave]
    yield (f'both or neither of "{names[0]}" and "{names[1]}" (VM-entry and VM-exit control)',
           machine.may("ENTRY", entry) == machine.may("EXIT", leave))


def vt_d_of(machine, hypervisor):
    units = machine.report["vt_d_units"]
    if not units:
        is_unknown = machine.report["surroundings"]["vt_d"]["state"] == "unknown"
        yield "VT-d (an ACPI table DMAR)", None if is_unknown else False
        return
    yield "VT-d units that answer (an ACPI table DMAR)", all(unit["answers"] for unit in units)
    pages = [("2-MByte pages", "capability", 34), ("1-GByte pages", "capability", 35)]
    remapping = [("queued invalidation", "extended_capability", 1), ("interrupt remapping", "extended_capability", 3)]
    mode = [("extended interrupt mode", "extended_capability", 4)]
    for name, register, bit in remapping if hypervisor == "Jailhouse" else pages + remapping + mode:
        known = [int(unit[register], 16) >> bit & 1 == 1 for unit in units if unit["answers"]]
        yield f"{name} (VT-d)", all(known) if len(known) == len(units) or not all(known) else None
    if hypervisor == "Jailhouse":
        known = [int(unit["version"], 16) >= 0x10 for unit in units if unit["answers"]]
        yield "version 1.0 (VT-d)", all(known) if len(known) == len(units) or not all(known) else None
        widths = {9 if int(unit["capability"], 16) >> 9 & 1 else int(unit["capability"], 16) & 1 << 10
                  for unit in units if unit["answers"]}
        met = len(widths) == 1 and 0 not in widths
        yield "39 bits of address or else 48, of all units (VT-d)", met if all(unit["answers"] for unit in units) else None


def amd_vi_of(machine):
    units = machine.report["amd_vi_units"]
    if not units:
        is_unknown = machine.report["surroundings"]["amd_vi"]["state"] == "unknown"
        yield "AMD-Vi (an ACPI table IVRS)", None if is_unknown else False
    else:
        yield "AMD-Vi units that answer (an ACPI table IVRS)", all(unit["answers"] for unit in units)


def smi_filter_of(machine):
    units = machine.report["amd_vi_units"]
    known = [int(unit["extended_features"], 16) >> 16 & 3 == 1 for unit in units if unit["answers"]]
    if units:
        yield "SMI filter (AMD-Vi)", all(known) if len(known) == len(units) or not all(known) else None


def named_of(machine, word, hypervisor):
    """Yields the requirements that are not bits: the name, and whether it is met, or None if unknown."""
    verdict = machine.report["verdict"]["word"]
    control = machine.values.get("IA32_FEATURE_CONTROL")
    if word == "works":
        yield f"{machine.technology} that works on all CPUs (the verdict)", verdict in ("READY", "UNLOCKED")
    elif word == "works-on-one":
        yield f"{machine.technology} that works on a CPU (the verdict)", verdict == "READY"
    elif word == "vt-x":
        yield "VT-x (CPUID.01H:ECX)", machine.cpuid("1C", 5)
    elif word == "hygon":
        yield "a processor of AMD or Hygon (CPUID.00H:EBX)", machine.values["CPUID.00H:EBX"] == int.from_bytes(b"Hygo", "little")
    elif word == "asids":
        asids = [group for group in machine.report["capabilities"].values() if group["source"] == "CPUID.8000000AH:EBX"]
        yield "two ASIDs (CPUID.8000000AH:EBX)", asids[0]["bits"]["number of ASIDs"] >= 2 if asids else None
    elif word == "guests":  # TCG and Bochs have nested paging, also if CPUID does not report it
        yield "nested paging that works (the trial)", True if verdict == "READY" else None
    elif word == "amd-vi":
        yield from amd_vi_of(machine)
    elif word == "smi-filter":
        yield from smi_filter_of(machine)
    elif word == "locked":
        yield "IA32_FEATURE_CONTROL locked by firmware (its document does not say)", None
    elif word == "48":
        yield "physical addresses of 48 bits at most (the document is of 2013)", None
    elif word == "unnested":
        yield "no hypervisor below (the document is of 2013)", None
    elif word == "old":
        yield "VME, DE, PSE and the like (CPUID.01H:EDX)", machine.values[REGISTERS["1D"]] & OLD == OLD
    elif word == "widths":
        yield "address widths in CPUID", machine.values["CPUID.80000008H:EAX"] & 0xFF != 0
    elif word == "write-back":
        yield "write-back VMCSs (IA32_VMX_BASIC)", machine.basic >> 50 & 0xF == 6 if machine.has_vmx else None
    elif word == "region":
        yield "VMCSs of 4096 bytes at most (IA32_VMX_BASIC)", machine.basic >> 32 & 0x1FFF <= 4096 if machine.has_vmx else None
    elif word.startswith(("same:", "xen:", "as-boot:")):
        kind, _, names = word.partition(":")
        kinds = {"same": "the same on all CPUs", "xen": "the same on all CPUs, else offline",
                 "as-boot": "on all CPUs if on the boot CPU, else offline"}
        for name in names.split(","):
            is_known = machine.has_vmx or not name.startswith("IA32") and kind == "same"
            words = name if name.startswith("IA32") else name.replace("_", " ").replace(";", ",")
            yield f"{words} ({kinds[kind]})", True if is_known else None
    elif word == "guide":
        yield "the processor in VMware's compatibility guide (look it up)", None
    elif word == "two-cpus":
        yield "two CPUs", len(machine.report["cpus"]) > 1
    elif word == "ram":
        ram = machine.report["machine"]["ram_bytes"]
        yield "8 GiB of memory", ram >= 7680 << 20 if ram else None
    elif word == "locked-on":
        yield "IA32_FEATURE_CONTROL set and locked by firmware", None if control is None else control & 5 == 5
    elif word == "not-locked-off":
        yield "IA32_FEATURE_CONTROL set or unlocked", None if control is None else control & 5 != 1
    elif word == "fast-strings":
        enable = machine.values.get("IA32_MISC_ENABLE")
        yield "fast strings (IA32_MISC_ENABLE)", None if enable is None else enable & 1 == 1
    elif word.startswith("leaf"):
        yield f"CPUID leaf {int(word[4:]):#x}", machine.values["CPUID.00H:EAX"] >= int(word[4:])
    else:
        yield from vt_d_of(machine, hypervisor)


def judge(machine, hypervisor, word):
    """Yields the requirements of a word: the name, and whether it is met, or None if unknown."""
    premise, _, word = word.rpartition("?")
    if premise and not machine.holds(premise):
        return
    if match := re.fullmatch(r"ENTRY(\d+)=EXIT(\d+)", word):
        found = pair_of(machine, *map(int, match.groups()))
    elif match := re.fullmatch(r"([A-Z]+)([-+|])([\d,]+)", word):
        found = bits_of(machine, match[1], match[2], list(map(int, match[3].split(","))), premise)
    elif match := re.fullmatch(r"([A-Z]+)=([\d,]+)", word):
        found = others_of(machine, match[1], list(map(int, match[2].split(","))))
    elif match := re.fullmatch(r"(\w+)\+(\d+):(.*)", word):
        words = PREMISES.get(premise, "").removeprefix(", ")
        yield match[3].replace("_", " ") + (f" ({words})" if words else ""), machine.cpuid(match[1], int(match[2]))
        return
    else:
        yield from named_of(machine, word, hypervisor)
        return
    for name, is_met in found:
        yield name, is_met if machine.has_capabilities else None


def differences(report, names, decoded):
    """Returns the first difference between the report's hypervisors and the table, or None."""
    machine = Machine(report, names, decoded)
    words = {True: "ok", False: "missing", None: "unknown"}
    found = {hypervisor["name"]: hypervisor for hypervisor in report["hypervisors"]}
    if list(found) != list(TABLE):
        return f"the hypervisors are {list(found)}"
    for hypervisor in TABLE:
        sources = TABLE[hypervisor] | TECHNOLOGIES[machine.technology].get(hypervisor, {})
        parts = {part["source"]: part for part in found[hypervisor]["requirements"]}
        if parts.keys() != sources.keys():
            return f"the sources of {hypervisor} are {list(parts)}"
        states = set()
        for source, text in sources.items():
            wanted = {name: words[is_met] for word in text.split() for name, is_met in judge(machine, hypervisor, word)}
            found_states = {name: state for state in words.values() for name in parts[source][state]}
            if found_states != wanted:
                return f"{hypervisor}, {source}: unexpected: {found_states.items() - wanted.items()}, " \
                       f"missing: {wanted.items() - found_states.items()}"
            states |= set(wanted.values())
        state = "missing" if "missing" in states else "unknown" if "unknown" in states else "ok"
        if found[hypervisor]["state"] != state:
            return f"{hypervisor} is {found[hypervisor]['state']}, expected {state}"
    return None
