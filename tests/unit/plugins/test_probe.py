"""Whatever a plugin does while it is asked costs that plugin and nobody else."""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from vigilar_core.plugins import PluginReport, PluginState, installed
from vigilar_core.plugins.probe import probe
from vigilar_core.testing import eventually

Install = Callable[..., str]

GOOD = """
from pydantic import Field
from vigilar_core.config import ConfigSection, Secret, SettingsModel
from vigilar_core.context import Service
from vigilar_core.events import EventKind, Severity
from vigilar_core.hookspecs import hookimpl

class Bells(SettingsModel):
    '''Bells.'''
    volume: int = Field(default=3, ge=0, le=9, description="Loudness")
    token: Secret = Field(default=Secret(), description="Token")

@hookimpl
def register_config():
    return [ConfigSection("bells", Bells)]

@hookimpl
def register_services(settings):
    volume = settings.section(Bells).volume
    return [Service(f"bells:{number}", preload=["json"]) for number in range(volume)]

@hookimpl
def register_event_kinds():
    return [EventKind("rang", "vigilar/bells/{bell}/rang", Severity.INFO, "{bell} rang")]

@hookimpl
def notify(alert):
    pass
"""


def ask(name: str, tables: dict[str, object] | None = None, timeout_s: float = 20) -> PluginReport:
    (found,) = probe([installed()[name]], tables or {}, timeout_s=timeout_s)
    return found


def test_a_good_plugin_tells_all_it_declares(install: Install) -> None:
    install("bells", GOOD)
    found = ask("bells", {"bells": {"volume": 2, "token": "swordfish"}})
    assert (found.state, found.reason, found.remarks) == (PluginState.ENABLED, "", ())
    assert found.hooks == ("notify", "register_config", "register_event_kinds", "register_services")
    assert [(one.name, one.plugin) for one in found.services] == [
        ("bells:0", "bells"),
        ("bells:1", "bells"),
    ]
    assert (found.preload, found.detached) == (("json",), ("notify",))
    assert [kind.name for kind in found.event_kinds] == ["rang"]
    (section,) = found.sections
    assert (section.path, section.owner, list(section.keys)) == (
        "bells",
        "bells",
        ["volume", "token"],
    )
    assert section.values == {"volume": 2, "token": "••••"}
    assert "vigilar_bells" not in sys.modules


def test_wrong_settings_are_problems_and_no_services(install: Install) -> None:
    install("bells", GOOD)
    found = ask("bells", {"bells": {"volume": 10}})
    assert found.state is PluginState.ENABLED
    assert [problem.path for problem in found.problems] == ["bells.volume"]
    assert not found.services
    assert not found.usable


def test_a_problem_of_the_core_is_not_told_by_every_plugin(install: Install) -> None:
    install("bells", GOOD)
    found = ask("bells", {"mqtt": {"port": 0}})
    assert (found.problems, found.services) == ((), ())


def test_times_and_dates_of_toml_reach_the_plugin_as_text(install: Install) -> None:
    install("bells", GOOD)
    found = ask("bells", {"health": {"daily_digest_time": datetime.time(8, 0)}})
    assert found.usable


MARK = "from vigilar_core.hookspecs import hookimpl\n"
#: Writes to every descriptor that might be the one for the answer.
WRITES = """
import json, os
from vigilar_core.plugins import PluginReport
for descriptor in range(3, 20):
    try:
        os.write(descriptor, {})
    except OSError:
        pass
os._exit(0)
"""
FAULTS = {
    "import_error": ("import no_such_module", "cannot be imported: ModuleNotFoundError"),
    "exit": ("import os; os._exit(0)", "ended with exit code 0 before it answered"),
    "exit_code": ("import os; os._exit(7)", "ended with exit code 7"),
    "system_exit": ("raise SystemExit('bye')", "cannot be imported: SystemExit: bye"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "ended by SIGSEGV"),
    "killed": ("import os; os.kill(os.getpid(), 9)", "ended by SIGKILL"),
    "unknown_hook": (MARK + "@hookimpl\ndef on_evnt(event): pass", "on_evnt"),
    "no_hook": ("def on_event(event): pass", "it implements no hook"),
    "raises": (MARK + "@hookimpl\ndef register_config(): 1/0", "register_config raised ZeroDiv"),
    "exits": (
        MARK + "import sys\n@hookimpl\ndef register_event_kinds(): sys.exit()",
        "register_event_kinds raised SystemExit",
    ),
    "no_list": (MARK + "@hookimpl\ndef register_config(): return 3", "must return a sequence of"),
    "no_kinds": (
        MARK + "@hookimpl\ndef register_event_kinds(): return ['a']",
        "must return a sequence of EventKind",
    ),
    "bad_topic": (
        MARK
        + "from vigilar_core.events import EventKind, Severity\n@hookimpl\n"
        + "def register_event_kinds(): return [EventKind('a', 'other/a', Severity.INFO, 'a')]",
        "is no topic below vigilar/",
    ),
    "bad_service": (
        MARK
        + "from vigilar_core.context import Service\n@hookimpl\n"
        + "def register_services(settings): return [Service('a/b')]",
        "name of a service",
    ),
    "bad_section": (
        MARK
        + "from vigilar_core.config import ConfigSection, SettingsModel\n@hookimpl\n"
        + "def register_config(): return [ConfigSection('Not a name', SettingsModel)]",
        "no dotted name of a section",
    ),
    "garbage": (WRITES.format("b'rubbish'"), "its answer cannot be read"),
    "another": (
        WRITES.format("json.dumps(PluginReport('motion', 'vigilar-motion').to_json()).encode()"),
        "it answered for another plugin",
    ),
}


def test_every_fault_is_a_reason_and_the_neighbour_is_well(install: Install) -> None:
    for name, (source, _) in FAULTS.items():
        install(name.replace("_", "-"), source)
    install("neighbour", GOOD)
    names = [*(name.replace("_", "-") for name in FAULTS), "neighbour"]
    found = probe([installed()[name] for name in names], {}, timeout_s=60)
    assert [report.name for report in found] == names
    for report, (_, reason) in zip(found, FAULTS.values(), strict=False):
        assert report.state is PluginState.BROKEN, report.name
        assert reason in report.reason, report.reason
    assert found[-1].usable


def test_a_plugin_that_hangs_is_given_up_and_leaves_no_process(
    install: Install, tmp_path: Path
) -> None:
    source = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "print('stuck at the door', file=sys.stderr, flush=True)\n"
        "time.sleep(600)\n"
    )
    install("stuck", source)
    install("bells", GOOD)
    started = time.monotonic()
    hung, well = probe([installed()["stuck"], installed()["bells"]], {}, timeout_s=5)
    assert time.monotonic() - started < 60
    assert (hung.state, well.state) == (PluginState.BROKEN, PluginState.ENABLED)
    assert hung.reason == "did not answer within 5 s: stuck at the door"
    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: not _alive(pid), what="the process it started is gone")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_flood_of_words_is_cut_and_does_no_harm(install: Install) -> None:
    install("loud", "import sys\nwhile True: print('x' * 9999, file=sys.stderr)")
    found = ask("loud")
    assert found.state is PluginState.BROKEN
    assert len(found.reason) < 700


def test_what_its_author_should_look_at_is_remarked(install: Install) -> None:
    install(
        "sloppy",
        MARK
        + "import threading, time\nprint('hello')\n"
        + "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        + "def notify(alert): pass\n@hookimpl\ndef on_event(event): pass\n",
    )
    found = ask("sloppy")
    assert found.usable
    assert [remark.split()[0] for remark in found.remarks] == ["notify", "prints", "starts"]


def test_no_file_descriptor_and_no_child_stays_behind(install: Install) -> None:
    install("bells", GOOD)
    install("bad", "import os; os._exit(1)")
    before = sorted(os.listdir("/proc/self/fd")), children()
    probe([installed()["bells"], installed()["bad"]], {}, timeout_s=20)
    assert (sorted(os.listdir("/proc/self/fd")), children()) == before


def children() -> set[str]:
    """Process ids of the children of this process, zombies too (proc(5))."""
    return {
        child
        for task in Path("/proc/self/task").iterdir()
        for child in (task / "children").read_text().split()
    }


def test_who_kills_the_prober_hurts_nobody_else(install: Install) -> None:
    install("killer", "import os, signal, time\nos.kill(os.getppid(), 9)\ntime.sleep(5)")
    install("bells", GOOD)
    names = ("bells", "killer", "bells")
    found = probe([installed()[name] for name in names], {}, timeout_s=20)
    assert [report.state.value for report in found] == ["enabled", "broken", "enabled"]
    assert found[1].reason == "its probe was ended from inside"
