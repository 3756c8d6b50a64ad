"""The service in a thread, over a context that counts its beats."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint
from web_house import ALL_KINDS, PASSWORD_HASH, House

from vigilar_core.clock import SystemClock
from vigilar_core.config import Secret
from vigilar_core.errors import ConfigurationError, NotReadyError
from vigilar_core.health import HealthState
from vigilar_core.plugins.host import PluginHost
from vigilar_core.testing import FakeBus, FakeSettings, eventually
from vigilar_core.web import NavigationEntry, Role, WebPart, access
from vigilar_web import service as service_module
from vigilar_web.plugin import WebPlugin
from vigilar_web.service import WebService
from vigilar_web.settings import WebSettings


class Context:
    """A service context whose beats are counted."""

    def __init__(self, house: House, own: WebSettings) -> None:
        self.guests: dict[str, Callable[..., Any]] = {}
        [self.service] = WebPlugin().register_services(FakeSettings())
        self.settings = FakeSettings([own])
        self.clock = SystemClock()
        self.bus = FakeBus(ALL_KINDS, clock=self.clock)
        self.catalogue = self.bus.catalogue
        self.paths = house.paths
        self.beats = 0
        self._stop = threading.Event()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def wait(self, timeout_s: float) -> bool:
        self.beats += 1
        return not self._stop.wait(min(timeout_s, 0.05))

    def hosted(self, hook: str) -> Mapping[str, Callable[..., Any]]:
        assert hook in self.service.hosts
        return self.guests

    def storage_key(self) -> bytes:
        return bytes(32)

    def camera(self, camera_id: str) -> Any:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "CHECK_EVERY_S", 0.1)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def settings(**more: Any) -> WebSettings:
    return WebSettings(port=free_port(), **more)


@contextmanager
def running(house: House, own: WebSettings) -> Iterator[tuple[WebService, Context]]:
    context = Context(house, own)
    found = WebService(context)  # type: ignore[arg-type]
    thread = threading.Thread(target=found.run)
    thread.start()
    try:
        eventually(lambda: status(own, "/health/live") == 200, what="it serves")
        yield found, context
    finally:
        context.stop()
        thread.join(6)
        assert not thread.is_alive()


def status(own: WebSettings, path: str) -> int:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", own.port, context=ssl._create_unverified_context(), timeout=5
    )
    try:
        connection.request("GET", path, headers={"Accept": "text/html", "Host": "localhost"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_it_serves_with_a_certificate_of_its_own(house: House) -> None:
    own = settings(password_hash=Secret(PASSWORD_HASH))
    with running(house, own) as (service, _):
        assert status(own, "/sign-in") == 200
        assert (house.paths.data_dir / "certs" / "web-key.pem").stat().st_mode & 0o777 == 0o600
        assert service.health().state is HealthState.OK


def test_it_beats_only_while_the_server_answers(house: House) -> None:
    with running(house, settings(password_hash=Secret(PASSWORD_HASH))) as (service, context):
        before = context.beats
        eventually(lambda: context.beats > before + 5, what="it beats")
        views = service._app.view_functions
        answer, views["health.live"] = views["health.live"], lambda: ("no", 500)
        still = eventually(lambda: stands_still(context), what="the beat stops")
        views["health.live"] = answer
        eventually(lambda: context.beats > still, what="it beats again")


def stands_still(context: Context) -> int:
    before = context.beats
    threading.Event().wait(0.5)
    return before if context.beats == before else 0


def test_it_ends_soon_after_it_was_asked_to(house: House) -> None:
    with running(house, settings(password_hash=Secret(PASSWORD_HASH))) as (_, context):
        context.stop()
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_until_set_up_it_listens_on_loopback_and_then_where_it_should(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    listened: list[str] = []
    real = service_module.Server

    def server(app: Any, binds: Any, certificate: Any) -> Any:
        listened.append(binds[0][0])
        return real(app, binds, certificate)

    monkeypatch.setattr(service_module, "Server", server)
    own = settings()
    with running(house, own) as (service, _):
        assert listened == ["127.0.0.1"]
        url = (house.paths.runtime_dir / "web" / "setup-url").read_text()
        assert url.startswith(f"https://localhost:{own.port}/setup#")
        assert status(own, "/") == 302
        assert service.health().state is HealthState.DEGRADED
        service.web.accounts.add("ada", Role.ADMIN)
        eventually(lambda: listened == ["127.0.0.1", "0.0.0.0"], what="it opens to the network")
        eventually(lambda: status(own, "/sign-in") == 200, what="it serves")
        assert not (house.paths.runtime_dir / "web" / "setup-url").exists()


def test_committed_events_reach_the_listeners(house: House) -> None:
    with running(house, settings(password_hash=Secret(PASSWORD_HASH))) as (service, context):
        with service.web.hub.listen() as listener:
            context.bus.publish_event("vigilar/camera/hall/motion/start", zones="door")
            event = listener.get(5)
        assert event is not None
        assert event.kind == "motion_start"


def test_a_plugin_whose_pages_fail_is_named_and_costs_no_other(house: House) -> None:
    def good(web: Any) -> list[WebPart]:
        blueprint = Blueprint("good", __name__)
        blueprint.get("/good", endpoint="index")(access(Role.ANYONE)(lambda: web.user_name()))
        return [WebPart(blueprint, [NavigationEntry("Good", "good.index", "star")])]

    def bad(web: Any) -> list[WebPart]:
        raise RuntimeError("broken")

    context = Context(house, settings(password_hash=Secret(PASSWORD_HASH)))
    context.guests = {"bad": bad, "good": good}
    service = WebService(context)  # type: ignore[arg-type]
    assert service.web.broken_parts == ["bad"]
    assert service.health().state is HealthState.DEGRADED
    assert service._app.test_client().get("/good").status_code == 200
    assert "Good" in [entry.label for entry in service.web.navigation]


def test_a_certificate_that_is_not_there_is_named(house: House, tmp_path: Path) -> None:
    own = WebSettings(tls_cert=tmp_path / "no.pem", tls_key=tmp_path / "no.key")
    with pytest.raises(ConfigurationError, match=r"web\.tls_cert: there is no file"):
        WebService(Context(house, own))  # type: ignore[arg-type]


def test_a_database_nobody_migrated_is_waited_for(tmp_path: Path, house: House) -> None:
    import dataclasses

    context = Context(house, settings())
    context.paths = dataclasses.replace(house.paths, data_dir=tmp_path / "fresh")
    with pytest.raises(NotReadyError, match="migrated"):
        WebService(context)  # type: ignore[arg-type]


def test_the_plugin_keeps_to_the_contract() -> None:
    host = PluginHost()
    host.register("web", WebPlugin())
    assert set(host.hooks_of("web")) == {
        "health_check", "register_config", "register_event_kinds", "register_services",
        "register_tables", "service_run",
    }  # fmt: skip
    [section] = host.call("register_config")
    assert section.value[0].path == "web"
    [services] = host.call("register_services", settings=FakeSettings())
    assert [service.name for service in services.value] == ["web"]
    json.dumps([kind.name for kind in host.call("register_event_kinds")[0].value])
