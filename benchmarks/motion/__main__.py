"""Command line: makes the scenes, runs every detector over them, prints the report."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.motion.daemon import SETTINGS, run_daemon
from benchmarks.motion.encode import Recorded, record
from benchmarks.motion.evaluate import RATES, Rate, detect, score
from benchmarks.motion.footage import clip_scenes
from benchmarks.motion.report import Row, by_scene, summary, write_into
from benchmarks.motion.scenes import FPS, drawn_scenes
from vigilar_motion.options import MethodName

_METHODS: dict[MethodName, tuple[Rate, ...]] = {"blocks": RATES, "mog2": RATES[0::2]}


def main() -> None:
    options = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.media or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        scenes = drawn_scenes() + (clip_scenes(options.clips) if options.clips else [])
        recorded = []
        for scene in scenes:
            print(f"making {scene.name}", file=sys.stderr)
            recorded.append(record(scene, folder, options.seed))
        rows = _daemons(recorded, options.daemons) + _own(recorded)
    text = _report(rows, recorded, options)
    print(text)
    if options.write:
        write_into(options.write, text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.motion", description=__doc__)
    parser.add_argument("--clips", type=Path, help="folder of *.mp4 to make further scenes from")
    parser.add_argument("--media", type=Path, help="keep the scenes here, and take them from here")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument(
        "--daemons", type=int, default=6, help="Motion daemons to run at once; 0 leaves them out"
    )
    parser.add_argument("--write", type=Path, help="put the report between its marks in this file")
    return parser.parse_args()


def _daemons(recorded: Sequence[Recorded], at_once: int) -> list[Row]:
    rows = []
    for name, settings in SETTINGS.items() if at_once else ():
        print(f"running {name}", file=sys.stderr)
        outcomes = run_daemon(recorded, settings, at_once)
        scores = [
            (one.scene.name, one.scene.held_out, score(one, outcome))
            for one, outcome in zip(recorded, outcomes, strict=True)
        ]
        rows.append(Row(name, scores, in_daemon=True))
    return rows


def _own(recorded: Sequence[Recorded]) -> list[Row]:
    rows = []
    for method, rates in _METHODS.items():
        for rate in rates:
            print(f"running {method} at {rate.name}", file=sys.stderr)
            scores = [
                (one.scene.name, one.scene.held_out, score(one, detect(one, method, rate)))
                for one in recorded
            ]
            rows.append(Row(f"{method}, {rate.name}", scores))
    return rows


def _report(rows: Sequence[Row], recorded: Sequence[Recorded], options: argparse.Namespace) -> str:
    idle_s = sum(float(one.quiet.sum()) for one in recorded) / FPS
    intervals = sum(len(one.intervals) for one in recorded)
    told = [row for row in rows if row.in_daemon or row.name.endswith(("key frames", " 5 fps"))]
    clips = "with" if options.clips else "without"
    head = (
        f"{len(recorded)} scenes from seed {options.seed} ({clips} recorded clips), {intervals} "
        f"true intervals, {idle_s / 60:.0f} idle minutes."
    )
    return "\n\n".join(
        [
            head,
            summary(rows),
            by_scene(told),
        ]
    )


if __name__ == "__main__":
    main()
