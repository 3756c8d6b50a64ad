"""Whether recordings contain the whole configured pre-roll."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from benchmarks.figures import Figure
from benchmarks.latency import QUIET_WEB, camera, event_after, newest
from vigilar_core.testing import Installation, eventually

_TRIALS = 50
_PRE_ROLL_S = 5
_WARM_UP_S = 15.0


def measure(folder: Path) -> Iterator[Figure]:
    complete, leads = 0, []
    for lead_s in _leads(folder):
        leads.append(lead_s)
        complete += lead_s >= _PRE_ROLL_S
    detail = f"pre_motion_buffer_s = {_PRE_ROLL_S}; shortest {min(leads, default=0):.2f} s"
    yield Figure(
        "recordings with the whole pre-roll", complete, f"of {_TRIALS}", _TRIALS,
        most=False, detail=detail,
    )  # fmt: skip


def _leads(folder: Path) -> Iterator[float]:
    """Seconds of each recording before the start edge that triggered it."""
    keys = f"pre_motion_buffer_s = {_PRE_ROLL_S}"
    with camera(keys) as (server, text), Installation(folder, QUIET_WEB + text) as vigilar:
        vigilar.running(within_s=60)
        database = sa.create_engine(f"sqlite:///{folder}/data/vigilar.db")
        time.sleep(_WARM_UP_S)
        for _ in range(_TRIALS):
            before = newest(database)
            server.pulse()
            eventually(lambda seen=before: event_after(database, seen, "motion_start"), within_s=8)
            yield eventually(lambda seen=before: _lead(database, seen), within_s=40)


def _lead(database: sa.Engine, sequence: int) -> float | None:
    """Trigger minus start of the first recording sealed after an event, seconds."""
    question = sa.text(
        "SELECT r.start_time_us, e.time_us FROM recordings r JOIN events e "
        "ON e.kind = 'motion_start' AND e.sequence > :after "
        "WHERE r.sealed AND r.start_time_us < e.time_us AND r.end_time_us > e.time_us "
        "ORDER BY e.sequence LIMIT 1"
    )
    with database.connect() as connection:
        row = connection.execute(question, {"after": sequence}).first()
    return (row[1] - row[0]) / 1e6 if row else None
