"""``python -m benchmarks [NAME …]``: measure, print, and write the page of figures."""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import keep

#: Modules of this package with a function ``measure(folder: Path) -> Iterable[Figure]``.
NAMES = ("startup", "ledger", "timeline", "seek", "camera", "latency", "preroll", "live", "scaling")


def main(names: list[str]) -> int:
    unmet = 0
    for name in names or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"── {name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        started = time.monotonic()
        figures = []
        with tempfile.TemporaryDirectory(prefix="vigilar-bench-") as folder:
            for figure in module.measure(Path(folder)):
                print(f"   {figure}", flush=True)
                figures.append(figure)
        keep(name, figures)
        unmet += sum(figure.met is False for figure in figures)
        print(f"   took {time.monotonic() - started:.0f} s", flush=True)
    return unmet


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
