"""The report in the variables of EDK II's firmware (OVMF), read from its flash memory, and a way to fill that.

EDK II, MdeModulePkg/Include/Guid/VariableFormat.h, "AUTHENTICATED_VARIABLE_HEADER".
"""

import struct
import uuid
import zlib

import report

GUID = uuid.UUID("f9484a81-12a7-4b4d-b0ad-1ea869876669")
NAME = "HymirReport"

VOLUME_HEADER_LENGTH = 48  # the offset of the length of the firmware volume's header
STORE_HEADER = 28
VARIABLE = struct.Struct("<HBBIQ16sIII16s")
START, ADDED = 0x55AA, 0x3F


def variables_of(flash):
    """Yields offset, state, name, GUID, attributes and data of each variable, deleted ones too; then the free offset."""
    store = struct.unpack_from("<H", flash, VOLUME_HEADER_LENGTH)[0]
    at = store + STORE_HEADER
    while True:
        start, state, _, attributes, _, _, _, name_size, data_size, guid = VARIABLE.unpack_from(flash, at)
        if start != START:
            yield at, None, None, None, None, None
            return
        name = flash[at + VARIABLE.size:][:name_size].decode("utf-16-le").rstrip("\0")
        data = flash[at + VARIABLE.size + name_size:][:data_size]
        yield at, state, name, uuid.UUID(bytes_le=guid), attributes, data
        at = (at + VARIABLE.size + name_size + data_size + 3) & ~3


def report_variables(flash):
    """Returns the variables of Hymir's GUID by name."""
    found = {}
    for _, state, name, guid, attributes, data in variables_of(flash):
        if state == ADDED and guid == GUID:
            if attributes != 7:
                raise ValueError(f"{name} has the attributes {attributes:#x}")
            if name in found:
                raise ValueError(f"{name} exists twice")
            found[name] = data
    return found


def report_of(flash):
    """Returns the JSON of the stored report as text, or None if there is none."""
    found = report_variables(flash)
    if not found:
        return None
    magic, version, parts, size, text_size = struct.unpack("<4sIIII", found.pop(NAME))
    names = [f"{NAME}{i:02}" for i in range(parts)]
    if (magic, version) != (b"HyRp", 1) or sorted(found) != names:
        raise ValueError(f"the header does not describe the variables {sorted(found)}")
    stream = b"".join(found[name] for name in names)
    text = zlib.decompress(stream)
    if (len(stream), len(text)) != (size, text_size):
        raise ValueError("the header has wrong sizes")
    return text.decode()


def add_variable(flash, name, guid, data):
    """Adds a variable to the flash memory, a bytearray."""
    *_, (at, *_) = variables_of(flash)
    encoded = (name + "\0").encode("utf-16-le")
    header = VARIABLE.pack(START, ADDED, 0, 7, 0, bytes(16), 0, len(encoded), len(data), guid.bytes_le)
    flash[at:at + len(header + encoded + data)] = header + encoded + data


def fill(flash, size):
    """Adds variables of size bytes together, of at most 7 KiB each."""
    for start in range(0, size, 7168):
        add_variable(flash, f"Filler{start}", uuid.UUID(int=0x48796d6972), b"x" * min(7168, size - start))


def compare(stored, sent, text):
    """Compares a stored report with the one sent to the serial line, which has no pages; returns a difference or None."""
    if stored is None:
        return "no report is stored"
    if not stored.startswith(sent[:-1] + ',"pages":'):
        return "the stored report does not begin with the one on the serial line"
    missing = [row for row in report.parse(stored)["pages"]["Verdict"] if row not in text]
    return f"not on the serial line: {missing[0]}" if missing else None
