from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vigilar_core.testing import eventually

_CHILD = """
import os, sys, time
from vigilar_core.runtime import process
process.die_with(int(sys.argv[1]))
print("alive", flush=True)
time.sleep(60)
"""
_PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())],
                         stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_a_child_dies_with_its_killed_parent_even_while_it_is_stopped(state: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, _CHILD], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    if state == "stopped":
        os.kill(child, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: is_gone(child))


def test_a_child_without_that_promise_outlives_its_parent() -> None:
    """The control: shows that the test above would find an orphan."""
    careless = _CHILD.replace("process.die_with(int(sys.argv[1]))", "")
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, careless], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert not is_gone(child)
    os.kill(child, signal.SIGKILL)
    eventually(lambda: is_gone(child))


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", _CHILD, "1"], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""


def test_no_core_file_is_written_any_more() -> None:
    program = (
        "from vigilar_core.runtime.process import forbid_core_dumps\n"
        "import resource\n"
        "forbid_core_dumps()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
    )
    before = resource.getrlimit(resource.RLIMIT_CORE)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"0"
    assert resource.getrlimit(resource.RLIMIT_CORE) == before
