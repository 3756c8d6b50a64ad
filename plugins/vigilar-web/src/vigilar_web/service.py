"""The service ``web``: one server, watched from the service's own loop."""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Sequence

import sqlalchemy as sa

from vigilar_core.config.core import Database
from vigilar_core.context import ServiceContext
from vigilar_core.errors import ConfigurationError, Problem, TransientError
from vigilar_core.events import Event
from vigilar_core.health import Health, HealthState
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import require_migrated
from vigilar_web import guests
from vigilar_web.application import create_app
from vigilar_web.certificate import Certificate, own_names, self_signed
from vigilar_web.cookie_key import cookie_key
from vigilar_web.hosts import is_loopback
from vigilar_web.server import Server
from vigilar_web.settings import WebSettings
from vigilar_web.surroundings import Web
from vigilar_web.tables import TABLES

#: The server is asked for a sign of life this often, seconds.
CHECK_EVERY_S = 3.0
_PAUSE_S = 0.2
_log = logging.getLogger(__name__)


class WebService:
    """Serves until the service shall end; beats only while the server answers."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._own = context.settings.section(WebSettings)
        self.web = Web(
            settings=context.settings,
            bus=context.bus,
            clock=context.clock,
            catalogue=context.catalogue,
            paths=context.paths,
            database=_open_database(context),
            key=context.storage_key,
            host_names=(*own_names(), *self._own.allowed_hosts, self._own.host),
        )
        self._certificate = self._find_certificate()
        context.bus.subscribe_events(self._committed)
        self.web.camera_states.listen(context.bus)
        self._app = create_app(
            self.web,
            guests.parts(context, self.web),
            cookie_key=cookie_key(context.paths.data_dir),
        )

    def run(self) -> None:
        """Serve on loopback until an administrator exists, then where the configuration says.

        :raises TransientError: the server died or cannot listen
        """
        while not self._context.stopping:
            setting_up = self.web.needs_set_up
            self.web.hub.reopen()
            server = Server(self._app, self._binds(), self._certificate)
            server.start()
            self._announce(server, setting_up)
            try:
                self._watch(server, setting_up)
            finally:
                server.stop(before_cut=self.web.hub.close)

    def health(self) -> Health:
        """What ``health_check`` answers."""
        figures = {
            "streams": float(self.web.streams.open),
            "listeners": float(self.web.hub.listeners),
        }
        if self.web.needs_set_up:
            return Health(
                HealthState.DEGRADED,
                "nobody has set up the web interface yet",
                "Open the address in the log, or in web/setup-url of the runtime folder",
                figures,
            )
        if self.web.broken_parts:
            names = ", ".join(self.web.broken_parts)
            return Health(
                HealthState.DEGRADED, f"pages cannot be shown: {names}", "See the log", figures
            )
        return Health(figures=figures)

    def _watch(self, server: Server, setting_up: bool) -> None:
        due_s = 0.0
        while self.web.waits_for_set_up() is setting_up:
            now_s = self._context.clock.monotonic_s()
            if now_s >= due_s:
                self._require_answer(server)
                due_s = self._context.clock.monotonic_s() + CHECK_EVERY_S
            if not self._context.wait(_PAUSE_S if setting_up else 1.0):
                return

    def _require_answer(self, server: Server) -> None:
        """Return once the server answers; until then nothing beats."""
        pause = threading.Event()
        while not server.answers():
            if not server.running:
                raise TransientError("the web server ended by itself")
            pause.wait(_PAUSE_S)

    def _committed(self, event: Event) -> None:
        self.web.camera_states.note(event)
        self.web.hub.publish(event)

    def _binds(self) -> Sequence[tuple[str, int]]:
        host = self._own.host
        if self.web.needs_set_up and not is_loopback(host):
            host = "127.0.0.1"
        return [(host, self._own.port)]

    def _announce(self, server: Server, setting_up: bool) -> None:
        scheme = "https" if self._own.tls else "http"
        port = server.addresses[0][1]
        if setting_up:
            address = self.web.setup_token.announce(f"{scheme}://localhost:{port}")
            _log.warning("set Vigilar up here, on this machine: %s", address)
        else:
            self.web.setup_token.forget()
            _log.info("serving on %s://%s:%d", scheme, self._own.host, port)

    def _find_certificate(self) -> Certificate | None:
        if not self._own.tls:
            return None
        if self._own.tls_cert is None or self._own.tls_key is None:
            now = datetime.datetime.fromtimestamp(self._context.clock.time_us() / 1e6, datetime.UTC)
            return self_signed(self._context.paths.data_dir / "certs", now, own_names())
        for key, path in (("tls_cert", self._own.tls_cert), ("tls_key", self._own.tls_key)):
            if not path.is_file():
                raise ConfigurationError(
                    [
                        Problem(
                            f"web.{key}",
                            f"there is no file {path}",
                            "leave both keys empty to have one made",
                        )
                    ]
                )
        return Certificate(self._own.tls_cert, self._own.tls_key)


def _open_database(context: ServiceContext) -> sa.Engine:
    configured = context.settings.section(Database).url.reveal()
    engine = open_engine(store_url(context.paths.data_dir, configured))
    require_migrated(engine, [("vigilar-web", TABLES)])
    return engine
