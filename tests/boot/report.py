"""Checks reports against a capability decoder with its own table.

The names and bits are typed from the SDM's appendix "VMX Capability Reporting Facility", not copied from Hymir's
sources, so that a mistake in one of the two tables shows as a difference.
"""

import json
import pathlib
import re
import subprocess

import requirements

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# The instructions, and ticks of the TSC, that Bochs executes a second unless a scenario says otherwise.
BOCHS_IPS = 10_000_000

HALVES, MAY_BE_1, VALUE, PAIR = "halves", "may be 1", "value", "pair"


# Group: the encoding of its MSR, the MSRs (the TRUE one first, if BASIC[55] is set), and names by bit, or (high, low).
GROUPS = {
    "Basic VMX information": (VALUE, [0x480], {
        (30, 0): "VMCS revision identifier", (44, 32): "bytes of a VMXON region or VMCS", 48: "addresses limited to 32 bits",
        49: "dual-monitor treatment of SMIs", (53, 50): "memory type for VMCSs", 54: "information on INS and OUTS exits",
        55: "default1 controls may be 0 (TRUE)", 56: "exceptions with any error code", 58: "nested exceptions"}),
    "Pin-based VM-execution controls": (HALVES, [0x48D, 0x481], {
        0: "external-interrupt exiting", 3: "NMI exiting", 5: "virtual NMIs", 6: "activate VMX-preemption timer",
        7: "process posted interrupts"}),
    "Primary processor-based VM-execution controls": (HALVES, [0x48E, 0x482], {
        2: "interrupt-window exiting", 3: "use TSC offsetting", 7: "HLT exiting", 9: "INVLPG exiting", 10: "MWAIT exiting",
        11: "RDPMC exiting", 12: "RDTSC exiting", 15: "CR3-load exiting", 16: "CR3-store exiting",
        17: "activate tertiary controls", 19: "CR8-load exiting", 20: "CR8-store exiting", 21: "use TPR shadow",
        22: "NMI-window exiting", 23: "MOV-DR exiting", 24: "unconditional I/O exiting", 25: "use I/O bitmaps",
        27: "monitor trap flag", 28: "use MSR bitmaps", 29: "MONITOR exiting", 30: "PAUSE exiting",
        31: "activate secondary controls"}),
    "Secondary processor-based VM-execution controls": (HALVES, [0x48B], dict(enumerate([
        "virtualize APIC accesses", "enable EPT", "descriptor-table exiting", "enable RDTSCP", "virtualize x2APIC mode",
        "enable VPID", "WBINVD exiting", "unrestricted guest", "APIC-register virtualization", "virtual-interrupt delivery",
        "PAUSE-loop exiting", "RDRAND exiting", "enable INVPCID", "enable VM functions", "VMCS shadowing",
        "enable ENCLS exiting", "RDSEED exiting", "enable PML", "EPT-violation #VE", "conceal VMX from PT",
        "enable XSAVES/XRSTORS", "PASID translation", "mode-based execute control for EPT",
        "sub-page write permissions for EPT", "PT uses guest physical addresses", "use TSC scaling",
        "enable user wait and pause", "enable PCONFIG", "enable ENCLV exiting", None, "VMM bus-lock detection",
        "instruction timeout"]))),
    "Tertiary processor-based VM-execution controls": (MAY_BE_1, [0x492], dict(enumerate([
        "LOADIWKEY exiting", "enable HLAT", "EPT paging-write control", "guest-paging verification", "IPI virtualization",
        "SEAM guest-physical address width", "enable MSR-list instructions", "virtualize IA32_SPEC_CTRL",
        "APIC-timer virtualization"]))),
    "Primary VM-exit controls": (HALVES, [0x48F, 0x483], {
        2: "save debug controls", 9: "host address-space size", 12: "load IA32_PERF_GLOBAL_CTRL",
        15: "acknowledge interrupt on exit", 18: "save IA32_PAT", 19: "load IA32_PAT", 20: "save IA32_EFER",
        21: "load IA32_EFER", 22: "save VMX-preemption timer value", 23: "clear IA32_BNDCFGS", 24: "conceal VMX from PT",
        25: "clear IA32_RTIT_CTL", 26: "clear IA32_LBR_CTL", 27: "clear UINV", 28: "load CET state", 29: "load PKRS",
        30: "save IA32_PERF_GLOBAL_CTRL", 31: "activate secondary controls"}),
    "Secondary VM-exit controls": (MAY_BE_1, [0x493], {
        0: "save FRED", 1: "load FRED", 2: "load host IA32_SPEC_CTRL", 3: "prematurely busy shadow stack"}),
    "VM-entry controls": (HALVES, [0x490, 0x484], {
        2: "load debug controls", 9: "IA-32e mode guest", 10: "entry to SMM", 11: "deactivate dual-monitor treatment",
        13: "load IA32_PERF_GLOBAL_CTRL", 14: "load IA32_PAT", 15: "load IA32_EFER", 16: "load IA32_BNDCFGS",
        17: "conceal VMX from PT", 18: "load IA32_RTIT_CTL", 19: "load UINV", 20: "load CET state",
        21: "load guest IA32_LBR_CTL", 22: "load PKRS", 23: "load FRED"}),
    "Miscellaneous data": (VALUE, [0x485], {
        (4, 0): "preemption timer: TSC shifted by", 5: "exits save IA32_EFER.LMA", 6: "activity state HLT",
        7: "activity state shutdown", 8: "activity state wait-for-SIPI", 14: "Intel PT in VMX operation",
        15: "RDMSR of IA32_SMBASE in SMM", (24, 16): "CR3-target values", (27, 25): "MSRs in a list, in 512s, less 1",
        28: "IA32_SMM_MONITOR_CTL[2] may be 1", 29: "VMWRITE to any supported field",
        30: "injection of instruction length 0", (63, 32): "MSEG revision identifier"}),
    "CR0 in VMX operation": (PAIR, [0x486], {
        0: "PE", 1: "MP", 2: "EM", 3: "TS", 4: "ET", 5: "NE", 16: "WP", 18: "AM", 29: "NW", 30: "CD", 31: "PG"}),
    "CR4 in VMX operation": (PAIR, [0x488], dict(enumerate(
        "VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP LA57 VMXE SMXE - FSGSBASE PCIDE OSXSAVE KL SMEP SMAP PKE "
        "CET PKS UINTR - LASS LAM_SUP - - - FRED".split()))),
    "VMCS enumeration": (VALUE, [0x48A], {(9, 1): "highest index of a VMCS field"}),
    "EPT and VPID capabilities": (VALUE, [0x48C], {
        0: "EPT: execute-only translations", 6: "EPT: page-walk length 4", 7: "EPT: page-walk length 5",
        8: "EPT: structures uncacheable", 14: "EPT: structures write-back", 16: "EPT: 2-MByte pages",
        17: "EPT: 1-GByte pages", 20: "INVEPT", 21: "EPT: accessed and dirty flags",
        22: "EPT: advanced violation details", 23: "EPT: supervisor shadow stacks", 25: "INVEPT: single-context",
        26: "INVEPT: all-context", 32: "INVVPID", 40: "INVVPID: individual-address", 41: "INVVPID: single-context",
        42: "INVVPID: all-context", 43: "INVVPID: retaining globals", (53, 48): "HLAT: largest prefix size"}),
    "VM functions": (MAY_BE_1, [0x491], {0: "EPTP switching"}),
}
# The same for AMD-V, from APM 3, "Function 8000_000Ah: SVM Features" and "Function 8000_001Fh: Encrypted Memory
# Capabilities": the register, and names by bit, or (high, low).
SVM_GROUPS = {
    "SVM revision": ("CPUID.8000000AH:EAX", {(7, 0): "SVM revision number"}),
    "Address-space identifiers": ("CPUID.8000000AH:EBX", {(31, 0): "number of ASIDs"}),
    "SVM features": ("CPUID.8000000AH:EDX", {
        0: "nested paging", 1: "LBR virtualization", 2: "SVM lock", 3: "NRIP save", 4: "MSR-based TSC rate control",
        5: "VMCB clean bits", 6: "flush by ASID", 7: "decode assists", 8: "PMC virtualization", 10: "PAUSE intercept filter",
        12: "PAUSE filter threshold", 13: "AVIC", 15: "virtualized VMSAVE, VMLOAD", 16: "virtualized GIF",
        17: "guest mode execute trap (GMET)", 18: "x2AVIC", 19: "shadow-stack check (SSSCheck)",
        20: "SPEC_CTRL virtualization", 21: "read-only guest page tables (ROGPT)", 23: "host MCE override",
        24: "INVLPGB enable, TLBSYNC intercept", 25: "NMI virtualization (VNMI)", 26: "IBS virtualization",
        27: "extended LVT through AVIC", 28: "guest VMCB address check", 29: "bus lock threshold", 30: "idle HLT intercept",
        31: "enhanced shutdown intercept"}),
    "Encrypted memory capabilities": ("CPUID.8000001FH:EAX", dict(enumerate([
        "SME", "SEV", "VM_PAGE_FLUSH MSR", "SEV-ES", "SEV-SNP", "VM permission levels (VMPL)", "RMPQUERY",
        "VMPL shadow stacks", "secure TSC", "TSC_AUX virtualization", "enforced cache coherency",
        "SEV guests need a 64-bit host", "restricted injection", "alternate injection", "debug state virtualization",
        "host IBS can be prevented", "virtual transparent encryption", "VMGEXIT parameter", "virtual TOM MSR",
        "IBS virtualization for SEV-ES", "PMC virtualization for SEV-ES", "RMPREAD", "guest intercept control",
        "segmented RMP", "VMSA register protection", "SMT protection", "secure AVIC", "allowed SEV features",
        "SVSM communication page MSR", "VIRT_RMPUPDATE, VIRT_PSMASH MSRs", "host writes to in-use pages",
        "IBPB on entry"]))),
    "Encrypted memory: page tables, VMPLs": ("CPUID.8000001FH:EBX", {
        (5, 0): "C-bit position", (11, 6): "physical address bit reduction", (15, 12): "number of VMPLs"}),
    "Encrypted guests": ("CPUID.8000001FH:ECX", {(31, 0): "number of encrypted guests"}),
    "ASIDs of encrypted guests": ("CPUID.8000001FH:EDX", {(31, 0): "minimum ASID without SEV-ES"}),
}
NAMES = {group: names for group, (_, _, names) in GROUPS.items()}


def existing(msrs):
    """Returns the MSRs that a processor has, according to the lower-numbered ones."""
    def allowed(msr, bit):
        return msrs[msr] >> 32 >> bit & 1

    numbers = set(range(0x480, 0x48B))
    has_secondary = allowed(0x482, 31)
    if has_secondary:
        numbers.add(0x48B)
    if has_secondary and (allowed(0x48B, 1) or allowed(0x48B, 5)):
        numbers.add(0x48C)
    if msrs[0x480] >> 55 & 1:
        numbers |= {0x48D, 0x48E, 0x48F, 0x490}
    if has_secondary and allowed(0x48B, 13):
        numbers.add(0x491)
    if allowed(0x482, 17):
        numbers.add(0x492)
    if allowed(0x483, 31):
        numbers.add(0x493)
    return {number: msrs.get(number) for number in sorted(numbers)}


def state(shape, place, must, may):
    if isinstance(place, tuple):
        high, low = place
        return may >> low & ((1 << high - low + 1) - 1)
    if shape == VALUE:
        return "yes" if may >> place & 1 else "no"
    if not may >> place & 1:
        return "differs" if must >> place & 1 else "fixed 0"
    return "fixed 1" if must >> place & 1 else "optional"


def covered(place):
    high, low = place if isinstance(place, tuple) else (place, place)
    return set(range(low, high + 1))


def decode(msrs):
    """Returns the report's "capabilities" for a processor with these MSRs."""
    result = {}
    for group, (shape, numbers, names) in GROUPS.items():
        number = next((n for n in numbers if n in msrs), None)
        if number is None:
            continue
        value = msrs[number]
        must, may = {HALVES: (value & 0xFFFFFFFF, value >> 32), PAIR: (value, msrs.get(number + 1, 0)),
                     MAY_BE_1: (0, value), VALUE: (0, value)}[shape]
        named = {place: name for place, name in names.items() if name not in (None, "-")}
        known = set().union(*map(covered, named))
        result[group] = {
            "bits": {name: state(shape, place, must, may) for place, name in named.items()},
            "unnamed_bits": [bit for bit in range(64) if (must | may) >> bit & 1 and bit not in known],
        }
    return result


MSR_NAMES = ["IA32_VMX_" + name for name in (
    "BASIC PINBASED_CTLS PROCBASED_CTLS EXIT_CTLS ENTRY_CTLS MISC CR0_FIXED0 CR0_FIXED1 CR4_FIXED0 CR4_FIXED1 VMCS_ENUM "
    "PROCBASED_CTLS2 EPT_VPID_CAP TRUE_PINBASED_CTLS TRUE_PROCBASED_CTLS TRUE_EXIT_CTLS TRUE_ENTRY_CTLS VMFUNC "
    "PROCBASED_CTLS3 EXIT_CTLS2").split()]



def decode_svm(values):
    """Returns the capabilities that the registers of a processor with AMD-V report, in the report's form."""
    decoded = {}
    for group, (register, names) in SVM_GROUPS.items():
        value = values[register]
        if register.startswith("CPUID.8000001FH") and values["CPUID.8000001FH:EAX"] == 0:
            continue
        bits = {}
        for place, name in names.items():
            low, size = min(covered(place)), len(covered(place))
            field = value >> low & (1 << size) - 1
            bits[name] = field if size > 1 else "yes" if field else "no"
        named = set().union(*map(covered, names))
        decoded[group] = {"bits": bits, "unnamed_bits": [bit for bit in range(32) if value >> bit & 1 and bit not in named]}
    return decoded


def grub_lines(scenario):
    """Returns GRUB commands that print the MSRs at the serial line before Hymir starts."""
    if scenario["report"] != "msrs":
        return []
    lines = ["insmod rdmsr", "insmod serial", "serial --unit=0 --speed=115200", "terminal_output serial"]
    for number in scenario["reads"]:
        lines += [f"rdmsr -v value {number:#x}", f"echo grub reads {number:#x} ${{value}}"]
    return lines + ["terminal_output console"]


def parse(text):
    """Returns a report from its JSON, after validating it against the schema."""
    result = subprocess.run([ROOT / "tests" / "schema"], input=text, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    if result.returncode != 0:
        raise ValueError(result.stdout)
    return json.loads(text)


def report_in(text):
    """Returns the report in the text of the serial line."""
    reports = re.findall(r"^hymir-report: (.*)$", text, re.MULTILINE)
    if len(reports) != 1:
        raise ValueError(f"{len(reports)} reports instead of one")
    return parse(reports[0])


def msrs_of(report):
    """Returns the VMX MSRs of the first set of registers, by number."""
    values = report["registers"][0]["values"]
    return {0x480 + i: int(values[name], 16) for i, name in enumerate(MSR_NAMES) if name in values}


def differences(report, wanted):
    """Returns the first difference between the report's capabilities and those of the MSRs, or None."""
    found = {group: {key: facts[key] for key in ("bits", "unnamed_bits")} for group, facts in report["capabilities"].items()}
    if list(found) != list(wanted):
        return f"the groups are {list(found)}, expected {list(wanted)}"
    for group, facts in wanted.items():
        for name in facts["bits"].keys() | found[group]["bits"].keys():
            pair = found[group]["bits"].get(name), facts["bits"].get(name)
            if pair[0] != pair[1]:
                return f"{group}: {name} is {pair[0]} in the report, {pair[1]} in the MSR"
        if facts["unnamed_bits"] != found[group]["unnamed_bits"]:
            return f"{group}: unnamed bits {found[group]['unnamed_bits']}, expected {facts['unnamed_bits']}"
    return None


def check_decoded(report, report_text):
    """Returns the first error in the output of tools/decode for the line in a log, or None."""
    result = subprocess.run([ROOT / "tools" / "decode", "-"], input=report_text, text=True, stdout=subprocess.PIPE)
    shown = " ".join(result.stdout.split())
    words = [f"{report['verdict']['word']}: "] + [what["text"] for what in report["surroundings"].values()]
    for hypervisor in report["hypervisors"]:
        words.append(f"{hypervisor['state']} {hypervisor['name']} ({hypervisor['version']})")
        words += [name for part in hypervisor["requirements"] for state in ("ok", "missing", "unknown") for name in part[state]]
    missing = [word for word in words if " ".join(word.split()) not in shown]
    return f"tools/decode does not show {missing}" if missing or result.returncode != 0 else None


def check(kind, text, report_text):
    """Returns the first error in the report, or None. The kind msrs also compares with the values that GRUB read."""
    try:
        report = report_in(report_text)
    except ValueError as error:
        return f"the report: {error}"
    word = re.search(r"^hymir: verdict: (\S+): (.*)$", text, re.MULTILINE)
    if (report["verdict"]["word"], report["verdict"]["text"]) != (word[1], word[2]):
        return f"the report's verdict is {report['verdict']}, expected {word[1]}: {word[2]}"
    if len(report["cpus"]) != len(re.findall(r"^hymir: cpu ", text, re.MULTILINE)):
        return f"the report has {len(report['cpus'])} CPUs, unlike the serial text"
    msrs = msrs_of(report)
    if kind == "msrs":
        read = {int(number, 16): int(value, 16) for number, value in re.findall(r"grub reads (0x\w+) (\w+)", text)}
        if existing(read) != msrs:
            return f"GRUB read {existing(read)}, Hymir read {msrs}"
        hz, ppm = report["machine"]["tsc_hz"], report["machine"]["tsc_uncertainty_ppm"]
        if ppm > 100 or abs(hz - BOCHS_IPS) > BOCHS_IPS * ppm / 1e6:
            return f"the TSC has {hz} Hz within {ppm} ppm, expected {BOCHS_IPS}"
        ticks = report["timings"][0]["tsc_ticks"]
        if any(times["rounds"] != 1000 or not times["low"] <= times["median"] <= times["high"] for times in ticks.values()):
            return f"implausible timings: {ticks}"
        kinds = ["VM exit by CPUID", "VM exit by VMCALL", "VMREAD", "VMWRITE", "VMPTRLD"]
        kinds += ["INVEPT"] if read.get(0x48C, 0) >> 20 & 1 else []
        kinds += ["INVVPID"] if read.get(0x48C, 0) >> 32 & 1 else []
        if list(ticks) != kinds:
            return f"the timings are those of {list(ticks)}, expected {kinds}"
    decoded = decode(msrs) if msrs else {}
    if report["verdict"]["virtualization"] == "AMD-V":
        values = report["registers"][0]["values"]
        decoded = decode_svm({name: int(value, 16) for name, value in values.items() if value.startswith("0x")})
    return (check_decoded(report, report_text) or requirements.differences(report, NAMES, decoded) or
            (differences(report, decoded) if decoded else None))


def check_code_hypervisors(report, shown):
    """Returns the first hypervisor whose state differs in the output of tools/decode, or None.

    Memory and IOMMUs are not in the code: what depends on them may be unknown there.
    """
    for hypervisor in report["hypervisors"]:
        state = re.search(rf"^  (\w+) +{re.escape(hypervisor['name'])} \(", shown, re.MULTILINE)
        if state is None or state[1] not in (hypervisor["state"], "unknown" if hypervisor["name"] in ("ESXi 8", "Jailhouse") else ""):
            return f"{hypervisor['name']} is not {hypervisor['state']} in the QR code:\n{shown}"
    return None


def check_code(code, report_text):
    """Returns the first difference between the report and the output of tools/decode for a QR code, or None."""
    if not code.startswith("HYMIR2:"):
        return f"the QR code on the screen was read as \"{code}\""
    report = report_in(report_text)
    result = subprocess.run([ROOT / "tools" / "decode", code], text=True, stdout=subprocess.PIPE)
    shown = dict(re.findall(r"^  (\S.*?) +(0x[0-9a-f]+)$", result.stdout, re.MULTILINE))
    is_amd_v = code.startswith("HYMIR2:AMD-V:")
    names = ["CPUID.01H:EAX", "microcode revision", "IA32_FEATURE_CONTROL", "IA32_ARCH_CAPABILITIES", *MSR_NAMES]
    if is_amd_v:  # all registers but Intel's core type
        names = report["registers"][0]["values"].keys() - {"CPUID.1AH:EAX"}
    for name in names:
        if shown.get(name) != report["registers"][0]["values"].get(name):
            return f"{name} is {shown.get(name)} in the QR code:\n{result.stdout}"
    if not result.stdout.startswith(report["verdict"]["word"] + ": "):
        return f"the QR code has another verdict:\n{result.stdout}"
    for group, facts in report["capabilities"].items():
        for name, state in facts["bits"].items():
            if not re.search(rf"^ +{re.escape(str(state))}  {re.escape(name)}$", result.stdout, re.MULTILINE):
                return f"{group}: {name} is not {state} in the QR code"
    return check_code_hypervisors(report, result.stdout) if is_amd_v else None
