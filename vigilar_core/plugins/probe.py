"""Asking plugins what they declare, each in a process of its own with a time-out.

An import error, a hang, a crash or an answer that is none costs that plugin and nothing else.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigilar_core.config.tables import Tables
from vigilar_core.plugins.report import PluginReport

#: Characters of a dead plugin's last words that are worth keeping.
_LAST_WORDS = 400
_CHILD = [sys.executable, "-P", "-m", "vigilar_core.plugins.probe_child"]


def probe(
    reports: Sequence[PluginReport],
    tables: Tables,
    *,
    timeout_s: float = 30.0,
    parallel: int | None = None,
) -> list[PluginReport]:
    """Fill in the reports of plugins, several at once.

    :param reports: what discovery knows of the plugins to ask
    :param tables: the configuration as it was parsed
    :param timeout_s: longest time for one plugin
    :param parallel: processes at a time; one per core when omitted
    :returns: in the order of ``reports``; state ``enabled`` or ``broken``
    """
    places = parallel or len(os.sched_getaffinity(0))
    waiting, running = list(enumerate(reports)), dict[int, _Running]()
    done: dict[int, PluginReport] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < places:
                    index, report = waiting.pop(0)
                    running[index] = _start(report, tables, timeout_s)
                    selector.register(running[index].pidfd, selectors.EVENT_READ, index)
                soonest = min(each.deadline for each in running.values())
                ready = selector.select(max(0.0, soonest - time.monotonic()))
                ended = {key.data for key, _ in ready} | _overdue(running)
                for index in ended:
                    selector.unregister(running[index].pidfd)
                    done[index] = _finish(running.pop(index), timeout_s)
        finally:
            for each in running.values():
                _finish(each, timeout_s)
    return [done[index] for index in range(len(reports))]


@dataclass(slots=True)
class _Running:
    report: PluginReport
    process: subprocess.Popen[bytes]
    pidfd: int
    deadline: float
    answer: int
    words: int


def _start(report: PluginReport, tables: Tables, timeout_s: float) -> _Running:
    """Start a child. It talks through memory files: no pipe to fill up, no thread to read it."""
    request = {"report": report.to_json(), "tables": tables, "timeout_s": timeout_s}
    asked, answer, words = (os.memfd_create(name) for name in ("asked", "answer", "words"))
    # TOML has times and dates, JSON has not; models read them from strings as well.
    _fill(asked, json.dumps(request, default=str).encode())
    try:
        process = subprocess.Popen(
            _CHILD, stdin=asked, stdout=answer, stderr=words, start_new_session=True, cwd="/"
        )
    finally:
        os.close(asked)
    deadline = time.monotonic() + timeout_s
    return _Running(report, process, os.pidfd_open(process.pid), deadline, answer, words)


def _overdue(running: Mapping[int, _Running]) -> set[int]:
    now = time.monotonic()
    return {index for index, each in running.items() if each.deadline <= now}


def _finish(each: _Running, timeout_s: float) -> PluginReport:
    in_time = each.process.poll() is not None
    # The whole session: a plugin may have started processes of its own.
    try:
        os.killpg(each.process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # Nobody is left, or only what is already dead.
    code = each.process.wait()
    os.close(each.pidfd)
    answer, words = _drain(each.answer), _drain(each.words).decode(errors="replace")
    if not in_time:
        return each.report.broken(_with_words(f"did not answer within {timeout_s:g} s", words))
    if code != 0 or not answer:
        return each.report.broken(_with_words(_ending(code), words))
    return _read(each.report, answer, words)


def _read(report: PluginReport, answer: bytes, words: str) -> PluginReport:
    try:
        data: dict[str, Any] = json.loads(answer)
        found = PluginReport.from_json(data)
    # The bytes come from a process that runs the plugin's code; whatever is wrong with them,
    # the plugin is what is broken.
    except Exception as error:  # noqa: BLE001
        reason = f"its answer cannot be read ({type(error).__name__})"
        return report.broken(_with_words(reason, words))
    if (found.name, found.distribution) != (report.name, report.distribution):
        return report.broken("it answered for another plugin")
    return found


def _ending(code: int) -> str:
    if code >= 0:
        return f"its probe ended with exit code {code} before it answered"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its probe was ended by {name}"


def _with_words(reason: str, words: str) -> str:
    kept = " | ".join(line.strip() for line in words.splitlines() if line.strip())[-_LAST_WORDS:]
    return f"{reason}: {kept}" if kept else reason


def _fill(descriptor: int, content: bytes) -> None:
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)


def _drain(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
