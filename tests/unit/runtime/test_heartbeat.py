from __future__ import annotations

from pathlib import Path

import pytest

from vigilar_core.runtime.heartbeat import SLOTS, Beat, Heartbeats


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "heartbeats"


def test_a_slot_without_a_beat_has_no_age(path: Path) -> None:
    assert Heartbeats(path).age_s(3) is None


def test_a_beat_moves_its_own_slot_and_no_other(path: Path) -> None:
    beats = Heartbeats(path)
    Beat(path, 3)()
    assert [slot for slot in range(SLOTS) if beats.age_s(slot) is not None] == [3]


def test_the_age_grows_until_the_next_beat(path: Path) -> None:
    beats = Heartbeats(path)
    beat = Beat(path, 0)
    beat()
    first, second = beats.age_s(0), beats.age_s(0)
    assert first is not None and second is not None
    assert 0 <= first <= second
    while (beats.age_s(0) or 0) < 0.001:
        pass
    older = beats.age_s(0) or 0
    beat()
    assert (beats.age_s(0) or 0) < older


def test_a_cleared_slot_forgets_its_former_owner(path: Path) -> None:
    beats = Heartbeats(path)
    Beat(path, 5)()
    beats.clear(5)
    assert beats.age_s(5) is None


def test_a_new_file_replaces_the_old_one_so_that_leftover_loops_beat_for_nobody(path: Path) -> None:
    Heartbeats(path)
    leftover = Beat(path, 1)
    beats = Heartbeats(path)
    leftover()
    assert beats.age_s(1) is None


@pytest.mark.parametrize("slot", [-1, SLOTS])
def test_a_slot_beyond_the_file_is_refused(path: Path, slot: int) -> None:
    Heartbeats(path)
    with pytest.raises(ValueError, match="no heartbeat slot"):
        Beat(path, slot)


def test_the_file_is_closed_to_others(path: Path) -> None:
    Heartbeats(path)
    assert path.stat().st_mode & 0o077 == 0
