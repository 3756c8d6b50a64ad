"""A whole house: an RTSP camera that can be told to show movement, Vigilar, and a browser."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from vigilar_camera_rtsp.demo import PULSE_MOVEMENTS, Clip, RtspServer, available, cached_clips
from vigilar_core.testing import Installation, eventually

_CONFIGURATION = """
[web]
host = "127.0.0.1"
port = {port}
tls = false

[[cameras]]
id = "hall"
display_name = "Hall"
rtsp_url = "{main}"
detect_url = "{sub}"
pre_motion_buffer_s = 3
post_motion_buffer_s = 2
"""


@dataclass
class House:
    """What the tests of this folder work with."""

    vigilar: Installation
    camera: RtspServer
    database: sa.Engine
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rows(self, question: str, **values: object) -> list[sa.Row[tuple[object, ...]]]:
        with self.database.connect() as connection:
            return list(connection.execute(sa.text(question), values))

    def newest(self) -> int:
        return int(str(self.rows("SELECT coalesce(max(sequence), 0) FROM events")[0][0]))

    def after(self, sequence: int, kind: str) -> list[sa.Row[tuple[object, ...]]]:
        """Events of a kind after another event."""
        question = "SELECT * FROM events WHERE sequence > :after AND kind = :kind"
        return self.rows(question, after=sequence, kind=kind)


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    if not available():
        pytest.fail("gst-rtsp-server is missing; scripts/test installs it")
    idle = cached_clips(Clip(movements=(), duration_s=20.0))
    pulse = cached_clips(Clip(movements=PULSE_MOVEMENTS, duration_s=4.0))
    with (
        tempfile.TemporaryDirectory(prefix="vigilar-e2e-") as folder,
        RtspServer(idle, pulses=pulse) as camera,
    ):
        port = _free_port()
        urls = {"main": camera.url("main"), "sub": camera.url("sub")}
        text = _CONFIGURATION.format(port=port, **urls)
        with Installation(Path(folder), text) as vigilar:
            vigilar.running(within_s=60)
            database = sa.create_engine(f"sqlite:///{folder}/data/vigilar.db")
            house = House(vigilar, camera, database, port)
            eventually(lambda: house.after(0, "camera_online"), within_s=20, what="camera online")
            yield house
            database.dispose()


@pytest.fixture
def page(house: House, chromium: Browser) -> Iterator[Page]:
    """A page of a signed-in person; fails on errors in the console."""
    link = house.vigilar.run("web", "sign-in-link", "--create-admin").stdout.strip()
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: (
            complaints.append(f"{said.text} ({said.location['url']})")
            if said.type == "error"
            else None
        ),
    )
    page.goto(link)
    page.click("button.btn-primary")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    yield page
    context.close()
    assert complaints == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
