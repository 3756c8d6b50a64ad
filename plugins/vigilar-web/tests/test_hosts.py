from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_web.hosts import TrustedProxies, host_allowed, is_loopback

NAMES = ("localhost", "vigilar.local", ".example.org")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:49735", "vigilar.local", "192.168.1.20:49735", "[::1]:1", "10.0.0.1",
     "cam.example.org", "vigilar.local."],
)  # fmt: skip
def test_our_own_names_and_addresses_pass(host: str) -> None:
    assert host_allowed(host, NAMES)


@pytest.mark.parametrize(
    "host",
    ["", "evil.test", "localhost.evil.test", "vigilar.local.evil.test", "evil.test:49735",
     "example.org.evil", "notexample.org", "[::1", "a@localhost.evil", "127.0.0.1.evil.test",
     "2130706433", "0x7f000001"],
)  # fmt: skip
def test_class_26_other_names_do_not_pass(host: str) -> None:
    assert not host_allowed(host, NAMES)


@given(st.text(max_size=300))
def test_no_host_header_raises(host: str) -> None:
    host_allowed(host, NAMES)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("192.168.1.2", False), ("", False),
     (None, False), ("localhost", False)],
)  # fmt: skip
def test_loopback_addresses_are_known(address: str | None, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def seen_through(peer: str, trusted: tuple[str, ...]) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        return []

    environ = {
        "REMOTE_ADDR": peer,
        "HTTP_HOST": "inside",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "SERVER_NAME": "inside",
        "SERVER_PORT": "80",
        "HTTP_X_FORWARDED_FOR": "127.0.0.1",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "outside",
    }
    TrustedProxies(app, trusted)(environ, lambda *_: None)  # type: ignore[arg-type]
    return seen


def test_class_18_forwarded_headers_of_strangers_are_dropped() -> None:
    seen = seen_through("203.0.113.9", ("10.0.0.0/8",))
    assert seen["REMOTE_ADDR"] == "203.0.113.9"
    assert (seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == ("http", "inside")
    assert not [name for name in seen if name.startswith("HTTP_X_FORWARDED")]


def test_forwarded_headers_of_a_trusted_proxy_count() -> None:
    seen = seen_through("10.1.2.3", ("10.0.0.0/8",))
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == (
        "127.0.0.1", "https", "outside",
    )  # fmt: skip
