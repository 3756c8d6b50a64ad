"""What bus and ledger carry, and how soon an event is acknowledged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import ROOT, Figure


def measure(folder: Path) -> Iterator[Figure]:
    said = _run("bus/ledger.py", folder)
    rate = float(said["sustained_per_s"])
    yield Figure("publish → commit → acknowledge, sustained", rate, "1/s", 1000, most=False)
    detail = f"{said['rate_per_s']:g} events a second"
    yield Figure("acknowledged after, median", float(said["median_ms"]), "ms", detail=detail)
    yield Figure("acknowledged after, 99th percentile", float(said["p99_ms"]), "ms", 50)


def _run(program: str, folder: Path) -> dict[str, float]:
    """Run a measuring program by itself and read what it prints."""
    command = [sys.executable, str(ROOT / program)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
