from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vigilar_core.runtime.lock import AlreadyRunningError, InstanceLock


def test_a_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    first = InstanceLock(tmp_path)
    with pytest.raises(AlreadyRunningError, match=rf"process id {os.getpid()}\b") as caught:
        InstanceLock(tmp_path)
    assert caught.value.exit_code == 3
    first.release()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    InstanceLock(tmp_path).release()
    InstanceLock(tmp_path).release()


def test_two_folders_have_two_owners(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = InstanceLock(tmp_path / "a"), InstanceLock(tmp_path / "b")
    one.release()
    other.release()


def test_a_dead_holder_leaves_the_lock_to_the_next(tmp_path: Path) -> None:
    program = (
        "import sys, os, pathlib\n"
        "from vigilar_core.runtime.lock import InstanceLock\n"
        "InstanceLock(pathlib.Path(sys.argv[1]))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    InstanceLock(tmp_path).release()
