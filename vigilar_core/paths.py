"""Where an installation keeps its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders of one installation, absolute.

    :param data_dir: database, spools, locks
    :param recordings_dir: ``.vge`` recordings and thumbnails
    :param hls_dir: segments and playlists of the live picture
    :param runtime_dir: sockets, frame rings, heartbeats; gone after a reboot
    :param secrets_dir: key files
    """

    data_dir: Path
    recordings_dir: Path
    hls_dir: Path
    runtime_dir: Path
    secrets_dir: Path

    @property
    def frames_dir(self) -> Path:
        return self.runtime_dir / "frames"

    @property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"
