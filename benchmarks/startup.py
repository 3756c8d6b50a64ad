"""How long the command line takes to answer."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure

_RUNS = 15


def measure(folder: Path) -> Iterator[Figure]:
    vigilar = str(Path(sys.executable).with_name("vigilar"))
    bare = [sys.executable, "-c", "pass"]
    ours, python = [], []
    for _ in range(_RUNS):
        ours.append(_seconds([vigilar, "--help"], folder))
        python.append(_seconds(bare, folder))
    middle = statistics.median(ours)
    yield Figure("`vigilar --help`", middle * 1000, "ms", 300, detail=f"median of {_RUNS}")
    ratio = statistics.median(a / b for a, b in zip(ours, python, strict=True))
    yield Figure("`vigilar --help` against `python -c pass`", ratio, "×", detail="pair by pair")


def _seconds(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
