"""The process in which the conformance suite calls the hooks of a plugin."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vigilar_core.config import ConfigSection, SettingsModel
from vigilar_core.errors import Problem
from vigilar_core.plugins.host import PluginHost
from vigilar_core.testing.bus import FakeBus
from vigilar_core.testing.camera import FakeCamera

#: Methods of what ``camera_attach`` returns.
INLINE_METHODS: frozenset[str] = frozenset(
    f"on_{name}"
    for name in ("connected", "packet", "frame", "motion", "disconnected", "tick", "close")
)


def check(name: str) -> Iterator[Problem]:
    """Call what can be called without a running system."""
    host = PluginHost()
    host.load([name])
    hooks = host.hooks_of(name)
    if "register_tables" in hooks:
        yield from _tables(host.call_one(name, "register_tables"))
    if "camera_attach" in hooks:
        yield from _inline(host, name)


def _tables(tables: Any) -> Iterator[Problem]:
    if tables is None:
        return
    if not tables.migrations.is_dir():
        yield Problem("register_tables", f"{tables.migrations} is no folder of migrations")
    elif not any(tables.migrations.glob("*.py")):
        yield Problem("register_tables", f"there is no migration in {tables.migrations}")


def _inline(host: PluginHost, name: str) -> Iterator[Problem]:
    with tempfile.TemporaryDirectory() as folder:
        kinds = [kind for answer in host.call("register_event_kinds") for kind in answer.value]
        camera = FakeCamera(Path(folder), models=_models(host), bus=FakeBus(kinds))
        attached = host.call_one(name, "camera_attach", camera=camera)
        if attached is None:
            return
        offered = {each for each in dir(attached) if each.startswith("on_")}
        for method in sorted(offered - INLINE_METHODS):
            yield Problem(f"camera_attach: {method}", "is never called", "see InlineCamera")
        if not offered & INLINE_METHODS:
            yield Problem("camera_attach", "returned an object without any method that is called")
        if hasattr(attached, "on_close"):
            attached.on_close()


def _models(host: PluginHost) -> list[SettingsModel]:
    """Every declared model with its defaults; those with required keys are left out."""
    sections: list[ConfigSection] = [
        section for answer in host.call("register_config") for section in answer.value
    ]
    return [
        section.model()
        for section in sections
        if not any(field.is_required() for field in section.model.model_fields.values())
    ]


def main() -> None:
    """Print the findings as JSON; whatever the plugin prints goes to standard error."""
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    found = [dataclasses.asdict(problem) for problem in check(sys.argv[1])]
    with os.fdopen(answer, "w") as file:
        json.dump(found, file)
    # At once: threads that the plugin left behind must not hold the caller.
    os._exit(0)


if __name__ == "__main__":
    main()
