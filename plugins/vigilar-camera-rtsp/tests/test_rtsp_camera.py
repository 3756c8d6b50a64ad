"""Cameras behind a real RTSP server: what they send, and every way in which they go."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from vigilar_camera_rtsp.camera_loop import BUSY_TICK_S, IDLE_TICK_S, LOW_LATENCY_TICK_S
from vigilar_camera_rtsp.demo import Credentials
from vigilar_core.media import Packet
from vigilar_core.testing import eventually

pytestmark = pytest.mark.rtsp

LOGIN = Credentials("vigilar", "pä:ss/w@rd?#canary")


def spacing_s(packets: list[Packet]) -> set[float]:
    return {round(b.monotonic_s - a.monotonic_s, 3) for a, b in pairwise(packets)}


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_packets_come_in_the_cameras_own_rhythm(serve, drive, clips, transport: str) -> None:
    server = serve({"main": clips["main"]}, transports=("tcp", "udp"))
    camera = drive(server.url("main"), rtsp_transport=transport, audio=False)
    camera.until(lambda: len(camera.host.packets) >= 50)
    video = camera.host.packets
    assert video[0].is_key
    assert spacing_s(video) <= {0.039, 0.04, 0.041}
    assert [p.dts for p in video] == sorted({p.dts for p in video})
    assert abs(video[-1].monotonic_s - time.monotonic()) < 0.6
    assert abs(video[-1].time_us / 1e6 - time.time()) < 0.6
    (stream,) = camera.host.connections[0]
    assert (stream.codec, stream.width, stream.height) == ("h264", 640, 360)
    assert stream.extradata.startswith(b"\x00\x00\x00\x01\x67")


@pytest.mark.parametrize(
    ("mount", "codec", "rate"), [("main", "aac", 48_000), ("alaw", "pcm_alaw", 8000)]
)
def test_sound_comes_along_as_the_camera_sends_it(
    serve, drive, clips, mount: str, codec: str, rate: int
) -> None:
    camera = drive(serve({mount: clips[mount]}).url(mount))
    camera.until(lambda: len(camera.host.video()) > 30)
    _, sound = camera.host.connections[0]
    assert (sound.kind, sound.codec, sound.sample_rate_hz, sound.channels) == (
        ("audio", codec, rate, 1)
    )
    heard = [p for p in camera.host.packets if p.stream.kind == "audio"]
    assert len(heard) >= 8
    assert abs(heard[-1].monotonic_s - camera.host.video()[-1].monotonic_s) < 0.3


def test_sound_is_not_even_asked_for_when_not_wanted(serve, drive, clips) -> None:
    camera = drive(serve({"main": clips["main"]}).url("main"), audio=False)
    camera.until(lambda: camera.host.packets)
    assert [stream.kind for stream in camera.host.connections[0]] == ["video"]


def test_h265_is_read_and_looked_at(serve, drive, clips) -> None:
    camera = drive(serve({"x": clips["hevc"]}).url("x"))
    camera.until(lambda: len(camera.host.frames) >= 2)
    assert camera.host.connections[0][0].codec == "hevc"
    assert camera.host.frames[0].pixels.shape == (360, 640)


@pytest.mark.parametrize("method", ["digest", "basic"])
def test_the_right_password_opens_the_camera(serve, drive, clips, method: str) -> None:
    login = Credentials(LOGIN.user, LOGIN.password, method)
    server = serve({"sub": clips["sub"]}, credentials=login)
    camera = drive(server.url("sub", credentials=login))
    camera.until(lambda: camera.host.packets)
    assert camera.bus.kinds() == ["camera_online"]


def test_attack_class_15_a_wrong_password_is_named_and_never_shown(
    serve, drive, clips, caplog, capfd
) -> None:
    server = serve({"sub": clips["sub"]}, credentials=LOGIN)
    wrong = Credentials(LOGIN.user, "wrong-canary-7Q")
    camera = drive(server.url("sub", credentials=wrong), rtsp_reconnect_s=0.1)
    camera.until_kinds("camera_offline")
    camera.until(lambda: camera.host.ticks > 40)
    assert camera.causes() == ["authentication_failed"]
    shown = repr(camera.bus.events) + repr(camera.bus.states) + repr(camera.loop.health())
    shown += caplog.text + "".join(capfd.readouterr())
    assert "canary" not in shown
    assert "vigilar:" not in shown


def test_an_unknown_mount_is_no_such_stream(serve, drive, clips) -> None:
    camera = drive(serve({"sub": clips["sub"]}).url("other"))
    camera.until_kinds("camera_offline")
    assert camera.causes() == ["no_such_stream"]


@pytest.mark.parametrize("how", ["cut", "fin"])
def test_a_lost_camera_is_reported_at_once_and_found_again_soon(
    serve, drive, clips, how: str
) -> None:
    server = serve({"sub": clips["sub"]})
    camera = drive(server.url("sub"))
    camera.until(lambda: len(camera.host.packets) > 20)
    getattr(server, how)()
    assert camera.until_kinds("camera_offline") < 10
    assert camera.causes() == ["disconnected"]
    assert camera.host.calls.count("disconnected") == 1
    camera.until(lambda: "refused" in str(camera.bus.states[-1].data))
    server.restore()
    assert camera.until_kinds("camera_offline", "camera_online") < 5
    first, second = camera.host.connections
    assert second[0].generation > first[0].generation
    generations = [packet.stream.generation for packet in camera.host.packets]
    assert generations == sorted(generations)
    assert camera.bus.kinds() == ["camera_online", "camera_offline", "camera_online"]


def test_a_camera_that_sends_nothing_is_stalled_while_the_loop_stays_alive(
    serve, drive, clips
) -> None:
    server = serve({"main": clips["main"], "sub": clips["sub"]})
    camera = drive(server.url("main"), detect_url=server.url("sub"), rtsp_timeout_ms=2000)
    camera.until(lambda: camera.host.frames and camera.host.packets)
    server.freeze()
    ticks = camera.host.ticks
    assert camera.until_kinds("camera_stalled") < 10
    assert camera.causes()[0] == "no_packets"
    # Besides the ticks there is one read that waits for the camera as long as it may.
    assert camera.host.ticks - ticks >= 2
    server.thaw()
    # The server goes on with the next key frame, up to two seconds later.
    assert camera.until_kinds("camera_stalled", "camera_online") < 7


def test_a_camera_that_was_never_there_is_tried_until_it_comes(serve, drive, clips) -> None:
    server = serve({"sub": clips["sub"]})
    server.cut()
    camera = drive(server.url("sub"))
    camera.until_kinds("camera_offline")
    assert camera.causes() == ["refused"]
    assert camera.host.connections == []
    server.restore()
    assert camera.until_kinds("camera_offline", "camera_online") < 5


@pytest.mark.parametrize(("other", "size"), [("small", (256, 144)), ("hevc", (320, 180))])
def test_a_camera_replaced_by_another_starts_a_new_generation(
    serve, drive, clips, other: str, size: tuple[int, int]
) -> None:
    server = serve({"sub": clips["sub"]})
    camera = drive(server.url("sub"), rtsp_reconnect_s=0.2)
    camera.until(lambda: camera.host.packets)
    server.swap("sub", clips[other])
    camera.until(lambda: len(camera.host.connections) == 2)
    (stream,) = camera.host.connections[1]
    assert (stream.width, stream.height) == size
    assert stream.codec == ("hevc" if other == "hevc" else "h264")
    frames = len(camera.host.frames)
    camera.until(lambda: len(camera.host.frames) > frames)


def test_a_change_of_resolution_within_a_connection_starts_a_new_generation(
    serve, drive, clips
) -> None:
    server = serve({"sub": clips["sub"]})
    camera = drive(server.url("sub"))
    camera.until(lambda: camera.host.packets)
    server.splice("sub", clips["small"])
    camera.until(lambda: len(camera.host.connections) == 2)
    first = next(p for p in camera.host.packets if p.stream.generation == 2)
    assert first.is_key
    assert (first.stream.width, first.stream.height) == (256, 144)
    assert camera.host.disconnections == []
    assert camera.bus.kinds() == ["camera_online", "camera_stream_changed"]


def test_motion_is_looked_for_in_the_second_stream_and_without_it_in_the_first(
    serve, drive, clips
) -> None:
    server = serve({"main": clips["main"], "sub": clips["sub"]})
    camera = drive(server.url("main"), detect_url=server.url("gone"), rtsp_reconnect_s=0.2)
    camera.until_kinds("camera_online")
    camera.until_kinds("camera_detect_lost")
    camera.until(lambda: len(camera.host.frames) >= 2)
    assert {p.stream.width for p in camera.host.packets if p.stream.kind == "video"} == {640}
    server.swap("gone", clips["sub"])
    camera.until_kinds("camera_detect_lost", "camera_detect_restored")
    frames = len(camera.host.frames)
    camera.until(lambda: len(camera.host.frames) > frames)
    assert {p.stream.width for p in camera.host.packets if p.stream.kind == "video"} == {640}


def test_rates_follow_what_the_analysers_and_viewers_ask_for(serve, drive, clips) -> None:
    camera = drive(serve({"sub": clips["sub"]}).url("sub"), idle_fps=2, motion_fps=10)
    camera.until(lambda: len(camera.host.frames) >= 4)
    idle = camera.host.frames[2:]
    assert all(0.3 < b.monotonic_s - a.monotonic_s < 0.7 for a, b in pairwise(idle))
    camera.host.analysis_fps = 30.0
    count = len(camera.host.frames)
    took_s = camera.until(lambda: len(camera.host.frames) >= count + 20)
    assert 1.2 < took_s < 3.5
    camera.host.colour = True
    camera.until(lambda: len(camera.host.colour_frames) >= 3)
    assert camera.host.colour_frames[0].pixels.shape == (180, 320, 3)


def test_movement_is_seen_within_the_idle_interval(serve, drive, clips) -> None:
    server = serve({"sub": clips["sub"]}, pulses={"sub": clips["pulse"]})
    camera = drive(server.url("sub"), idle_fps=2)
    camera.until(lambda: len(camera.host.frames) >= 4)
    still = camera.host.frames[-1].pixels.astype(int)
    pulse = server.pulse()

    def moved() -> bool:
        frame = camera.host.frames[-1]
        return abs(frame.pixels.astype(int) - still).max() > 60

    camera.until(moved)
    seen_s = time.monotonic() - pulse.monotonic_ns / 1e9
    assert seen_s < 1.5
    assert camera.host.frames[-1].monotonic_s > pulse.monotonic_ns / 1e9 - 0.1


def test_a_camera_looked_at_by_its_key_frames_alone_is_read_less_often(serve, drive, clips) -> None:
    camera = drive(serve({"sub": clips["sub"]}).url("sub"), idle_decode="keyframes")
    camera.until(lambda: camera.host.frames)
    eventually(lambda: camera.loop.pause_s() > IDLE_TICK_S, within_s=2, what="a long pause")


def test_whoever_wants_more_than_key_frames_is_not_kept_waiting(serve, drive, clips) -> None:
    camera = drive(serve({"sub": clips["sub"]}).url("sub"), idle_decode="keyframes")
    camera.until(lambda: camera.host.frames)
    camera.host.analysis_fps = 25.0
    assert camera.loop.pause_s() <= BUSY_TICK_S
    camera.host.low_latency = True
    assert camera.loop.pause_s() <= LOW_LATENCY_TICK_S
