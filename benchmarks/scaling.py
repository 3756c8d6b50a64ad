"""How cost grows with the number of cameras: 1, 4, 8, 16."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import ROOT, Figure
from benchmarks.footage import make
from benchmarks.processes import processor_s, pss_mb, tree
from vigilar_camera_rtsp.demo import RtspServer
from vigilar_core.testing import Installation

_COUNTS = (1, 4, 8, 16)
_SECONDS = 30.0
_WARM_UP_S = 25.0
PLOT = ROOT.parent / "docs" / "reference" / "scaling.svg"

_PLUGINS = '[plugins]\nthird_party = false\ndisabled = ["web"]\n'
_CAMERA = """
[[cameras]]
id = "bench{number}"
rtsp_url = "{main}"
detect_url = "{sub}"
idle_decode = "keyframes"
"""


def measure(folder: Path) -> Iterator[Figure]:
    footage = make(folder, "scene", moving=False)
    loads: dict[int, float] = {}
    for count in _COUNTS:
        place = folder / str(count)
        place.mkdir()
        with RtspServer({"main": footage.main, "sub": footage.sub}) as server:
            urls = {"main": server.url("main"), "sub": server.url("sub")}
            cameras = "".join(_CAMERA.format(number=n, **urls) for n in range(count))
            with Installation(place, _PLUGINS + cameras) as vigilar:
                vigilar.running(within_s=90)
                time.sleep(_WARM_UP_S)
                assert vigilar.process is not None
                everything = tree(vigilar.process.pid)
                workers = [vigilar.pid(f"camera:bench{number}") for number in range(count)]
                before = processor_s(workers)
                time.sleep(_SECONDS)
                loads[count] = (processor_s(workers) - before) / _SECONDS * 100
                memory = pss_mb(everything)
        what = f"{count} idle cameras, key frames looked at, their workers"
        yield Figure(what, loads[count], "% of a core", 25 if count == 16 else None)
        if count == 4:
            yield Figure("whole system with 4 idle cameras", memory, "MB (PSS)", 450)
    yield Figure("16 cameras against 16 times one camera", loads[16] / (16 * loads[1]), "×", 1.1)
    PLOT.write_text(plot(loads))


def plot(loads: dict[int, float]) -> str:
    """A small line chart: number of cameras against percent of a core."""
    width, height, left, bottom = 480, 260, 50, 40
    most_x, most_y = max(loads), max(*loads.values(), 1e-9) * 1.15

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + (width - left - 20) * x / most_x
        return across, height - bottom - (height - bottom - 20) * y / most_y

    points = [place(x, y) for x, y in loads.items()]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    straight = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(0, 0), place(16, 16 * loads[1])))
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/><text x="{x:.1f}" y="{y - 8:.1f}" '
        f'text-anchor="middle">{value:.1f}</text><text x="{x:.1f}" y="{height - 20}" '
        f'text-anchor="middle">{count}</text>'
        for (x, y), (count, value) in zip(points, loads.items(), strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12"><title>Percent of a core over cameras</title>'
        f'<polyline points="{straight}" fill="none" stroke="#bbb" stroke-dasharray="4"/>'
        f'<polyline points="{line}" fill="none" stroke="#0d6efd" stroke-width="2"/>{marks}'
        f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">cameras</text>'
        '<text x="12" y="16">% of a core (dashed: straight from one)</text></svg>\n'
    )
