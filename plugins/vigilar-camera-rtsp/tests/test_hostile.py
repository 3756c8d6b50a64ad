"""Attack class 25: an RTSP server that lies, babbles, floods or says nothing."""

from __future__ import annotations

import random
import resource
import socket
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigilar_camera_rtsp.address import parse_address
from vigilar_camera_rtsp.cause import Cause, SourceError
from vigilar_camera_rtsp.file_input import FileInput
from vigilar_camera_rtsp.parameter_sets import nal_type
from vigilar_camera_rtsp.rtsp_input import RtspInput
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.testing import eventually


def open_input(url: str, timeout_ms: int = 500) -> RtspInput:
    source = CameraSource(rtsp_url=url, rtsp_timeout_ms=timeout_ms)
    return RtspInput(parse_address(url), source)


def cause_of(url: str) -> Cause:
    with pytest.raises(SourceError) as failed:
        open_input(url)
    return failed.value.cause


def nal_units(clip: Path, pictures: int) -> list[list[bytes]]:
    """The NAL units of each picture of a clip."""
    source = FileInput(clip, False, lambda: 0.0)
    units = [source.read().data for _ in range(pictures)]
    source.close()
    return [
        [n for n in unit.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if n] for unit in units
    ]


def play(connection: socket.socket, wire, clip: Path, times) -> None:
    """Send a clip's pictures over and over with these RTP times."""
    number = count()
    with suppress(OSError):
        while True:
            for picture in nal_units(clip, 100):
                stamp = next(times)
                for unit in picture:
                    for piece, last in fragments(unit):
                        packet = wire.rtp(piece, time=stamp, number=next(number), last=last)
                        connection.sendall(packet)
                time.sleep(0.01)


def fragments(unit: bytes, size: int = 1300) -> list[tuple[bytes, bool]]:
    """A NAL unit as RTP payloads (RFC 6184, section 5.8)."""
    last = nal_type("h264", unit) in (1, 5)
    if len(unit) <= size:
        return [(unit, last)]
    pieces = [unit[1 + at : 1 + at + size] for at in range(0, len(unit) - 1, size)]
    head, kind, end = unit[0] & 0xE0 | 28, unit[0] & 0x1F, len(pieces) - 1
    marks = [(0x80 if n == 0 else 0) | (0x40 if n == end else 0) for n in range(len(pieces))]
    return [
        (bytes((head, kind | mark)) + piece, mark & 0x40 > 0)
        for mark, piece in zip(marks, pieces, strict=True)
    ]


def test_the_server_of_these_tests_is_understood_when_it_behaves(
    hostile, wire, clips, drive
) -> None:
    hostile.media = lambda s: play(s, wire, clips["sub"], count(0, 900))
    camera = drive(hostile.url, audio=False)
    camera.until(lambda: len(camera.host.packets) > 60)
    assert camera.host.connections[0][0].width == 320


def test_a_server_that_never_answers_costs_the_time_out(hostile) -> None:
    hostile.answers["OPTIONS"] = hostile.answers["DESCRIBE"] = b""
    began_s = time.monotonic()
    assert cause_of(hostile.url) is Cause.TIMED_OUT
    assert time.monotonic() - began_s < 3


def test_an_unsupported_codec_is_named(hostile) -> None:
    hostile.sdp = hostile.sdp.replace(b"96 H264/90000", b"26 JPEG/90000").replace(b" 96", b" 26")
    with pytest.raises(SourceError, match="mjpeg") as failed:
        open_input(hostile.url)
    assert failed.value.cause is Cause.UNSUPPORTED_CODEC


def test_a_description_without_video_is_no_such_stream(hostile) -> None:
    hostile.sdp = b"v=0\r\ns=x\r\nm=audio 0 RTP/AVP 8\r\na=control:a\r\n"
    assert cause_of(hostile.url) is Cause.NO_SUCH_STREAM


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("401 Unauthorized", Cause.AUTHENTICATION_FAILED),
        ("403 Forbidden", Cause.AUTHENTICATION_FAILED),
        ("404 Not Found", Cause.NO_SUCH_STREAM),
        ("500 Oops", Cause.NO_SUCH_STREAM),
    ],
)
def test_a_refusal_is_told_by_its_status(hostile, status: str, cause: Cause) -> None:
    hostile.answers["DESCRIBE"] = f"RTSP/1.0 {status}\r\nCSeq: 2\r\n\r\n".encode()
    assert cause_of(hostile.url) is cause


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://127.0.0.1:1/x", "concat:/etc/passwd|/etc/group"]
)
def test_attack_class_2_a_redirection_cannot_leave_rtsp(hostile, location: str) -> None:
    hostile.answers["DESCRIBE"] = (
        f"RTSP/1.0 302 Moved\r\nCSeq: 2\r\nLocation: {location}\r\n\r\n".encode()
    )
    with pytest.raises(SourceError):
        open_input(hostile.url)


@pytest.mark.parametrize("scheme", ["http", "rtsp", "tcp", "concat:tcp", "file"])
def test_attack_class_19_a_description_cannot_lead_elsewhere(hostile, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bait:
        elsewhere = f"{scheme}://127.0.0.1:{bait.getsockname()[1]}/x"
        hostile.sdp = hostile.sdp.replace(b"a=control:track0", f"a=control:{elsewhere}".encode())
        with suppress(SourceError):
            open_input(hostile.url).close()
        bait.settimeout(0.1)
        with pytest.raises(TimeoutError):
            bait.accept()


def test_a_length_that_promises_gigabytes_takes_none(hostile) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    hostile.answers["DESCRIBE"] = (
        b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\n"
        b"Content-Length: 2000000000\r\n\r\nv=0\r\n"
    )
    with pytest.raises(SourceError):
        open_input(hostile.url)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=600))
def test_a_garbled_description_is_refused_or_read_but_never_fatal(hostile, garbage: bytes) -> None:
    middle = len(hostile.sdp) // 2
    whole, hostile.sdp = hostile.sdp, hostile.sdp[:middle] + garbage + hostile.sdp[middle:]
    with suppress(SourceError):
        open_input(hostile.url).close()
    hostile.sdp = whole


@pytest.mark.parametrize("seed", range(3))
def test_garbage_instead_of_media_ends_in_a_fault_and_the_next_try(
    hostile, drive, seed: int
) -> None:
    noise = random.Random(seed).randbytes(200_000)
    hostile.media = lambda s: s.sendall(noise)
    camera = drive(hostile.url, rtsp_timeout_ms=500, rtsp_reconnect_s=0.1)
    camera.until(lambda: {"camera_offline", "camera_stalled"} & {*camera.bus.kinds()})
    camera.until(lambda: sum(r.startswith("DESCRIBE") for r in hostile.requests) >= 2)
    assert camera.host.packets == []


def wild_times(seed: int):
    chance = random.Random(seed)
    while True:
        yield chance.choice((0, 2**32 - 1, chance.randrange(2**32), 90_000))


@pytest.mark.parametrize("seed", range(3))
def test_wild_time_stamps_become_rising_times_near_now(
    hostile, wire, clips, drive, seed: int
) -> None:
    hostile.media = lambda s: play(s, wire, clips["sub"], wild_times(seed))
    camera = drive(hostile.url, audio=False)
    camera.until(lambda: len(camera.host.packets) > 80)
    packets = camera.host.packets
    assert [p.dts for p in packets] == sorted({p.dts for p in packets})
    assert max(p.monotonic_s for p in packets) < time.monotonic() + 3.5


def test_a_picture_without_end_is_not_collected_for_ever(hostile, wire) -> None:
    sent = []

    def flood(connection: socket.socket) -> None:
        piece = bytes((0x7C, 0x05)) + bytes(1300)
        with suppress(OSError):
            connection.sendall(wire.rtp(bytes((0x7C, 0x85)) + bytes(1300), time=0, number=0))
            for number in count(1):
                connection.sendall(wire.rtp(piece, time=0, number=number, last=False))
                sent.append(len(piece))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    hostile.media = flood
    source = open_input(hostile.url)
    began_s = time.monotonic()
    with pytest.raises(SourceError):
        while True:
            source.read()
    source.close()
    assert time.monotonic() - began_s < 5
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < sum(sent) / 1024 * 3 + 50_000


def test_a_closed_door_after_every_handshake_is_knocked_at_with_growing_pauses(
    hostile, drive
) -> None:
    hostile.media = lambda s: s.shutdown(socket.SHUT_RDWR)
    camera = drive(hostile.url, rtsp_reconnect_s=0.4)
    camera.until_kinds("camera_offline")
    began_s = time.monotonic()
    camera.until(lambda: time.monotonic() - began_s > 2.5)
    assert 2 <= sum(r.startswith("DESCRIBE") for r in hostile.requests) <= 5
    assert camera.causes() == ["disconnected"]


def test_nothing_of_a_failed_connection_stays_open(hostile) -> None:
    hostile.answers["DESCRIBE"] = b"RTSP/1.0 404 Not Found\r\nCSeq: 2\r\n\r\n"
    cause_of(hostile.url)
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(20):
        cause_of(hostile.url)
    eventually(lambda: len(list(descriptors.iterdir())) <= before + 25)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost that vouches for itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "camera.pem"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, form, serialization.NoEncryption())
    path.write_bytes(built.public_bytes(pem) + secret)
    return path


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({}, Cause.NOT_TRUSTED),
        ({"ca_file": "camera.pem"}, Cause.NO_SUCH_STREAM),
        ({"tls_verify": False}, Cause.NO_SUCH_STREAM),
    ],
)
def test_attack_class_24_an_unknown_certificate_is_refused_before_the_password_is_sent(
    hostile, certificate: Path, options: dict[str, object], cause: Cause
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    hostile.wrap = lambda plain: context.wrap_socket(plain, server_side=True)
    hostile.answers["DESCRIBE"] = b"RTSP/1.0 404 Not Found\r\nCSeq: 2\r\n\r\n"
    if "ca_file" in options:
        options = {"ca_file": str(certificate)}
    url = f"rtsps://user:canary@localhost:{hostile.port}/x"
    with pytest.raises(SourceError) as refused:
        RtspInput(parse_address(url), CameraSource(rtsp_url=url, options=options))
    assert refused.value.cause is cause
    assert bool(hostile.requests) is (cause is Cause.NO_SUCH_STREAM)
