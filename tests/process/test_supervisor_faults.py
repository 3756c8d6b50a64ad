"""Plugins that hang, crash, or cannot be configured, beside one that must not notice."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from vigilar_core.testing import Installation, eventually

STEADY = """
    @hookimpl
    def poll(context):
        pass
"""


@pytest.mark.parametrize(
    ("way", "frame"),
    [
        ("while True: pass", "poll"),
        ("import ctypes; ctypes.PyDLL(None).sleep(60)", "poll"),
    ],
    ids=["busy loop", "native call that holds the interpreter"],
)
def test_a_hook_that_never_returns_is_ended_with_its_stack_in_the_log(
    workshop, way: str, frame: str
) -> None:
    workshop.plugin(
        "hangs",
        f"""
        from vigilar_core.context import Service

        @hookimpl
        def register_services(settings):
            return [Service("hangs", beat_timeout_s=1.0)]

        @hookimpl
        def poll(context):
            {way}
        """,
    )
    workshop.plugin("steady", STEADY)
    house = workshop.installation()
    house.start("--only", "hangs,steady")
    house.running("steady")
    steady = house.pid("steady")
    eventually(lambda: "Current thread" in house.log.read_text(), within_s=15)
    eventually(lambda: house.services()["hangs"]["restarts"] >= 1, within_s=10)
    text = house.log.read_text()
    assert f"in {frame}" in text and "made_hangs.py" in text
    assert house.pid("steady") == steady


def test_a_crash_loop_is_backed_off_and_costs_the_others_nothing(workshop) -> None:
    workshop.plugin(
        "crashes",
        """
        import os, signal

        @hookimpl
        def service_start(context):
            os.kill(os.getpid(), signal.SIGSEGV)
        """,
    )
    workshop.plugin("steady", STEADY)
    house = workshop.installation()
    house.start("--only", "crashes,steady")
    house.running("steady")
    steady = house.pid("steady")
    eventually(lambda: house.services()["crashes"]["failures_in_a_row"] >= 3, within_s=15)
    found = eventually(
        lambda: house.services()["crashes"]["next_start_in_s"] and house.services()["crashes"]
    )
    assert found["state"] == "backing_off"
    assert "killed by SIGSEGV" in found["reason"]
    assert (house.pid("steady"), house.services()["steady"]["restarts"]) == (steady, 0)
    assert house.run("status", check=False).returncode == 1


def test_an_error_of_a_plugin_is_the_reason_that_status_shows(workshop) -> None:
    workshop.plugin(
        "fails",
        """
        @hookimpl
        def service_start(context):
            raise OSError("no such dongle: rtsp://joe:tops3cret@dongle/")
        """,
    )
    house = workshop.installation()
    house.start("--only", "fails")
    eventually(lambda: "no such dongle" in house.services().get("fails", {}).get("reason", ""))
    shown = house.run("status", check=False).stdout
    assert "OSError: no such dongle" in shown
    assert "tops3cret" not in shown + house.log.read_text() + json.dumps(house.status())


CONFIGURABLE = """
    from pydantic import Field
    from vigilar_core.config import ConfigSection, SettingsModel
    from vigilar_core.errors import ConfigurationError

    class Options(SettingsModel):
        word: str = Field("fine", description="What is said")

    @hookimpl
    def register_config():
        return [ConfigSection({name!r}, Options)]

    @hookimpl
    def service_start(context):
        if context.settings.section(Options).word == "wrong":
            raise ConfigurationError("the word cannot be said here")
        print("says", context.settings.section(Options).word)

    @hookimpl
    def poll(context):
        pass
"""


def reconfigure(house: Installation, configuration: str) -> None:
    text = house.config.read_text().partition("[choir]")[0]
    house.config.write_text(text + configuration)
    house.process.send_signal(signal.SIGHUP)


@pytest.fixture
def choir(workshop) -> Installation:
    """Two plugins, each with a section of its own; ``choir`` begins with a word."""
    for name in ("choir", "solo"):
        workshop.plugin(name, CONFIGURABLE.format(name=name))
    house = workshop.installation('[choir]\nword = "la"\n')
    house.start("--only", "choir,solo")
    house.running()
    return house


def test_a_reload_restarts_what_changed_and_nothing_else(choir: Installation) -> None:
    before = {name: each["pid"] for name, each in choir.services().items()}
    reconfigure(choir, '[choir]\nword = "lo"\n')
    eventually(lambda: "says lo" in choir.log.read_text(), within_s=15)
    choir.running()
    assert choir.pid("choir") != before["choir"]
    assert choir.pid("solo") == before["solo"]
    assert "restarted: choir" in choir.log.read_text()


@pytest.mark.parametrize("wrong", ["[choir]\nwird = 3\n", "[choir\n"], ids=["unknown key", "TOML"])
def test_a_reload_of_a_bad_configuration_changes_nothing_and_says_why(
    choir: Installation, wrong: str
) -> None:
    before = {name: each["pid"] for name, each in choir.services().items()}
    reconfigure(choir, wrong)
    eventually(lambda: "is refused, the former one stays" in choir.log.read_text(), within_s=15)
    assert {name: each["pid"] for name, each in choir.services().items()} == before
    assert choir.status()["status"] == "running"


def test_exit_code_78_waits_for_a_changed_configuration(choir: Installation) -> None:
    reconfigure(choir, '[choir]\nword = "wrong"\n')
    found = eventually(
        lambda: choir.services()["choir"]["state"] == "degraded" and choir.services()["choir"],
        within_s=15,
    )
    assert found["next_start_in_s"] is None
    assert "cannot be said here" in found["reason"]
    reconfigure(choir, '[choir]\nword = "right"\n')
    eventually(lambda: "says right" in choir.log.read_text(), within_s=15)
    choir.running()


def test_a_bad_configuration_is_told_in_one_run_with_exit_code_78(workshop) -> None:
    workshop.plugin("choir", CONFIGURABLE.format(name="choir"))
    house = workshop.installation('[choir]\nwird = "la"\n[sistem]\n[runtime]\ngroups = 3\n')
    answer = house.run("start", check=False)
    assert answer.returncode == 78
    for name in ("choir.wird", "sistem", "runtime.groups"):
        assert name in answer.stderr


def test_services_of_a_group_share_a_process_and_each_has_its_own_heart(workshop) -> None:
    for name in ("one", "two", "three"):
        workshop.plugin(name, STEADY)
    house = workshop.installation('[runtime]\ngroups = { light = ["one", "two"] }\n')
    house.start("--only", "one,two,three")
    house.running()
    pids = {name: house.pid(name) for name in ("one", "two", "three")}
    assert pids["one"] == pids["two"] != pids["three"]
    os.kill(pids["one"], signal.SIGKILL)
    eventually(lambda: house.services()["one"]["pid"] not in (None, pids["one"]), within_s=10)
    house.running()
    assert house.pid("one") == house.pid("two")
    assert house.stop(within_s=10.0) == 0


def test_the_service_manager_hears_ready_then_watchdog_then_stopping(
    workshop, tmp_path: Path
) -> None:
    workshop.plugin("steady", STEADY)
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)

        def listen() -> None:
            while not heard or not heard[-1].startswith(b"STOPPING=1"):
                heard.append(listener.recv(4096))

        hearing = threading.Thread(target=listen, daemon=True)
        hearing.start()
        house = workshop.installation(
            variables={
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "900000",
            }
        )
        house.start("--only", "steady")
        eventually(lambda: b"READY=1\nSTATUS=1 of 1 workers run" in heard, within_s=20)
        fed = heard.count(b"WATCHDOG=1")
        eventually(lambda: heard.count(b"WATCHDOG=1") >= fed + 3)
        house.stop()
        hearing.join(10)
    assert heard[-1].startswith(b"STOPPING=1")


def test_a_supervisor_that_stands_still_feeds_no_watchdog(workshop, tmp_path: Path) -> None:
    workshop.plugin("steady", STEADY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(1.5)
        house = workshop.installation(
            variables={
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "900000",
            }
        )
        house.start("--only", "steady")
        eventually(lambda: house.status().get("status") == "running", within_s=20)
        house.process.send_signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            while listener.recv(4096):
                pass
        house.process.send_signal(signal.SIGCONT)
        assert listener.recv(4096)
