"""Enrolls a certificate in OVMF's variables, so that Secure Boot accepts what its key has signed.

Writes variables into a copy of a file of them, as a person does in the firmware's setup (PK, KEK and db, which also turns
Secure Boot on) or in shim's MokManager (MokList). UEFI 2.10, "Firmware/OS Key Exchange: Creating Trust Relationships",
"Signature Database"; the format of the file is EDK II's: MdePkg, PiFirmwareVolume.h; MdeModulePkg, VariableFormat.h.
"""

import base64
import pathlib
import re
import struct
import uuid

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
CERT_X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
AUTHENTICATED_VARIABLES = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")

# Attributes: non-volatile, for boot services; also at run time, with time-based authentication.
BOOT, AUTHENTICATED = 0x3, 0x27
FIRMWARE = (("PK", GLOBAL_VARIABLE, AUTHENTICATED), ("KEK", GLOBAL_VARIABLE, AUTHENTICATED),
            ("db", SECURITY_DATABASE, AUTHENTICATED))
MACHINE_OWNER = (("MokList", SHIM, BOOT),)

VOLUME_HEADER_LENGTH = 0x30  # where it is
STORE_HEADER = 28
VARIABLE = struct.Struct("<HBBIQ16sIII16s")
START_ID, VARIABLE_ADDED = 0x55AA, 0x3F


def read_certificate(path):
    """Returns a certificate, a file in PEM or DER, as DER."""
    data = pathlib.Path(path).read_bytes()
    pem = re.search(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", data, re.DOTALL)
    return base64.b64decode(pem[1]) if pem else data


def signature_list(certificate):
    """Returns the EFI_SIGNATURE_LIST of a certificate in DER."""
    signature = uuid.UUID(int=0).bytes_le + certificate
    return CERT_X509.bytes_le + struct.pack("<III", 28 + len(signature), 0, len(signature)) + signature


def variable(name, vendor, attributes, data):
    """Returns a variable with its header, padded to 4 bytes."""
    text = (name + "\0").encode("utf-16-le")
    entry = VARIABLE.pack(START_ID, VARIABLE_ADDED, 0, attributes, 0, bytes(16), 0, len(text), len(data), vendor.bytes_le)
    entry += text + data
    return entry + b"\xff" * (-len(entry) % 4)


def find_end(store):
    """Returns the offset behind the last variable of a file, or None if it is not a file of OVMF's variables."""
    start = struct.unpack_from("<H", store, VOLUME_HEADER_LENGTH)[0]
    if store[start:start + 16] != AUTHENTICATED_VARIABLES.bytes_le:
        return None
    end = start + STORE_HEADER
    while end + VARIABLE.size <= len(store):
        header = VARIABLE.unpack_from(store, end)
        if header[0] != START_ID:
            break
        end = end + VARIABLE.size + header[7] + header[8] + 3 & ~3
    return end


def enroll(template, variables, certificate, target):
    """Writes a copy of a file of variables, with the certificate, a file in PEM or DER, as the value of more of them."""
    store = bytearray(pathlib.Path(template).read_bytes())
    data = signature_list(read_certificate(certificate))
    entries = b"".join(variable(*row, data) for row in variables)
    end = find_end(store)
    if end is None or store[end:end + len(entries)] != b"\xff" * len(entries):
        raise ValueError(f"{template}: not a file of OVMF's authenticated variables, or no room for more")
    store[end:end + len(entries)] = entries
    pathlib.Path(target).write_bytes(store)
