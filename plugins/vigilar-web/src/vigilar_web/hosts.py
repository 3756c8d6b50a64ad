"""Which names this server answers to, and where a request really comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_FORWARDED",
)


def host_name(host: str) -> str:
    """The name within a ``Host`` header, lower case, without port; empty when malformed."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    """Whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(address: str | None) -> bool:
    """Whether an address belongs to this machine only."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def host_allowed(host: str, names: Iterable[str]) -> bool:
    """Whether a ``Host`` header is one of ours.

    Rebinding of DNS needs a name, so any address passes; names pass when listed, those
    below a name with a leading dot too.
    """
    name = host_name(host)
    if not name:
        return False
    if is_address(name):
        return True
    return any(
        name == known.lower() or (known.startswith(".") and name.endswith(known.lower()))
        for known in names
    )


class TrustedProxies:
    """Believes forwarded headers of listed proxies and removes those of everybody else.

    :param networks: addresses or networks of the proxies
    """

    def __init__(self, app: WSGIApplication, networks: Sequence[str]) -> None:
        self._app = app
        self._behind_proxy: Callable[..., Iterable[bytes]] = ProxyFix(
            app, x_for=1, x_proto=1, x_host=1
        )
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            return self._behind_proxy(environ, start_response)
        for name in _FORWARDED:
            environ.pop(name, None)
        return self._app(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)
