"""A running Vigilar with two cameras, secrets that are looked for, and names that bite."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.survive.house import House, clips, free_port
from tests.survive.visitor import Visitor, administrator, guest
from vigilar_camera_rtsp.demo import Credentials, RtspServer
from vigilar_core.config.hashes import hash_password, hash_pin
from vigilar_core.testing import Installation, eventually

LOGIN: Final = Credentials("canary-user-4T", "canary-word-9K")
PASSWORD_HASH: Final = hash_password("canary phrase", salt=bytes(16))
PIN_HASH: Final = hash_pin("7391", salt=bytes(16))
#: Runs in a browser that takes it for markup, or for a template.
SCRIPT: Final = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>{{7*7}}"

_CONFIGURATION = """
[web]
host = "127.0.0.1"
port = {port}
tls = false
password_hash = "{password_hash}"

[security]
pin_hash = "{pin_hash}"
"""
_CAMERA = """
[[cameras]]
id = "{id}"
display_name = {name}
rtsp_url = "{url}"
rtsp_reconnect_s = 0.5
record_on_motion = false
record_continuous = true
continuous = "full"
"""


@dataclass
class Estate:
    """A house with the cameras ``hall`` and ``garden``; the latter's name is a script."""

    house: House
    _visitors: dict[str, Visitor] = field(default_factory=dict)

    @property
    def vigilar(self) -> Installation:
        return self.house.vigilar

    def administrator(self) -> Visitor:
        return self._known("admin")

    def viewer_of_hall(self) -> Visitor:
        return self._known("viewer", "viewer", "hall")

    def operator_of_hall(self) -> Visitor:
        return self._known("operator", "operator", "hall")

    def nobody(self) -> Visitor:
        return self._known("nobody")

    def recording(self, camera: str) -> str:
        """Id of a finished recording with a picture of it."""
        question = (
            "SELECT id FROM recordings WHERE camera = :camera AND sealed AND thumbnail IS NOT NULL"
        )
        return str(self.house.rows(question, camera=camera)[0]["id"])

    def canaries(self) -> Mapping[str, bytes]:
        """Secrets in every form in which they might be written down."""
        folder = self.vigilar.folder
        found = {
            "camera's password": LOGIN.password.encode(),
            "camera's user": LOGIN.user.encode(),
            "password hash": PASSWORD_HASH.encode(),
            "password hash without salt": PASSWORD_HASH.rpartition(":")[2].encode(),
            "PIN hash": PIN_HASH.encode(),
            "PIN hash without salt": PIN_HASH.rpartition("$")[2].encode(),
        }
        for path in (folder / "secrets" / "storage.key", folder / "secrets" / "bus.key"):
            key = path.read_bytes()
            found |= {
                path.name: key,
                f"{path.name} in hexadecimal": key.hex().encode(),
                f"{path.name} in base 64": base64.b64encode(key),
            }
        return found

    def close(self) -> None:
        for each in self._visitors.values():
            each.session.close()

    def _known(self, name: str, role: str = "", *cameras: str) -> Visitor:
        if name not in self._visitors:
            if role:
                made = guest(self.vigilar, self.house.port, name, role, *cameras)
            elif name == "admin":
                made = administrator(self.vigilar, self.house.port)
            else:
                made = Visitor(self.house.port)
            self._visitors[name] = made
        return self._visitors[name]


@contextmanager
def run_estate(folder: Path) -> Iterator[Estate]:
    """A running estate with one finished recording of each camera."""
    small = clips()["small"]
    with RtspServer({"hall": small, "garden": small}, credentials=LOGIN) as camera:
        port = free_port()
        text = _CONFIGURATION.format(port=port, password_hash=PASSWORD_HASH, pin_hash=PIN_HASH)
        for id, name in (("hall", "Hall"), ("garden", SCRIPT)):
            url = camera.url(id, credentials=LOGIN)
            text += _CAMERA.format(id=id, name=json.dumps(name), url=url)
        with Installation(folder, text) as vigilar:
            house = House(vigilar, camera, port)
            vigilar.running(within_s=90)
            both = lambda: house.recordings("hall") and house.recordings("garden")  # noqa: E731
            eventually(both, within_s=30, what="both cameras are recorded")
            house.open_recording()
            camera.cut()  # ends both recordings and makes the cameras say why
            eventually(lambda: len(house.events("recording_sealed")) == 2, within_s=20)
            camera.restore()
            eventually(lambda: len(house.events("camera_online")) == 4, within_s=30)
            estate = Estate(house)
            yield estate
            estate.close()
