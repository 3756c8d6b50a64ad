"""A real browser plays the view over HTTP and fetches only what it shows."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from vigilar_core.recording_file import PlayableView, RandomAccessFile, open_recording

pytestmark = pytest.mark.browser

_PAGE = b"<!doctype html><video id=v muted preload=metadata src=/video.mp4></video>"
_SEEK = """async (time) => {
    const video = document.getElementById('v');
    const done = new Promise((yes, no) => {
        video.onseeked = yes;
        video.onerror = () => no(new Error(video.error.message));
    });
    video.currentTime = time;
    await done;
    return [video.currentTime, video.readyState, video.videoWidth];
}"""


class RangeServer(ThreadingHTTPServer):
    """Serves one seekable file by ranges and counts what goes out."""

    daemon_threads = True

    def __init__(self, open_video: Callable[[], RandomAccessFile]) -> None:
        self.open_video = open_video
        self.sent_bytes = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        # The kernel would otherwise take megabytes that nobody asked for.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        return connection, address


class _Handler(BaseHTTPRequestHandler):
    server: RangeServer

    def do_GET(self) -> None:
        if self.path != "/video.mp4":
            self._page()
            return
        with self.server.open_video() as video:
            size = video.size_bytes
            match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
            assert match is not None
            first, last = int(match[1]), int(match[2] or size - 1)
            self.send_response(206)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("Content-Length", str(last - first + 1))
            self.end_headers()
            self._send(video, first, last + 1)

    def _send(self, video: RandomAccessFile, first: int, end: int) -> None:
        video.seek(first)
        try:
            while first < end and (part := video.read(min(16384, end - first))):
                self.wfile.write(part)
                self.server.sent_bytes += len(part)
                first += len(part)
        except ConnectionError:
            pass  # The browser has seen enough of this range.

    def _page(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(_PAGE if self.path == "/" else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _serve(open_video: Callable[[], RandomAccessFile]) -> Iterator[RangeServer]:
    server = RangeServer(open_video)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def _open(page: Page, server: RangeServer) -> float:
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.wait_for_function("document.getElementById('v').readyState >= 1")
    duration = page.evaluate("document.getElementById('v').duration")
    assert isinstance(duration, float | int)
    return duration


@pytest.mark.parametrize("sealed", [True, False])
def test_chromium_knows_the_duration_and_seeks_to_the_end_fetching_little(
    page: Page,
    heavy_mp4: bytes,
    record_mp4: Callable[..., Path],
    key: bytes,
    sealed: bool,
) -> None:
    path = record_mp4(heavy_mp4, sealed=sealed)

    def open_video() -> RandomAccessFile:
        return PlayableView(open_recording(path, key, allow_unsealed=not sealed))

    with _serve(open_video) as server:
        duration = _open(page, server)
        current, ready, width = page.evaluate(_SEEK, 115.5)
    assert duration == pytest.approx(120, abs=0.2)
    assert (current, width) == (115.5, 160)
    assert ready >= 2
    assert server.sent_bytes < len(heavy_mp4) / 3


def test_without_the_view_chromium_fetches_the_whole_recording_to_learn_its_length(
    page: Page, heavy_mp4: bytes, record_mp4: Callable[..., Path], key: bytes
) -> None:
    path = record_mp4(heavy_mp4)
    with _serve(lambda: open_recording(path, key)) as server:
        assert _open(page, server) == pytest.approx(120, abs=0.2)
        assert server.sent_bytes > len(heavy_mp4) * 0.9
