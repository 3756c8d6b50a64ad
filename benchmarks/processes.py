"""Processor time and memory of process trees, read from ``/proc`` (proc(5))."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        for task in _tasks(parent):
            try:
                children = (task / "children").read_text().split()
            except OSError:
                continue
            found += [int(child) for child in children]
    return found


def _tasks(pid: int) -> Iterator[Path]:
    try:
        yield from Path(f"/proc/{pid}/task").iterdir()
    except OSError:
        return


def processor_s(pids: Iterable[int]) -> float:
    """User and system time of processes so far, in nanoseconds where the kernel keeps them."""
    total = 0.0
    for pid in pids:
        for task in _tasks(pid):
            try:
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
            except (OSError, ValueError, IndexError):
                total += _ticks(task)
    return total


def _ticks(task: Path) -> float:
    try:
        fields = (task / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def pss_mb(pids: Iterable[int]) -> float:
    """Proportional set size of processes together, MB."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def side_by_side(
    subjects: dict[str, Callable[[], Iterable[int]]], seconds: float
) -> dict[str, float]:
    """Processor seconds that each subject used in the same stretch of real time.

    :param subjects: name → function that gives its processes
    """
    before = {name: processor_s(pids()) for name, pids in subjects.items()}
    time.sleep(seconds)
    return {name: processor_s(pids()) - before[name] for name, pids in subjects.items()}
