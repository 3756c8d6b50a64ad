"""Every exception of the core, named after the outcome.

::

    VigilarError
    ├── ConfigurationError      the configuration is wrong; only a change of it helps (exit 78)
    ├── NotReadyError           a dependency is not there yet; ask again soon (exit 75)
    ├── TransientError          failed now, may work later; retry with back-off (exit 75)
    ├── PermanentError          will not work however often it is tried
    │   └── PluginBrokenError   a plugin cannot be imported or breaks the contract
    └── UntrustedMessageError   a message whose signature, age or shape cannot be verified

Exit codes follow sysexits.h where it has one: 0 done, 3 the system could not boot,
75 (EX_TEMPFAIL) try later, 78 (EX_CONFIG) the configuration must change.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class ExitCode(enum.IntEnum):
    """What a process of Vigilar tells its parent when it ends."""

    OK = 0
    BOOT = 3
    LATER = 75
    CONFIGURATION = 78


class VigilarError(Exception):
    """Base of every error that Vigilar raises on purpose; printed without a traceback."""

    exit_code: ExitCode = ExitCode.BOOT


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration.

    :param path: the key, dotted, list items by index or id: ``cameras.front_door.idle_fps``
    :param message: what is wrong, with the value unless it is a secret
    :param fix: what to write instead, or the command that helps
    """

    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}"
        return f"{text} ({self.fix})" if self.fix else text


class ConfigurationError(VigilarError):
    """The configuration is wrong; carries every problem of one run, not the first."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = [Problem("configuration", problems)]
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NotReadyError(VigilarError):
    """A dependency is not there yet."""

    exit_code = ExitCode.LATER


class TransientError(VigilarError):
    """Failed now, may work later.

    :param retry_after_s: the earliest useful moment of the next try, in seconds from now
    """

    exit_code = ExitCode.LATER

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PermanentError(VigilarError):
    """Will not work however often it is tried."""


class PluginBrokenError(PermanentError):
    """A plugin cannot be imported, hangs in its probe, or breaks the contract."""

    def __init__(self, plugin: str, reason: str) -> None:
        super().__init__(f"plugin {plugin!r} is broken: {reason}")
        self.plugin = plugin
        self.reason = reason


class UntrustedMessageError(VigilarError):
    """A message whose signature, age or shape cannot be verified."""
