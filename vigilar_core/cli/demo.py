"""``vigilar demo``: the whole system with a demo camera, in temporary folders."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

import click

from vigilar_core.errors import VigilarError

_CONFIGURATION = """\
[system]
name = "Vigilar demo"
timezone = "{timezone}"
data_dir = "{folder}/data"
recordings_dir = "{folder}/recordings"
hls_dir = "{folder}/hls"
runtime_dir = "{folder}/run"
secrets_dir = "{folder}/secrets"
log_level = "{log_level}"

[storage]
key_file = "{folder}/secrets/storage.key"

[web]
host = "127.0.0.1"
port = {port}
tls = false

[[cameras]]
id = "demo"
display_name = "Demo camera"
location = "EXTERIOR"
rtsp_url = "demo:main"
detect_url = "demo:sub"
pre_motion_buffer_s = 5
post_motion_buffer_s = 5
"""

#: How long the first start may take; the demo clip is generated in it.
_START_LIMIT_S = 90.0
_STOP_LIMIT_S = 12.0


@click.command()
@click.option("--port", default=49735, show_default=True, help="Port of the web page.")
@click.option(
    "--log-level",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]),
    default="WARNING",
    show_default=True,
    help="Least important level that is shown.",
)
def demo(port: int, log_level: str) -> None:
    """Run Vigilar with a demo camera until Ctrl-C; nothing is kept."""
    folder = Path(tempfile.mkdtemp(prefix="vigilar-demo-"))
    signal.signal(signal.SIGTERM, _interrupt)
    process = None
    try:
        port = free_port(port)
        config = prepare(folder, port=port, log_level=log_level)
        click.echo("Starting; the first time takes a few seconds …")
        link = _sign_in_link(config)
        # What the camera generates goes into the folder too, and away with it.
        places = {"TMPDIR": str(folder), "XDG_CACHE_HOME": str(folder)}
        process = subprocess.Popen(
            _vigilar("start", config), start_new_session=True, env={**os.environ, **places}
        )
        _wait_for_web(process, port)
        click.echo(_welcome(link))
        process.wait()
        raise VigilarError(f"Vigilar ended by itself with code {process.returncode}")
    except KeyboardInterrupt:
        click.echo("\nStopping …")
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path, *, port: int, log_level: str = "WARNING") -> Path:
    """Fill a folder with everything a demo needs and return the path of its configuration."""
    for name in ("data", "recordings", "hls", "run", "secrets"):
        (folder / name).mkdir(mode=0o700)
    key = folder / "secrets" / "storage.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(32))
    config = folder / "vigilar.toml"
    config.touch(mode=0o600)
    config.write_text(
        _CONFIGURATION.format(
            folder=folder, port=port, log_level=log_level, timezone=local_timezone()
        )
    )
    return config


def free_port(wanted: int) -> int:
    """The wanted port of the loopback address, or a free one when somebody has it."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise VigilarError("no free port on the loopback address")


def local_timezone() -> str:
    """The machine's time zone by its IANA name; UTC when it cannot be told."""
    target = Path("/etc/localtime").resolve()
    _, found, name = str(target).partition("/zoneinfo/")
    return name if found else "UTC"


def _vigilar(command: str, config: Path) -> list[str]:
    return [sys.executable, "-m", "vigilar_core.cli", *command.split(), "--config", str(config)]


def _sign_in_link(config: Path) -> str:
    """Make the store and its first administrator, so that no set-up page is needed."""
    said = ""
    for command in ("db migrate", "web sign-in-link --create-admin"):
        done = subprocess.run(
            _vigilar(command, config), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise VigilarError(f"vigilar {command}: {done.stderr.strip()}")
        said = done.stdout.strip()
    return said


def _wait_for_web(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while not _answers(port):
        if process.poll() is not None:
            raise VigilarError(f"Vigilar could not start (exit code {process.returncode})")
        if time.monotonic() > deadline:
            raise VigilarError(f"the web did not answer within {_START_LIMIT_S:.0f} s")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/health/live"
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _welcome(link: str) -> str:
    return (
        f"\n  Open   {link}\n\n"
        "  The link signs you in once. Somebody crosses the picture every few seconds;\n"
        "  look at Live, Timeline and Recordings. Ctrl-C ends it and leaves nothing behind.\n"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
