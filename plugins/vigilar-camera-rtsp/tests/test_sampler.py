from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vigilar_camera_rtsp.demo import read_frame_number
from vigilar_camera_rtsp.file_input import FileInput
from vigilar_camera_rtsp.sampler import Sample, Sampler, SuddenSize
from vigilar_core.media import Packet, Stream

STREAM = Stream(0, "video", "h264", Fraction(1, 12_800), width=320, height=180)
FPS = 25


def packets(clip: Path, count: int = 100) -> Iterator[Packet]:
    """Packets of a clip, the first at second 0."""
    source = FileInput(clip, audio=False, monotonic_s=lambda: 0.0)
    stream = replace(STREAM, time_base=source.tracks[0].time_base)
    for number in range(count):
        unit = source.read()
        times = unit.pts, unit.dts, unit.duration, unit.is_key
        yield Packet(stream, unit.data, *times, round(number / FPS * 1e6), number / FPS)
    source.close()


def number_of(sample: Sample) -> int | None:
    plane = sample.picture.planes[1]
    view = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return read_frame_number(view[: plane.height, : plane.width])


def samples(clip: Path, fps: float, keys_only: bool = False) -> tuple[list[Sample], Sampler]:
    sampler = Sampler()
    found = [s for packet in packets(clip) for s in sampler.feed(packet, fps, keys_only)]
    return found, sampler


def test_the_wanted_rate_is_met_and_pictures_carry_their_own_time(clips: dict[str, Path]) -> None:
    found, _ = samples(clips["sub"], 5.0)
    assert len(found) == pytest.approx(20, abs=1)
    assert [number_of(sample) for sample in found] == [round(s.monotonic_s * FPS) for s in found]


def test_a_rate_above_the_cameras_gives_every_picture(clips: dict[str, Path]) -> None:
    found, _ = samples(clips["sub"], 60.0)
    assert [number_of(sample) for sample in found] == list(range(100))


def test_what_follows_the_last_wanted_picture_of_a_group_is_not_decoded(
    clips: dict[str, Path],
) -> None:
    found, sampler = samples(clips["sub"], 2.0)
    assert len(found) == pytest.approx(8, abs=1)
    assert sampler.decoded_count <= 60


def test_key_frames_alone_cost_one_packet_a_group(clips: dict[str, Path]) -> None:
    found, sampler = samples(clips["sub"], 2.0, keys_only=True)
    assert [number_of(sample) for sample in found] == [0, 25, 50, 75]
    assert sampler.decoded_count == 4


def test_the_jump_from_key_frames_to_all_needs_no_new_key_frame(clips: dict[str, Path]) -> None:
    sampler, shown = Sampler(), []
    for number, packet in enumerate(packets(clips["main"], 40)):
        shown += [number_of(s) for s in sampler.feed(packet, 25.0, keys_only=number < 30)]
    assert shown == [0, *range(30, 40)]


def sized(size: int, number: int, is_key: bool = False) -> Packet:
    return Packet(STREAM, bytes(size), number, number, 1, is_key, 0, number / FPS)


def test_a_sudden_large_packet_is_looked_at_though_only_key_frames_are_wanted(
    clips: dict[str, Path],
) -> None:
    sampler = Sampler()
    for number in range(120):
        list(sampler.feed(sized(300, number), 2.0, keys_only=True))
    shown = []
    for number, packet in enumerate(packets(clips["sub"], 25)):
        padding = b"\x00" * 20_000 if number == 20 else b""
        grown = replace(packet, data=packet.data + padding, monotonic_s=100 + number / FPS)
        shown += [number_of(s) for s in sampler.feed(grown, 2.0, keys_only=True)]
    assert shown == [0, 20]


def test_at_an_even_bit_rate_nothing_is_sudden() -> None:
    sudden, noticed = SuddenSize(), []
    for number in range(1000):
        # Rate control lets the pictures after a key frame start small and grow.
        place = number % 50
        size = 9000 if place == 0 else min(2500, 300 + 120 * place) + number * 37 % 400
        noticed.append(sudden.notice(sized(size, number, is_key=place == 0)))
    assert not any(noticed)


def test_growth_is_sudden_once_and_then_usual() -> None:
    sudden = SuddenSize()
    sizes = [400] * 200 + [2000] * 100
    found = [n for n, size in enumerate(sizes) if sudden.notice(sized(size, n))]
    assert found == [200]


def test_another_generation_starts_with_its_own_key_frame(clips: dict[str, Path]) -> None:
    sampler = Sampler()
    for packet in packets(clips["sub"], 10):
        list(sampler.feed(packet, 25.0, False))
    other = list(packets(clips["small"], 30))
    found = [s for packet in other[10:] for s in sampler.feed(packet, 25.0, False)]
    assert [number_of(s) for s in found] == list(range(25, 30))
    assert found[0].picture.width == 256


@pytest.mark.parametrize("every", [2, 3])
def test_attack_class_25_damaged_packets_cost_pictures_and_nothing_else(
    clips: dict[str, Path], every: int
) -> None:
    sampler, count = Sampler(), 0
    for number, packet in enumerate(packets(clips["sub"])):
        if number % every == 0:
            noise = np.random.default_rng(number).bytes(len(packet.data))
            packet = replace(packet, data=packet.data[:8] + noise[8:])
        count += len(list(sampler.feed(packet, 25.0, False)))
    sound = [number_of(s) for p in packets(clips["sub"], 5) for s in sampler.feed(p, 25.0, False)]
    assert sound == [0, 1, 2, 3, 4]


def test_a_group_without_end_is_not_kept(clips: dict[str, Path]) -> None:
    key, *rest = packets(clips["sub"], 25)
    sampler = Sampler()
    list(sampler.feed(key, 0.001, False))
    for number in range(5000):
        later = replace(rest[0], monotonic_s=1.0 + number / FPS)
        list(sampler.feed(later, 0.001, False))
    assert sampler.held_bytes < 12 << 20
