"""How old the live picture in the browser is, by Media Source Extensions."""

from __future__ import annotations

import base64
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.figures import Figure
from benchmarks.latency import camera
from vigilar_camera_rtsp.demo import RtspServer, read_frame_number
from vigilar_core.cli.demo import free_port
from vigilar_core.testing import Installation, eventually

_SAMPLES = 60
_FPS = 25
_LOOP_FRAMES = 500
_WEB = '[web]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n'
_SWITCHES = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required")
#: First chroma component of what is on the screen (ITU-R BT.601), and when it was taken.
_GRAB = """() => {
  const video = document.querySelector("video");
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  const taken = performance.timeOrigin + performance.now();
  const top = Math.ceil(canvas.height / 4);
  const { data } = context.getImageData(0, 0, canvas.width, top);
  let text = "";
  for (let i = 0; i < data.length; i += 4)
    text += String.fromCharCode((32768 - 43 * data[i] - 85 * data[i + 1] + 128 * data[i + 2]) >> 8);
  return { taken, width: canvas.width, chroma: btoa(text) };
}"""


def measure(folder: Path) -> Iterator[Figure]:
    port = free_port(0)
    web = _WEB.format(port=port)
    with camera() as (server, text), Installation(folder, web + text) as vigilar:
        vigilar.running(within_s=60)
        link = vigilar.run("web", "sign-in-link", "--create-admin").stdout.strip()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=list(_SWITCHES)
            )
            page = browser.new_page()
            page.goto(link)
            page.click("button.btn-primary")
            page.wait_for_url(lambda url: "/sign-in" not in url)
            page.goto(f"http://127.0.0.1:{port}/live/bench")
            eventually(
                lambda: page.evaluate("document.querySelector('video').currentTime > 8"),
                within_s=40,
            )
            assert page.inner_text(".live-badge") == "live"
            ages = [age for age in _ages(page, server) if age is not None]
            browser.close()
    detail = f"{len(ages)} looks, 25 pictures a second, GStreamer camera, software decoding"
    yield Figure("live picture, median age", statistics.median(ages), "s", 1.0, detail=detail)
    yield Figure("live picture, greatest age", max(ages), "s", 1.5)


def _ages(page: Page, server: RtspServer) -> Iterator[float | None]:
    for _ in range(_SAMPLES):
        time.sleep(0.3)
        grabbed = page.evaluate(_GRAB)
        chroma = np.frombuffer(base64.b64decode(grabbed["chroma"]), np.uint8)
        number = read_frame_number(chroma.reshape(-1, grabbed["width"]))
        position, wall_ns = server.position("main")
        if number is None:
            yield None
            continue
        behind = (position - number) % _LOOP_FRAMES
        sent_s = wall_ns / 1e9 - behind / _FPS
        yield grabbed["taken"] / 1000 - sent_s
