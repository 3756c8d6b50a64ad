"""The Flask application: our pages, other plugins' pages, and the guard in front of all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from flask_wtf.csrf import CSRFProtect

from vigilar_core.web import NavigationEntry, Role, WebPart
from vigilar_web import error_pages, guard, headers, problem, streams
from vigilar_web.hosts import TrustedProxies
from vigilar_web.pages import PARTS
from vigilar_web.pictures import recording_of, thumbnail_of
from vigilar_web.surroundings import Web
from vigilar_web.whole_requests import BODY_BYTES_MAX

_STATIC = Path(__file__).parent / "static"
_STATIC_ADDRESS = "/static"
_log = logging.getLogger(__name__)


def create_app(web: Web, parts: Iterable[WebPart] = (), *, cookie_key: bytes) -> OpenAPI:
    """The application over its surroundings.

    :param parts: what other plugins contribute
    :param cookie_key: signs the cookie; 32 bytes that outlive a restart
    """
    app = OpenAPI(
        "vigilar_web",
        info=Info(title="Vigilar", version="1"),
        doc_ui=False,
        static_folder=None,
        template_folder="templates",
        security_schemes={
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": cookie_name(web.own.reached_by_tls),
            }
        },
        validation_error_status=422,
        validation_error_model=problem.Problem,
        validation_error_callback=problem.invalid_request,
    )
    _configure(app, web, cookie_key)
    web.attach(app)
    guard.install(app)
    CSRFProtect(app)
    streams.limit_streams(app, web.streams)
    headers.set_headers(app)
    error_pages.install(app)
    _mount(app, web, [_assets(), *PARTS, *parts])
    _prepare_templates(app, web)
    app.wsgi_app = TrustedProxies(app.wsgi_app, web.own.trusted_proxies)  # type: ignore[method-assign]
    return app


def cookie_name(tls: bool) -> str:
    """With TLS a name that browsers hold to this host, path ``/`` and TLS (RFC 6265bis, 4.1.3)."""
    return "__Host-vigilar" if tls else "vigilar"


def _configure(app: Flask, web: Web, cookie_key: bytes) -> None:
    app.config.update(
        SECRET_KEY=cookie_key,
        PREFERRED_URL_SCHEME="https" if web.own.reached_by_tls else "http",
        SESSION_COOKIE_NAME=cookie_name(web.own.reached_by_tls),
        SESSION_COOKIE_SECURE=web.own.reached_by_tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=30 * 86_400,
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # the guard compares Origin, which every browser sends
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        SOCK_SERVER_OPTIONS={"ping_interval": 20, "max_message_size": 4096},
    )
    app.jinja_env.autoescape = True
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}


def _mount(app: OpenAPI, web: Web, parts: Sequence[WebPart]) -> None:
    for part in parts:
        try:
            _register(app, part.blueprint)
        except Exception:  # noqa: BLE001 - the boundary to plugins
            # One blueprint must not cost the family its web; the status page says so.
            _log.exception("the pages of %r cannot be mounted", part.blueprint.name)
            web.broken_parts.append(part.blueprint.name)
            continue
        web.navigation.extend(part.navigation)
    web.navigation[:] = sorted(
        (entry for entry in web.navigation if entry.endpoint in app.view_functions),
        key=lambda entry: (entry.order, entry.label),
    )


def _register(app: OpenAPI, blueprint: Blueprint) -> None:
    if isinstance(blueprint, APIBlueprint):
        app.register_api(blueprint)
    else:
        app.register_blueprint(blueprint)


def _assets() -> WebPart:
    return WebPart(
        Blueprint("vigilar", __name__, static_folder=str(_STATIC), static_url_path=_STATIC_ADDRESS)
    )


def _prepare_templates(app: Flask, web: Web) -> None:
    def values() -> dict[str, Any]:
        person = g.get("person")
        role = person.role if person is not None else Role.ANYONE
        return {
            "house": web.household,
            "person": person,
            "Role": Role,
            "navigation": [entry for entry in web.navigation if role >= entry.role],
            "is_current": _is_current,
            "asset": asset,
            "thumbnail_of": thumbnail_of,
            "recording_of": recording_of,
        }

    app.context_processor(values)


def _is_current(entry: NavigationEntry) -> bool:
    here = (request.endpoint or "").partition(".")[0]
    return here == entry.endpoint.partition(".")[0]


@cache
def asset(name: str) -> str:
    """The address of one of our static files; changes with its content, so it may be kept."""
    mark = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"{_STATIC_ADDRESS}/{name}?v={mark}"
