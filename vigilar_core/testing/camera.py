"""A camera for inline plugins in tests: context on one side, host calls on the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from vigilar_core.config import SettingsModel
from vigilar_core.errors import NotReadyError
from vigilar_core.media import Stream
from vigilar_core.paths import Paths
from vigilar_core.testing.bus import FakeBus
from vigilar_core.testing.clock import FakeClock
from vigilar_core.testing.settings import FakeSettings

Model = TypeVar("Model", bound=SettingsModel)


class FakeCamera:
    """A :class:`~vigilar_core.context.CameraContext` over a temporary folder.

    :param folder: an empty folder; data, recordings and the rest are made inside it
    :param models: instances of section models and of camera models
    :param key: the storage key; ``None``: there is none
    """

    def __init__(
        self,
        folder: Path,
        *,
        id: str = "hall",
        models: Sequence[SettingsModel] = (),
        bus: FakeBus | None = None,
        clock: FakeClock | None = None,
        key: bytes | None = bytes(range(32)),
    ) -> None:
        self.id = id
        self.display_name = id.title()
        self.clock = clock or FakeClock()
        self.bus = bus or FakeBus(clock=self.clock)
        self.paths = fake_paths(folder)
        self.streams: Sequence[Stream] = ()
        self.low_latency = False
        self.analysis_fps: float | None = None
        self.colour = False
        self._settings = FakeSettings(models)
        self._key = key

    def settings(self, model: type[Model]) -> Model:
        return self._settings.section(model)

    def section(self, model: type[Model]) -> Model:
        return self._settings.section(model)

    def storage_key(self) -> bytes:
        if self._key is None:
            raise NotReadyError("there is no storage key")
        return self._key

    def ask_low_latency(self, wanted: bool) -> None:
        self.low_latency = wanted

    def ask_analysis_fps(self, fps: float | None) -> None:
        self.analysis_fps = fps

    def ask_colour(self, wanted: bool) -> None:
        self.colour = wanted


def fake_paths(folder: Path) -> Paths:
    """The folders of an installation below one folder, made."""
    paths = Paths(*(folder / name for name in ("data", "recordings", "hls", "run", "secrets")))
    for path in (paths.data_dir, paths.recordings_dir, paths.hls_dir, paths.runtime_dir):
        path.mkdir(parents=True, exist_ok=True)
    paths.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return paths
