"""The emulators that Hymir runs in: Bochs, which has VT-x on any host, and QEMU.

Used by tools/run, which connects a machine with the terminal, and by tests/boot/run, which judges what it
says. A machine is started in a directory of its own, where it leaves serial.txt, what was read from COM1, and
its own log. Nothing here waits without a bound, and a machine that is stopped leaves no process behind.
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
import time
import tty

# 80x25 characters, each with its attribute.
TEXT_SCREEN_SIZE = 4000

BOCHS_ROMS = {
    "bochs": ("/usr/share/bochs/BIOS-bochs-latest", "options=fastboot"),
    "seabios": ("/usr/share/seabios/bios.bin", None),
    "uefi": ("/usr/share/ovmf/OVMF.fd", None),
}

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
magic_break: enabled=1
speaker: enabled=0
sound: driver=dummy
log: bochs.log
logprefix: %t%e%d
debugger_log: -
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""


# The processor models that Bochs 2.7 knows, as `bochs -help cpu` prints them.
BOCHS_MODELS = """
bx_generic pentium pentium_mmx amd_k6_2_chomper athlon64_clawhammer athlon64_venice turion64_tyler
phenom_8650_toliman zambezi trinity_apu ryzen p2_klamath p3_katmai p4_willamette p4_prescott_celeron_336
core_duo_t2400_yonah atom_n270 core2_penryn_t9600 corei5_lynnfield_750 corei5_arrandale_m520
corei7_sandy_bridge_2600k corei7_ivy_bridge_3770k corei7_haswell_4770 broadwell_ult corei7_skylake_x
corei3_cnl corei7_icelake_u tigerlake
""".split()


def qemu_models():
    """The processor models that this QEMU knows."""
    text = subprocess.run(["qemu-system-x86_64", "-cpu", "help"], capture_output=True, text=True).stdout
    return re.findall(r"^x86 (\S+)", text, re.MULTILINE)


def is_number(value, least, most):
    """True if the text is a whole number within the bounds."""
    return re.fullmatch(r"[0-9]{1,7}", value) is not None and least <= int(value) <= most


def problem_with(kind, options):
    """What is wrong with options (texts) for bochs, qemu or kvm: the name, the value, what would do. None if nothing."""
    emulator = "Bochs" if kind == "bochs" else "QEMU"
    firmwares = list(BOCHS_ROMS) if kind == "bochs" else ["bios", "uefi"]
    most_cpus = 8 if kind == "bochs" else 255
    name, value = "FIRMWARE", options.get("firmware")
    if value and value not in firmwares:
        return f"{name}={value}: {emulator} has {', '.join(firmwares)}"
    media = ["cd"] if kind == "bochs" else ["cd", "usb"]
    if options.get("medium") and options["medium"] not in media:
        return f"MEDIUM={options['medium']}: {emulator} has {', '.join(media)}"
    if options.get("cpus") and not is_number(options["cpus"], 1, most_cpus):
        return f"CPUS={options['cpus']}: {emulator} takes a number from 1 to {most_cpus}"
    most_memory = 2048 if kind == "bochs" else 1 << 20
    if options.get("memory") and not is_number(options["memory"], 16, most_memory):
        return f"MACHINE_MEMORY={options['memory']}: {emulator} takes MiB, from 16 to {most_memory}"
    if kind == "bochs" and options.get("firmware") in ("seabios", "uefi") and options.get("cpus", "1") != "1":
        return f"CPUS={options['cpus']}: with FIRMWARE={options['firmware']} Bochs has one CPU"
    model = options.get("model")
    if model and model.split(",")[0] not in (BOCHS_MODELS if kind == "bochs" else qemu_models()):
        known = "see tools/emulator.py" if kind == "bochs" else "see qemu-system-x86_64 -cpu help"
        return f"MODEL={model}: {emulator} has no such processor model; {known}"
    return None


def die_with_parent():
    """In a child of this process: the emulator does not outlive whoever started it, however that ends."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def exit_on_signals():
    """Has this process end at once on SIGINT and SIGTERM, also while threads wait; machines end with it."""
    def stop(number, _):
        print("stopped", flush=True)
        os._exit(128 + number)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


class SerialLine:
    """A machine's COM1. The emulator connects to it over TCP, on this host; what is read is kept in a file."""

    CONNECT_SECONDS = 30

    def __init__(self, path):
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connection = None

    def connect(self, process):
        """Waits for the emulator, unless it ends before it comes so far."""
        self.listener.settimeout(0.05)
        deadline = time.monotonic() + self.CONNECT_SECONDS
        while self.connection is None and process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                self.connection, _ = self.listener.accept()
                self.connection.setblocking(False)
        self.listener.close()

    def read(self):
        """The bytes that came since the last call. The emulator waits for it when much has come."""
        data = b""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while self.connection is not None and (more := self.connection.recv(1 << 16)):
                data += more
        with open(self.path, "ab") as file:
            file.write(data)
        return data

    def send(self, data):
        """Sends bytes; those that an emulator has not read when it ends are lost."""
        if self.connection is not None:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self.connection.sendall(data)


class Machine:
    """A machine that boots an ISO; the subclasses know how.

    Options, all by keyword: memory in MiB, cpus, model (of the processor, in the emulator's words),
    firmware, serial (False: the machine has no COM1).
    """

    def __init__(self, iso, directory, **options):
        self.iso = pathlib.Path(iso).resolve()
        self.directory = pathlib.Path(directory)
        self.options = options
        self.process = None
        self.serial = None

    def option(self, name, default):
        """An option's value, or the default if it was not given or is None."""
        value = self.options.get(name)
        return default if value is None else value

    def command(self):
        """The emulator's command line."""
        raise NotImplementedError

    def environment(self):
        """The emulator's environment."""
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
        """What came over COM1 since the last call."""
        return self.serial.read() if self.serial is not None else b""

    def new_serial_text(self):
        """The same as text."""
        return self.new_serial_bytes().decode("latin-1").replace("\r", "")

    def send_serial(self, data):
        """Sends bytes to COM1."""
        self.serial.send(data)

    def text_of(self, name):
        """The text of a file of the machine's, "" as long as it does not exist."""
        path = self.directory / name
        return path.read_text("latin-1") if path.exists() else ""

    def is_running(self):
        """True until the machine has powered off or the emulator has failed."""
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends the machine, whatever it does."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def own_errors(self):
        """What the emulator itself complained about, for a report on why it did not start."""
        return self.text_of("stderr.txt").strip()[-2000:]


class Bochs(Machine):
    """Bochs 2.7 as Debian builds it: VT-x whole, one tick per instruction, every run the same.

    Firmware: bochs (IA32_FEATURE_CONTROL locked with VMX on), seabios and uefi (unlocked, one CPU).
    ips: instructions in a second. ignore_bad_msrs: MSRs that Bochs does not know read as 0. breakpoint: a physical
    address; break_ticks says when it was first executed.
    """

    KEY_SECONDS = 0.1  # between two keys
    terminal = None    # its file descriptor, once it is open

    def command(self):
        firmware = self.option("firmware", "bochs")
        rom, rom_options = BOCHS_ROMS[firmware]
        serial = f"enabled=1, mode=socket-client, dev=127.0.0.1:{self.serial.port}" \
            if self.serial is not None else "enabled=0"
        configuration = BOCHS_CONFIGURATION.format(
            model=self.option("model", "corei7_skylake_x"),
            cpus=self.option("cpus", 1),
            memory=self.option("memory", 256),
            ips=self.option("ips", 10_000_000),
            ignore_bad_msrs=1 if self.option("ignore_bad_msrs", firmware == "uefi") else 0,
            rom=f"file={rom}" + (f", {rom_options}" if rom_options else ""),
            debug_port=1 if self.option("debug_port", True) else 0,
            com1=serial,
            iso=self.iso)
        (self.directory / "bochsrc").write_text(configuration)
        # The debugger that this build starts with: go on at once, and again after text_memory. At a breakpoint it
        # prints the time, in ticks.
        breakpoint = self.option("breakpoint", None)
        (self.directory / "debugger.rc").write_text(
            (f"pb {breakpoint:#x}\nc\nd 1\n" if breakpoint is not None else "") +
            f'c\nwritemem "screen.bin" 0xb8000 {TEXT_SCREEN_SIZE}\nc\n')
        return ["bochs-bin", "-q", "-f", "bochsrc", "-rc", "debugger.rc"]

    def environment(self):
        return dict(os.environ, TERM="vt100")

    def open_terminal(self):
        """Opens the terminal that Bochs draws its screen on and takes keys from, as soon as there is one."""
        match = re.search(r'connected to screen "(/dev/pts/\d+)"', self.text_of("stderr.txt"))
        if self.terminal is None and match is not None:
            self.terminal = os.open(match[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self.terminal)

    def new_serial_bytes(self):
        """What came over COM1. Also reads what Bochs draws, for which it would wait some day."""
        self.open_terminal()
        with contextlib.suppress(BlockingIOError):
            while self.terminal is not None and os.read(self.terminal, 1 << 16):
                pass
        return super().new_serial_bytes()

    def press_keys(self, keys):
        """Presses keys of the PS/2 keyboard: characters, or a VT100's sequences, such as ESC O A for the upper arrow.

        Bochs knows no Ctrl- with a bracket.
        """
        for key in re.findall(r"\x1bO.|.", keys, re.DOTALL):
            os.write(self.terminal, key.encode())
            time.sleep(self.KEY_SECONDS)

    def stop(self):
        super().stop()
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None

    def text_memory(self):
        """The memory of the text screen; once in a run."""
        path = self.directory / "screen.bin"
        self.process.send_signal(signal.SIGINT)  # to the debugger, which has the command
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if path.exists() and path.stat().st_size == TEXT_SCREEN_SIZE:
                break
            time.sleep(0.05)
        return path.read_bytes()

    def break_ticks(self):
        """When the breakpoint was reached, in ticks since power-on; None if it was not."""
        match = re.search(r"Breakpoint 1.*\nNext at t=(\d+)", self.text_of("stdout.txt"))
        return int(match[1]) if match is not None else None

    def debug_port_text(self):
        """What was written to port 0xE9; Bochs prints it, between the text screen that it draws."""
        return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\([A-Z0-9]|=|>)|[\x0e\x0f]", "",
                      self.text_of("stdout.txt"))

    def complaints(self):
        """The lines of Bochs's own log that are errors: failed VMX instructions, unknown MSRs ..."""
        # A line is the time in ticks, the kind as one letter, the device in brackets, the text.
        return [line for line in self.text_of("bochs.log").splitlines()
                if line[11:12] in ("e", "p")]


class Qemu(Machine):
    """QEMU, by default its TCG, which never has VT-x.

    Firmware: bios, uefi. medium: cd, usb; net, with the tree of `make netboot` as the ISO. machine: pc, q35. accelerator: tcg, kvm.
    arguments: more of QEMU's own.
    """

    def command(self):
        accelerator = self.option("accelerator", "tcg")
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config",
            "-machine", f"{self.option('machine', 'pc')},accel={accelerator}",
            "-m", str(self.option("memory", 256)),
            "-smp", str(self.option("cpus", 1)),
            "-cpu", self.option("model", "host" if accelerator == "kvm" else "Haswell"),
            "-vga", "std",
            "-display", "none",
            "-monitor", "unix:monitor.socket,server=on,wait=off",
            "-debugcon", "file:debug.txt"]
        if self.serial is not None:
            command += ["-serial", f"tcp:127.0.0.1:{self.serial.port}"]
        if self.option("firmware", "bios") == "uefi":
            shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", self.directory / "vars.fd")
            command += [
                "-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
                "-drive", "if=pflash,format=raw,file=vars.fd"]
        if self.option("medium", "cd") == "cd":
            command += ["-cdrom", str(self.iso)]
        elif self.option("medium", "cd") == "net":  # the tree's loader for the firmware, by QEMU's own DHCP and TFTP
            loader = "x86_64-efi/core.efi" if self.option("firmware", "bios") == "uefi" else "i386-pc/core.0"
            command += [
                "-netdev", f"user,id=net,restrict=on,tftp={self.iso},bootfile=/boot/grub/{loader}",
                "-device", "virtio-net-pci,netdev=net,bootindex=1"]
        else:
            command += [
                "-device", "qemu-xhci",
                "-drive", f"if=none,id=stick,format=raw,readonly=on,file={self.iso}",
                "-device", "usb-storage,drive=stick,removable=on"]
        return command + self.option("arguments", [])

    def debug_port_text(self):
        """What was written to port 0xE9."""
        return self.text_of("debug.txt")

    def monitor(self, command, timeout=10):
        """Has QEMU's monitor execute a command and waits until it is done."""
        path = self.directory / "monitor.socket"
        deadline = time.monotonic() + timeout
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with socket.socket(socket.AF_UNIX) as connection:
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
                        return
                    text += data

    def picture_file(self):
        """Writes the screen to a file, in PPM; returns its path."""
        self.monitor("screendump screen.ppm")
        return self.directory / "screen.ppm"

    def text_memory(self):
        """The memory of the text screen."""
        self.monitor(f"pmemsave 0xb8000 {TEXT_SCREEN_SIZE} screen.bin")
        return (self.directory / "screen.bin").read_bytes()

    def complaints(self):
        """QEMU's log of guest errors is off; nothing to say."""
        return []


def nesting():
    """Whether this host can give a KVM guest VT-x: (True or False, why)."""
    try:
        cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False, "/proc/cpuinfo cannot be read"
    flags = next((line.split(":")[1].split() for line in cpuinfo.splitlines()
                  if line.startswith("flags")), [])
    if "vmx" not in flags:
        return False, "this host's processor shows no VT-x (no vmx flag in /proc/cpuinfo)"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False, "/dev/kvm is absent or not for this user"
    parameter = pathlib.Path("/sys/module/kvm_intel/parameters/nested")
    try:
        nested = parameter.read_text().strip()
    except OSError:
        return False, "kvm_intel is not loaded"
    if nested not in ("Y", "1"):
        return False, "kvm_intel does not nest (modprobe kvm_intel nested=1)"
    return True, "this host's KVM nests VT-x"


def wait_for(machine, is_done, timeout):
    """Collects serial text until is_done(text), the machine ends or timeout seconds have passed.

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
