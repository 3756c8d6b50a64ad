"""The certificate of the server: the operator's, or one that signs itself."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Browsers refuse server certificates that live longer than 825 days (Apple, HT210176).
LIFETIME_DAYS = 820
#: A certificate of our own is made anew this long before it ends.
RENEW_BEFORE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files that TLS needs, PEM."""

    chain: Path
    key: Path


def self_signed(folder: Path, now: datetime.datetime, names: Sequence[str]) -> Certificate:
    """The certificate in a folder, made or renewed when it is missing, old, or lacks a name.

    :param names: host names and addresses it shall be good for
    """
    found = Certificate(folder / "web-cert.pem", folder / "web-key.pem")
    if not _good_for(found, now, names):
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        _make(found, now, names)
    return found


def own_names() -> Sequence[str]:
    """What this machine may be called by on its network: names first, then addresses."""
    host = socket.gethostname().lower()
    short = host.partition(".")[0]
    names = ["vigilar.local", "localhost", host, short, f"{short}.local"]
    addresses = ["127.0.0.1", "::1", *_lan_addresses()]
    return list(dict.fromkeys(name for name in (*names, *addresses) if name))


def _lan_addresses() -> Sequence[str]:
    """The addresses packets to the network would leave from; connecting UDP sends nothing."""
    found = []
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((target, 9))
                found.append(probe.getsockname()[0])
        except OSError:
            continue  # no route of this family
    return found


def _good_for(found: Certificate, now: datetime.datetime, names: Sequence[str]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(found.chain.read_bytes())
        key = serialization.load_pem_private_key(found.key.read_bytes(), None)
        covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    if key.public_key() != certificate.public_key():
        return False
    ends = certificate.not_valid_after_utc - datetime.timedelta(days=RENEW_BEFORE_DAYS)
    return ends > now > certificate.not_valid_before_utc and set(_subjects(names)) <= set(covered)


def _make(target: Certificate, now: datetime.datetime, names: Sequence[str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vigilar")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=LIFETIME_DAYS))
        .add_extension(x509.SubjectAlternativeName(_subjects(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(target.key, pem)
    target.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in one step and never with a wider mode."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - opens a descriptor
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _subjects(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found
