"""The recorder from packets and triggers to files and events, over real encoded video."""

from __future__ import annotations

import hashlib
import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import av
import pytest

from vigilar_core.bus import topics
from vigilar_core.fragments.annex_b import to_sample
from vigilar_core.media import MotionKind, Packet
from vigilar_core.testing.clip import make_clip
from vigilar_recorder import thumbnail
from vigilar_recorder.layout import absolute
from vigilar_recorder.settings import CameraRecording, RecordingStorage

Make = Callable[..., Any]
BRIEF = CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=3)
KEY = bytes(range(32))


def demuxed(mp4: bytes, kind: str) -> list[bytes]:
    with av.open(io.BytesIO(mp4)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def sample(packet: Packet) -> bytes:
    """The packet as MP4 holds it."""
    if packet.stream.kind == "audio":
        return packet.data
    return b"".join(to_sample(packet.data, hevc=packet.stream.codec == "hevc"))


def test_a_movement_is_recorded_with_all_of_its_pre_roll_and_post_roll(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(20, key_interval_s=2)
    it.connect(clip)
    it.feed(clip, at={8.4: lambda: it.motion("start"), 10.4: lambda: it.motion("end")})
    (sealed,) = it.wait("sealed")
    begin_s = (sealed["start_time_us"] - 1_767_225_600_000_000) / 1e6
    assert begin_s == 6.0  # the last key frame at or before the pre-roll
    assert sealed["pre_roll_s"] >= 2
    assert begin_s + sealed["duration_s"] == pytest.approx(13.4, abs=0.1)
    assert len(it.pictures(sealed)) == round(sealed["duration_s"] * 25)
    assert sealed["trigger"] == "motion"
    assert sealed["ended_by"] == "post_roll"


def test_the_recording_begins_at_once_not_with_the_next_packet(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(5)
    it.connect(clip)
    it.feed(clip)
    it.motion("start")
    assert len(it.events("started")) == 1


def test_what_is_sealed_is_what_lies_on_the_disk(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(12)
    it.connect(clip)
    it.feed(clip, at={4.0: lambda: it.motion("start"), 5.0: lambda: it.motion("end")})
    (sealed,) = it.wait("sealed")
    data = (it.root / sealed["path"]).read_bytes()
    assert sealed["size_bytes"] == len(data)
    assert sealed["sha256"] == hashlib.sha256(data).hexdigest()
    assert data.startswith(b"VGE2")
    assert (it.root / sealed["path"]).stat().st_mode & 0o007 == 0


def test_nothing_in_the_folder_is_in_plain_text(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(12, audio="aac")
    it.connect(clip)
    it.feed(clip, at={4.0: lambda: it.motion("start"), 5.0: lambda: it.motion("end")})
    it.wait("sealed")
    telling = [packet.data[-24:] for packet in clip.packets if len(packet.data) > 48]
    for path in it.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"moof" not in content
            assert b"JFIF" not in content
            assert not any(piece in content for piece in telling)


def test_movements_close_together_share_a_recording(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(20)
    it.connect(clip)
    it.feed(
        clip,
        at={
            4.0: lambda: it.motion("start", confidence=0.4, zones=("door",)),
            5.0: lambda: it.motion("end"),
            7.0: lambda: it.motion("start", confidence=0.9, zones=("lawn", "door")),
            8.0: lambda: it.motion("end"),
        },
    )
    (sealed,) = it.wait("sealed")
    assert len(it.events("started")) == 1
    assert sealed["motion"] == {"starts": 2, "confidence": 1.0, "zones": ["door", "lawn"]}


def test_only_motion_starts_a_recording(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(4)
    it.connect(clip)
    it.feed(clip)
    for kind in MotionKind:
        if kind is not MotionKind.MOTION:
            it.motion("start", kind=kind)
    assert not it.events("started")
    it.motion("start")
    assert it.events("started")


def test_motion_starts_nothing_when_it_is_not_wanted(bench: Make) -> None:
    it = bench(BRIEF.model_copy(update={"record_on_motion": False}))
    clip = make_clip(4)
    it.connect(clip)
    it.feed(clip, at={2.0: lambda: it.motion("start")})
    assert not it.events("started")


@pytest.mark.parametrize("audio", [None, "aac"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_split_loses_and_doubles_no_packet(bench: Make, audio: str | None, b_frames: int) -> None:
    it = bench(BRIEF.model_copy(update={"max_recording_s": 10}))
    clip = make_clip(36, audio=audio, b_frames=b_frames, fps=10, key_interval_s=2)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start"), 26.0: lambda: it.motion("end")})
    parts = it.wait("sealed", 3)
    assert [part["ended_by"] for part in parts] == ["split", "split", "post_roll"]
    assert [part["continues"] for part in parts] == [None, parts[0]["id"], parts[1]["id"]]
    for kind in [stream.kind for stream in clip.streams]:
        sent = [sample(p) for p in clip.packets if p.stream.kind == kind and p.pts >= 0]
        found = [data for part in parts for data in demuxed(it.mp4(part), kind)]
        begin = next(n for n in range(len(sent)) if sent[n : n + 20] == found[:20])
        assert found == sent[begin : begin + len(found)]
        assert len(found) > 0.95 * 29 / 36 * len(sent)
    pictures = [picture for part in parts for picture in it.pictures(part)]
    assert len(pictures) == round(sum(part["duration_s"] for part in parts) * 10)
    for before, after in itertools.pairwise(parts):
        assert after["start_time_us"] == pytest.approx(before["end_time_us"], abs=2000)


def test_recording_by_hand_ends_when_told(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(12)
    it.connect(clip)
    topic = topics.camera("hall", "record")
    it.feed(
        clip,
        at={
            3.0: lambda: it.bus.publish_state(topic, {"action": "start", "who": "ann"}),
            8.0: lambda: it.bus.publish_state(topic, {"action": "stop", "who": "ann"}),
        },
    )
    (sealed,) = it.wait("sealed")
    assert (sealed["trigger"], sealed["who"]) == ("manual", "ann")
    assert sealed["duration_s"] == pytest.approx(7, abs=0.1)


def test_recording_for_a_time_ends_by_itself(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(14)
    it.connect(clip)
    request = {"action": "start", "who": "rule:gate", "duration_s": 4}
    it.feed(clip, at={3.0: lambda: it.bus.publish_state(topics.camera("hall", "record"), request)})
    (sealed,) = it.wait("sealed")
    assert sealed["duration_s"] == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"action": "explode"},
        {"action": ["start"]},
        {"action": "stop", "who": {"a": 1}},
        {"action": None, "duration_s": "x"},
        {"action": "start", "duration_s": "60"},
        {"action": "start", "duration_s": -1},
        {"action": "start", "duration_s": 0},
        {"action": "start", "duration_s": 1e9},
        {"action": "start", "duration_s": True},
        {"action": "start", "duration_s": [1]},
    ],
)
def test_a_request_that_makes_no_sense_changes_nothing(bench: Make, data: dict[str, Any]) -> None:
    it = bench(BRIEF)
    clip = make_clip(3)
    it.connect(clip)
    it.feed(clip)
    it.bus.publish_state(topics.camera("hall", "record"), data)
    assert not it.events("started")


def test_idle_time_is_kept_as_key_frames_only(bench: Make) -> None:
    it = bench(BRIEF.model_copy(update={"record_continuous": True}))
    clip = make_clip(20, key_interval_s=2, audio="aac")
    it.connect(clip)
    it.feed(clip, at={9.0: lambda: it.motion("start"), 11.0: lambda: it.motion("end")})
    it.close()
    idle, motion, after = it.events("sealed")
    assert [part["trigger"] for part in (idle, motion, after)] == [
        "continuous",
        "motion",
        "continuous",
    ]
    assert it.pictures(idle) == [0, 2, 4, 6, 8]
    assert idle["key_frames_only"]
    assert idle["audio_codec"] is None
    assert motion["audio_codec"] == "aac"
    assert len(it.pictures(motion)) == round(motion["duration_s"] * 25)


def test_everything_is_kept_without_a_gap_when_asked(bench: Make) -> None:
    it = bench(
        BRIEF.model_copy(
            update={"record_continuous": True, "continuous": "full", "max_recording_s": 10}
        )
    )
    clip = make_clip(25, fps=10)
    it.connect(clip)
    it.feed(clip, at={5.0: lambda: it.motion("start"), 6.0: lambda: it.motion("end")})
    it.close()
    parts = it.events("sealed")
    assert sum(len(it.pictures(part)) for part in parts) == 250
    assert parts[0]["motion"]["starts"] == 1


def test_a_lost_camera_ends_the_recording_with_its_cause(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(6)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start")})
    it.recorder.on_disconnected("timeout")
    (sealed,) = it.wait("sealed")
    assert sealed["ended_by"] == "camera_lost"
    it.clock.advance(BRIEF.post_motion_buffer_s)
    it.connect(clip)
    it.feed(clip)
    assert len(it.events("started")) == 1


def test_another_generation_goes_into_another_recording(bench: Make) -> None:
    it = bench(BRIEF)
    small, large = make_clip(6), make_clip(6, width=320, height=240)
    it.connect(small)
    it.feed(small, at={3.0: lambda: it.motion("start")})
    streams = tuple(replace(stream, generation=1) for stream in large.streams)
    changed = replace(
        large,
        streams=streams,
        packets=tuple(replace(packet, stream=streams[0]) for packet in large.packets),
    )
    it.connect(changed)
    it.feed(changed)
    it.close()
    before, after = it.events("sealed")
    assert (before["ended_by"], before["width"]) == ("stream_changed", 160)
    assert (after["ended_by"], after["width"]) == ("service_stopped", 320)
    assert len(it.pictures(after)) == 150


def test_setting_the_clock_changes_no_length(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(20)
    it.connect(clip)
    it.feed(
        clip,
        at={
            6.0: lambda: it.motion("start"),
            7.0: lambda: it.clock.jump(-86_400),
            8.0: lambda: it.motion("end"),
        },
    )
    (sealed,) = it.wait("sealed")
    assert sealed["duration_s"] == pytest.approx(7, abs=0.1)


def test_without_a_key_nothing_is_written_and_it_is_said_once(bench: Make) -> None:
    it = bench(BRIEF, key=None)
    clip = make_clip(40, fps=5)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start")})
    assert [event["cause"] for event in it.events("failed")] == ["no_key"]
    assert not [path for path in it.root.rglob("*") if path.is_file()]


def test_a_plain_recording_is_an_ordinary_mp4(bench: Make) -> None:
    it = bench(BRIEF, RecordingStorage(encrypt_recordings=False), key=None)
    clip = make_clip(12)
    it.connect(clip)
    it.feed(clip, at={4.0: lambda: it.motion("start"), 5.0: lambda: it.motion("end")})
    (sealed,) = it.wait("sealed")
    assert sealed["path"].endswith(".mp4")
    assert len(it.pictures(sealed)) == round(sealed["duration_s"] * 25)
    assert (it.root / sealed["thumbnail"]).read_bytes().startswith(b"\xff\xd8")


def test_the_thumbnail_shows_the_moment_of_the_trigger(bench: Make) -> None:
    it = bench(BRIEF)
    clip = make_clip(12, key_interval_s=2)
    it.connect(clip)
    it.feed(clip, at={5.5: lambda: it.motion("start"), 7.0: lambda: it.motion("end")})
    (sealed,) = it.wait("sealed")
    stored = absolute(it.root, sealed["thumbnail"]).read_bytes()
    picture = thumbnail.decrypt(stored, KEY, sealed["id"])
    at = {packet.monotonic_s: packet for packet in clip.video}
    assert picture == thumbnail.make_jpeg(at[6.0])
    assert picture != thumbnail.make_jpeg(at[4.0])
