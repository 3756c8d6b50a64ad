"""The section ``[hello]``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from vigilar_core.config import AbsolutePath, SettingsModel
from vigilar_core.paths import Paths


class HelloSettings(SettingsModel):
    """Alerts in a file, and a word when a camera sees nothing but darkness."""

    file: AbsolutePath | None = Field(
        default=None,
        examples=["/var/vigilar/data/hello.txt"],
        description="Where alerts are appended; hello.txt in data_dir when left out",
    )
    dark_below: int = Field(
        default=20, ge=0, le=255, description="Mean brightness below which a picture is dark"
    )

    largest_size_bytes: int = Field(
        default=1_000_000, ge=1000, description="A longer file is put aside and begun anew"
    )

    def path(self, paths: Paths) -> Path:
        """The file to use."""
        return self.file or paths.data_dir / "hello.txt"
