from __future__ import annotations

import time
from pathlib import Path

import av
import pytest
from av.bitstream import BitStreamFilterContext
from hypothesis import given
from hypothesis import strategies as st

from vigilar_camera_rtsp import parameter_sets as sets

SPS, PPS, SLICE = b"\x67\x64\x00\x1f\x01", b"\x68\xef\x17", b"\x65\x88\x80"


def annex_b(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def test_parameter_sets_before_the_first_slice_are_found() -> None:
    found = sets.parameter_sets("h264", annex_b(b"\x09\xf0", SPS, PPS, SLICE, b"\x67later"))
    assert found == {7: (SPS,), 8: (PPS,)}


def test_extradata_of_found_sets_gives_the_same_sets() -> None:
    found = sets.parameter_sets("h264", annex_b(SPS, PPS, SLICE))
    assert sets.parameter_sets("h264", sets.extradata("h264", found)) == found
    assert sets.is_complete("h264", found)
    assert not sets.is_complete("h264", {7: (SPS,)})


def test_a_repeated_set_counts_once() -> None:
    assert sets.parameter_sets("h264", annex_b(SPS, SPS)) == {7: (SPS,)}


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_those_of_a_real_encoder_suffice_to_decode(codec: str, clips: dict[str, Path]) -> None:
    name = "sub" if codec == "h264" else "hevc"
    with av.open(str(clips[name])) as container:
        video = container.streams.video[0]
        to_annex_b = BitStreamFilterContext(f"{codec}_mp4toannexb", video)
        unit = bytes(to_annex_b.filter(next(container.demux(video)))[0])
    found = sets.parameter_sets(codec, unit)
    assert sets.is_complete(codec, found)
    decoder = av.CodecContext.create(codec, "r")
    decoder.extradata = sets.extradata(codec, found)
    assert (decoder.decode(av.Packet(unit)) or decoder.decode(None))[0].width == 320


@given(st.binary(max_size=4000), st.sampled_from(["h264", "hevc"]))
def test_arbitrary_bytes_are_read_without_error(data: bytes, codec: str) -> None:
    for units in sets.parameter_sets(codec, data).values():
        assert all(unit in data for unit in units)


def test_a_packet_of_nothing_but_start_codes_costs_little() -> None:
    began_s = time.process_time()
    sets.parameter_sets("h264", b"\x00\x00\x01\x67" * 4_000_000)
    assert time.process_time() - began_s < 1.0
