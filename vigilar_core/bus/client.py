"""The bus over MQTT: publish, subscribe, and follow the ledger, all in the service's own loop.

A network thread (:mod:`~vigilar_core.bus.link`) fills an inbox; :meth:`MqttBus.deliver` empties it
in the caller's thread, verifies, and calls handlers. Events wait in the spool until the ledger
has acknowledged them; a window of them is on its way at a time.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from vigilar_core.bus import topics
from vigilar_core.bus.address import BrokerAddress
from vigilar_core.bus.api import Handler, Message
from vigilar_core.bus.envelope import MAX_DEPTH, MAX_EVENT_BYTES, Envelope, Seal, is_plain
from vigilar_core.bus.event_id import event_id
from vigilar_core.bus.feed import EventFeed
from vigilar_core.bus.inbox import Inbox
from vigilar_core.bus.link import Link, Will
from vigilar_core.bus.spool import Spool, SpooledEvent
from vigilar_core.bus.window import Window
from vigilar_core.clock import Clock
from vigilar_core.errors import UntrustedMessageError
from vigilar_core.events import MAX_HOPS, Event, EventCatalogue, EventKind

_log = structlog.get_logger(__name__)

#: The only service whose word counts on ``vigilar/ledger/…``.
LEDGER: Final = "ledger"
_REMEMBERED_IDS: Final = 4096
_RETAINED_LIMIT: Final = 256
_CURSOR_INTERVAL_S: Final = 1.0
_HOLD_S: Final = 60.0
#: What an envelope adds to an event's data at most, bytes.
_MEMBERS_BYTES: Final = 1024

RawHandler = Callable[[str, Envelope], None]
EventHandler = Callable[[Event], None]


class MqttBus:
    """A :class:`~vigilar_core.bus.api.Bus` over an MQTT broker.

    :param address: of the broker
    :param service: name of the service that signs; one connection and one spool each
    :param key: the installation's bus secret, 32 bytes
    :param catalogue: the declared event kinds
    :param spool_dir: folder of the spools; ``None``: a passing reader, which publishes no events
        and is not announced
    :param clock: ages of messages and times of resending
    """

    def __init__(
        self,
        address: BrokerAddress,
        service: str,
        key: bytes,
        catalogue: EventCatalogue,
        spool_dir: Path | None,
        clock: Clock,
    ) -> None:
        self.service = service
        self._catalogue = catalogue
        self._clock = clock
        self._seal = Seal(key)
        self._spool_path = spool_dir and spool_dir / f"{topics.service_level(service)}.spool"
        self._spool: Spool | None = None
        self._window = Window()
        self._inbox = Inbox()
        self._link = Link(
            address,
            f"vigilar-{topics.service_level(service)}-{secrets.token_hex(6)}",
            will=self._will,
            on_connected=self._on_connected,
            on_message=self._inbox.put,
        )
        #: Guards spool and window. Never taken in the network thread: it is held while a message
        #: is handed to paho, whose own locks that thread holds in callbacks.
        self._lock = threading.RLock()
        self._retained_lock = threading.Lock()
        self._handlers: list[tuple[str, Handler]] = []
        self._raw_handlers: list[tuple[str, RawHandler]] = []
        self._feeds: list[tuple[EventFeed, EventHandler]] = []
        self._cursor_feed: EventFeed | None = None
        self._cursor_told: tuple[int, float] = (-1, 0.0)
        self._retained: OrderedDict[str, bytes] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._renewed = False
        self._ledger_listens = False
        self._held_until_s = 0.0
        self._reported_drops = 0
        #: What happened so far: received, untrusted, duplicates, handler_errors, …
        self.counters: Counter[str] = Counter()

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Open the spool and connect for ever; needs no broker to be there yet.

        :raises NotReadyError: another process holds the spool of this service
        """
        if self._spool_path is not None:
            self._spool = Spool(self._spool_path)
            self._link.subscribe(topics.acknowledgement(self.service))
            self._link.subscribe(topics.service_state(LEDGER))
        self._link.start()

    def close(self) -> None:
        """Say goodbye and disconnect; what the ledger has not acknowledged stays in the spool."""
        if (farewell := self._will()) is not None:
            self._link.publish(farewell.topic, farewell.payload, qos=1, retain=True)
        self._tell_cursor(force=True)
        self._link.close()
        with self._lock:
            if self._spool is not None:
                self._spool.close()
                self._spool = None
        self._inbox.close()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection."""
        return self._link.connected

    @property
    def trouble(self) -> str:
        """Why there is no connection; empty while there is one."""
        return self._link.trouble

    @property
    def pending(self) -> int:
        """Events published and not acknowledged by the ledger."""
        with self._lock:
            return self._spool.pending if self._spool is not None else 0

    # --------------------------------------------------------------- publish

    def publish_event(
        self,
        topic: str,
        /,
        *,
        time_us: int | None = None,
        caused_by: Event | None = None,
        **fields: Any,
    ) -> str:
        kind = self._catalogue.classify(topic)
        if kind is None:
            raise ValueError(f"no event kind is declared for topic {topic!r}")
        if self._spool is None:
            raise ValueError(f"{self.service} has no spool: it cannot publish events")
        now_us = self._clock.time_us()
        hops = caused_by.hops + 1 if caused_by is not None else 0
        new_id = event_id(now_us)
        members = {
            "id": new_id,
            "time_us": now_us if time_us is None else time_us,
            "kind": kind.name,
            "data": _plain_fields(topic, fields),
            "caused_by": caused_by.id if caused_by is not None else None,
            "hops": hops,
        }
        if hops > MAX_HOPS:
            self._stop_loop(topic, kind)
            return new_id
        with self._lock:
            members["seq"] = self._spool.next_seq()
            self._spool.append(SpooledEvent(topic, kind.severity, members))
            self._send_due()
        return new_id

    def publish_state(
        self, topic: str, data: Mapping[str, Any], /, *, retain: bool = False
    ) -> None:
        payload = self._sealed_state(topic, data, lasting=retain)
        if retain:
            with self._retained_lock:
                self._retained[topic] = payload
                self._retained.move_to_end(topic)
                while len(self._retained) > _RETAINED_LIMIT:
                    self._retained.popitem(last=False)
        if not self._link.publish(topic, payload, qos=int(retain), retain=retain):
            self.counters["states_lost"] += 1

    # ------------------------------------------------------------- subscribe

    def subscribe(self, pattern: str, handler: Handler, /) -> None:
        self._handlers.append((pattern, handler))
        self._link.subscribe(pattern)

    def subscribe_raw(self, pattern: str, handler: RawHandler, /) -> None:
        """Call ``handler`` with topic and envelope of each verified message, repeats too."""
        self._raw_handlers.append((pattern, handler))
        self._link.subscribe(pattern)

    def subscribe_events(self, handler: EventHandler, /, *, after: int | None = None) -> None:
        self._add_feed(EventFeed(f"reader-{len(self._feeds)}", after), handler)

    def follow_events(self, handler: EventHandler, /) -> None:
        """Call ``handler`` with each committed event from where this service stopped before.

        The ledger remembers the place of one such reader for each service; it is told about once
        a second, so after a crash the last events may come again.
        """
        feed = EventFeed(f"reader-{len(self._feeds)}", None, from_cursor=True)
        self._cursor_feed = feed
        self._add_feed(feed, handler)

    def _add_feed(self, feed: EventFeed, handler: EventHandler) -> None:
        self._feeds.append((feed, handler))
        for topic in (topics.COMMITTED, topics.replay(self.service), topics.service_state(LEDGER)):
            self._link.subscribe(topic)
        self._inbox.kick()

    # --------------------------------------------------------------- deliver

    def fileno(self) -> int:
        """Readable while :meth:`deliver` has something to do."""
        return self._inbox.fileno()

    def deliver(self, limit: int = 100) -> int:
        """Call handlers for what has arrived, at most so many times; resend what is due.

        :returns: how many messages and events were handled
        """
        self._after_connecting()
        done = 0
        while done < limit and (message := self._inbox.get()) is not None:
            self._receive(*message)
            done += 1
        for feed, handler in self._feeds:
            while done < limit and (event := feed.next_event()) is not None:
                self._guard(handler, event)
                done += 1
        self._tick()
        self._inbox.settle(more=any(feed.has_events for feed, _ in self._feeds))
        return done

    def _after_connecting(self) -> None:
        """Ask before resending: a reader that starts from now on must see what it publishes."""
        if not self._renewed:
            return
        self._renewed = False
        self._hold()
        for feed, _ in self._feeds:
            feed.reconnected()
        self._ask()
        with self._lock:
            self._window.send_again()

    def _tick(self) -> None:
        self._ask()
        self._tell_cursor()
        with self._lock:
            self._send_due()
            self._tell_drops()

    def _receive(self, topic: str, payload: bytes) -> None:
        self.counters["received"] += 1
        if topic == topics.COMMITTED and not self._feeds:
            return  # the ledger's own words, heard because it listens to everything
        try:
            envelope = self._seal.open(topic, payload, self._clock.time_us())
            self._dispatch(topic, envelope)
        except UntrustedMessageError as error:
            self.counters["untrusted"] += 1
            _log.debug("message refused", topic=topic[:200], reason=str(error))

    def _dispatch(self, topic: str, envelope: Envelope) -> None:
        if topic.startswith("vigilar/ledger/") and topic not in _ASKED_OF_LEDGER:
            if envelope.source != LEDGER:
                raise UntrustedMessageError(f"{envelope.source} speaks for the ledger")
            self._hear_ledger(topic, envelope.data)
        elif topic == topics.service_state(LEDGER):
            self._hear_ledger_state(envelope)
        for pattern, raw_handler in self._raw_handlers:
            if topics.matches(pattern, topic):
                self._guard(raw_handler, topic, envelope)
        if self._is_repeat(envelope.id):
            return
        message = Message(topic, envelope.source, envelope.sent_us, envelope.data)
        for pattern, handler in self._handlers:
            if topics.matches(pattern, topic):
                self._guard(handler, message)

    def _hear_ledger(self, topic: str, data: Mapping[str, Any]) -> None:
        if topic == topics.acknowledgement(self.service):
            self._acknowledged(data)
        elif topic == topics.COMMITTED:
            for feed, _ in self._feeds:
                feed.live(data)
        elif topic == topics.replay(self.service):
            for feed, _ in self._feeds:
                feed.answered(data)

    def _hear_ledger_state(self, envelope: Envelope) -> None:
        if envelope.source != LEDGER:
            return
        self._ledger_listens = envelope.data.get("listens") is True
        if not self._ledger_listens:
            self._hold()
            return
        for feed, _ in self._feeds:
            feed.reconnected()
        self._ask()
        with self._lock:
            self._window.send_again()

    def _hold(self) -> None:
        """Send no events until the ledger says that it listens.

        What is sent to nobody would be sent again later, behind newer events. Should the word not
        come, events are sent all the same after a while.
        """
        self._ledger_listens = False
        self._held_until_s = self._clock.monotonic_s() + _HOLD_S

    def _acknowledged(self, data: Mapping[str, Any]) -> None:
        ids, refused = data.get("ids"), data.get("refused")
        if not isinstance(ids, list) or not isinstance(refused, dict):
            raise UntrustedMessageError("an acknowledgement without ids")
        ids = [*ids, *refused]
        for refused_id, reason in refused.items():
            self.counters["events_refused"] += 1
            _log.error("the ledger refused an event", id=refused_id, reason=reason)
        with self._lock:
            if self._spool is not None:
                self._window.acknowledge(ids)
                self._spool.acknowledge(ids)

    def _guard(self, handler: Callable[..., None], *arguments: Any) -> None:
        try:
            handler(*arguments)
        except Exception:  # noqa: BLE001 - a handler belongs to a plugin; its error must cost
            # neither the other handlers nor the connection
            self.counters["handler_errors"] += 1
            _log.exception("handler failed", handler=getattr(handler, "__qualname__", "?"))

    def _is_repeat(self, message_id: str) -> bool:
        if message_id in self._seen:
            self.counters["duplicates"] += 1
            return True
        self._seen[message_id] = None
        if len(self._seen) > _REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return False

    # ------------------------------------------------------------------ send

    def _send_due(self) -> None:
        """Fill the window from the spool and send what is due; holds the lock."""
        if self._spool is None or not self._link.connected or self._renewed:
            return
        now_s = self._clock.monotonic_s()
        if not self._ledger_listens and now_s < self._held_until_s:
            return
        if self._window.room and self._spool.waiting:
            for event in self._spool.take(self._window.room):
                self._window.add(event)
        for event in self._window.due(now_s):
            if not self._link.publish(event.topic, self._sealed(event), qos=1):
                return
            self._window.sent(event.id, now_s)
            self.counters["events_sent"] += 1

    def _sealed(self, event: SpooledEvent) -> bytes:
        envelope = Envelope(source=self.service, sent_us=self._clock.time_us(), **event.members)
        return self._seal.seal(event.topic, envelope)

    def _sealed_state(self, topic: str, data: Mapping[str, Any], *, lasting: bool) -> bytes:
        now_us = self._clock.time_us()
        envelope = Envelope(
            event_id(now_us), 0, self.service, now_us, now_us, None, data, lasting=lasting
        )
        return self._seal.seal(topic, envelope)

    def _ask(self) -> None:
        if not self._link.connected:
            return
        for feed, _ in self._feeds:
            if (question := feed.request(self._clock.monotonic_s())) is not None:
                self.publish_state(topics.REPLAY_REQUEST, question)

    def _tell_cursor(self, *, force: bool = False) -> None:
        feed, now_s = self._cursor_feed, self._clock.monotonic_s()
        if feed is None or feed.position is None or feed.position == self._cursor_told[0]:
            return
        if force or now_s - self._cursor_told[1] >= _CURSOR_INTERVAL_S:
            self.publish_state(topics.CURSOR, {"position": feed.position})
            self._cursor_told = (feed.position, now_s)

    def _tell_drops(self) -> None:
        if self._spool is None or self._spool.dropped.total() == self._reported_drops:
            return
        self._reported_drops = self._spool.dropped.total()
        _log.error("events dropped: the spool is full", dropped=dict(self._spool.dropped))
        self.publish_state(
            topics.spool_state(self.service),
            {"pending": self._spool.pending, "dropped": dict(self._spool.dropped)},
            retain=True,
        )

    def _stop_loop(self, topic: str, kind: EventKind) -> None:
        self.counters["loops_stopped"] += 1
        _log.error("events cause each other in a loop", topic=topic, longest_chain=MAX_HOPS)
        if self.counters["loops_stopped"] == 1:
            with contextlib.suppress(ValueError):  # only where the core's kinds are declared
                self.publish_event(
                    topics.EVENT_LOOP, service=self.service, cause=topic, cause_kind=kind.name
                )

    # ------------------------------------------------- called by the network thread

    def _will(self) -> Will | None:
        return None if self._spool_path is None else self._state_message("offline")

    def _state_message(self, state: str) -> Will:
        topic = topics.service_state(self.service)
        return Will(topic, self._sealed_state(topic, {"state": state}, lasting=True))

    def _on_connected(self) -> None:
        if self._spool_path is not None:
            online = self._state_message("online")
            self._link.publish(online.topic, online.payload, qos=1, retain=True)
        with self._retained_lock:
            retained = list(self._retained.items())
        for topic, payload in retained:
            self._link.publish(topic, payload, qos=1, retain=True)
        self._renewed = True
        self._inbox.kick()


_ASKED_OF_LEDGER: Final = frozenset((topics.REPLAY_REQUEST, topics.CURSOR))


def _plain_fields(topic: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as a receiver will see them.

    :raises ValueError: they are no JSON, too deep, or too long for one message
    """
    try:
        document = json.dumps(fields, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"a field of {topic} cannot be written as JSON: {error}") from None
    if len(document) > MAX_EVENT_BYTES - _MEMBERS_BYTES:
        raise ValueError(f"event on {topic} is {len(document)} bytes, longer than a message")
    data: dict[str, Any] = json.loads(document)
    if not is_plain(data):
        raise ValueError(f"a field of {topic} is nested more than {MAX_DEPTH} levels deep")
    return data
