"""Enrolls a certificate in OVMF's variables, so that Secure Boot is on and accepts what its key has signed.

Writes the variables PK, KEK and db, as a person does in the firmware's setup, into a file of variables that has none yet.
UEFI 2.10, "Firmware/OS Key Exchange: Creating Trust Relationships", "Signature Database"; the format of the file is
EDK II's: MdePkg, PiFirmwareVolume.h; MdeModulePkg, VariableFormat.h.
"""

import base64
import pathlib
import re
import struct
import uuid

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
CERT_X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
AUTHENTICATED_VARIABLES = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")

# Non-volatile, for boot services and at run time, with time-based authentication.
ATTRIBUTES = 0x27
VOLUME_HEADER_LENGTH = 0x30  # where it is
STORE_HEADER = 28
VARIABLE_ADDED = 0x3F


def read_certificate(path):
    """Returns a certificate, a file in PEM or DER, as DER."""
    data = pathlib.Path(path).read_bytes()
    pem = re.search(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", data, re.DOTALL)
    return base64.b64decode(pem[1]) if pem else data


def signature_list(certificate):
    """Returns the EFI_SIGNATURE_LIST of a certificate in DER."""
    signature = uuid.UUID(int=0).bytes_le + certificate
    return CERT_X509.bytes_le + struct.pack("<III", 28 + len(signature), 0, len(signature)) + signature


def variable(name, vendor, data):
    """Returns a variable with its header, padded to 4 bytes."""
    text = (name + "\0").encode("utf-16-le")
    header = struct.pack("<HBBIQ16sIII", 0x55AA, VARIABLE_ADDED, 0, ATTRIBUTES, 0, bytes(16), 0, len(text), len(data))
    entry = header + vendor.bytes_le + text + data
    return entry + b"\xff" * (-len(entry) % 4)


def enroll(template, certificate, target):
    """Writes a copy of a file of variables that has none, with the certificate, a file in PEM or DER."""
    store = bytearray(pathlib.Path(template).read_bytes())
    start = struct.unpack_from("<H", store, VOLUME_HEADER_LENGTH)[0]
    first = start + STORE_HEADER
    data = signature_list(read_certificate(certificate))
    entries = b"".join(variable(*row, data) for row in
                       (("PK", GLOBAL_VARIABLE), ("KEK", GLOBAL_VARIABLE), ("db", SECURITY_DATABASE)))
    if store[start:start + 16] != AUTHENTICATED_VARIABLES.bytes_le or \
       store[first:first + len(entries)] != b"\xff" * len(entries):
        raise ValueError(f"{template}: not a file of OVMF's authenticated variables without any variable")
    store[first:first + len(entries)] = entries
    pathlib.Path(target).write_bytes(store)
