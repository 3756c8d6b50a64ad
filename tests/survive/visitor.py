"""Somebody with a browser, without the browser: signs in and asks for pages."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

import requests

from vigilar_core.testing import Installation

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Visitor:
    """A session of requests; use it as a context manager.

    :param link: a one-time link; ``None``: nobody signs in
    """

    def __init__(self, port: int, link: str | None = None) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.session = requests.Session()
        self.session.headers["Accept"] = "text/html"
        if link is not None:
            answer = self.post("/sign-in/link", token=link.partition("#")[2])
            assert answer.status_code == 200, answer.text

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.origin + path, **({"timeout": 15} | options))

    def post(self, path: str, **form: Any) -> requests.Response:
        """Submit a form as the page at the same path would."""
        found = _TOKEN.search(self.get(path).text) or _TOKEN.search(self.get("/account/").text)
        assert found is not None, f"no page of {path} carries a token"
        return self.session.post(
            self.origin + path,
            data={"csrf_token": found[1], **form},
            headers={"Origin": self.origin},
            timeout=15,
        )


def administrator(vigilar: Installation, port: int) -> Visitor:
    """The administrator, made if there is none yet."""
    link = vigilar.run("web", "sign-in-link", "--create-admin").stdout.strip()
    return Visitor(port, link)


def guest(
    vigilar: Installation, port: int, name: str, role: str = "viewer", *cameras: str
) -> Visitor:
    """A new user who may see some cameras, or all."""
    scope = [part for camera in cameras for part in ("--camera", camera)]
    said = vigilar.run("web", "add-user", name, "--role", role, "--no-password", *scope)
    return Visitor(port, said.stdout.strip().splitlines()[-1])
