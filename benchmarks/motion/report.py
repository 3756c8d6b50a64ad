"""The tables of the report, and their place in the README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.motion.evaluate import Score, middle_and_worst

_BEGIN, _END = "<!-- begin of the printed report -->", "<!-- end of the printed report -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One detector at one rate over all scenes.

    :param scores: (scene's name, whether it was held out, score) of each scene
    :param in_daemon: its processor time is that of a whole program, decoding included
    """

    name: str
    scores: Sequence[tuple[str, bool, Score]]
    in_daemon: bool = False


def summary(rows: Iterable[Row]) -> str:
    """One line for each detector and rate: all scenes, and those held out."""
    head = (
        "| detector, pictures analysed | found | of these held out | latency median / worst, s "
        "| false starts | per idle hour | of idle time on | false tamper | scene changes missed "
        "| CPU |"
    )
    lines = [head, "|---" * 10 + "|"]
    return "\n".join(lines + [_line(row) for row in rows])


def _line(row: Row) -> str:
    scores = [score for _, _, score in row.scores]
    held = [score for _, held_out, score in row.scores if held_out]
    latencies = [latency for score in scores for latency in score.latencies_s]
    middle_s, worst_s = middle_and_worst(latencies)
    false_starts = sum(score.false_starts for score in scores)
    per_hour = false_starts / sum(score.quiet_s for score in scores) * 3600
    missed = "–" if row.in_daemon else str(sum(len(score.missing_kinds) for score in scores))
    alarms = "–" if row.in_daemon else str(sum(score.false_alarms for score in scores))
    return (
        f"| {row.name} | {_found(scores)} | {_found(held)} | {middle_s:.2f} / {worst_s:.1f} "
        f"| {false_starts} | {per_hour:.0f} | {_idle_on(scores)} | {alarms} | {missed} "
        f"| {_cpu(row, scores)} |"
    )


def _found(scores: Sequence[Score]) -> str:
    found, intervals = sum(s.found for s in scores), sum(s.intervals for s in scores)
    return f"{found}/{intervals}"


def _idle_on(scores: Sequence[Score]) -> str:
    share = sum(score.idle_on_s for score in scores) / sum(score.quiet_s for score in scores)
    return f"{100 * share:.0f} %"


def _cpu(row: Row, scores: Sequence[Score]) -> str:
    cpu_s = sum(score.cpu_s for score in scores)
    share = 100 * cpu_s / sum(score.length_s for score in scores)
    if row.in_daemon:
        return f"{share:.2f} % of a core, with decoding"
    each_ms = 1000 * cpu_s / max(1, sum(score.frames for score in scores))
    return f"{share:.2f} % of a core, {each_ms:.2f} ms a picture"


def by_scene(rows: Sequence[Row]) -> str:
    """One line for each scene: found of intervals, and false starts, per detector."""
    lines = [
        "| scene | " + " | ".join(row.name for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    for number, (name, held_out, _) in enumerate(rows[0].scores):
        cells = [_cell(row.scores[number][2]) for row in rows]
        title = f"{name} (held out)" if held_out else name
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(score: Score) -> str:
    text = f"{score.found}/{score.intervals}" if score.intervals else "–"
    return text + (f", {score.false_starts} false" if score.false_starts else "")


def write_into(readme: Path, text: str) -> None:
    """Put the report between its marks in a file.

    :raises ValueError: the file has no marks
    """
    whole = readme.read_text(encoding="utf-8")
    head, begin, rest = whole.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{readme} needs the lines {_BEGIN!r} and {_END!r}")
    readme.write_text(f"{head}{_BEGIN}\n{text}\n{_END}{tail}", encoding="utf-8")
