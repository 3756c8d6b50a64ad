"""A whole Vigilar of its own in a temporary folder, with real processes."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from vigilar_core.errors import NotReadyError
from vigilar_core.testing.waiting import eventually

_SYSTEM = """\
[system]
data_dir = "{folder}/data"
recordings_dir = "{folder}/recordings"
hls_dir = "{folder}/hls"
runtime_dir = "{folder}/run"
secrets_dir = "{folder}/secrets"
log_level = "{log_level}"

[storage]
key_file = "{folder}/secrets/storage.key"
"""


class Installation:
    """Runs ``vigilar start`` on a configuration; use it as a context manager.

    :param folder: an empty folder; its path must be short enough for Unix sockets
    :param configuration: TOML after ``[system]`` and ``[storage]``, which are made here
    :param environment: of the processes; the test's own when omitted
    """

    def __init__(
        self,
        folder: Path,
        configuration: str = "",
        *,
        log_level: str = "INFO",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.config = folder / "vigilar.toml"
        self.log = folder / "log.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = dict(environment) if environment is not None else None
        for name in ("data", "recordings", "hls", "run", "secrets"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write_secret(folder / "secrets" / "storage.key", secrets.token_bytes(32))
        system = _SYSTEM.format(folder=folder, log_level=log_level)
        self._write_secret(self.config, (system + configuration).encode())

    @property
    def storage_key(self) -> bytes:
        return (self.folder / "secrets" / "storage.key").read_bytes()

    def start(self, *arguments: str) -> None:
        """Start it; returns at once."""
        command = [sys.executable, "-m", "vigilar_core.cli", "start", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *arguments],
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )

    def stop(self, within_s: float = 12.0) -> int:
        """Ask it to end and return the exit code.

        :raises subprocess.TimeoutExpired: it did not end in time; it is killed
        """
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another ``vigilar`` command on the same configuration."""
        command = [sys.executable, "-m", "vigilar_core.cli", *arguments]
        return subprocess.run(
            [*command, "--config", str(self.config)],
            capture_output=True,
            text=True,
            check=check,
            env=self._environment,
        )

    def status(self) -> dict[str, Any]:
        """What the supervisor says; ``{}`` while it does not answer."""
        from vigilar_core.runtime.status import ask

        try:
            return ask(self.folder / "run", timeout_s=2.0)
        except NotReadyError:
            return {}

    def services(self) -> dict[str, dict[str, Any]]:
        """State of each service by name."""
        return {service["name"]: service for service in self.status().get("services", ())}

    def running(self, *names: str, within_s: float = 30.0) -> None:
        """Wait until the named services run, or all there are."""

        def all_run() -> bool:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"Vigilar ended:\n{self.log.read_text()[-4000:]}")
            services = self.services()
            wanted = names or tuple(services)
            return bool(services) and all(
                services.get(name, {}).get("state") == "running" for name in wanted
            )

        try:
            eventually(all_run, within_s=within_s, what="services run")
        except AssertionError as error:
            state = json.dumps(self.services(), indent=1)
            raise AssertionError(f"{error}\n{state}\n{self.log.read_text()[-4000:]}") from None

    def pid(self, service: str) -> int:
        """Process id of the worker of a service."""
        return int(self.services()[service]["pid"])

    def __enter__(self) -> Installation:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _write_secret(self, path: Path, data: bytes) -> None:
        path.touch(mode=0o600)
        path.write_bytes(data)
