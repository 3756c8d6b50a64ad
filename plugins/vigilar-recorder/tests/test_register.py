"""Rows that follow from events, deletion in the right order, and retention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vigilar_core.config.core import Database
from vigilar_core.context import Service
from vigilar_core.events import Event
from vigilar_core.store.engine import open_engine, store_url, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.testing import FakeBus, FakeClock, FakeSettings
from vigilar_core.testing.camera import fake_paths
from vigilar_core.testing.clip import make_clip
from vigilar_recorder.event_kinds import EVENT_KINDS, topic
from vigilar_recorder.register import Register, Search
from vigilar_recorder.removal import Removal
from vigilar_recorder.retention import SETTLE_AFTER_JUMP_S, SETTLE_S, Retention
from vigilar_recorder.settings import CameraRecording
from vigilar_recorder.tables import DISTRIBUTION, TABLES, recordings

DAY_S = 86_400


class Ledger:
    """Writes the rows of events as the real one does, in one transaction each."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def __call__(self, event: Event) -> None:
        with writing(self.engine) as connection:
            for projection in TABLES.projections:
                if event.kind in projection.kinds:
                    projection.apply(connection, event)


@dataclass
class Context:
    """As much of a service's surroundings as retention uses."""

    folder: Path
    cameras: dict[str, list[Any]] = field(default_factory=dict)
    service: Service = field(default_factory=lambda: Service("recorder"))

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.bus = FakeBus(EVENT_KINDS, clock=self.clock)
        self.catalogue = self.bus.catalogue
        self.paths = fake_paths(self.folder)
        self.settings = FakeSettings([Database()], {"cameras": self.cameras})
        self.engine = open_engine(store_url(self.paths.data_dir))
        migrate(self.engine, [(DISTRIBUTION, TABLES)], snapshots_dir=None, time_us=0)
        self.bus.subscribe_events(Ledger(self.engine))
        self.register = Register(self.engine)

    def storage_key(self) -> bytes:
        return bytes(range(32))

    def record(self, number: int, *, camera: str = "hall", age_days: float = 0.0) -> str:
        """A sealed recording with its files and its row."""
        recording = f"{number:032x}"
        end_us = self.clock.time_us() - round(age_days * DAY_S * 1e6)
        path = f"{camera}/2026/01/0{number % 9 + 1}/{recording}.vge"
        for suffix in (".vge", ".vgt"):
            file = (self.paths.recordings_dir / path).with_suffix(suffix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
        begun = {
            "id": recording, "path": path, "start_time_us": end_us - 10_000_000,
            "trigger": "motion", "trigger_time_us": end_us - 5_000_000, "who": "",
            "pre_roll_s": 5.0, "video_codec": "h264", "audio_codec": None, "width": 1, "height": 1,
            "key_frames_only": False, "encrypted": True, "continues": None,
        }  # fmt: skip
        self.bus.publish_event(topic(camera, "started"), **begun)
        self.bus.publish_event(
            topic(camera, "sealed"),
            **begun,
            end_time_us=end_us,
            duration_s=10.0,
            size_bytes=1,
            sha256="0" * 64,
            ended_by="post_roll",
            motion={"starts": 1, "confidence": 0.5, "zones": ["door"]},
            thumbnail=path.replace(".vge", ".vgt"),
            recovered=False,
        )
        return recording

    def files(self) -> list[str]:
        return sorted(path.name for path in self.paths.recordings_dir.rglob("*") if path.is_file())


@pytest.fixture
def house(tmp_path: Path) -> Context:
    return Context(tmp_path)


def test_the_schema_of_the_migration_is_the_schema_of_the_tables(house: Context) -> None:
    found = {column["name"] for column in sa.inspect(house.engine).get_columns("recordings")}
    indices = {index["name"] for index in sa.inspect(house.engine).get_indexes("recordings")}
    assert found == set(recordings.columns.keys())
    assert indices == {index.name for index in recordings.indexes}


def test_a_recording_of_the_real_recorder_becomes_a_row(
    bench: Callable[..., Any], tmp_path: Path
) -> None:
    house = Context(tmp_path / "store")
    it = bench(CameraRecording(pre_motion_buffer_s=1, post_motion_buffer_s=1))
    it.bus.subscribe_events(Ledger(house.engine))
    clip = make_clip(8, audio="aac")
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start", zones=("door",))})
    (row,) = house.register.search(Search(), 9)
    assert (row.sealed, row.end_time_us) == (False, None)
    it.motion("end")
    it.close()
    (row,) = house.register.search(Search(), 9)
    (sealed,) = it.events("sealed")
    assert (row.camera, row.sealed, row.sha256) == ("hall", True, sealed["sha256"])
    assert row.motion["zones"] == ["door"]


def test_each_event_twice_leaves_the_same_rows(house: Context) -> None:
    house.record(1)
    before = house.register.all()
    for event in list(house.bus.events):
        Ledger(house.engine)(event)
    assert house.register.all() == before
    assert before[0].sealed


def test_a_recording_that_came_to_nothing_leaves_no_row(house: Context) -> None:
    house.record(1)
    house.bus.publish_event(
        topic("hall", "started"),
        **{**house.bus.events[0].data, "id": "2" * 32, "path": "hall/2026/01/01/2.vge"},
    )
    house.bus.publish_event(
        topic("hall", "failed"), id="2" * 32, path=None, cause="disk_full", reason="x"
    )
    assert [row.id for row in house.register.all()] == [f"{1:032x}"]


def test_a_failure_does_not_take_a_sealed_recording_away(house: Context) -> None:
    recording = house.record(1)
    house.bus.publish_event(
        topic("hall", "failed"), id=recording, path=None, cause="disk", reason="x"
    )
    assert len(house.register.all()) == 1


def test_deleting_removes_file_thumbnail_folder_and_row_and_says_so(house: Context) -> None:
    recording = house.record(1)
    removal = Removal(house.register, house.bus, house.paths.recordings_dir)
    assert house.register.mark([recording], "asked for", "ann") == [recording]
    assert house.register.get(recording) is None
    assert removal.finish() == 1
    assert house.files() == []
    assert list((house.paths.recordings_dir / "hall").iterdir()) == []
    assert house.register.all() == []
    assert house.bus.events[-1].data["reason"] == "asked for"
    assert house.bus.events[-1].data["who"] == "ann"


@pytest.mark.parametrize("interrupted", ["before unlinking", "after unlinking", "file missing"])
def test_an_interrupted_deletion_is_finished_later(house: Context, interrupted: str) -> None:
    recording = house.record(1)
    house.register.mark([recording], "asked for", "ann")
    for path in house.paths.recordings_dir.rglob("*.vge"):
        if interrupted != "before unlinking":
            path.unlink()
    Removal(house.register, house.bus, house.paths.recordings_dir).finish()
    assert house.register.all() == []
    assert house.files() == []


def test_an_event_that_is_not_committed_yet_is_not_told_twice(house: Context) -> None:
    recording = house.record(1)
    quiet = FakeBus(EVENT_KINDS, clock=house.clock)
    removal = Removal(house.register, quiet, house.paths.recordings_dir)
    house.register.mark([recording], "asked for", "ann")
    assert [removal.finish(), removal.finish()] == [1, 0]
    assert quiet.kinds() == ["recording_deleted"]


def test_a_row_that_leads_elsewhere_deletes_nothing(house: Context, tmp_path: Path) -> None:
    recording = house.record(1)
    victim = tmp_path / "victim.vge"
    victim.write_bytes(b"x")
    with writing(house.engine) as connection:
        connection.execute(sa.update(recordings).values(path=f"../{victim.name}"))
    house.register.mark([recording], "asked for", "ann")
    assert Removal(house.register, house.bus, house.paths.recordings_dir).finish() == 0
    assert victim.exists()


def old_and_new(house: Context) -> dict[str, str]:
    made = {
        "old": house.record(1, age_days=31),
        "new": house.record(2, age_days=29),
        "starred": house.record(3, age_days=99),
        "held": house.record(4, age_days=99),
        "other camera": house.record(5, camera="gate", age_days=31),
    }
    house.register.star(made["starred"], True)
    with writing(house.engine) as connection:
        connection.execute(
            sa.update(recordings).where(recordings.c.id == made["held"]).values(held=True)
        )
    return made


def test_what_is_older_than_retention_days_goes_and_starred_stays(tmp_path: Path) -> None:
    house = Context(tmp_path, {"gate": [CameraRecording(retention_days=90)]})
    made = old_and_new(house)
    retention = Retention(house)  # type: ignore[arg-type]
    retention.poll()
    assert len(house.register.all()) == 5, "the clock is not trusted yet"
    house.clock.advance(SETTLE_S)
    retention.poll()
    left = {row.id for row in house.register.all()}
    assert left == set(made.values()) - {made["old"]}
    assert house.bus.events[-1].data["reason"] == "older than 30 days"


def test_retention_of_zero_days_keeps_all(tmp_path: Path) -> None:
    house = Context(tmp_path, {"hall": [CameraRecording(retention_days=0)]})
    house.record(1, age_days=999)
    retention = Retention(house)  # type: ignore[arg-type]
    house.clock.advance(SETTLE_S)
    retention.poll()
    assert len(house.register.all()) == 1


def test_a_clock_that_jumps_ahead_deletes_nothing_for_a_day(tmp_path: Path) -> None:
    house = Context(tmp_path)
    house.record(1, age_days=1)
    retention = Retention(house)  # type: ignore[arg-type]
    house.clock.advance(SETTLE_S)
    retention.poll()
    house.clock.jump(30 * DAY_S)
    retention.poll()
    assert len(house.register.all()) == 1
    house.clock.jump(-30 * DAY_S)
    retention.poll()
    house.clock.advance(SETTLE_AFTER_JUMP_S)
    retention.poll()
    assert len(house.register.all()) == 1
    house.clock.advance(30 * DAY_S)
    retention.poll()
    assert house.register.all() == []


def test_a_search_pages_through_everything_once(house: Context) -> None:
    made = [house.record(number, age_days=number % 3) for number in range(1, 9)]
    found: list[str] = []
    search = Search()
    while page := house.register.search(search, 3):
        found += [row.id for row in page]
        search = Search(before=(page[-1].start_time_us, page[-1].id))
    assert sorted(found) == sorted(made)
    times = {row.id: row.start_time_us for row in house.register.all()}
    assert [times[each] for each in found] == sorted(times.values(), reverse=True)


def test_a_moment_prefers_the_recording_with_every_picture(house: Context) -> None:
    whole = house.record(1)
    idle = house.record(2)
    with writing(house.engine) as connection:
        connection.execute(
            sa.update(recordings).where(recordings.c.id == idle).values(key_frames_only=True)
        )
    found = house.register.at("hall", house.clock.time_us() - 1_000_000)
    assert found is not None
    assert found.id == whole
    assert house.register.at("gate", house.clock.time_us()) is None
