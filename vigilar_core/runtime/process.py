"""What a process of Vigilar does to itself first: die with its parent, leave no core file."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

_PR_SET_PDEATHSIG = 1


def die_with(parent_pid: int) -> None:
    """Let the kernel kill this process when its parent ends (prctl(2), ``PR_SET_PDEATHSIG``).

    The parent may have ended before the call, so that is checked after it.

    :param parent_pid: the process that started this one
    :raises SystemExit: the parent is gone already
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        raise SystemExit(1)


def forbid_core_dumps() -> None:
    """A core file would hold passwords and keys; the stacks go to the log instead."""
    _, highest = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, highest))


def ignore_polite_signals() -> None:
    """Leave ending to the supervisor, which knows the right order.

    A terminal's Ctrl-C and a service manager's SIGTERM may reach every process at once. A
    handler that does nothing is used instead of ``SIG_IGN``, which programs started from
    here would inherit.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _nothing)


def _nothing(_number: int, _frame: object) -> None:
    """The signal was seen, that is all."""
