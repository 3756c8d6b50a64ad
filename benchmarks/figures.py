"""One measured figure, the file of all figures, and the page made of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from vigilar_core import __version__

ROOT = Path(__file__).parent
RESULTS = ROOT / "results.json"
PAGE = ROOT.parent / "docs" / "reference" / "measurements.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its target.

    :param what: a sentence: what was measured
    :param value: the figure
    :param unit: ``×`` for ratios, else ``ms``, ``MB``, ``1/s`` …
    :param target: the bound, ``None`` where none is set
    :param most: whether the target is the most allowed (else the least)
    :param detail: how it was measured, in a few words
    """

    what: str
    value: float
    unit: str
    target: float | None = None
    most: bool = True
    detail: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.most else self.value >= self.target

    def __str__(self) -> str:
        sign = {None: " ", True: "✓", False: "✗"}[self.met]
        bound = (
            "" if self.target is None else f" (target {'≤' if self.most else '≥'} {self.target:g})"
        )
        return f"{sign} {self.what}: {self.value:.3g} {self.unit}{bound}"


def keep(name: str, figures: Iterable[Figure]) -> None:
    """Put the figures of one benchmark into the file and write the page again."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "version": __version__,
        "figures": [asdict(figure) for figure in figures],
    }
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    PAGE.write_text(page(results))


def machine() -> str:
    """Processor, number of cores and Python of this machine."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = os.cpu_count()
    return f"{cores} × {model}, Python {platform.python_version()}"


def page(results: dict[str, dict[str, object]]) -> str:
    """The Markdown page of all figures."""
    lines = [
        "# Measurements",
        "",
        "Written by `nox -s bench`; each figure is what the program above its table measured.",
    ]
    for name, result in sorted(results.items()):
        lines += ["", f"## {name}", ""]
        lines += [f"`nox -s bench -- {name}` · {result['measured']} · {result['machine']}", ""]
        lines += ["| what | measured | target | |", "|---|---|---|---|"]
        figures = result["figures"]
        assert isinstance(figures, list)
        for values in figures:
            figure = Figure(**values)
            bound = (
                "" if figure.target is None else f"{'≤' if figure.most else '≥'} {figure.target:g}"
            )
            met = {None: "", True: "met", False: "**not met**"}[figure.met]
            what = figure.what + (f" <br><small>{figure.detail}</small>" if figure.detail else "")
            lines.append(f"| {what} | {figure.value:.3g} {figure.unit} | {bound} | {met} |")
    return "\n".join(lines) + "\n"
