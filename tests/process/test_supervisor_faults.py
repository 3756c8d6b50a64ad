"""Plugins that hang, crash, or cannot be configured, beside one that must not notice."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.conftest import Workshop
from vigilar_core.testing import Installation, eventually

STEADY = """
    @hookimpl
    def poll(context):
        pass
"""
HANGS = """
    from vigilar_core.context import Service

    @hookimpl
    def register_services(settings):
        return [Service({name!r}, beat_timeout_s=1.0)]

    @hookimpl
    def poll(context):
        {way}
"""
CRASHES = """
    import os, signal

    @hookimpl
    def service_start(context):
        os.kill(os.getpid(), signal.SIGSEGV)
"""
FAILS = """
    @hookimpl
    def service_start(context):
        raise OSError("no such dongle: rtsp://joe:tops3cret@dongle/")
"""
WAYS = {"loops": "while True: pass", "blocks": "import ctypes; ctypes.PyDLL(None).sleep(60)"}


@pytest.fixture(scope="module")
def troubled(shared_workshop) -> Installation:
    """One plugin that works, and four that do not, each in its own way."""
    shared_workshop.plugin("steady", STEADY)
    shared_workshop.plugin("crashes", CRASHES)
    shared_workshop.plugin("fails", FAILS)
    for name, way in WAYS.items():
        shared_workshop.plugin(name, HANGS.format(name=name, way=way))
    house = shared_workshop.installation()
    house.start("--only", "steady,crashes,fails,loops,blocks")
    house.running("steady")
    return house


@pytest.mark.parametrize("name", WAYS)
def test_a_hook_that_never_returns_is_ended_with_its_stack_in_the_log(
    troubled: Installation, name: str
) -> None:
    found = eventually(
        lambda: troubled.services()[name]["restarts"] >= 1 and troubled.services()[name],
        within_s=20,
    )
    assert found["failures_in_a_row"] >= 1
    records = [json.loads(line) for line in troubled.log.read_text().splitlines()]
    said = [record["event"] for record in records if record["service"] == name]
    assert any("Current thread" in line for line in said)
    assert any(f"made_{name}.py" in line and "in poll" in line for line in said)
    assert any(f"the loop of {name} stood still" in record["event"] for record in records)


def test_a_crash_loop_is_backed_off_with_its_reason(troubled: Installation) -> None:
    eventually(lambda: troubled.services()["crashes"]["failures_in_a_row"] >= 3, within_s=15)
    found = eventually(
        lambda: troubled.services()["crashes"]["next_start_in_s"] and troubled.services()["crashes"]
    )
    assert found["state"] in ("backing_off", "degraded")
    assert "killed by SIGSEGV" in found["reason"]


def test_an_error_of_a_plugin_is_the_reason_that_status_shows(troubled: Installation) -> None:
    eventually(lambda: "no such dongle" in troubled.services()["fails"]["reason"])
    shown = troubled.run("status", check=False)
    assert shown.returncode == 1
    assert "OSError: no such dongle" in shown.stdout
    said = shown.stdout + troubled.log.read_text() + json.dumps(troubled.status())
    assert "tops3cret" not in said


def test_the_trouble_of_others_costs_a_healthy_service_nothing(troubled: Installation) -> None:
    eventually(lambda: troubled.services()["crashes"]["failures_in_a_row"] >= 3, within_s=15)
    steady = troubled.services()["steady"]
    assert (steady["state"], steady["restarts"]) == ("running", 0)
    assert steady["last_beat_s"] < 5.0


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
    """Write and announce a configuration; what the log said before does not count any more."""
    house.running("solo")
    house.log.write_text("")
    text = house.config.read_text().partition("[choir")[0]
    house.config.write_text(text + configuration)
    house.process.send_signal(signal.SIGHUP)


def taken(house: Installation) -> bool:
    return "configuration read again" in house.log.read_text()


@pytest.fixture(scope="module")
def shared_choir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Two plugins, each with a section of its own; ``choir`` begins with a word."""
    workshop = Workshop(tmp_path_factory.mktemp("choir"))
    for name in ("choir", "solo"):
        workshop.plugin(name, CONFIGURABLE.format(name=name))
    house = workshop.installation('[choir]\nword = "la"\n')
    house.start("--only", "choir,solo")
    yield house
    workshop.close()


@pytest.fixture
def choir(shared_choir: Installation) -> Installation:
    """The same with a good configuration, whatever the test before wrote."""
    reconfigure(shared_choir, '[choir]\nword = "la"\n')
    eventually(lambda: taken(shared_choir), within_s=15)
    shared_choir.running()
    return shared_choir


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


def test_a_module_that_cannot_be_preloaded_costs_the_preloading_only(workshop) -> None:
    workshop.plugin(
        "careless",
        """
        from vigilar_core.context import Service

        @hookimpl
        def register_services(settings):
            return [Service("careless", preload=("bomb",))]
        """,
    )
    workshop.plugin("steady", STEADY)
    (workshop.site / "bomb.py").write_text("import os; os._exit(1)")
    house = workshop.installation()
    house.start("--only", "careless,steady")
    house.running()
    assert "without preloading plugins' modules" in house.log.read_text()


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
        worker = Path(f"/proc/{house.pid('steady')}/environ").read_bytes()
        assert b"NOTIFY_SOCKET" not in worker
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
