"""``vigilar recordings``: look at, play, export, check, star and delete recordings."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import click

from vigilar_core.cli.options import config_option, echo_json, echo_table, json_option
from vigilar_core.config import find_config, load_settings
from vigilar_core.config.core import Database, System
from vigilar_core.errors import NotReadyError, PermanentError
from vigilar_core.recording_file import PlayableView, RandomAccessFile, RecordingError
from vigilar_core.runtime.keys import storage_key
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import require_migrated
from vigilar_recorder import files
from vigilar_recorder.days import Calendar, length, size
from vigilar_recorder.layout import absolute
from vigilar_recorder.register import Recording, Register, Search
from vigilar_recorder.removal import unlink
from vigilar_recorder.settings import SECTIONS
from vigilar_recorder.tables import DISTRIBUTION, TABLES

_CHUNK_BYTES = 256 << 10


class Desk:
    """The register, the key and the folder, opened for one command."""

    def __init__(self, config_path: Path | None) -> None:
        self.settings = load_settings(find_config(config_path), SECTIONS)
        system = self.settings.section(System)
        self.root = system.recordings_dir
        self.calendar = Calendar(system.timezone)
        url = store_url(system.data_dir, self.settings.section(Database).url.reveal())
        engine = open_engine(url)
        require_migrated(engine, [(DISTRIBUTION, TABLES)])
        self.register = Register(engine)

    @cached_property
    def key(self) -> bytes | None:
        """The storage key; ``None`` when there is none."""
        try:
            return storage_key(self.settings)
        except NotReadyError:
            return None

    def get(self, recording: str) -> Recording:
        """A recording by its id, or by the beginning of it if that is enough.

        :raises PermanentError: there is none, or more than one
        """
        found = self.register.beginning(recording)
        if len(found) != 1:
            number = "more than one recording" if found else "no recording"
            raise PermanentError(
                f"there is {number} with the id {recording!r}; see: vigilar recordings list"
            )
        return found[0]

    @contextmanager
    def plain(self, recording: str) -> Iterator[tuple[RandomAccessFile, str]]:
        """The plaintext of a recording and a name for a copy of it.

        :param recording: an id, or the path of a recording file, such as one of an older
            version or out of a backup
        :raises PermanentError: it cannot be read
        """
        if Path(recording).is_file():
            path, name, sealed = Path(recording), Path(recording).stem, False
        else:
            row = self.get(recording)
            path, name, sealed = self._path(row), f"{row.camera}-{row.id}", row.sealed
        try:
            with files.open_file(path, self.key, sealed=sealed) as plain:
                yield plain, name
        except BrokenPipeError:
            raise
        except (OSError, ValueError, RecordingError) as error:
            raise PermanentError(f"recording {recording}: {error}") from error

    def _path(self, row: Recording) -> Path:
        try:
            return absolute(self.root, row.path)
        except ValueError as error:
            raise PermanentError(f"recording {row.id}: {error}") from error


@click.group()
def recordings() -> None:
    """Look at, play, export, check, star and delete recordings."""


@recordings.command("list")
@click.option("--camera", help="Only of this camera.")
@click.option("--day", help="Only of this day, such as 2026-03-29.")
@click.option("--starred", is_flag=True, help="Only starred ones.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@config_option
def list_recordings(
    camera: str | None,
    day: str | None,
    starred: bool,
    limit: int,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """List recordings, newest first."""
    desk = Desk(config_path)
    since_us = until_us = None
    if day is not None:
        try:
            since_us, until_us = desk.calendar.bounds_us(datetime.date.fromisoformat(day))
        except (ValueError, OverflowError) as error:
            raise PermanentError(f"--day {day!r} is not a day such as 2026-03-29") from error
    cameras = [camera] if camera else None
    found = desk.register.search(Search(cameras, "", starred, since_us, until_us), limit)
    if as_json:
        echo_json([asdict(row) for row in found])
        return
    heads = ("id", "begin", "camera", "length", "size", "because of", "")
    echo_table(heads, [_line(desk, row) for row in found])


def _line(desk: Desk, row: Recording) -> tuple[str, ...]:
    marks = [
        word
        for word, holds in (
            ("starred", row.starred),
            ("held", row.held),
            ("recovered", row.recovered),
            ("open", not row.sealed),
        )
        if holds
    ]
    begin = f"{desk.calendar.local(row.start_time_us):%Y-%m-%d %H:%M:%S}"
    return (
        row.id, begin, row.camera, length(row.duration_s), size(row.size_bytes), row.trigger,
        " ".join(marks),
    )  # fmt: skip


@recordings.command()
@click.argument("recording")
@config_option
def play(recording: str, config_path: Path | None) -> None:
    """Write a decrypted recording to standard output: vigilar recordings play ID | ffplay -

    RECORDING is an id from the list, the beginning of one, or a file.
    """
    if sys.stdout.isatty():
        raise PermanentError(
            "this writes video; pipe it: vigilar recordings play ID | ffplay -, "
            "or use: vigilar recordings export ID FILE"
        )
    desk = Desk(config_path)
    with desk.plain(recording) as (plain, _), PlayableView(plain) as view:
        try:
            while data := view.read(_CHUNK_BYTES):
                sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # The player was closed; the interpreter must not trip over it at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@recordings.command("export")
@click.argument("recording")
@click.argument("target", type=click.Path(path_type=Path))
@config_option
def export_recording(recording: str, target: Path, config_path: Path | None) -> None:
    """Decrypt a recording into an ordinary MP4 file; an existing one is never overwritten.

    RECORDING is an id from the list, the beginning of one, or a file; TARGET a file or a folder.
    """
    from vigilar_recorder.export import export  # the only command that needs PyAV

    desk = Desk(config_path)
    bar = click.progressbar(length=1000, label="Exporting", file=sys.stderr)
    with desk.plain(recording) as (plain, name):
        path = target / f"{name}.mp4" if target.is_dir() else target
        if path.exists():
            raise PermanentError(f"{path} exists; it is not overwritten")
        with bar:
            export(plain, path, lambda share: bar.update(int(share * 1000) - bar.pos))
    click.echo(path)


@recordings.command()
@click.option("--repair", is_flag=True, help="Put right what can be, losing no picture.")
@click.option("--quick", is_flag=True, help="Do not read the recordings themselves.")
@json_option
@config_option
def check(repair: bool, quick: bool, as_json: bool, config_path: Path | None) -> None:
    """Compare the register with the disk and verify every recording.

    Exit code 0: all is well, or was repaired. 1: something is wrong.
    """
    from vigilar_recorder.check import Checker

    desk = Desk(config_path)
    checker = Checker(desk.register, desk.root, desk.key)
    left, report = 0, []
    for trouble in list(checker.look(contents=not quick)):
        done = ""
        if repair:
            try:
                done = checker.repair(trouble)
            except (OSError, RecordingError) as error:
                done = f"cannot be repaired: {error}"
                left += 1
        left += not done
        report.append(
            {"finding": trouble.finding.value, "path": trouble.path, "detail": trouble.detail,
             "done": done}
        )  # fmt: skip
    if as_json:
        echo_json(report)
    elif report:
        names = ("finding", "path", "detail", "done")
        echo_table(names, [tuple(str(entry[name]) for name in names) for entry in report])
    else:
        click.echo("Every recording is there, registered and whole.")
    raise SystemExit(1 if left else 0)


@recordings.command("upgrade")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--camera", required=True, help="Id of the camera that recorded them.")
@config_option
def upgrade_files(paths: tuple[Path, ...], camera: str, config_path: Path | None) -> None:
    """Convert recordings of the older format (AES-256-CTR) in their place.

    From then on a change of them is noticed. Those of the present format are left alone.
    """
    from vigilar_recorder.upgrade import upgrade

    key = Desk(config_path).key
    if key is None:
        raise PermanentError("there is no storage key: see [storage] key_file")
    failed = 0
    for path in paths:
        try:
            done = upgrade(path, key, camera=camera)
        except (OSError, ValueError, RecordingError) as error:
            failed += 1
            click.echo(f"{path}: {error}", err=True)
        else:
            click.echo(f"{path}: {'converted' if done else 'is of the present format'}")
    raise SystemExit(1 if failed else 0)


@recordings.command()
@click.argument("recording")
@click.option("--remove", is_flag=True, help="Take the star away.")
@config_option
def star(recording: str, remove: bool, config_path: Path | None) -> None:
    """Keep a recording: retention and pruning leave it alone."""
    desk = Desk(config_path)
    row = desk.get(recording)
    desk.register.star(row.id, not remove)
    click.echo(f"{row.id} is {'no longer starred' if remove else 'starred'}.")


@recordings.command()
@click.argument("recording_ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def delete(recording_ids: tuple[str, ...], yes: bool, config_path: Path | None) -> None:
    """Delete recordings for good.

    The files go at once; the register follows when the service next looks.
    """
    desk = Desk(config_path)
    rows = [desk.get(recording) for recording in recording_ids]
    if not yes:
        click.confirm(f"Delete {len(rows)} for good?", abort=True, err=True)
    marked = set(desk.register.mark([row.id for row in rows], "asked for", "command line"))
    for row in rows:
        if row.id in marked:
            unlink(desk.root, row)
            click.echo(f"{row.id} is deleted.")
        else:
            click.echo(f"{row.id} stays: it is open, held or being deleted.", err=True)
    raise SystemExit(0 if len(marked) == len(rows) else 1)
