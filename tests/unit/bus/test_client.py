"""The bus at a real broker: delivery, retention, wills, resending, guarding."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from vigilar_core.bus import topics
from vigilar_core.bus.address import BrokerAddress
from vigilar_core.bus.api import Message
from vigilar_core.bus.broker import _running
from vigilar_core.bus.client import MqttBus
from vigilar_core.bus.envelope import Envelope
from vigilar_core.bus.event_json import event_to_json
from vigilar_core.clock import SystemClock
from vigilar_core.config.secret import Secret
from vigilar_core.events import MAX_HOPS, Event, EventCatalogue, Severity
from vigilar_core.testing import eventually

#: For what depends on how a broker behaves; the other tests run with mosquitto.
BOTH = pytest.mark.parametrize("broker", ["mosquitto", "amqtt"], indirect=True)
MOTION = "vigilar/camera/hall/motion/start"


@pytest.fixture
def stranger(broker: BrokerAddress) -> Iterator[mqtt.Client]:
    """A client that knows the broker, not the key."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        protocol=mqtt.MQTTv5 if broker.version == 5 else mqtt.MQTTv311,
        transport="tcp" if broker.socket_path is None else "unix",
    )
    if broker.username:
        client.username_pw_set(broker.username, broker.password.reveal())
    connect(client, broker)
    client.loop_start()
    eventually(client.is_connected, what="connection")
    yield client
    client.disconnect()
    client.loop_stop()


def connect(client: mqtt.Client, broker: BrokerAddress) -> None:
    unix = broker.socket_path is not None
    place: Any = str(broker.socket_path) if unix else (broker.host, broker.port)

    def listens() -> bool:
        # paho leaves a socket open that nobody listens to.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as knock,
        ):
            knock.connect(place)
            return True
        return False

    eventually(listens, what="broker")
    client.connect(place if unix else broker.host, broker.port or 1883)


def until(services: Any, condition: Any, what: str = "condition", within_s: float = 10.0) -> None:
    eventually(lambda: services.deliver() and condition(), what=what, within_s=within_s)


def joined(services: Any, *buses: MqttBus) -> None:
    """Wait until subscriptions hold: a message of each has come back to it."""
    seen: set[str] = set()
    for bus in buses:
        probe = f"vigilar/test/{topics.service_level(bus.service)}"
        bus.subscribe(probe, lambda message: seen.add(message.source))

    def back() -> bool:
        for bus in buses:
            if bus.service not in seen:
                bus.publish_state(f"vigilar/test/{topics.service_level(bus.service)}", {})
        return len(seen) == len(buses)

    until(services, back, "all joined")


class MadeLedger:
    """Acknowledges every event it sees, and can be told to stay silent."""

    def __init__(self, services: Any) -> None:
        self.bus: MqttBus = services.make("ledger")
        self.seen: list[tuple[str, Envelope]] = []
        self.silent = False
        self.bus.subscribe_raw(topics.ALL, self._receive)
        self.listen()

    def listen(self) -> None:
        state = {"state": "online", "listens": True}
        self.bus.publish_state(topics.service_state("ledger"), state, retain=True)

    def _receive(self, topic: str, envelope: Envelope) -> None:
        if envelope.kind is None or self.silent:
            return
        self.seen.append((topic, envelope))
        data = {"ids": [envelope.id], "refused": {}}
        self.bus.publish_state(topics.acknowledgement(envelope.source), data)


def test_a_state_reaches_everybody_and_oneself(services: Any) -> None:
    alarm, camera = services.make("alarm"), services.make("camera:hall")
    found: list[Message] = list[Any]()
    alarm.subscribe(topics.ALL_CAMERAS, found.append)
    camera.subscribe(topics.ALL_CAMERAS, found.append)
    joined(services, alarm, camera)
    camera.publish_state("vigilar/camera/hall/heartbeat", {"fps": 25})
    until(services, lambda: len(found) == 2)
    assert {(m.topic, m.source, m.data["fps"]) for m in found} == {
        ("vigilar/camera/hall/heartbeat", "camera:hall", 25)
    }


@BOTH
def test_a_retained_state_waits_for_those_who_come_later(services: Any) -> None:
    alarm = services.make("alarm")
    joined(services, alarm)
    alarm.publish_state(topics.ARM_STATE, {"state": "DISARMED"}, retain=True)
    late, found = services.make("web"), list[Any]()
    late.subscribe(topics.ARM_STATE, found.append)
    until(services, lambda: found)
    assert found[0].data == {"state": "DISARMED"}


def test_a_service_is_online_and_says_goodbye(services: Any) -> None:
    web, found = services.make("web"), list[Any]()
    web.subscribe("vigilar/service/+/state", lambda m: found.append((m.source, m.data["state"])))
    joined(services, web)
    camera = services.make("camera:hall")
    until(services, lambda: ("camera:hall", "online") in found)
    services.made.remove(camera)
    camera.close()
    until(services, lambda: ("camera:hall", "offline") in found)


@BOTH
def test_the_broker_tells_when_a_service_dies(services: Any, tmp_path: Path) -> None:
    web, found = services.make("web"), list[Any]()
    web.subscribe("vigilar/service/+/state", lambda m: found.append((m.source, m.data["state"])))
    camera = services.make("camera:hall")
    until(services, lambda: ("camera:hall", "online") in found)
    connection = camera._link._current
    assert connection is not None
    connection.client.socket().shutdown(2)
    until(services, lambda: ("camera:hall", "offline") in found, "last will")
    until(services, lambda: found[-1] == ("camera:hall", "online"), "reconnection")


@BOTH
def test_an_event_is_kept_until_the_ledger_has_it(services: Any) -> None:
    camera = services.make("camera:hall")
    joined(services, camera)
    new_id = camera.publish_event(MOTION, confidence=0.5)
    services.deliver()
    assert camera.pending == 1
    ledger = MadeLedger(services)
    until(services, lambda: camera.pending == 0, "acknowledgement", within_s=15)
    topic, envelope = ledger.seen[-1]
    assert (topic, envelope.id, envelope.kind) == (MOTION, new_id, "motion_start")
    assert envelope.data == {"confidence": 0.5}


def test_events_wait_in_the_spool_for_a_later_life(services: Any) -> None:
    camera = services.make("camera:hall")
    ids = [camera.publish_event(MOTION, n=n) for n in range(5)]
    services.made.remove(camera)
    camera.close()
    ledger = MadeLedger(services)
    joined(services, ledger.bus)
    again = services.make("camera:hall")
    until(services, lambda: again.pending == 0 and len(ledger.seen) >= 5)
    found = {envelope.id: envelope.data["n"] for _, envelope in ledger.seen}
    assert list(found.items()) == list(zip(ids, range(5), strict=True))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are sent again after less time than people would choose."""
    monkeypatch.setattr("vigilar_core.bus.window._FIRST_PATIENCE_S", 0.3)


@pytest.mark.usefixtures("impatient")
def test_an_unacknowledged_event_is_sent_again_signed_anew(services: Any) -> None:
    ledger = MadeLedger(services)
    ledger.silent = True
    camera = services.make("camera:hall")
    sightings: list[Envelope] = list[Any]()
    ledger.bus.subscribe_raw(MOTION, lambda topic, envelope: sightings.append(envelope))
    joined(services, ledger.bus, camera)
    camera.publish_event(MOTION)
    until(services, lambda: len({each.sent_us for each in sightings}) >= 2, "a resend")
    assert len({(each.id, each.time_us) for each in sightings}) == 1


@pytest.mark.usefixtures("impatient")
def test_a_resend_reaches_an_ordinary_handler_once(services: Any) -> None:
    ledger = MadeLedger(services)
    ledger.silent = True
    alarm, camera, found = services.make("alarm"), services.make("camera:hall"), list[Any]()
    alarm.subscribe(topics.ALL_CAMERAS, found.append)
    joined(services, alarm, camera)
    camera.publish_event(MOTION)
    until(services, lambda: camera.counters["events_sent"] >= 2, "a resend")
    until(services, lambda: alarm.counters["duplicates"] >= 1)
    assert len(found) == 1


def test_events_wait_for_a_ledger_that_listens_and_then_come_in_order(services: Any) -> None:
    camera = services.make("camera:hall")
    joined(services, camera)
    ids = [camera.publish_event(MOTION) for _ in range(3)]
    services.deliver()
    assert camera.counters["events_sent"] == 0
    ledger = MadeLedger(services)
    until(services, lambda: camera.pending == 0)
    ledger.bus.publish_state(topics.service_state("ledger"), {"state": "offline"}, retain=True)
    until(services, lambda: not camera._ledger_listens)
    ids += [camera.publish_event(MOTION) for _ in range(3)]
    services.deliver()
    assert camera.pending == 3
    ledger.listen()
    until(services, lambda: camera.pending == 0)
    assert list({envelope.id: None for _, envelope in ledger.seen}) == ids


def test_a_refused_event_leaves_the_spool(services: Any) -> None:
    ledger, camera = MadeLedger(services), services.make("camera:hall")
    ledger.silent = True
    joined(services, ledger.bus, camera)
    new_id = camera.publish_event(MOTION)
    until(services, lambda: camera.counters["events_sent"] > 0)
    data = {"ids": [], "refused": {new_id: "unknown kind"}}
    ledger.bus.publish_state(topics.acknowledgement("camera:hall"), data)
    until(services, lambda: camera.pending == 0)
    assert camera.counters["events_refused"] == 1


def test_only_the_ledger_acknowledges(services: Any) -> None:
    alarm, camera = services.make("alarm"), services.make("camera:hall")
    joined(services, alarm, camera)
    new_id = camera.publish_event(MOTION)
    data = {"ids": [new_id], "refused": {}}
    alarm.publish_state(topics.acknowledgement("camera:hall"), data)
    until(services, lambda: camera.counters["untrusted"] == 1)
    assert camera.pending == 1


def test_a_raising_handler_costs_only_its_own_call(services: Any) -> None:
    alarm, found = services.make("alarm"), list[Any]()

    def fail(message: Message) -> None:
        raise ValueError("handler bug")

    alarm.subscribe("vigilar/ups/status", fail)
    alarm.subscribe("vigilar/ups/status", found.append)
    joined(services, alarm)
    for n in range(3):
        alarm.publish_state("vigilar/ups/status", {"n": n})
    until(services, lambda: len(found) == 3)
    assert alarm.counters["handler_errors"] == 3


@BOTH
def test_messages_of_strangers_are_dropped_and_counted(
    services: Any, stranger: mqtt.Client
) -> None:
    alarm, found = services.make("alarm"), list[Any]()
    alarm.subscribe(topics.ALL, found.append)
    joined(services, alarm)
    found.clear()
    forged = {"id": "01" * 16, "kind": "motion_start", "data": {}, "source": "camera:hall"}
    for payload in (b"", b"{}", b"\xff\xfe", json.dumps(forged).encode(), b'{"sig":"' * 99):
        stranger.publish(MOTION, payload, 1)
    stranger.publish(topics.acknowledgement("alarm"), b'{"ids":[]}', 1, retain=True)
    until(services, lambda: alarm.counters["untrusted"] >= 5)
    alarm.publish_state("vigilar/ups/status", {})
    until(services, lambda: found)
    assert {message.source for message in found} == {"alarm"}


def test_a_signed_message_on_another_topic_is_dropped(services: Any, stranger: mqtt.Client) -> None:
    alarm, found, heard = services.make("alarm"), list[Any](), list[Any]()
    alarm.subscribe("vigilar/ups/#", found.append)
    joined(services, alarm)
    stranger.on_message = lambda client, userdata, message: heard.append(message)
    stranger.subscribe("vigilar/ups/status", 1)
    alarm_sent = {"charge": 3}

    def repeat() -> bool:
        alarm.publish_state("vigilar/ups/status", alarm_sent)
        return bool(heard)

    until(services, repeat)
    stranger.publish("vigilar/ups/low_battery", heard[0].payload, 1)
    until(services, lambda: alarm.counters["untrusted"] == 1)
    assert {message.topic for message in found} == {"vigilar/ups/status"}


def test_an_undeclared_topic_and_unwritable_fields_are_the_callers_error(services: Any) -> None:
    camera = services.make("camera:hall")
    with pytest.raises(ValueError, match="no event kind"):
        camera.publish_event("vigilar/camera/hall/dance")
    for wrong in (object(), float("nan"), b"bytes", {1, 2}):
        with pytest.raises(ValueError, match="JSON"):
            camera.publish_event(MOTION, field=wrong)
    with pytest.raises(ValueError, match=r"longer|at most"):
        camera.publish_event(MOTION, field="x" * 300_000)
    assert camera.pending == 0


def test_events_that_cause_each_other_without_end_are_stopped(services: Any) -> None:
    camera = services.make("camera:hall")
    last = Event(
        "01" * 16,
        "motion_start",
        MOTION,
        "camera/hall",
        "camera:hall",
        1,
        Severity.INFO,
        {},
        5,
        None,
        MAX_HOPS,
    )
    camera.publish_event(MOTION, caused_by=last)
    assert (camera.pending, camera.counters["loops_stopped"]) == (0, 1)


@BOTH
def test_a_reader_of_events_gets_what_was_missed_and_what_comes(services: Any) -> None:
    ledger, web, found = services.make("ledger"), services.make("web"), list[Any]()
    made = [
        Event(
            f"{n:032x}",
            "motion_start",
            MOTION,
            "camera/hall",
            "camera:hall",
            n,
            Severity.INFO,
            {},
            n,
        )
        for n in range(1, 8)
    ]

    def reply(topic: str, envelope: Envelope) -> None:
        after = envelope.data["after"]
        events = [event_to_json(each) for each in made[after:5]]
        answer = {"reader": envelope.data["reader"], "after": after, "head": 5, "events": events}
        ledger.publish_state(topics.replay(envelope.source), answer)

    ledger.subscribe_raw(topics.REPLAY_REQUEST, reply)
    joined(services, ledger)
    web.subscribe_events(found.append, after=2)
    until(services, lambda: len(found) == 3)
    batch = {"previous": 5, "head": 7, "events": [event_to_json(each) for each in made[5:]]}
    ledger.publish_state(topics.COMMITTED, batch)
    ledger.publish_state(topics.COMMITTED, batch)
    until(services, lambda: len(found) == 5)
    assert found == made[2:]


def test_a_broker_that_comes_late_and_goes_away_is_waited_for(
    broker: BrokerAddress, tmp_path: Path
) -> None:
    run = tmp_path / "other"
    address = BrokerAddress(socket_path=run / "broker" / "bus.sock", program=broker.program)
    bus = MqttBus(address, "alarm", bytes(32), EventCatalogue(), tmp_path / "spool", SystemClock())
    bus.start()
    try:
        for _ in range(2):
            eventually(lambda: bus.trouble, what="trouble")
            with _running(address, run):
                eventually(lambda: bus.connected, what="connection")
            eventually(lambda: not bus.connected, what="disconnection")
    finally:
        bus.close()


@pytest.mark.parametrize("broker", ["amqtt"], indirect=True)
def test_a_wrong_password_is_told_and_tried_again(broker: BrokerAddress, tmp_path: Path) -> None:
    wrong = replace(broker, password=Secret("guess"))
    bus = MqttBus(wrong, "alarm", bytes(32), EventCatalogue(), tmp_path / "s", SystemClock())
    bus.start()
    eventually(lambda: "refused" in bus.trouble and "guess" not in bus.trouble, what="refusal")
    assert not bus.connected
    bus.close()
