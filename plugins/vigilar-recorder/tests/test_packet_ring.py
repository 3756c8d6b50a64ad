"""The ring, against every order of packets."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.media import Packet, Stream
from vigilar_recorder.packet_ring import PacketRing

VIDEO = Stream(0, "video", "h264", Fraction(1, 1000))
AUDIO = Stream(1, "audio", "aac", Fraction(1, 1000))

#: Kind of packet, milliseconds since the last, size.
STEPS = st.lists(
    st.tuples(st.sampled_from("kppppaa"), st.integers(1, 800), st.integers(0, 400)), max_size=120
)


def packets_of(steps: list[tuple[str, int, int]]) -> list[Packet]:
    made, at = [], 0
    for kind, gap, size in steps:
        at += gap
        stream = AUDIO if kind == "a" else VIDEO
        is_key = kind in "ka"
        made.append(Packet(stream, bytes(size), at, at, 0, is_key, at * 1000, at / 1000))
    return made


@given(STEPS, st.floats(0, 10), st.integers(1, 20_000))
def test_it_never_holds_more_bytes_than_allowed(
    steps: list[tuple[str, int, int]], reach_s: float, max_bytes: int
) -> None:
    ring = PacketRing(reach_s, max_bytes)
    for packet in packets_of(steps):
        ring.append(packet)
        assert ring.size_bytes <= max_bytes
        assert ring.size_bytes == sum(len(each.data) for each in ring.since(float("-inf")))


@given(STEPS, st.floats(0, 10))
def test_it_gives_everything_from_the_last_key_frame_before_the_moment(
    steps: list[tuple[str, int, int]], reach_s: float
) -> None:
    packets = packets_of(steps)
    ring = PacketRing(reach_s, 1 << 30)
    for number, packet in enumerate(packets):
        ring.append(packet)
        moment_s = packet.monotonic_s - reach_s
        sent = packets[: number + 1]
        keys = [n for n, each in enumerate(sent) if each.is_key and each.stream is VIDEO]
        before = [n for n in keys if sent[n].monotonic_s <= moment_s]
        begin = before[-1] if before else (keys[0] if keys else len(sent))
        assert ring.since(moment_s) == sent[begin:]


@given(STEPS, st.floats(0, 5), st.integers(1, 20_000))
def test_what_it_gives_begins_with_a_key_frame_and_has_no_gap(
    steps: list[tuple[str, int, int]], reach_s: float, max_bytes: int
) -> None:
    packets = packets_of(steps)
    ring = PacketRing(reach_s, max_bytes)
    for number, packet in enumerate(packets):
        ring.append(packet)
        found = ring.since(float("-inf"))
        if found:
            assert found[0].is_key
            assert found[0].stream is VIDEO
            assert found == packets[number + 1 - len(found) : number + 1]


@given(STEPS, st.floats(0, 5))
def test_it_holds_one_group_more_than_it_must_and_no_further(
    steps: list[tuple[str, int, int]], reach_s: float
) -> None:
    ring = PacketRing(reach_s, 1 << 30)
    for packet in packets_of(steps):
        ring.append(packet)
        if packet.is_key and packet.stream is VIDEO:
            starts = [each.monotonic_s for each in ring.key_frames()]
            assert all(start > packet.monotonic_s - reach_s for start in starts[1:])


def test_a_camera_without_key_frames_costs_no_memory() -> None:
    ring = PacketRing(5, 10_000)
    ring.append(Packet(VIDEO, bytes(10), 0, 0, 0, True, 0, 0.0))
    for at in range(1, 2000):
        ring.append(Packet(VIDEO, bytes(100), at, at, 0, False, at, at / 100))
    assert not ring
    assert ring.overflows == 1
    ring.append(Packet(VIDEO, bytes(10), 3000, 3000, 0, True, 0, 30.0))
    assert len(ring.since(30.0)) == 1


def test_clearing_leaves_nothing() -> None:
    ring = PacketRing(5, 10_000)
    ring.append(Packet(VIDEO, bytes(10), 0, 0, 0, True, 0, 0.0))
    ring.clear()
    assert not ring
    assert ring.size_bytes == 0
    assert ring.since(0.0) == []
