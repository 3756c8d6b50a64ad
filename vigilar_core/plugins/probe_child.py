"""The short-lived process in which one plugin is imported and asked.

Reads one JSON object from standard input, writes one to what was standard output, and ends
without tidying up, so that nothing a plugin left behind can hold it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from typing import Any

from vigilar_core.errors import PluginBrokenError
from vigilar_core.plugins.declaration import declare, forgotten_marks
from vigilar_core.plugins.host import PluginHost
from vigilar_core.plugins.report import PluginReport

#: Bytes the process may write into any one file, its answer and its messages included.
_LARGEST_FILE = 16 * 1024 * 1024
#: Modules that have no place in a worker in the path of frames: megabytes for each camera.
_HEAVY = ("sqlalchemy", "flask")


def main() -> None:
    """Answer one request and end."""
    request = json.load(sys.stdin)
    answer_to = os.dup(sys.stdout.fileno())
    printed_to = os.memfd_create("printed")
    os.dup2(printed_to, sys.stdout.fileno())
    _limit(request["timeout_s"])
    report = _ask(PluginReport.from_json(request["report"]), request["tables"])
    sys.stdout.flush()
    remarks = [*report.pop("remarks"), *_traces(os.fstat(printed_to).st_size)]
    _write(answer_to, json.dumps({**report, "remarks": remarks}).encode())
    sys.stderr.flush()
    os._exit(0)


def _ask(report: PluginReport, tables: dict[str, Any]) -> dict[str, Any]:
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


def _limit(timeout_s: float) -> None:
    """Outlive a caller that was killed by seconds, not for ever; leave no core dump."""
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


if __name__ == "__main__":
    main()
