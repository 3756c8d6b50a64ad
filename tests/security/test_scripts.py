"""Attack class 10: names and messages that are scripts, in a real browser before a real Vigilar."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.security.estate import SCRIPT, Estate
from tests.survive.outside_ledger import OutsideLedger
from vigilar_core.testing import eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.rtsp,
]


@pytest.fixture
def page(chromium: Browser, estate: Estate) -> Iterator[Page]:
    """A page of the administrator."""
    admin = estate.administrator()
    context = chromium.new_context()
    context.add_cookies(
        [{"name": each.name, "value": str(each.value), "url": admin.origin}
         for each in admin.session.cookies]
    )  # fmt: skip
    opened = context.new_page()
    yield opened
    context.close()


def test_class_10_no_name_and_no_message_runs_on_any_page(
    page: Page, estate: Estate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    origin = estate.administrator().origin
    with OutsideLedger(
        estate.vigilar, tmp_path_factory.mktemp("outside"), 0.5, text=SCRIPT
    ) as outside:
        page.goto(f"{origin}/events/")
        outside.flowing()
        dangerous = "document.querySelectorAll('img[src=x]').length"
        for path in (
            "/", "/live", "/live/garden", "/events/", "/recordings/",
            f"/recordings/{estate.recording('garden')}", "/system/", "/users/", "/account/",
            f"/recordings/?camera={SCRIPT}", f"/events/?kind={SCRIPT}", f"/{SCRIPT}",
        ):  # fmt: skip
            page.goto(origin + path)
            assert page.evaluate("window.hacked") is None, path
            assert page.evaluate(dangerous) == 0, path
            assert "49" not in page.inner_text("body").partition("</script>")[2][:4], path
    page.goto(f"{origin}/live/garden")
    assert SCRIPT[:30] in page.inner_text("body"), "the name is shown, as text"


def test_class_10_an_event_that_arrives_runs_nowhere(
    page: Page, estate: Estate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page.goto(f"{estate.administrator().origin}/events/")
    connected = "document.querySelector('[data-feed-state]').textContent === 'Live'"
    eventually(lambda: page.evaluate(connected), within_s=20, what="the page listens")
    shown = "document.querySelectorAll('li.event').length"
    before = page.evaluate(shown)
    estate.house.camera.cut()
    try:
        eventually(lambda: page.evaluate(shown) > before, within_s=20, what="an event arrives")
        garden = "document.querySelector('li.event')?.closest('ul,ol')?.innerText || ''"
        eventually(lambda: "onerror" in str(page.evaluate("document.body.innerText")), within_s=20)
        assert page.evaluate(garden)
        assert page.evaluate("window.hacked") is None
    finally:
        estate.house.camera.restore()


def test_class_10_control_the_script_would_run_where_it_is_taken_for_markup(
    chromium: Browser,
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.set_content(f"<body>{SCRIPT}</body>")
    eventually(lambda: page.evaluate("window.hacked") == 1)
    context.close()
