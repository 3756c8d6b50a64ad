"""What comes out of the fragmenter, judged by FFmpeg's demuxer and decoders."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field, replace
from fractions import Fraction

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilar_core.fragments import Fragmenter, InitSegment, MediaFragment
from vigilar_core.media import Packet, Stream
from vigilar_core.testing.clip import Clip, make_clip

KINDS = [
    pytest.param({"codec": codec, "b_frames": b_frames, "annex_b": annex_b}, id=name)
    for codec in ("h264", "hevc")
    for b_frames in (0, 2)
    for annex_b in (True, False)
    for name in [f"{codec}-{b_frames}b-{'annexb' if annex_b else 'prefixed'}"]
]


@dataclass
class Kept:
    """A sink that keeps everything."""

    inits: list[InitSegment] = field(default_factory=list)
    fragments: list[MediaFragment] = field(default_factory=list)

    def init_segment(self, segment: InitSegment) -> None:
        self.inits.append(segment)

    def fragment(self, fragment: MediaFragment) -> None:
        self.fragments.append(fragment)

    @property
    def mp4(self) -> bytes:
        return self.inits[0].data + b"".join(each.data for each in self.fragments)


def fragmented(clip: Clip, fragment_s: float = 0.5) -> Kept:
    kept = Kept()
    fragmenter = Fragmenter(clip.streams, kept, fragment_s)
    for packet in clip.packets:
        fragmenter.packet(packet)
    fragmenter.close()
    return kept


def last_unit(packet: Packet) -> bytes:
    """The last NAL unit: slices differ from picture to picture, headers may be left out."""
    return packet.data.rpartition(b"\0\0\1")[2].rstrip(b"\0") or packet.data


@pytest.mark.parametrize("kind", KINDS)
def test_every_packet_comes_out_once_and_in_order(kind: dict[str, object]) -> None:
    clip = make_clip(3, **kind)  # type: ignore[arg-type]
    with av.open(io.BytesIO(fragmented(clip).mp4)) as container:
        found = [bytes(packet) for packet in container.demux() if packet.size]
    assert len(found) == len(clip.packets)
    for data, packet in zip(found, clip.packets, strict=True):
        assert data.endswith(last_unit(packet))


@pytest.mark.parametrize("kind", KINDS)
def test_ffmpeg_decodes_every_picture_at_its_time(kind: dict[str, object]) -> None:
    clip = make_clip(3, **kind)  # type: ignore[arg-type]
    with av.open(io.BytesIO(fragmented(clip).mp4)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    expected = sorted(packet.monotonic_s for packet in clip.video)
    assert [round(each - times[0], 3) for each in times] == [round(each, 3) for each in expected]


@pytest.mark.parametrize("kind", KINDS)
def test_no_fragment_is_longer_than_asked(kind: dict[str, object]) -> None:
    kept = fragmented(make_clip(3, **kind))  # type: ignore[arg-type]
    assert max(fragment.duration_s for fragment in kept.fragments) <= 0.5
    assert sum(fragment.duration_s for fragment in kept.fragments) == pytest.approx(3, abs=0.05)


def test_a_fragment_begins_at_each_key_frame_and_says_so() -> None:
    clip = make_clip(4, key_interval_s=1)
    kept = fragmented(clip)
    starts = [each.decode_time_s for each in kept.fragments if each.starts_with_key_frame]
    assert starts == [pytest.approx(second) for second in range(4)]
    by_time = {round(packet.monotonic_s, 3): packet for packet in clip.video}
    for fragment in kept.fragments:
        assert by_time[round(fragment.decode_time_s, 3)].time_us == fragment.time_us


@pytest.mark.parametrize("audio", ["aac", "pcm_alaw"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_sound_stays_beside_its_picture(audio: str, b_frames: int) -> None:
    clip = make_clip(3, audio=audio, b_frames=b_frames)
    with av.open(io.BytesIO(fragmented(clip).mp4)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        pictures = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    with av.open(io.BytesIO(fragmented(clip).mp4)) as container:
        sounds = [
            (float(frame.pts * frame.time_base), frame.samples / frame.sample_rate)
            for frame in container.decode(audio=0)
        ]
    first = float(min(pictures))
    assert sounds[0][0] - first == pytest.approx(0, abs=0.15)
    assert sounds[-1][0] + sounds[-1][1] - first == pytest.approx(3, abs=0.15)


def test_aac_passes_unchanged() -> None:
    clip = make_clip(2, audio="aac")
    with av.open(io.BytesIO(fragmented(clip).mp4)) as container:
        found = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    sent = [each.data for each in clip.packets if each.stream.kind == "audio" and each.pts >= 0]
    assert found == sent


def test_sound_that_jumps_ahead_is_placed_after_the_gap() -> None:
    clip = make_clip(4, audio="pcm_alaw")
    kept = Kept()
    fragmenter = Fragmenter(clip.streams, kept)
    for packet in clip.packets:
        if packet.stream.kind == "video" or not 1 <= packet.monotonic_s < 3:
            fragmenter.packet(packet)
    fragmenter.close()
    with av.open(io.BytesIO(kept.mp4)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(audio=0)]
    assert max(b - a for a, b in itertools.pairwise(times)) == pytest.approx(2, abs=0.3)
    assert times[-1] > 3.5


def test_sound_that_cannot_be_kept_is_named() -> None:
    clip = make_clip(1)
    speech = Stream(1, "audio", "no_such_codec", Fraction(1, 8000), sample_rate_hz=8000, channels=1)
    fragmenter = Fragmenter((*clip.streams, speech), Kept())
    assert "no_such_codec" in fragmenter.left_out
    assert fragmenter.audio_codec is None


def test_sound_is_left_out_when_encoding_is_not_wanted() -> None:
    clip = make_clip(1, audio="pcm_alaw")
    fragmenter = Fragmenter(clip.streams, Kept(), encode_audio=False)
    assert "pcm_alaw" in fragmenter.left_out


def test_nothing_comes_out_before_the_first_key_frame() -> None:
    clip = make_clip(2)
    kept = Kept()
    fragmenter = Fragmenter(clip.streams, kept)
    for packet in clip.video[3:25]:
        fragmenter.packet(packet)
    assert not kept.inits
    fragmenter.packet(clip.video[25])
    assert len(kept.inits) == 1


def test_parameter_sets_may_come_with_the_key_frame_only() -> None:
    clip = make_clip(1)
    bare = tuple(replace(stream, extradata=b"") for stream in clip.streams)
    kept = Kept()
    fragmenter = Fragmenter(bare, kept)
    for packet in clip.packets:
        fragmenter.packet(replace(packet, stream=bare[0]))
    fragmenter.close()
    with av.open(io.BytesIO(kept.mp4)) as container:
        assert len(list(container.decode(video=0))) == 25


def test_a_stream_without_parameter_sets_is_refused() -> None:
    stream = Stream(0, "video", "h264", Fraction(1, 90_000), b"", 16, 16)
    packet = Packet(stream, b"\0\0\0\1\x65\x88\x84", 0, 0, 3600, True, 0, 0.0)
    with pytest.raises(ValueError, match="parameter sets"):
        Fragmenter([stream], Kept()).packet(packet)


def test_another_video_codec_is_refused_by_name() -> None:
    stream = Stream(0, "video", "mjpeg", Fraction(1, 90_000), b"", 16, 16)
    packet = Packet(stream, b"\xff\xd8", 0, 0, 3600, True, 0, 0.0)
    with pytest.raises(ValueError, match="mjpeg"):
        Fragmenter([stream], Kept()).packet(packet)


def test_times_that_go_backwards_are_refused() -> None:
    clip = make_clip(1)
    fragmenter = Fragmenter(clip.streams, Kept())
    fragmenter.packet(clip.video[0])
    fragmenter.packet(clip.video[2])
    with pytest.raises(ValueError, match="backwards"):
        fragmenter.packet(clip.video[1])


def test_flush_hands_over_a_single_picture() -> None:
    clip = make_clip(1)
    kept = Kept()
    fragmenter = Fragmenter(clip.streams, kept)
    fragmenter.packet(clip.video[0])
    assert fragmenter.holds_samples
    fragmenter.flush()
    assert not fragmenter.holds_samples
    with av.open(io.BytesIO(kept.mp4)) as container:
        assert len(list(container.decode(video=0))) == 1


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_mime_type_names_the_profile_that_ffmpeg_reads(codec: str) -> None:
    kept = fragmented(make_clip(1, codec=codec, audio="aac"))
    video, audio = kept.inits[0].mime_type.split('"')[1].split(",")
    with av.open(io.BytesIO(kept.mp4)) as container:
        context = container.streams.video[0].codec_context
        level = container.streams.video[0].codec_context.extradata
    assert audio == "mp4a.40.2"
    assert context.name == codec
    if codec == "h264":
        assert video == f"avc1.{bytes(level)[1:4].hex()}"
    else:
        assert video.startswith(f"hvc1.1.6.L{bytes(level)[12]}")


@settings(max_examples=40, deadline=None)
@given(
    flushes=st.sets(st.integers(0, 74), max_size=8),
    fragment_s=st.floats(0.04, 2.0),
    b_frames=st.sampled_from([0, 2]),
)
def test_cutting_anywhere_loses_and_doubles_nothing(
    flushes: set[int], fragment_s: float, b_frames: int
) -> None:
    clip = make_clip(3, b_frames=b_frames, audio="aac")
    kept = Kept()
    fragmenter = Fragmenter(clip.streams, kept, fragment_s)
    for number, packet in enumerate(clip.packets):
        fragmenter.packet(packet)
        if number in flushes:
            fragmenter.flush()
    fragmenter.close()
    with av.open(io.BytesIO(kept.mp4)) as container:
        found = [
            packet.pts * packet.time_base for packet in container.demux(video=0) if packet.size
        ]
    sent = [packet.pts * packet.stream.time_base for packet in clip.video]
    first_decoding = clip.video[0].dts * clip.video[0].stream.time_base
    assert found == [each - first_decoding for each in sent]
