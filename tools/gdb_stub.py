"""The debugger's interface of QEMU, of which Hymir's tests need one operation: the time at which an instruction is reached.

GDB manual, "Remote Protocol": a packet is $TEXT#SUM, with the sum of TEXT in hexadecimal, and the receiver answers + to it.
"""

import os
import re
import socket
import time


class GdbStub:
    """A connection to a machine that has not been started yet (-S) through the socket at path."""

    SECONDS = 300  # for the slowest boot of a medium

    def __init__(self, path):
        deadline = time.monotonic() + 10
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(self.SECONDS)
        self.connection.connect(os.path.relpath(path))
        self.buffer = b""

    def send(self, text):
        self.connection.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) % 256))

    def receive(self):
        """Returns the text of the next packet."""
        while (match := re.search(rb"\$([^#]*)#..", self.buffer)) is None:
            data = self.connection.recv(4096)
            if not data:
                raise OSError("the emulator ended before the breakpoint")
            self.buffer += data
        self.buffer = self.buffer[match.end():]
        self.connection.sendall(b"+")
        return match[1].decode()

    def command(self, text):
        """Returns the reply to a command."""
        self.send(text)
        return self.receive()

    def monitor(self, text):
        """Returns what a command of QEMU's monitor prints."""
        reply, output = self.command("qRcmd," + text.encode().hex()), ""
        while reply.startswith("O") and reply != "OK":
            output += bytes.fromhex(reply[1:]).decode()
            reply = self.receive()
        return output

    def run_to(self, address):
        """Runs the machine until it reaches an instruction, and stops it there."""
        self.command(f"Z1,{address:x},1")
        self.command("c")
        self.command(f"z1,{address:x},1")

    def detach(self):
        """Lets the machine go on, without the debugger."""
        self.command("D")
        self.connection.close()
