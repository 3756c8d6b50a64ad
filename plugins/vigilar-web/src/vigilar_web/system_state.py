"""How the installation is: services, plugins, disks, versions."""

from __future__ import annotations

import logging
import platform
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vigilar_core.errors import NotReadyError
from vigilar_core.paths import Paths
from vigilar_core.runtime.status import ask

#: A page waits for the supervisor no longer than this.
PATIENCE_S = 2.0
Row = TypeVar("Row", bound=BaseModel)
_log = logging.getLogger(__name__)
_WELL = frozenset({"running", "starting", "waiting"})


class PluginHealth(BaseModel):
    """What the health check of a plugin said."""

    model_config = ConfigDict(extra="ignore")

    state: str = "ok"
    reason: str = ""
    fix: str = ""


class ServiceState(BaseModel):
    """One service of the supervisor.

    :param phase: ``starting``, ``running``, ``backing_off``, ``degraded`` …
    :param health: what health checks said, by plugin
    """

    model_config = ConfigDict(extra="ignore")

    name: str
    phase: str = Field(default="", validation_alias="state")
    reason: str = ""
    restarts: int = 0
    health: dict[str, PluginHealth] = Field(default_factory=dict)

    @property
    def complaints(self) -> Sequence[PluginHealth]:
        """What its plugins are not well with."""
        return [each for each in self.health.values() if each.state != "ok"]

    @property
    def is_well(self) -> bool:
        return self.phase in _WELL and not self.complaints


class PluginInfo(BaseModel):
    """One installed plugin."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(validation_alias="plugin")
    version: str = ""
    state: str = ""
    reason: str = ""


class VolumeState(BaseModel):
    """The file system that a folder lies on, bytes."""

    name: str
    path: str
    size_bytes: int
    free_bytes: int

    @property
    def used_pct(self) -> int:
        return round(100 * (1 - self.free_bytes / self.size_bytes)) if self.size_bytes else 0


class SystemState(BaseModel):
    """All of it.

    :param running: whether the supervisor answers
    :param reason: why it does not
    """

    running: bool
    reason: str = ""
    status: str = ""
    since_us: int | None = None
    services: list[ServiceState] = Field(default_factory=list)
    plugins: list[PluginInfo] = Field(default_factory=list)
    volumes: list[VolumeState] = Field(default_factory=list)
    versions: dict[str, str] = Field(default_factory=dict)


def system_state(paths: Paths) -> SystemState:
    """Ask the supervisor, the disks and the packages."""
    facts: dict[str, Any] = {"volumes": volumes(paths), "versions": versions()}
    try:
        answer = ask(paths.runtime_dir, PATIENCE_S)
    except NotReadyError as error:
        return SystemState(running=False, reason=str(error), **facts)
    return SystemState(
        running=True,
        status=str(answer.get("status", "")),
        since_us=since_us if isinstance(since_us := answer.get("since_us"), int) else None,
        services=_read(ServiceState, answer.get("services")),
        plugins=_read(PluginInfo, answer.get("plugins")),
        **facts,
    )


def volumes(paths: Paths) -> Sequence[VolumeState]:
    """The file systems under data and recordings; one that carries both stands once."""
    found: dict[int, VolumeState] = {}
    for name, path in (("Recordings", paths.recordings_dir), ("Data", paths.data_dir)):
        try:
            device, usage = path.stat().st_dev, shutil.disk_usage(path)
        except OSError:
            continue  # not there yet: nothing was recorded
        if device in found:
            found[device] = found[device].model_copy(
                update={"name": f"{found[device].name} and {name.lower()}"}
            )
        else:
            found[device] = VolumeState(
                name=name, path=str(path), size_bytes=usage.total, free_bytes=usage.free
            )
    return list(found.values())


def versions() -> Mapping[str, str]:
    """What runs here, by name."""
    found = {"Vigilar": _version("vigilar"), "Vigilar web": _version("vigilar-web")}
    return {**found, "Python": platform.python_version(), "Linux": platform.release()}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed as a package"


def _read(model: type[Row], rows: Any) -> list[Row]:
    """The rows that can be understood: a supervisor of another version still shows something."""
    found = []
    for row in rows if isinstance(rows, list) else ():
        try:
            found.append(model.model_validate(row))
        except ValidationError as error:
            _log.warning("the supervisor says of a %s: %s", model.__name__, error)
    return found
