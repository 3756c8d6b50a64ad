"""The service ``ledger``: opens the store, repairs and migrates it, then turns the ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError

from vigilar_core.bus.client import MqttBus
from vigilar_core.context import ServiceContext
from vigilar_core.errors import TransientError
from vigilar_core.ledger.journal import Journal
from vigilar_core.ledger.ledger import Ledger
from vigilar_core.store.engine import database_file, store_url
from vigilar_core.store.failure import is_damaged, is_unavailable
from vigilar_core.store.migrate import Parts
from vigilar_core.store.opening import Repair, open_store, suspect
from vigilar_core.store.reserve import Reserve

Result = TypeVar("Result")

_IDLE_WAIT_S: Final = 1.0
#: Longest time for repair and migration before the ledger runs, seconds.
_PREPARATION_S: Final = 900.0


def run_ledger(context: ServiceContext, parts: Parts = (), *, url: str = "") -> None:
    """Run until the service shall end.

    :param context: its bus is the :class:`~vigilar_core.bus.client.MqttBus` of ``ledger``
    :param parts: distribution name and tables of each plugin that has some
    :param url: of the store, when the configuration names another than the file in ``data_dir``
    """
    bus = context.bus
    if not isinstance(bus, MqttBus):
        raise TypeError(f"the ledger needs an MqttBus, not {type(bus).__name__}")
    data_dir = context.paths.data_dir
    url = store_url(data_dir, url)
    try:
        engine, repair = _while_beating(
            context,
            lambda: open_store(
                url, parts, snapshots_dir=data_dir / "snapshots", time_us=context.clock.time_us()
            ),
        )
        try:
            journal = Journal(engine, context.clock, parts)
            reserve = Reserve(data_dir / "events.reserve") if database_file(url) else None
            _turn(context, Ledger(context, bus, journal, reserve), repair)
        finally:
            engine.dispose()
    except DBAPIError as error:
        if is_damaged(error):
            suspect(url)
            raise TransientError(f"the database is damaged: {error.orig}") from error
        if is_unavailable(error):
            raise TransientError(f"the database cannot be used: {error.orig}") from error
        raise


def _turn(context: ServiceContext, ledger: Ledger, repair: Repair | None) -> None:
    ledger.open()
    if repair is not None:
        ledger.say(
            "database_damaged",
            reason=repair.reason,
            moved_to=repair.moved_to,
            events=repair.events,
            lost=repair.lost,
        )
    while context.wait(0.0 if ledger.is_busy else _IDLE_WAIT_S):
        ledger.turn()
    ledger.turn()


def _while_beating(context: ServiceContext, work: Callable[[], Result]) -> Result:
    """Do long work in a thread while the service's loop goes on and beats.

    :raises TransientError: it took longer than a quarter of an hour
    """
    done = threading.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the service's loop
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="prepare", daemon=True).start()
    deadline_s = context.clock.monotonic_s() + _PREPARATION_S
    while not done.wait(0.02):
        context.wait(0.1)
        if context.clock.monotonic_s() > deadline_s:
            raise TransientError("preparing the database takes too long")
    if errors:
        raise errors[0]
    return results[0]
