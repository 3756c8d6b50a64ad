"""Attack class 25: strangers on the private broker of a running Vigilar."""

from __future__ import annotations

import json
import random
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.security.estate import Estate
from tests.survive.outside_ledger import OutsideLedger
from vigilar_core.testing import eventually

pytestmark = pytest.mark.rtsp

COUNT: Final = 10_000
REAL_TOPICS: Final = (
    "vigilar/camera/hall/motion/start", "vigilar/camera/hall/record", "vigilar/camera/hall/state",
    "vigilar/camera/hall/live/watch", "vigilar/camera/hall/recording/sealed",
    "vigilar/camera/hall/recording/deleted", "vigilar/ledger/committed",
    "vigilar/ledger/replay/request", "vigilar/ledger/cursor",
    "vigilar/ledger/acknowledgement/camera.hall", "vigilar/ledger/replay/web",
    "vigilar/service/ledger/state", "vigilar/service/broker/probe", "vigilar/system/arm_state",
    "vigilar/web/signed_in", "vigilar/system/disk_full", "vigilar/sensor/door/opened",
)  # fmt: skip


@contextmanager
def stranger(estate: Estate) -> Iterator[mqtt.Client]:
    """A client without the installation's secret; hears everything that is said."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, transport="unix", client_id="stranger"
    )
    client.max_queued_messages_set(0)
    client.connect(str(estate.vigilar.folder / "run" / "broker" / "bus.sock"))
    client.loop_start()
    try:
        eventually(client.is_connected)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def random_topic(chance: random.Random) -> str:
    if chance.random() < 0.6:
        return chance.choice(REAL_TOPICS)
    levels = ["vigilar", "camera", "hall", "..", "", " ", "é", "$SYS", "zigbee2mqtt", "service"]
    chosen = [chance.choice(levels) for _ in range(chance.randrange(1, 12))]
    return "/".join(["vigilar", *chosen])[:300]


def random_payload(chance: random.Random, overheard: list[bytes]) -> bytes:
    way = chance.randrange(5)
    if way == 0:
        return chance.randbytes(chance.choice((0, 1, 20, 300, 5000)))
    if way == 1:
        return json.dumps(unsigned(chance)).encode()
    if way == 2:
        body = json.dumps(unsigned(chance), separators=(",", ":"))
        return f'{body[:-1]},"sig":"{chance.randbytes(32).hex()}"}}'.encode()
    if way == 3:
        return b"[" * chance.randrange(1, 20_000)
    data = bytearray(chance.choice(overheard))
    for _ in range(chance.randrange(1, 4)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def unsigned(chance: random.Random) -> dict[str, object]:
    """An envelope as ours look, but for the signature."""
    now_us = time.time_ns() // 1000
    kinds = ("motion_start", "recording_deleted", "user_signed_in", None, "x" * 70)
    return {
        "id": chance.randbytes(16).hex(), "seq": chance.randrange(9),
        "source": chance.choice(("ledger", "camera:hall", "web", "supervisor")),
        "time": now_us, "sent": now_us, "kind": chance.choice(kinds),
        "data": {"action": "start", "who": "stranger", "zones": "forged", "state": "online",
                 "ids": ["0" * 32], "refused": {}, "previous": 0, "head": 10**9, "events": []},
        "caused_by": None, "hops": 0, "lasting": chance.random() < 0.5,
    }  # fmt: skip


def test_only_the_owner_reaches_the_private_broker(estate: Estate) -> None:
    folder = estate.vigilar.folder / "run" / "broker"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_class_25_ten_thousand_messages_of_a_stranger_change_nothing(
    estate: Estate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house, chance = estate.house, random.Random(25)
    pids = {name: each["pid"] for name, each in estate.vigilar.services().items()}
    recordings, before = house.recordings("hall"), house.newest()
    overheard: list[bytes] = []
    with OutsideLedger(estate.vigilar, tmp_path_factory.mktemp("outside"), 0.05) as outside:
        outside.flowing()
        with stranger(estate) as client:
            client.on_message = lambda _client, _data, message: overheard.append(message.payload)
            client.subscribe("vigilar/#", qos=0)
            eventually(lambda: len(overheard) > 50, within_s=20, what="signed messages overheard")
            client.unsubscribe("vigilar/#")
            sent = [
                client.publish(random_topic(chance), random_payload(chance, overheard), qos=1)
                for _ in range(COUNT)
            ]
            for each in sent:
                each.wait_for_publish(60)
            assert all(each.is_published() for each in sent), "the broker took them all"
        outside.flowing()
        outside.drained()
        assert outside.notes.lost(house.database) == set()

    assert {name: each["pid"] for name, each in estate.vigilar.services().items()} == pids
    assert "Traceback" not in estate.vigilar.log.read_text()
    fresh = house.rows("SELECT * FROM events WHERE sequence > :before", before=before)
    assert {row["kind"] for row in fresh} <= {"service_started", "messages_untrusted"}
    assert not [row for row in fresh if "stranger" in row["data"] or "forged" in row["data"]]
    told = [json.loads(each["data"])["count"] for each in house.events("messages_untrusted")]
    assert sum(told) > 0
    assert house.recordings("hall")[: len(recordings)] == recordings
    assert estate.administrator().get("/").status_code == 200


def test_class_25_a_signed_message_sent_again_on_another_topic_or_later_is_refused(
    estate: Estate,
) -> None:
    overheard: list[tuple[str, bytes]] = []
    with stranger(estate) as client:
        client.on_message = lambda _client, _data, message: overheard.append(
            (message.topic, message.payload)
        )
        client.subscribe("vigilar/#", qos=0)
        estate.house.camera.cut()
        eventually(
            lambda: [each for each in overheard if each[0].endswith("/offline")], within_s=20
        )
        estate.house.camera.restore()
        before = estate.house.newest()
        topic, payload = next(each for each in overheard if each[0].endswith("/offline"))
        for other in (topic, topic.replace("hall", "garden").replace("offline", "stalled")):
            for _ in range(20):
                client.publish(other, payload, qos=1).wait_for_publish(10)
    estate.administrator()
    eventually(lambda: estate.house.events("camera_online", after=before), within_s=20)
    ids = estate.house.rows(
        "SELECT id, count(*) AS number FROM events GROUP BY id HAVING number > 1"
    )
    assert ids == []
    assert estate.house.events("camera_stalled", after=before) == []
