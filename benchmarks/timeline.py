"""A page of the timeline over a million events, whatever the filter and the depth."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import ROOT, Figure


def measure(folder: Path) -> Iterator[Figure]:
    command = [sys.executable, str(ROOT / "store" / "timeline.py")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    detail = f"{said['events']:,} events in {said['series']} series, {len(said['pages'])} filters"
    worst = float(said["worst_ms"])
    yield Figure("worst filter at its worst depth, median", worst, "ms", 20, detail=detail)
    typical = sorted(float(each["slowest_depth_ms"]) for each in said["pages"].values())
    middle = typical[len(typical) // 2]
    yield Figure("filter in the middle at its worst depth, median", middle, "ms", 20)
    yield Figure("events per hour of a day", float(said["histogram_of_a_day_ms"]), "ms")
