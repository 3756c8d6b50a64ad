"""What tests of all packages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_CHROMIUM = Path("/usr/bin/chromium")
#: No sandbox: the tests may run as root. No background traffic: there is nobody to answer it.
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one real browser of a test process; each test opens contexts of its own in it."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not _CHROMIUM.exists():
        pytest.fail("Chromium is missing; scripts/test installs it")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_SWITCHES))
        yield browser
        browser.close()
