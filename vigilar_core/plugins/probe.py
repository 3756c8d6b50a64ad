"""Asking plugins what they declare, without running a line of theirs in this process."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence

from vigilar_core.config.tables import Tables
from vigilar_core.plugins.report import PluginReport

_PROBER = [sys.executable, "-P", "-m", "vigilar_core.plugins.prober"]
#: Seconds for the prober itself: starting, importing the core, joining the answers.
_OWN_TIME_S = 30.0


def probe(
    reports: Sequence[PluginReport],
    tables: Tables,
    *,
    timeout_s: float = 30.0,
    parallel: int | None = None,
) -> list[PluginReport]:
    """Fill in the reports of plugins, several at once, each in a process of its own.

    An import error, a hang, a crash or an answer that is none costs that plugin and nothing else.

    :param reports: what discovery knows of the plugins to ask
    :param tables: the configuration as it was parsed
    :param timeout_s: longest time for one plugin
    :param parallel: plugins asked at a time; one per core when omitted
    :returns: in the order of ``reports``; state ``enabled`` or ``broken``
    """
    if not reports:
        return []
    places = parallel or len(os.sched_getaffinity(0))
    found = _run(reports, tables, timeout_s, places)
    if found is not None:
        return found
    if len(reports) == 1:
        return [reports[0].broken("its probe was ended from inside")]
    # One of them brought the prober itself down: asked one by one, it hurts no other.
    return [
        answer
        for report in reports
        for answer in probe([report], tables, timeout_s=timeout_s, parallel=1)
    ]


def _run(
    reports: Sequence[PluginReport], tables: Tables, timeout_s: float, places: int
) -> list[PluginReport] | None:
    request = {
        "reports": [report.to_json() for report in reports],
        "tables": tables,
        "timeout_s": timeout_s,
        "places": places,
    }
    try:
        done = subprocess.run(
            _PROBER,
            # TOML has times and dates, JSON has not; models read them from strings as well.
            input=json.dumps(request, default=str).encode(),
            capture_output=True,
            timeout=timeout_s * math.ceil(len(reports) / places) + _OWN_TIME_S,
            start_new_session=True,
            cwd="/",
            check=True,
        )
        answers = [PluginReport.from_json(each) for each in json.loads(done.stdout)]
    except (subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
    return answers if len(answers) == len(reports) else None
