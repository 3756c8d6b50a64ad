"""A real Chromium before the real server: what people see, and what the browser forbids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_server import LiveServer, live_server
from playwright.sync_api import Browser, Page, expect
from web_house import PASSWORD, House

from vigilar_core.web import Role
from vigilar_web import links
from vigilar_web.settings import WebSettings

pytestmark = pytest.mark.browser
SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'"{{7*7}}'
CAMERAS = {"hall": "Hall", "garden": "Garden", "odd": f"Odd {SCRIPT}"}
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 860}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveServer]:
    with live_server(House(tmp_path, cameras=CAMERAS), tmp_path) as found:
        yield found


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console warned of; scripts or styles it refused among it."""
    return []


def open_page(chromium: Browser, complaints: list[str], viewport: dict[str, int] = DESK) -> Page:
    context = chromium.new_context(ignore_https_errors=True, viewport=viewport)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def sign_in(page: Page, live: LiveServer) -> None:
    """Give the browser a session; the form has a test of its own."""
    name, _, value = live.cookie_for().partition("=")
    page.context.add_cookies(
        [{"name": name, "value": value, "url": live.origin, "secure": True, "httpOnly": True}]
    )


def test_setting_up_from_the_address_of_the_log(
    chromium: Browser, tmp_path: Path, complaints: list[str]
) -> None:
    house = House(tmp_path, settings=WebSettings())
    with live_server(house, tmp_path) as live:
        address = house.web.setup_token.announce(live.origin)
        page = open_page(chromium, complaints)
        page.goto(address)
        expect(page).to_have_url(f"{live.origin}/setup")
        page.get_by_label("Your name here").fill("ada")
        page.get_by_label("Password", exact=True).fill("a phrase to remember")
        page.get_by_label("The same again").fill("a phrase to remember")
        page.get_by_role("button", name="Start protecting").click()
        page.wait_for_url(f"{live.origin}/")
        expect(page.get_by_role("heading", name="Home")).to_be_visible()
        user = house.web.accounts.find("ada")
        assert user is not None
        assert user.role is Role.ADMIN
        page.context.close()
    assert complaints == []


def test_signing_in_and_out_by_hand(
    chromium: Browser, live: LiveServer, complaints: list[str]
) -> None:
    page = open_page(chromium, complaints)
    page.goto(f"{live.origin}/events/?camera=hall")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{live.origin}/events/?camera=hall")
    page.goto(f"{live.origin}/account/")
    page.get_by_role("main").get_by_role("button", name="Sign out").first.click()
    expect(page).to_have_url(f"{live.origin}/sign-in")
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.close()
    assert complaints == []


def test_a_one_time_link_lets_in_and_leaves_no_code_in_the_address(
    chromium: Browser, live: LiveServer, complaints: list[str]
) -> None:
    token = links.mint(live.house.engine, live.house.clock, "admin")
    page = open_page(chromium, complaints)
    page.goto(f"{live.origin}/sign-in/link#{token}")
    expect(page).to_have_url(f"{live.origin}/sign-in/link")
    page.get_by_role("button", name="Sign in with this link").click()
    page.wait_for_url(f"{live.origin}/")
    page.context.close()
    assert complaints == []


def test_new_events_appear_by_themselves_and_are_announced(
    chromium: Browser, live: LiveServer, complaints: list[str]
) -> None:
    page = open_page(chromium, complaints)
    sign_in(page, live)
    page.goto(f"{live.origin}/events/")
    expect(page.get_by_text("All quiet")).to_be_visible()
    expect(page.locator("[data-feed-state]")).to_have_text("Live")
    live.house.happens("vigilar/camera/hall/motion/start", zones="door")
    expect(page.locator(".event .title")).to_have_text(["Movement at Hall"])
    expect(page.locator("[data-feed-announce]")).to_have_text("Movement at Hall")
    late_us = live.house.clock.time_us() - 2 * 86_400 * 1_000_000
    live.house.happens("vigilar/camera/garden/motion/start", time_us=late_us)
    expect(page.locator(".event .title")).to_have_text(["Movement at Hall", "Movement at Garden"])
    assert page.locator("section.day").count() == 2
    page.context.close()
    assert complaints == []


def test_what_happens_while_the_connection_is_gone_is_not_missed(
    chromium: Browser, live: LiveServer
) -> None:
    page = open_page(chromium, [])
    sign_in(page, live)
    page.goto(f"{live.origin}/events/")
    expect(page.locator("[data-feed-state]")).to_have_text("Live")
    live.house.web.hub.close()
    live.house.happens("vigilar/camera/hall/motion/start")
    live.house.web.hub.reopen()
    expect(page.locator(".event .title")).to_have_text(["Movement at Hall"])
    page.context.close()


def test_a_filter_stays_in_the_address_and_holds_for_new_events(
    chromium: Browser, live: LiveServer, complaints: list[str]
) -> None:
    live.house.happens("vigilar/camera/hall/motion/start")
    live.house.happens("vigilar/camera/garden/motion/start")
    page = open_page(chromium, complaints)
    sign_in(page, live)
    page.goto(f"{live.origin}/events/")
    expect(page.locator(".event")).to_have_count(2)
    page.get_by_text("Choose what to see").click()
    page.get_by_label("Camera").select_option("garden")
    expect(page.locator(".event .title")).to_have_text(["Movement at Garden"])
    expect(page).to_have_url(f"{live.origin}/events/?camera=garden")
    live.house.happens("vigilar/camera/hall/motion/start")
    live.house.happens("vigilar/camera/garden/motion/start")
    expect(page.locator(".event .title")).to_have_text(["Movement at Garden"] * 2)
    page.reload()
    expect(page.locator(".event .title")).to_have_text(["Movement at Garden"] * 2)
    page.go_back()
    expect(page.locator(".event")).to_have_count(4)
    page.context.close()
    assert complaints == []


def test_older_events_come_at_a_press(chromium: Browser, live: LiveServer) -> None:
    for number in range(60):
        at_us = live.house.clock.time_us() - (60 - number) * 3_600_000_000
        live.house.happens("vigilar/camera/hall/motion/start", time_us=at_us)
    page = open_page(chromium, [])
    sign_in(page, live)
    page.goto(f"{live.origin}/events/")
    expect(page.locator(".event")).to_have_count(50)
    page.get_by_role("link", name="Older").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".event")).to_have_count(60)
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    page.context.close()


def test_class_10_texts_from_outside_run_nowhere(
    chromium: Browser, live: LiveServer, complaints: list[str]
) -> None:
    house = live.house
    page = open_page(chromium, complaints)
    sign_in(page, live)
    house.happens("vigilar/camera/odd/motion/start", zones=SCRIPT, more=[SCRIPT])
    house.happens("vigilar/web/user_changed", user=SCRIPT, change=SCRIPT, by=SCRIPT)
    for path in ("/", "/events/", "/users/", "/system/", "/account/"):
        page.goto(live.origin + path)
        page.wait_for_load_state("networkidle") if path in ("/users/", "/account/") else None
        assert page.evaluate("window.hacked") is None, path
    page.goto(f"{live.origin}/events/")
    expect(page.locator("[data-feed-state]")).to_have_text("Live")
    house.happens("vigilar/camera/odd/motion/start", zones=SCRIPT)
    expect(page.locator(".event")).to_have_count(3)
    page.locator(".event summary").first.click()
    assert page.evaluate("window.hacked") is None
    expect(page.locator(".event .title").first).to_have_text(f"Movement at Odd {SCRIPT}")
    page.context.close()
    assert complaints == []


def test_the_control_an_inline_script_would_be_refused_aloud(
    chromium: Browser, live: LiveServer, complaints: list[str]
) -> None:
    page = open_page(chromium, complaints)
    page.goto(f"{live.origin}/sign-in")
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        " document.body.append(s); }"
    )
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in text for text in complaints)
    page.context.close()


PAGES = ("/", "/events/", "/events/?camera=hall", "/system/", "/account/", "/users/", "/api/docs")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_fit_are_named_and_quiet(
    chromium: Browser, live: LiveServer, complaints: list[str], viewport: dict[str, int]
) -> None:
    live.house.happens("vigilar/camera/odd/motion/start", zones="x" * 300)
    live.house.happens("vigilar/web/user_changed", user="y" * 200, change="c", by="b")
    page = open_page(chromium, complaints, viewport)
    sign_in(page, live)
    for path in PAGES:
        page.goto(live.origin + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], path
        assert page.evaluate(UNNAMED) == [], path
        assert page.evaluate("document.querySelectorAll('h1').length") == 1, path
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((found) => found.id)")
        assert len(ids) == len(set(ids)), path
    page.context.close()
    assert complaints == []


#: Things to press or fill in that have no name a screen reader could say, or are too small.
UNNAMED = """
() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')]
  .filter((found) => found.checkVisibility())
  .filter((found) => {
    const label = found.labels?.length ? found.labels[0].textContent : '';
    const name = found.getAttribute('aria-label') || label || found.textContent || found.title;
    const box = found.getBoundingClientRect();
    const beside = found.labels?.[0]?.getBoundingClientRect().height || 0;
    return !name.trim() || Math.max(box.height, beside) < 20;
  })
  .map((found) => found.outerHTML.slice(0, 200))
"""


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    chromium: Browser, live: LiveServer
) -> None:
    live.house.happens("vigilar/camera/hall/motion/start")
    page = open_page(chromium, [])
    sign_in(page, live)
    page.goto(f"{live.origin}/events/")
    for expected in ("Skip to the content", "Our house", "Home", "Timeline", "System"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=expected)).to_be_focused()
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid", expected
    page.locator(".event summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Reported by")).to_be_visible()
    page.context.close()


def test_without_scripts_pages_still_read_and_filter(chromium: Browser, live: LiveServer) -> None:
    live.house.happens("vigilar/camera/hall/motion/start")
    context = chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live)
    page.goto(f"{live.origin}/events/?camera=hall")
    expect(page.locator(".event")).to_have_count(1)
    context.close()
