"""Each rule of the conformance suite is broken once; the plugin that keeps them all passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vigilar_core.testing.conformance import check_plugin, naming_problems

Install = Callable[..., str]

GOOD = """
from pydantic import Field
from vigilar_core.config import ConfigSection, SettingsModel
from vigilar_core.events import EventKind, Severity
from vigilar_core.hookspecs import hookimpl

class Bells(SettingsModel):
    '''Bells of the house.'''
    volume: int = Field(default=3, description="Loudness")

@hookimpl
def register_config():
    return [ConfigSection("bells", Bells)]

@hookimpl
def register_event_kinds():
    return [EventKind("rang", "vigilar/bells/rang", Severity.INFO, "It rang")]

class Attached:
    def on_packet(self, packet):
        pass

@hookimpl
def camera_attach(camera):
    return Attached()
"""

BROKEN = {
    "description": ('description="Loudness"', "", "bells.volume: has no description"),
    "docstring": ("'''Bells of the house.'''", "", "[bells]: its model has no docstring"),
    "required": ("default=3, ", "", "bells.volume: is required, in an empty file"),
    "default": ("default=3", "default='loud'", "bells.volume: 'loud' should be a valid integer"),
    "title": ('"It rang"', '""', "event kind rang: has no title"),
    "core_kind": ('"rang"', '"plugin_broken"', "clashes with one of core"),
    "core_key": ('ConfigSection("bells"', 'ConfigSection("system"', None),
    "case": ("volume: int", "Volume: int", "bells.Volume: is no lower-case word"),
    "method": ("def on_packet", "def on_pakcet", "camera_attach: on_pakcet: is never called"),
    "attach": ("return Attached()", "1 / 0", "end the process with code 1: ZeroDivisionError"),
    "stdout": ("class Attached", "print('hello')\nclass Attached", "prints to standard output"),
    "mark": ("class Attached", "def notify(alert): pass\nclass Attached", "carries no @hookimpl"),
    "heavy": ("class Attached", "import sqlalchemy\nclass Attached", "imports sqlalchemy into"),
    "thread": (
        "class Attached",
        "import threading; threading.Timer(9, print).start()\nclass Attached",
        "starts threads",
    ),
    "import": ("class Attached", "import nothing_like_it\nclass Attached", "cannot be imported"),
}


def test_a_plugin_that_keeps_the_rules_passes(install: Install) -> None:
    install("bells", GOOD)
    assert check_plugin("bells") == []


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_is_noticed_when_it_is_broken(install: Install, rule: str) -> None:
    old, new, finding = BROKEN[rule]
    assert old in GOOD
    install("bells", GOOD.replace(old, new))
    found = "\n".join(map(str, check_plugin("bells")))
    if finding is None:
        assert found == ""  # Two may share a table: the key itself is not the core's.
    else:
        assert finding in found


def test_a_package_without_a_description_is_noticed(install: Install) -> None:
    install("bells", GOOD, summary="")
    assert [problem.path for problem in check_plugin("bells")] == ["distribution"]


def test_a_command_that_hides_behind_one_of_the_core_is_noticed(install: Install) -> None:
    install("bells", GOOD, commands="status = vigilar_bells:Bells")
    assert [problem.path for problem in check_plugin("bells")] == ["command status"]


def test_a_plugin_that_is_not_there_is_noticed() -> None:
    assert "no plugin" in str(check_plugin("no-such-plugin")[0])


def test_a_name_claimed_twice_is_noticed(install: Install) -> None:
    install("bells", GOOD)
    install("bells", GOOD, distribution="vigilar-chimes")
    assert "claimed more than once" in str(check_plugin("bells")[0])


@pytest.mark.parametrize(
    ("distribution", "package", "count"),
    [
        ("vigilar-ups-nut", "vigilar_ups_nut", 0),
        ("ups-nut", "vigilar_ups_nut", 1),
        ("vigilar-ups-nut", "ups_nut", 1),
        ("vigilar_ups_nut", "vigilar-ups-nut", 2),
    ],
)
def test_distribution_package_and_plugin_are_called_alike(
    distribution: str, package: str, count: int
) -> None:
    assert len(list(naming_problems("ups-nut", distribution, package))) == count
