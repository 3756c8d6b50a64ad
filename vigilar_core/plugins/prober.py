"""The process that asks plugins: imports the core once and forks a child for each of them.

It runs no code of a plugin either. Forking is safe here because it has no thread, and it is
cheap: the core's libraries are imported once, not once for every plugin.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigilar_core.plugins import probe_child
from vigilar_core.plugins.report import PluginReport

#: Characters of a dead plugin's last words that are worth keeping.
_LAST_WORDS = 400


@dataclass(slots=True)
class _Running:
    report: PluginReport
    pid: int
    pidfd: int
    deadline: float
    answer: int
    words: int


class Prober:
    """Asks several plugins at a time.

    :param tables: the configuration as it was parsed
    :param timeout_s: longest time for one plugin
    :param places: how many at a time
    """

    def __init__(self, tables: Mapping[str, Any], timeout_s: float, places: int) -> None:
        self._tables = tables
        self._timeout_s = timeout_s
        self._places = places
        self._running: dict[int, _Running] = {}
        self._done: dict[int, PluginReport] = {}
        self._selector = selectors.DefaultSelector()

    def ask(self, reports: Sequence[PluginReport]) -> list[PluginReport]:
        """The filled-in reports, in the same order."""
        waiting = list(enumerate(reports))
        while waiting or self._running:
            while waiting and len(self._running) < self._places:
                index, report = waiting.pop(0)
                self._start(index, report)
            soonest = min(each.deadline for each in self._running.values())
            ready = self._selector.select(max(0.0, soonest - time.monotonic()))
            for index in {key.data for key, _ in ready} | self._overdue():
                self._finish(index)
        return [self._done[index] for index in range(len(reports))]

    def _start(self, index: int, report: PluginReport) -> None:
        """Fork a child. It writes to memory files: no pipe to fill up, nobody has to read it."""
        answer, words = os.memfd_create("answer"), os.memfd_create("words")
        pid = os.fork()
        if pid == 0:
            probe_child.run(report, self._tables, self._timeout_s, answer, words)
        deadline = time.monotonic() + self._timeout_s
        pidfd = os.pidfd_open(pid)
        self._running[index] = _Running(report, pid, pidfd, deadline, answer, words)
        self._selector.register(pidfd, selectors.EVENT_READ, index)

    def _overdue(self) -> set[int]:
        now = time.monotonic()
        return {index for index, each in self._running.items() if each.deadline <= now}

    def _finish(self, index: int) -> None:
        each = self._running.pop(index)
        self._selector.unregister(each.pidfd)
        ended = os.waitid(os.P_PIDFD, each.pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        # The whole session: a plugin may have started processes of its own.
        for kill in (os.killpg, os.kill):
            try:
                kill(each.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # Nobody is left, only the dead are, or it has no session of its own yet.
        _, status = os.waitpid(each.pid, 0)
        os.close(each.pidfd)
        answer, words = _drain(each.answer), _drain(each.words).decode(errors="replace")
        if ended is None:
            reason = f"did not answer within {self._timeout_s:g} s"
            self._done[index] = each.report.broken(_with_words(reason, words))
        else:
            code = os.waitstatus_to_exitcode(status)
            self._done[index] = judge(each.report, code, answer, words)


def judge(report: PluginReport, code: int, answer: bytes, words: str) -> PluginReport:
    """What a child that ended by itself has said.

    :param code: exit code, negative for a signal
    :param words: what it wrote to standard error
    """
    if code != 0 or not answer:
        return report.broken(_with_words(_ending(code), words))
    try:
        found = PluginReport.from_json(json.loads(answer))
    # The bytes come from a process that runs the plugin's code; whatever is wrong with them,
    # the plugin is what is broken.
    except Exception as error:  # noqa: BLE001
        reason = f"its answer cannot be read ({type(error).__name__})"
        return report.broken(_with_words(reason, words))
    if (found.name, found.distribution) != (report.name, report.distribution):
        return report.broken("it answered for another plugin")
    return found


def main() -> None:
    """Answer one request on standard input with one list on standard output."""
    request = json.load(sys.stdin)
    reports = [PluginReport.from_json(each) for each in request["reports"]]
    gc.freeze()
    prober = Prober(request["tables"], request["timeout_s"], request["places"])
    answers = prober.ask(reports)
    json.dump([each.to_json() for each in answers], sys.stdout)


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


def _drain(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


if __name__ == "__main__":
    main()
