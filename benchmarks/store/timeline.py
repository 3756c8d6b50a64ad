"""How long a page of the timeline takes over a million events, whatever the filter and the depth.

Prints JSON. For each filter pages at seven depths are read several times; ``slowest_depth_ms`` is
the largest of the seven medians, ``slowest_page_ms`` the slowest single page, whatever else the
machine did at that moment. Pages are read by the function that the web calls, from a file.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from vigilar_core.events import Severity
from vigilar_core.store.engine import open_engine, store_url, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.store.tables import event_series, events
from vigilar_core.store.timeline import Place, TimelineFilter, events_per_hour, timeline_page

START_US = 1_700_000_000_000_000
STEP_US = 2_000_000
DAY_US = 86_400_000_000
SEVERITIES = tuple(Severity)
RARE = ("camera/camera0", "rare_kind", Severity.CRITICAL)


def series_of(cameras: int, kinds: int) -> list[tuple[str, str, Severity]]:
    """What happens in the house: every kind of event at every camera, and one that hardly does."""
    ordinary = [
        (f"camera/camera{camera}", f"kind_{kind}", SEVERITIES[kind % len(SEVERITIES)])
        for camera in range(cameras)
        for kind in range(kinds)
    ]
    return [*ordinary, RARE]


def fill(engine: Engine, count: int, series: list[tuple[str, str, Severity]]) -> None:
    """Store events, much of a few series and little of many, two seconds apart."""
    source = random.Random(1)
    with writing(engine) as connection:
        for number, (subject, kind, severity) in enumerate(series, 1):
            values = {"id": number, "subject": subject, "kind": kind, "severity": severity.value}
            connection.execute(sa.insert(event_series).values(values))
    weights = [1 / (1 + rank) for rank in range(len(series) - 1)]
    chosen = source.choices(range(len(series) - 1), weights, k=count)
    for place in (count // 3, 10):
        chosen[place] = len(series) - 1
    for first in range(0, count, 20_000):
        rows = []
        for number in range(first, min(first + 20_000, count)):
            subject, kind, severity = series[chosen[number]]
            rows.append(
                {
                    "id": f"{number:032x}",
                    "time_us": START_US + number * STEP_US,
                    "committed_us": START_US + number * STEP_US + 5000,
                    "series": chosen[number] + 1,
                    "kind": kind,
                    "severity": severity.value,
                    "subject": subject,
                    "source": subject.replace("/", ":"),
                    "topic": f"vigilar/{subject}/{kind}",
                    "data": '{"confidence":0.8,"zones":["path"]}',
                    "caused_by": None,
                    "hops": 0,
                }
            )
        with writing(engine) as connection:
            connection.execute(sa.insert(events), rows)


def filters(
    series: list[tuple[str, str, Severity]], count: int
) -> Iterator[tuple[str, TimelineFilter]]:
    """A filter of each sort, the awkward ones above all."""
    subjects = sorted({subject for subject, _, _ in series})
    kinds = sorted({kind for _, kind, _ in series})
    middle_us = START_US + count // 2 * STEP_US
    yield "none", TimelineFilter()
    yield "one camera", TimelineFilter(subjects=[subjects[-1]])
    yield "one kind", TimelineFilter(kinds=[kinds[-1]])
    yield "one severity", TimelineFilter(severities=[Severity.WARNING])
    yield "a kind that happened twice", TimelineFilter(kinds=[RARE[1]])
    yield "camera and kind", TimelineFilter(subjects=[subjects[0]], kinds=[kinds[3]])
    yield (
        "camera, kind and severity that never met",
        TimelineFilter(subjects=[subjects[0]], kinds=[kinds[0]], severities=[Severity.CRITICAL]),
    )
    yield "half of all series", TimelineFilter(subjects=subjects[::2], kinds=kinds)
    yield "all but one camera", TimelineFilter(without_subjects=[subjects[0]])
    yield "all but one kind", TimelineFilter(without_kinds=[kinds[0]])
    yield "many rare series", TimelineFilter(subjects=subjects[-6:], kinds=kinds[-6:])
    yield "a day", TimelineFilter(from_us=middle_us, until_us=middle_us + DAY_US)
    yield (
        "a day of one kind",
        TimelineFilter(kinds=[kinds[1]], from_us=middle_us, until_us=middle_us + DAY_US),
    )


def measure(
    engine: Engine, wanted: TimelineFilter, count: int, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds of pages at depths in percent, from the newest event to the oldest."""
    taken: dict[str, list[float]] = {}
    for percent in (None, 1, 10, 50, 90, 99, 99.99):
        place = None
        if percent is not None:
            number = int(count * (1 - percent / 100))
            place = Place(START_US + number * STEP_US, number + 1).token()
        for _ in range(repeats):
            started = time.perf_counter()
            timeline_page(engine, wanted, cursor=place)
            milliseconds = (time.perf_counter() - started) * 1e3
            taken.setdefault(f"{percent or 0} %", []).append(milliseconds)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--kinds", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--database", type=Path, help="keep the database here and use it again")
    options = parser.parse_args()
    series = series_of(options.cameras, options.kinds)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.database or Path(temporary)
        known = (folder / "vigilar.db").exists()
        engine = open_engine(store_url(folder), synchronous="NORMAL")
        migrate(engine, [], snapshots_dir=None, time_us=START_US)
        if not known:
            fill(engine, options.events, series)
        results: dict[str, dict[str, str | float]] = {}
        for name, wanted in filters(series, options.events):
            taken = measure(engine, wanted, options.events, options.repeats)
            depths: dict[str, float] = {
                depth: statistics.median(each) for depth, each in taken.items()
            }
            results[name] = {
                "slowest_depth": max(depths, key=depths.__getitem__),
                "slowest_depth_ms": round(max(depths.values()), 2),
                "slowest_page_ms": round(max(max(each) for each in taken.values()), 2),
            }
        started = time.perf_counter()
        day = TimelineFilter(from_us=START_US, until_us=START_US + DAY_US)
        events_per_hour(engine, day)
        histogram_ms = (time.perf_counter() - started) * 1e3
        engine.dispose()
        size_bytes = (folder / "vigilar.db").stat().st_size
    print(
        json.dumps(
            {
                "events": options.events,
                "series": len(series),
                "bytes_per_event": size_bytes // options.events,
                "pages": results,
                "worst_ms": max(float(result["slowest_depth_ms"]) for result in results.values()),
                "histogram_of_a_day_ms": round(histogram_ms, 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
