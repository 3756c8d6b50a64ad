"""The short-lived process in which one plugin is imported and asked."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

from vigilar_core.errors import PluginBrokenError
from vigilar_core.plugins.declaration import declare, forgotten_marks
from vigilar_core.plugins.host import PluginHost
from vigilar_core.plugins.report import PluginReport

#: Bytes the process may write into any one file, its answer and its messages included.
_LARGEST_FILE = 16 * 1024 * 1024
#: Modules that have no place in a worker in the path of frames: megabytes for each camera.
_HEAVY = ("sqlalchemy", "flask")
_ANSWER = 3


def run(
    report: PluginReport, tables: Mapping[str, Any], timeout_s: float, answer: int, words: int
) -> NoReturn:
    """Ask one plugin and end; to be called in a process just forked.

    Ends without tidying up, so that nothing a plugin left behind can hold it.

    :param answer: descriptor of the file that gets the report as JSON
    :param words: descriptor of the file that becomes standard error
    """
    code = 1
    try:
        printed = _arrange(answer, words)
        _limit(timeout_s)
        found = _ask(report, tables)
        sys.stdout.flush()
        remarks = [*found["remarks"], *_traces(os.fstat(printed).st_size)]
        _write(_ANSWER, json.dumps({**found, "remarks": remarks}).encode())
        code = 0
    except BaseException:  # noqa: BLE001
        # Nothing may return into the prober's own code: this is another process by now.
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _ask(report: PluginReport, tables: Mapping[str, Any]) -> dict[str, Any]:
    host = PluginHost()
    started = time.perf_counter()
    try:
        host.load([report.name])
        import_s = time.perf_counter() - started
        imported = [name for name in _HEAVY if name in sys.modules]
        found = declare(host, report, tables).to_json()
    except PluginBrokenError as error:
        return report.broken(error.reason).to_json()
    remarks = list(forgotten_marks(host.plugin(report.name), found["hooks"]))
    if found["inline"] and imported:
        remarks.append(f"imports {' and '.join(imported)} into the worker of every camera")
    return {**found, "import_s": import_s, "remarks": remarks}


def _arrange(answer: int, words: int) -> int:
    """Leave open only what belongs to this child; returns where standard output goes."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.memfd_create("printed"), 1)
    # In this order: whichever number either has, it is not overwritten before it is used.
    os.dup2(words, 2)
    os.dup2(answer, _ANSWER)
    os.closerange(_ANSWER + 1, os.sysconf("SC_OPEN_MAX"))
    return 1


def _limit(timeout_s: float) -> None:
    """Outlive a prober that was killed by seconds, not for ever; leave no core dump."""
    signal.setitimer(signal.ITIMER_REAL, timeout_s + 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))


def _traces(printed_bytes: int) -> list[str]:
    remarks = []
    if printed_bytes:
        remarks.append("prints to standard output while being imported or asked")
    if threading.active_count() > 1:
        remarks.append("starts threads while being imported or asked: a worker cannot be forked")
    return remarks


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
