"""The rules that every plugin keeps, checked from outside: ``vigilar plugins check NAME``.

For a plugin's own tests::

    def test_keeps_the_rules_of_plugins() -> None:
        assert check_plugin("hello") == []
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from vigilar_core.cli.root import COMMANDS
from vigilar_core.config.schema import Schema, SectionSchema, expand
from vigilar_core.errors import Problem
from vigilar_core.plugins.discovery import COMMAND_GROUP, GROUP, distribution_name, installed
from vigilar_core.plugins.plan import join
from vigilar_core.plugins.probe import probe
from vigilar_core.plugins.report import PluginReport, PluginState

#: A plugin is imported in less than this; seconds, the best of a few tries.
IMPORT_LIMIT_S = 1.0
_TRIES = 3
_CHILD = [sys.executable, "-P", "-m", "vigilar_core.testing.conformance_child"]


def check_plugin(name: str, *, timeout_s: float = 30.0) -> list[Problem]:
    """Check an installed plugin against all rules; an empty list means that it keeps them.

    The plugin's code runs in processes of its own, never in the caller's.

    :param name: of the plugin
    :param timeout_s: longest time for one such process
    """
    report = installed().get(name)
    if report is None:
        return [Problem("entry point", f"no plugin {name!r} is installed")]
    if report.state is PluginState.BROKEN:
        return [Problem("entry point", report.reason)]
    (report,) = probe([report], {}, timeout_s=timeout_s)
    if report.state is PluginState.BROKEN:
        return [Problem("probe", report.reason)]
    return [
        *_naming(name),
        *_declarations(report),
        *(problem for section in report.sections for problem in _section(section)),
        *(Problem("probe", remark) for remark in report.remarks),
        *_import_time(report, timeout_s),
        *_attached(name, timeout_s),
    ]


def naming_problems(name: str, distribution: str, package: str) -> Iterator[Problem]:
    """Plugin ``ups-nut`` comes in distribution ``vigilar-ups-nut`` and package
    ``vigilar_ups_nut``."""
    if distribution != f"vigilar-{name}":
        yield Problem("distribution", f"is called {distribution}", f"call it vigilar-{name}")
    wanted = f"vigilar_{name.replace('-', '_')}"
    if package != wanted:
        yield Problem("package", f"is called {package}", f"call it {wanted}")


def _naming(name: str) -> Iterator[Problem]:
    (point,) = entry_points(group=GROUP, name=name)
    distribution = distribution_name(point.dist)
    yield from naming_problems(name, distribution, point.module.partition(".")[0])
    for command in entry_points(group=COMMAND_GROUP):
        if distribution_name(command.dist) == distribution:
            yield from _command(command, distribution)


def _command(command: EntryPoint, distribution: str) -> Iterator[Problem]:
    rule = f"command {command.name}"
    if command.name in COMMANDS:
        yield Problem(rule, "is hidden by a command of the core", "choose another name")
    for other in entry_points(group=COMMAND_GROUP, name=command.name):
        if distribution_name(other.dist) != distribution:
            yield Problem(rule, f"is also a command of {distribution_name(other.dist)}")


def _declarations(report: PluginReport) -> Iterator[Problem]:
    if not report.summary:
        yield Problem("distribution", "has no description", "write one line in pyproject.toml")
    settled = join({}, [report]).report(report.name)
    if settled is not None and settled.state is PluginState.BROKEN:
        yield Problem("declarations", settled.reason)
    for kind in report.event_kinds:
        if not kind.title:
            yield Problem(f"event kind {kind.name}", "has no title")
    for problem in report.problems:
        yield Problem(
            problem.path, f"{problem.message}, in an empty file", "give every key a default"
        )


def _section(section: SectionSchema) -> Iterator[Problem]:
    if not section.many and not section.schema.get("description"):
        yield Problem(f"[{section.path}]", "its model has no docstring")
    yield from _keys(section.path, section.schema, section.schema)


def _keys(path: str, schema: Schema, root: Schema) -> Iterator[Problem]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    for key, value in properties.items():
        full = expand(value, root)
        if not full.get("description"):
            yield Problem(f"{path}.{key}", "has no description", "Field(description=…)")
        if not key.isidentifier() or key != key.lower():
            yield Problem(f"{path}.{key}", "is no lower-case word", "join words with '_'")
        yield from _keys(f"{path}.{key}", full, root)
        yield from _keys(f"{path}.{key}[]", expand(full.get("items", {}), root), root)


def _import_time(report: PluginReport, timeout_s: float) -> Iterator[Problem]:
    fastest = report.import_s
    for _ in range(_TRIES - 1):
        if fastest <= IMPORT_LIMIT_S:
            return
        (again,) = probe([report], {}, timeout_s=timeout_s)
        fastest = min(fastest, again.import_s)
    if fastest > IMPORT_LIMIT_S:
        yield Problem(
            "import", f"takes {fastest:.1f} s", "import large libraries where they are used"
        )


def _attached(name: str, timeout_s: float) -> list[Problem]:
    """What a process that really attaches the plugin to a camera and asks for its tables says."""
    try:
        done = subprocess.run(
            [*_CHILD, name], capture_output=True, timeout=timeout_s, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired:
        return [Problem("hooks", f"do not return within {timeout_s:g} s")]
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return [Problem("hooks", f"end the process with code {done.returncode}: {' '.join(words)}")]
    return [Problem(**each) for each in json.loads(done.stdout)]
