from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vigilar_web.certificate import own_names, self_signed
from vigilar_web.cookie_key import cookie_key

NOW = datetime.datetime(2026, 7, 1, tzinfo=datetime.UTC)
NAMES = ["localhost", "127.0.0.1", "vigilar.local"]


def test_it_is_good_for_every_name_and_address(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "certs", NOW, NAMES)
    certificate = x509.load_pem_x509_certificate(made.chain.read_bytes())
    covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(covered.get_values_for_type(x509.DNSName)) == {"localhost", "vigilar.local"}
    assert [str(each) for each in covered.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_class_16_nobody_else_reads_the_key(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "certs", NOW, NAMES)
    assert made.key.stat().st_mode & 0o777 == 0o600
    cookie_key(tmp_path)
    assert (tmp_path / "web-cookie.key").stat().st_mode & 0o777 == 0o600


def test_it_stays_until_it_grows_old_or_lacks_a_name(tmp_path: Path) -> None:
    first = self_signed(tmp_path, NOW, NAMES).chain.read_bytes()
    assert (
        self_signed(tmp_path, NOW + datetime.timedelta(days=700), NAMES).chain.read_bytes() == first
    )
    renewed = self_signed(tmp_path, NOW + datetime.timedelta(days=800), NAMES).chain.read_bytes()
    assert renewed != first
    more = self_signed(tmp_path, NOW + datetime.timedelta(days=801), [*NAMES, "new.local"])
    assert more.chain.read_bytes() != renewed


def test_a_damaged_key_is_replaced(tmp_path: Path) -> None:
    made = self_signed(tmp_path, NOW, NAMES)
    made.key.write_bytes(b"damaged")
    self_signed(tmp_path, NOW, NAMES)
    assert b"PRIVATE KEY" in made.key.read_bytes()


def test_the_own_names_hold_localhost_and_the_loopback_addresses() -> None:
    assert {"localhost", "127.0.0.1", "::1", "vigilar.local"} <= set(own_names())


def test_the_cookie_key_outlives_a_restart(tmp_path: Path) -> None:
    assert cookie_key(tmp_path) == cookie_key(tmp_path)
    assert len(cookie_key(tmp_path)) == 32
