"""The Motion daemon (Debian's ``motion``) at its best, as something to compare with.

At its best: it looks at the sub-stream and passes the main stream through to its recordings.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIGURATION = """\
daemon off
setup_mode off
log_level 4
target_dir {folder}
width {width}
height {height}
framerate 5
netcam_url {analysed}
{pass_through}
movie_output on
movie_passthrough on
picture_output off
webcontrol_port 0
stream_port 0
"""


@contextmanager
def running(folder: Path, main: str, sub: str | None) -> Iterator[int]:
    """Run Motion on a camera; gives its process id.

    :param sub: the stream to analyse; ``None``: the main stream
    """
    folder.mkdir()
    config = folder / "motion.conf"
    width, height = (640, 360) if sub else (1920, 1080)
    pass_through = f"netcam_highres {main}" if sub else ""
    config.write_text(
        _CONFIGURATION.format(
            folder=folder, width=width, height=height, analysed=sub or main,
            pass_through=pass_through,
        )
    )  # fmt: skip
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(["motion", "-n", "-c", str(config)], stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()
