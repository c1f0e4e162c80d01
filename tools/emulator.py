"""The emulators that Hymir runs in on any host: Bochs, which has VT-x, and QEMU, which has AMD-V.

Used by tools/run, which connects a machine to the terminal, and by tests/boot/run, which checks its output. A machine
runs in a directory of its own, with its log and serial.txt, the data received from COM1. Every wait has a timeout, and
a stopped machine leaves no process behind.
"""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import termios
import time
import tty

import efi_variables
import gdb_stub

# 80x25 characters, each with its attribute.
TEXT_SCREEN_SIZE = 4000

BOCHS_ROMS = {
    "bochs": ("/usr/share/bochs/BIOS-bochs-latest", "options=fastboot"),
    "seabios": ("/usr/share/seabios/bios.bin", None),
    "uefi": ("/usr/share/ovmf/OVMF.fd", None),
}

# QEMU's UEFI firmware: the code, its variables, whether it needs system-management mode, which only q35 has, and the boot
# loader of `make netboot` for it.
QEMU_UEFI = {
    "uefi": ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", False, "x86_64-efi"),
    "uefi32": ("OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd", True, "i386-efi"),
    "secure-boot": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", True, "x86_64-efi"),
    "shim": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", True, "x86_64-efi"),
}
# The firmware that has a certificate, and its variables for that.
QEMU_CERTIFICATE = {"secure-boot": efi_variables.FIRMWARE, "shim": efi_variables.MACHINE_OWNER}
OVMF = pathlib.Path("/usr/share/OVMF")

BOCHS_CONFIGURATION = """\
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, e1000=0, es1370=0, sb16=0, gameport=0
config_interface: textconfig
display_library: term
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs={ignore_bad_msrs}, cpuid_limit_winnt=0
memory: guest={memory}, host={memory}
romimage: {rom}
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
clock: sync=none, time0=946681200, rtc_sync=0
com1: {com1}
port_e9_hack: enabled={debug_port}
magic_break: enabled={trace}
speaker: enabled=0
sound: driver=dummy
log: bochs.log
logprefix: %t%e%d
debugger_log: -
panic: action=fatal
error: action=report
info: action={info}
debug: action=ignore
"""


# The processor models of Bochs 2.7, as `bochs -help cpu` prints them.
BOCHS_MODELS = """
bx_generic pentium pentium_mmx amd_k6_2_chomper athlon64_clawhammer athlon64_venice turion64_tyler
phenom_8650_toliman zambezi trinity_apu ryzen p2_klamath p3_katmai p4_willamette p4_prescott_celeron_336
core_duo_t2400_yonah atom_n270 core2_penryn_t9600 corei5_lynnfield_750 corei5_arrandale_m520
corei7_sandy_bridge_2600k corei7_ivy_bridge_3770k corei7_haswell_4770 broadwell_ult corei7_skylake_x
corei3_cnl corei7_icelake_u tigerlake
""".split()

# Those that have AMD-V.
BOCHS_AMD_V = ("zambezi", "ryzen")


def qemu_models():
    """Returns the processor models of this QEMU."""
    text = subprocess.run(["qemu-system-x86_64", "-cpu", "help"], capture_output=True, text=True).stdout
    return re.findall(r"^x86 (\S+)", text, re.MULTILINE)


# QEMU's names of the keys that type a character or a VT100 sequence, on a US keyboard.
QEMU_KEYS = {
    " ": "spc", "\r": "ret", "\b": "backspace", "\x1b": "esc", "-": "minus", "=": "equal", "[": "bracket_left",
    "]": "bracket_right", ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma",
    ".": "dot", "/": "slash", "\x1bOA": "up", "\x1bOB": "down", "\x1bOC": "right", "\x1bOD": "left",
}
SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))


def qemu_key(key):
    """Returns QEMU's name of the key for a character or VT100 sequence, with its modifier."""
    if key in SHIFTED:
        return f"shift-{qemu_key(SHIFTED[key])}"
    if key.isupper() and key.isalpha() and len(key) == 1:
        return f"shift-{key.lower()}"
    if key not in QEMU_KEYS and "\x01" <= key <= "\x1d":
        return f"ctrl-{qemu_key(chr(ord(key) + 0x40).lower())}"
    return QEMU_KEYS.get(key, key)


def is_number(value, least, most):
    """Returns whether the text is a whole number within the bounds."""
    return re.fullmatch(r"[0-9]{1,7}", value) is not None and least <= int(value) <= most


def problem_with(kind, options):
    """Returns the first invalid option (strings) for bochs, qemu or kvm, with the valid values, or None."""
    emulator = "Bochs" if kind == "bochs" else "QEMU"
    firmwares = list(BOCHS_ROMS) if kind == "bochs" else ["bios", *QEMU_UEFI]
    most_cpus = 8 if kind == "bochs" else 255
    name, value = "FIRMWARE", options.get("firmware")
    if value and value not in firmwares:
        return f"{name}={value}: unsupported; {emulator} accepts {', '.join(firmwares)}"
    if value in QEMU_CERTIFICATE and not options.get("certificate"):
        return f"{name}={value}: KEY= and CERT= are missing; use a key of your own (docs/SECURE-BOOT.md)"
    media = ["cd"] if kind == "bochs" else ["cd", "usb"]
    if options.get("medium") and options["medium"] not in media:
        return f"MEDIUM={options['medium']}: unsupported; {emulator} accepts {', '.join(media)}"
    if options.get("cpus") and not is_number(options["cpus"], 1, most_cpus):
        return f"CPUS={options['cpus']}: invalid; {emulator} accepts 1 to {most_cpus}"
    most_memory = 2048 if kind == "bochs" else 1 << 20
    if options.get("memory") and not is_number(options["memory"], 16, most_memory):
        return f"MACHINE_MEMORY={options['memory']}: invalid; {emulator} accepts 16 to {most_memory} MiB"
    if kind == "bochs" and options.get("firmware") in ("seabios", "uefi") and options.get("cpus", "1") != "1":
        return f"CPUS={options['cpus']}: unsupported; with FIRMWARE={options['firmware']} Bochs has one CPU"
    model = options.get("model")
    if model and model.split(",")[0] not in (BOCHS_MODELS if kind == "bochs" else qemu_models()):
        known = "see tools/emulator.py" if kind == "bochs" else "see qemu-system-x86_64 -cpu help"
        return f"MODEL={model}: {emulator} has no such processor model; {known}"
    return None


def die_with_parent():
    """Called in a child process: makes the kernel kill it when this process ends."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def exit_on_signals():
    """Exits at once on SIGINT and SIGTERM, even while threads wait; the machines end with this process."""
    def stop(number, _):
        print("stopped", flush=True)
        os._exit(128 + number)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


class SerialLine:
    """COM1 of a machine, to which the emulator connects over TCP on this host. Received data is kept in a file."""

    CONNECT_SECONDS = 30

    def __init__(self, path):
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connection = None

    def connect(self, process):
        """Waits until the emulator connects or exits."""
        self.listener.settimeout(0.05)
        deadline = time.monotonic() + self.CONNECT_SECONDS
        while self.connection is None and process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                self.connection, _ = self.listener.accept()
                self.connection.setblocking(False)
        self.listener.close()

    def read(self):
        """Returns the bytes received since the last call. The emulator blocks if too much is unread."""
        data = b""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while self.connection is not None and (more := self.connection.recv(1 << 16)):
                data += more
        with open(self.path, "ab") as file:
            file.write(data)
        return data

    def send(self, data):
        """Sends bytes. Bytes that the emulator has not read when it exits are lost."""
        if self.connection is not None:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self.connection.sendall(data)


class Terminal:
    """The pseudoterminal of an emulator. The emulator may exit at any time; every access fails from then on, with EIO
    at first, which only means that there is nothing left to read and nobody to write to."""

    def __init__(self):
        self.descriptor = None

    def open(self, path):
        """Opens the terminal unless it is open."""
        if self.descriptor is None:
            with contextlib.suppress(OSError, termios.error):
                self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                tty.setraw(self.descriptor)

    def drain(self):
        """Reads and drops what the emulator has drawn."""
        with contextlib.suppress(OSError):
            while self.descriptor is not None and os.read(self.descriptor, 1 << 16):
                pass

    def write(self, data):
        """Sends bytes to the emulator; they are lost if it has exited."""
        with contextlib.suppress(OSError):
            if self.descriptor is not None:
                os.write(self.descriptor, data)

    def close(self):
        """Closes the terminal if it is open."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


class Machine:
    """A machine that boots an ISO, in the emulator of the subclass.

    Options, all by keyword: memory in MiB, cpus, model (the emulator's name of the processor), firmware, serial
    (False: the machine has no serial port; in QEMU a list of arguments that connect the character device "line" to one
    other than COM1).
    """

    def __init__(self, iso, directory, **options):
        self.iso = pathlib.Path(iso).resolve()
        self.directory = pathlib.Path(directory)
        self.options = options
        self.process = None
        self.serial = None

    def option(self, name, default):
        """Returns an option's value, or the default if it is absent or None."""
        value = self.options.get(name)
        return default if value is None else value

    def command(self):
        """Returns the emulator's command line."""
        raise NotImplementedError

    def environment(self):
        """Returns the emulator's environment."""
        return os.environ

    def start(self):
        """Starts the machine, in an empty directory."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        if self.option("serial", True):
            self.serial = SerialLine(self.directory / "serial.txt")
        command = self.command()
        with open(self.directory / "stdout.txt", "wb") as out, \
             open(self.directory / "stderr.txt", "wb") as err:
            self.process = subprocess.Popen(
                command, cwd=self.directory, env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, start_new_session=True, preexec_fn=die_with_parent)
        if self.serial is not None:
            self.serial.connect(self.process)

    def new_serial_bytes(self):
        """Returns the bytes received from COM1 since the last call."""
        return self.serial.read() if self.serial is not None else b""

    def new_serial_text(self):
        """Returns the same as text."""
        return self.new_serial_bytes().decode("latin-1").replace("\r", "")

    def send_serial(self, data):
        """Sends bytes to COM1."""
        self.serial.send(data)

    def text_of(self, name):
        """Returns the text of a file in the machine's directory, or "" if there is none yet."""
        path = self.directory / name
        return path.read_text("latin-1") if path.exists() else ""

    def is_running(self):
        """Returns whether the emulator runs: until the machine powers off or the emulator fails."""
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Kills the emulator."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def own_errors(self):
        """Returns the emulator's own error messages, such as the reason why it did not start."""
        return self.text_of("stderr.txt").strip()[-2000:]


class Bochs(Machine):
    """Bochs 2.7 as built by Debian: full VT-x, one tick per instruction, deterministic.

    Firmware: bochs (IA32_FEATURE_CONTROL locked, VMX enabled), seabios and uefi (unlocked, one CPU).
    ips: instructions per second. ignore_bad_msrs: unknown MSRs read as 0. breakpoint: a physical address; break_ticks
    returns the time of its first execution. It may also be a list, of addresses that are executed one after the other, where
    ("lb", address) is a linear one. trace: the processor executes pairs of XCHG BX, BX, at most MOST_TRACES, and the
    debugger prints every instruction between the two of a pair. log_info: the log also contains information, such as the
    start of each processor.
    """

    KEY_SECONDS = 0.1  # between two keys
    MOST_TRACES = 100
    IPS = 10_000_000  # the default

    def __init__(self, iso, directory, **options):
        super().__init__(iso, directory, **options)
        self.terminal = Terminal()

    def command(self):
        firmware = self.option("firmware", "bochs")
        rom, rom_options = BOCHS_ROMS[firmware]
        serial = f"enabled=1, mode=socket-client, dev=127.0.0.1:{self.serial.port}" \
            if self.serial is not None else "enabled=0"
        configuration = BOCHS_CONFIGURATION.format(
            model=self.option("model", "corei7_skylake_x"),
            cpus=self.option("cpus", 1),
            memory=self.option("memory", 256),
            ips=self.option("ips", self.IPS),
            ignore_bad_msrs=1 if self.option("ignore_bad_msrs", firmware == "uefi") else 0,
            rom=f"file={rom}" + (f", {rom_options}" if rom_options else ""),
            debug_port=1 if self.option("debug_port", True) else 0,
            com1=serial,
            trace=1 if self.option("trace", False) else 0,
            info="report" if self.option("log_info", False) else "ignore",
            iso=self.iso)
        (self.directory / "bochsrc").write_text(configuration)
        # Commands for the debugger that this build starts in: continue at once, and again after text_memory. At a
        # breakpoint it prints the time in ticks.
        stops = self.option("breakpoint", [])
        (self.directory / "debugger.rc").write_text(
            "".join("%s %#x\nc\nd %d\n" % (*(stop if isinstance(stop, tuple) else ("pb", stop)), number)
                    for number, stop in enumerate(stops if isinstance(stops, list) else [stops], 1)) +
            ("c\ntrace on\nc\ntrace off\n" * self.MOST_TRACES if self.option("trace", False) else "") +
            f'c\nwritemem "screen.bin" 0xb8000 {TEXT_SCREEN_SIZE}\nc\n')
        return ["bochs-bin", "-q", "-f", "bochsrc", "-rc", "debugger.rc"]

    def environment(self):
        return dict(os.environ, TERM="vt100")

    def new_serial_bytes(self):
        """Returns the bytes from COM1. Also reads what Bochs draws, because Bochs blocks when the terminal is full."""
        match = re.search(r'connected to screen "(/dev/pts/\d+)"', self.text_of("stderr.txt"))
        if match is not None:
            self.terminal.open(match[1])
        self.terminal.drain()
        return super().new_serial_bytes()

    def press_keys(self, keys):
        """Presses keys of the PS/2 keyboard: characters, or VT100 sequences such as ESC O A for the up arrow.

        Bochs does not support Ctrl with a bracket.
        """
        for key in re.findall(r"\x1bO.|.", keys, re.DOTALL):
            self.terminal.write(key.encode())
            time.sleep(self.KEY_SECONDS)

    def stop(self):
        super().stop()
        self.terminal.close()

    def text_memory(self):
        """Returns the memory of the text screen; once per run."""
        path = self.directory / "screen.bin"
        self.process.send_signal(signal.SIGINT)  # to the debugger, which then executes writemem
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if path.exists() and path.stat().st_size == TEXT_SCREEN_SIZE:
                break
            time.sleep(0.05)
        return path.read_bytes()

    def break_ticks(self):
        """Returns when each breakpoint was reached, in ticks since power-on."""
        return [int(ticks) for ticks in re.findall(r"Breakpoint \d+.*\nNext at t=(\d+)", self.text_of("stdout.txt"))]

    def traces(self):
        """Returns the instructions between pairs of XCHG BX, BX: of each pair a list of linear addresses and texts."""
        line = re.compile(r"^\(\d+\)\.\[\d+\] \[\S+\] [0-9a-f]+:([0-9a-f]+) \(.*?\): (.*?) +; [0-9a-f]+$", re.MULTILINE)
        texts = self.text_of("stdout.txt").split("Tracing enabled for CPU0")[1:]
        return [[(int(address, 16), instruction)
                 for address, instruction in line.findall(text.partition("Tracing disabled for CPU0")[0])] for text in texts]

    def debug_port_text(self):
        """Returns the text written to port 0xE9, which Bochs prints between its drawing of the text screen."""
        return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\([A-Z0-9]|=|>)|[\x0e\x0f]", "",
                      self.text_of("stdout.txt"))

    def complaints(self):
        """Returns the errors in Bochs's own log, such as failed VMX instructions and unknown MSRs."""
        # A line has the time in ticks, the kind as one letter, the device in brackets, and the text.
        return [line for line in self.text_of("bochs.log").splitlines()
                if line[11:12] in ("e", "p")]


class Qemu(Machine):
    """QEMU, by default with TCG, which has AMD-V with the models of AMD's processors, and never VT-x.

    Firmware: bios, uefi, uefi32 (32-bit), secure-boot, which accepts what the key of a certificate has signed, a file, PEM
    or DER, and shim, which has Microsoft's keys, and the certificate for shim. medium: cd, usb, net with the tree of
    `make netboot` as the ISO, or disk with an image of one as the ISO, which the machine writes to. machine: pc, q35.
    variables: the file of UEFI's variables that it starts with a copy of.
    accelerator: tcg, kvm. arguments: further arguments of QEMU. plain: QEMU's own choice of machine, processor, memory
    and devices, except where an option names another. breakpoint: a physical address; break_ticks returns when it was
    reached, if the arguments have -icount shift=0, by which an instruction takes a nanosecond.
    """

    KEY_SECONDS = 0.2  # between two keys, more than QEMU holds one

    # The ACPI timer of machine pc under SeaBIOS, which counts 24 bits.
    TIMER_PORT, TIMER_HZ, TIMER_BITS = 0x608, 3579545, 24

    def start(self):
        super().start()
        if not self.option("breakpoint", []):
            return
        stub = gdb_stub.GdbStub(self.directory / "gdb.socket")
        self.timer_counts = []
        for address in self.option("breakpoint", []):
            stub.run_to(address)
            self.timer_counts.append(int(re.search(r"= 0x([0-9a-f]+)", stub.monitor(f"i /w {self.TIMER_PORT:#x}"))[1], 16))
        stub.detach()

    def break_ticks(self):
        """Returns when each breakpoint was reached, in nanoseconds since power-on, or that less a multiple of 4.7 s."""
        return [count % (1 << self.TIMER_BITS) * 1_000_000_000 // self.TIMER_HZ for count in self.timer_counts]

    def needs_smm(self):
        """Returns whether the firmware needs system-management mode."""
        return QEMU_UEFI.get(self.option("firmware", "bios"), (None, None, False))[2]

    def firmware_arguments(self):
        """Returns the arguments that load UEFI, with variables of its own; for BIOS none."""
        if self.option("firmware", "bios") not in QEMU_UEFI:
            return []
        code, template, _, _ = QEMU_UEFI[self.option("firmware", "bios")]
        if self.option("certificate", None) is not None:
            variables = QEMU_CERTIFICATE[self.option("firmware", None)]
            efi_variables.enroll(OVMF / template, variables, self.option("certificate", None), self.directory / "vars.fd")
        else:
            shutil.copy(self.option("variables", OVMF / template), self.directory / "vars.fd")
        protection = ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
        return [*(protection if self.needs_smm() else []),
                "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF / code}",
                "-drive", "if=pflash,format=raw,file=vars.fd"]

    def machine_arguments(self):
        """Returns the arguments that describe the machine."""
        accelerator = self.option("accelerator", "tcg")
        model = "host" if accelerator == "kvm" else "Haswell"
        if self.option("plain", False):
            values = (("-m", "memory"), ("-smp", "cpus"), ("-cpu", "model"))
            return [text for option, name in values if name in self.options
                    for text in (option, str(self.options[name]))]
        machine = self.option("machine", "q35" if self.needs_smm() else "pc") + (",smm=on" if self.needs_smm() else "")
        return ["-nodefaults", "-no-user-config",
                "-machine", f"{machine},accel={accelerator}",
                "-m", str(self.option("memory", 256)),
                "-smp", str(self.option("cpus", 1)),
                "-cpu", self.option("model", model),
                "-vga", "std"]

    def command(self):
        command = [
            "qemu-system-x86_64", *self.machine_arguments(),
            "-display", "none",
            "-monitor", "unix:monitor.socket,server=on,wait=off",
            "-debugcon", "file:debug.txt"]
        if self.serial is not None:
            ports = self.option("serial", True)
            command += ["-chardev", f"socket,id=line,host=127.0.0.1,port={self.serial.port}",
                        *(["-serial", "chardev:line"] if ports is True else ports)]
        command += self.firmware_arguments()
        if self.option("medium", "cd") == "cd":
            command += ["-cdrom", str(self.iso)]
        elif self.option("medium", "cd") == "net":  # the tree's boot loader, by QEMU's own DHCP and TFTP
            firmware = self.option("firmware", "bios")
            loader = f"{QEMU_UEFI[firmware][3]}/core.efi" if firmware in QEMU_UEFI else "i386-pc/core.0"
            command += [
                "-netdev", f"user,id=net,restrict=on,tftp={self.iso},bootfile=/boot/grub/{loader}",
                "-device", "virtio-net-pci,netdev=net,bootindex=1"]
        elif self.option("medium", "cd") == "disk":
            command += ["-drive", f"if=virtio,format=raw,file={self.iso}"]
        else:
            command += [
                "-device", "qemu-xhci",
                "-drive", f"if=none,id=stick,format=raw,readonly=on,file={self.iso}",
                "-device", "usb-storage,drive=stick,removable=on"]
        if self.option("breakpoint", []):
            command += ["-S", "-gdb", "unix:gdb.socket,server=on,wait=off"]
        return command + self.option("arguments", [])

    def debug_port_text(self):
        """Returns the text written to port 0xE9."""
        return self.text_of("debug.txt")

    def monitor(self, command, timeout=10):
        """Executes a command in QEMU's monitor, waits until it is done or QEMU exits, and returns what it prints."""
        path = self.directory / "monitor.socket"
        deadline = time.monotonic() + timeout
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(ConnectionError):
            connection.settimeout(timeout)
            connection.connect(os.path.relpath(path))
            text = b""
            for part in (None, command):
                if part is not None:
                    connection.sendall(part.encode() + b"\n")
                    text = b""
                while not text.endswith(b"(qemu) "):
                    data = connection.recv(4096)
                    if not data:
                        return ""
                    text += data
            return text.decode(errors="replace")
        return ""

    def press_keys(self, keys):
        """Presses keys of the PS/2 keyboard: characters, or VT100 sequences such as ESC O A for the up arrow."""
        for key in re.findall(r"\x1bO.|.", keys, re.DOTALL):
            self.monitor(f"sendkey {qemu_key(key)}")
            time.sleep(self.KEY_SECONDS)

    def picture_file(self):
        """Writes the screen to a PPM file; returns its path."""
        self.monitor("screendump screen.ppm")
        return self.directory / "screen.ppm"

    def text_memory(self):
        """Returns the memory of the text screen."""
        self.monitor(f"pmemsave 0xb8000 {TEXT_SCREEN_SIZE} screen.bin")
        return (self.directory / "screen.bin").read_bytes()

    def complaints(self):
        """Returns an empty list: QEMU's log of guest errors is off."""
        return []


# The processor flag in /proc/cpuinfo, KVM's module for it, and its name.
NESTED = (("vmx", "kvm_intel", "VT-x"), ("svm", "kvm_amd", "AMD-V"))


def nesting(root=pathlib.Path("/")):
    """Returns whether this host, with the files in root, can provide VT-x or AMD-V to a KVM guest, and the reason."""
    try:
        cpuinfo = (root / "proc/cpuinfo").read_text()
    except OSError:
        return False, "/proc/cpuinfo is not readable"
    flags = next((line.split(":")[1].split() for line in cpuinfo.splitlines()
                  if line.startswith("flags")), [])
    found = next((row for row in NESTED if row[0] in flags), None)
    if found is None:
        return False, "this host's processor has neither VT-x nor AMD-V (no vmx or svm flag in /proc/cpuinfo)"
    _, module, name = found
    if not os.access(root / "dev/kvm", os.R_OK | os.W_OK):
        return False, "/dev/kvm is absent, or this user may not open it"
    try:
        nested = (root / "sys/module" / module / "parameters/nested").read_text().strip()
    except OSError:
        return False, f"{module} is not loaded"
    if nested not in ("Y", "1"):
        return False, f"nesting is disabled in {module} (enable it with modprobe {module} nested=1)"
    return True, f"this host's KVM supports nested {name}"


def wait_for(machine, is_done, timeout):
    """Collects serial text until is_done(text), the machine stops or timeout seconds have passed.

    Returns the text and one of "done", "ended" and "timeout".
    """
    text = ""
    deadline = time.monotonic() + timeout
    while True:
        running = machine.is_running()
        text += machine.new_serial_text()
        if is_done(text):
            return text, "done"
        if not running:
            return text, "ended"
        if time.monotonic() > deadline:
            return text, "timeout"
        time.sleep(0.05)
