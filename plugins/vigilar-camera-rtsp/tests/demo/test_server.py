"""The demonstration's server itself, spoken to without Vigilar's source."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vigilar_camera_rtsp.demo import Credentials, RtspServer, ServerError, read_frame_number
from vigilar_core.testing import eventually

pytestmark = pytest.mark.rtsp

OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "0", "probesize": "32"}


def numbers(url: str, count: int) -> list[int | None]:
    found: list[int | None] = []
    with av.open(url, options=OPTIONS, timeout=(5, 4)) as container:
        for frame in container.decode(video=0):
            plane = frame.planes[1]
            view = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            found.append(read_frame_number(view[: plane.height, : plane.width]))
            if len(found) >= count:
                break
    return found


def test_a_client_begins_at_a_key_frame_and_misses_nothing(serve, clips) -> None:
    found = numbers(serve({"sub": clips["sub"]}).url("sub"), 60)
    assert found[0] % 25 == 0
    assert found == [(found[0] + n) % 100 for n in range(60)]


def test_a_gap_between_packets_changes_nothing_but_their_pace(serve, clips) -> None:
    found = numbers(serve({"main": clips["main"]}, packet_gap_us=120).url("main"), 30)
    assert found == [(found[0] + n) % 100 for n in range(30)]


def test_the_loop_goes_on_in_real_time_for_whoever_watches(serve, clips) -> None:
    server = serve({"sub": clips["sub"]})
    index, wall_ns = server.position("sub")
    later, later_ns = eventually(
        lambda: (p := server.position("sub"))[0] not in range(index, index + 10) and p
    )
    passed = (later_ns - wall_ns) / 1e9 * 25
    assert (later - index) % 100 == pytest.approx(passed, abs=2)


def test_a_pulse_starts_with_its_first_frame_for_every_client(serve, clips) -> None:
    server = serve({"sub": clips["sub"]}, pulses={"sub": clips["pulse"]})
    with av.open(server.url("sub"), options=OPTIONS, timeout=(5, 4)) as container:
        frames = container.decode(video=0)
        next(frames)
        pulse = server.pulse()
        lumas = [np.asarray(next(frames).to_ndarray(format="gray"), int) for _ in range(60)]
    assert max(abs(b - a).max() for a, b in pairwise(lumas)) > 60
    assert pulse.wall_ns > pulse.monotonic_ns


def test_wrong_credentials_are_refused_and_do_not_print(serve, clips) -> None:
    login = Credentials("u", "canary")
    server = serve({"sub": clips["sub"]}, credentials=login)
    assert "canary" not in repr(login)
    for wrong in (None, Credentials("u", "other")):
        with pytest.raises(av.error.HTTPUnauthorizedError):
            av.open(server.url("sub", credentials=wrong), options=OPTIONS, timeout=(5, 4))
    assert numbers(server.url("sub", credentials=login), 2)
    command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{server.pid}/environ").read_bytes()
    assert b"canary" not in command + environment


def test_the_same_port_is_listened_on_after_a_cut(serve, clips) -> None:
    server = serve({"sub": clips["sub"]})
    server.cut()
    with pytest.raises(ConnectionRefusedError):
        av.open(server.url("sub"), options=OPTIONS, timeout=(5, 4))
    server.restore()
    assert numbers(server.url("sub"), 2)


def test_a_bad_command_is_answered_with_its_reason(serve, clips, tmp_path: Path) -> None:
    server = serve({"sub": clips["sub"]})
    with pytest.raises(ServerError, match="unknown"):
        server.position("unknown")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(av.error.InvalidDataError):
        server.swap("sub", tmp_path / "text.mp4")
    assert server.alive


def test_a_server_that_is_not_running_says_so(clips) -> None:
    with pytest.raises(ServerError, match="not running"):
        RtspServer({"sub": clips["sub"]}).cut()


def test_the_server_ends_with_its_parent(clips) -> None:
    script = textwrap.dedent(
        f"""
        import os, sys
        from pathlib import Path
        from vigilar_camera_rtsp.demo import RtspServer
        server = RtspServer({{"sub": Path({str(clips["sub"])!r})}})
        server.start()
        print(server.pid, flush=True)
        os.kill(os.getpid(), 9)
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment)
    pid = int(done.stdout)
    eventually(lambda: not Path(f"/proc/{pid}/exe").exists())
