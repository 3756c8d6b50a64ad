"""``vigilar events``: follow and search what happened."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from vigilar_core.bus.client import MqttBus
from vigilar_core.bus.event_json import event_to_json
from vigilar_core.cli.options import config_option, echo_json, json_option
from vigilar_core.clock import SystemClock
from vigilar_core.config.core import Database, System
from vigilar_core.config.load import find_config, read_config
from vigilar_core.config.loaded import LoadedSettings
from vigilar_core.errors import NotReadyError, VigilarError
from vigilar_core.events import Event, EventCatalogue, Severity
from vigilar_core.paths import Paths
from vigilar_core.plugins.plan import plan_file
from vigilar_core.runtime import logs
from vigilar_core.runtime.bus_access import broker_of, installation_secret
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.reading import events_after, last_sequence
from vigilar_core.store.timeline import TimelineFilter, timeline_page

Command = TypeVar("Command", bound=Callable[..., Any])

_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class _Log:
    """Where events of one installation are found, and how they are put into words."""

    settings: LoadedSettings
    catalogue: EventCatalogue
    paths: Paths
    zone: tzinfo
    as_json: bool

    def open(self) -> Engine:
        url = store_url(self.paths.data_dir, self.settings.section(Database).url.reveal())
        return open_engine(url, read_only=True)

    def show(self, event: Event) -> None:
        if self.as_json:
            echo_json_line(event_to_json(event))
            return
        title, _ = self.catalogue.describe(event)
        moment = datetime.fromtimestamp(event.time_us / 1e6, UTC).astimezone(self.zone)
        click.echo(
            f"{moment:%Y-%m-%d %H:%M:%S}  {event.sequence:>8}  {event.severity.value:<8}  "
            f"{event.subject:<24}  {title}"
        )


@click.group()
def events() -> None:
    """Follow and search what happened."""


def _filters(command: Command) -> Command:
    """Options of both commands that choose events."""
    for option in (
        click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated."),
        click.option(
            "--severity",
            "severities",
            multiple=True,
            type=click.Choice([severity.value for severity in Severity]),
            help="Only this severity; may be repeated.",
        ),
        click.option("--camera", "cameras", multiple=True, help="Only this camera's events."),
        click.option(
            "--subject", "subjects", multiple=True, help="Only about this: sensor/door, ups …"
        ),
    ):
        command = option(command)
    return command


@events.command()
@_filters
@click.option("--after", type=click.IntRange(0), help="Begin behind this number.")
@json_option
@config_option
def tail(after: int | None, as_json: bool, config_path: Path | None, **chosen: Any) -> None:
    """Print events as they are committed, until Ctrl-C.

    They come over the bus; while nothing runs there, the database is looked at every second.
    """
    logs.configure("ERROR", service="events")
    log = _open_log(config_path, as_json)
    wanted = _wanted(**chosen)
    try:
        _follow(log, wanted, after)
    except KeyboardInterrupt:
        pass


@events.command("list")
@_filters
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--from", "from_", type=click.DateTime(), help="Not before, time of the house.")
@click.option("--until", type=click.DateTime(), help="Before, time of the house.")
@click.option("--before", "cursor", help="Continue a list: what --json calls next.")
@json_option
@config_option
def list_(
    limit: int,
    from_: datetime | None,
    until: datetime | None,
    cursor: str | None,
    as_json: bool,
    config_path: Path | None,
    **chosen: Any,
) -> None:
    """Print events, newest first, from the database."""
    log = _open_log(config_path, as_json)
    wanted = _wanted(**chosen, from_us=_us(from_, log.zone), until_us=_us(until, log.zone))
    engine = log.open()
    try:
        page = timeline_page(engine, wanted, cursor=cursor, limit=limit)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--before") from error
    finally:
        engine.dispose()
    if as_json:
        echo_json({"events": [event_to_json(event) for event in page.events], "next": page.next})
        return
    for event in page.events:
        log.show(event)


def echo_json_line(value: Any) -> None:
    """Print a value as JSON on one line, for programs that read line by line."""
    click.echo(json.dumps(value, ensure_ascii=False))


def _open_log(config_path: Path | None, as_json: bool) -> _Log:
    plan = plan_file(read_config(find_config(config_path))).require()
    system = plan.settings.section(System)
    return _Log(
        plan.settings,
        EventCatalogue.of(plan.event_kinds),
        system.paths(),
        ZoneInfo(system.timezone),
        as_json,
    )


def _follow(log: _Log, wanted: TimelineFilter, after: int | None) -> None:
    """Print what the bus tells; what only the database knows, when the bus is silent."""
    position = _Position(after if after is not None else _head(log))

    reader = _Reader()

    def show(event: Event) -> None:
        if position.passes(event) and wanted.covers(event.subject, event.kind, event.severity):
            reader.show(log, event)

    bus = MqttBus(
        broker_of(log.settings, log.paths),
        f"cli:{os.getpid()}",
        installation_secret(log.paths),
        log.catalogue,
        None,
        SystemClock(),
    )
    bus.subscribe_events(show, after=position.sequence)
    bus.start()
    poll = select.poll()
    poll.register(bus.fileno(), select.POLLIN)
    try:
        while not reader.gone:
            poll.poll(_POLL_S * 1000)
            bus.deliver(500)
            if not bus.connected:
                for event in _stored_after(log, position.sequence or 0):
                    show(event)
    finally:
        bus.close()


class _Reader:
    """Whoever reads what is printed, such as ``head``, which may have seen enough."""

    def __init__(self) -> None:
        self.gone = False

    def show(self, log: _Log, event: Event) -> None:
        if self.gone:
            return
        try:
            log.show(event)
        except BrokenPipeError:
            self.gone = True
            # What the interpreter would still write at its end goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass
class _Position:
    """The number of the last event that was looked at."""

    sequence: int | None

    def passes(self, event: Event) -> bool:
        """Whether an event comes behind it; the place moves on."""
        number = event.sequence or 0
        if self.sequence is not None and number <= self.sequence:
            return False
        self.sequence = number
        return True


def _head(log: _Log) -> int | None:
    """The last number in the database, ``None`` when it cannot be read."""
    try:
        engine = log.open()
    except NotReadyError:
        return None
    try:
        return last_sequence(engine)
    except DBAPIError:
        return None
    finally:
        engine.dispose()


def _stored_after(log: _Log, position: int) -> Sequence[Event]:
    try:
        engine = log.open()
    except NotReadyError:
        return ()
    try:
        return events_after(engine, position, 500)
    except DBAPIError as error:
        raise VigilarError(f"the database cannot be read: {error.orig}") from error
    finally:
        engine.dispose()


def _wanted(
    kinds: Sequence[str],
    severities: Sequence[str],
    cameras: Sequence[str],
    subjects: Sequence[str],
    from_us: int | None = None,
    until_us: int | None = None,
) -> TimelineFilter:
    about = {*subjects, *(f"camera/{camera}" for camera in cameras)}
    return TimelineFilter(
        kinds=set(kinds) or None,
        severities={Severity(each) for each in severities} or None,
        subjects=about or None,
        from_us=from_us,
        until_us=until_us,
    )


def _us(moment: datetime | None, zone: tzinfo) -> int | None:
    if moment is None:
        return None
    return round(moment.replace(tzinfo=zone).timestamp() * 1e6)
