"""The fork server: a small process that has imported what workers need and forks them.

A fork of it is a worker 20 ms later, with the libraries' memory shared. It runs no plugin's
hooks and no thread. ``multiprocessing`` has one too, but its workers hold the pipe that
should end it, each imports the command's script, and its client waits without a limit; this
one can be stopped, killed or stuck, and the supervisor only sees its workers end.

A request is one message with three descriptors: the boot message (a memory file), the
worker's control socket, and the pipe of its standard output. The answer carries a process
descriptor (pidfd_open(2)), which can be signalled without hitting a successor of the same
number, and can be waited for even while the fork server stands still.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vigilar_core.runtime.process import die_with, forbid_core_dumps

_MESSAGE_BYTES = 4096
_PROGRAM = "from vigilar_core.runtime.forkserver import serve; serve()"
#: Numeric libraries would start a thread per core in each worker, and the C library would keep
#: an arena of memory for each thread (mallopt(3)). It would also learn from the first large picture
#: that is released to keep such room for ever; with thresholds set it gives it back.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(512 << 10),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 10),
}


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker was forked.

    :param process: its process descriptor, owned by the receiver
    """

    request: int
    pid: int
    process: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker ended.

    :param exit_code: 0–255, or negative the signal that killed it
    """

    request: int
    exit_code: int


class ForkServerGoneError(Exception):
    """The fork server ended, and its workers with it."""


class ForkServer:
    """The supervisor's side.

    :param preload: modules to import before the first fork; one that fails is skipped
    """

    def __init__(self, preload: Sequence[str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        boot = {"socket": theirs.fileno(), "parent": os.getpid(), "preload": list(preload)}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, json.dumps(boot)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=_environment(),
            )
        ours.setblocking(False)
        self._socket = ours
        self._requests = 0
        #: Whether it ever forked; one that never did may have died of its preloads.
        self.proven = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        """Readable when :meth:`answers` has something."""
        return self._socket.fileno()

    def fork(self, boot: dict[str, Any], control: int, output: int) -> int:
        """Ask for a worker and return the request's number, which its answers carry.

        :param boot: JSON-compatible, given to :func:`vigilar_core.runtime.worker.main`
        :param control: descriptor of the worker's control socket, stays the caller's
        :param output: descriptor for its standard output and error, stays the caller's
        :raises ForkServerGoneError: it does not take requests any more
        """
        self._requests += 1
        memory = os.memfd_create("boot", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(memory), "wb") as file:
                file.write(json.dumps(boot).encode())
            message = str(self._requests).encode()
            socket.send_fds(self._socket, [message], [memory, control, output])
        except OSError as error:
            raise ForkServerGoneError(str(error)) from error
        finally:
            os.close(memory)
        return self._requests

    def answers(self) -> list[Forked | Ended]:
        """What happened since the last call; returns at once.

        :raises ForkServerGoneError: it ended; everything it said before was returned before
        """
        found: list[Forked | Ended] = []
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(
                    self._socket, _MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return found
            except OSError:
                message = b""
            if message:
                self.proven = True
                found.append(_read_answer(json.loads(message), descriptors))
            elif found:
                return found
            else:
                raise ForkServerGoneError(f"exit code {self._process.poll()}")

    def close(self) -> None:
        """End it and its workers, whatever they are doing."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


def _environment() -> dict[str, str]:
    """What workers inherit: only the supervisor itself speaks with the service manager."""
    ours = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, **_ENVIRONMENT}


def _read_answer(answer: dict[str, int], descriptors: Sequence[int]) -> Forked | Ended:
    if "exit_code" in answer:
        return Ended(answer["request"], answer["exit_code"])
    return Forked(answer["request"], answer["pid"], descriptors[0])


# --------------------------------------------------------------------- the server's side


def serve() -> None:
    """Fork workers until the supervisor ends; the program of the fork server."""
    boot = json.loads(sys.argv[1])
    die_with(boot["parent"])
    forbid_core_dumps()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _preload(boot["preload"])
    requests = socket.socket(fileno=boot["socket"])
    requests.set_inheritable(False)
    _Server(requests).run()


def _preload(names: Sequence[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  # a module is preloaded to save time only
            print(f"cannot preload {name}: {error!r}", file=sys.stderr)  # noqa: T201
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208  # no Path per entry needed
    if threads > 1:
        print(  # noqa: T201
            f"preloading {', '.join(names)} started {threads - 1} threads, which no worker will "
            "have; leave out the module that does so",
            file=sys.stderr,
        )
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, shared pages


class _Server:
    """One loop: requests in, forks, ends reported."""

    def __init__(self, requests: socket.socket) -> None:
        self._socket = requests
        self._pid = os.getpid()
        self._children: dict[int, int] = {}
        self._wakeup, wakeup_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup_end = wakeup_end
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(wakeup_end, warn_on_full_buffer=False)

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._wakeup, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
                self._reap()
            if self._socket.fileno() in ready and not self._serve_one():
                return

    def _serve_one(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(
            self._socket, _MESSAGE_BYTES, 3, socket.MSG_CMSG_CLOEXEC
        )
        if not message:
            return False
        request = int(message)
        pid = os.fork()
        if pid == 0:
            self._become_worker(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._children[pid] = request
        process = os.pidfd_open(pid)
        try:
            answer = json.dumps({"request": request, "pid": pid}).encode()
            socket.send_fds(self._socket, [answer], [process])
        finally:
            os.close(process)
        return True

    def _become_worker(self, memory: int, control: int, output: int) -> None:
        """Leave the server behind; never returns to its loop, whatever happens."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._wakeup)
            os.close(self._wakeup_end)
            die_with(self._pid)
            self._socket.close()
            with os.fdopen(memory, "rb") as file:
                file.seek(0)
                boot = json.load(file)
            from vigilar_core.runtime.worker import main

            code = main(boot, socket.socket(fileno=control), output)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:  # noqa: BLE001  # the fork must end here, not in the server's loop
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if (request := self._children.pop(pid, None)) is not None:
                code = os.waitstatus_to_exitcode(status)
                self._socket.send(json.dumps({"request": request, "exit_code": code}).encode())
