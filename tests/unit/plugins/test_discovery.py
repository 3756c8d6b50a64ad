"""What is installed is known without importing it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from vigilar_core.plugins import PluginReport, PluginState, choose, installed

Install = Callable[..., str]


def test_a_plugin_is_described_by_its_metadata_alone(install: Install) -> None:
    install("bells", "raise RuntimeError('imported')")
    found = installed()["bells"]
    assert (found.distribution, found.version) == ("vigilar-bells", "1.2.3")
    assert (found.summary, found.state) == ("Made for a test", PluginState.INSTALLED)
    assert not found.first_party
    assert "vigilar_bells" not in sys.modules


def test_a_distribution_without_a_summary_has_an_empty_one(install: Install) -> None:
    install("bells", "", summary="")
    assert installed()["bells"].summary == ""


def test_packages_of_the_house_are_first_party(install: Install) -> None:
    install("ups-nut", "")
    assert installed()["ups-nut"].first_party


def test_a_name_claimed_twice_is_broken_and_names_both(install: Install) -> None:
    install("bells", "")
    install("bells", "", distribution="vigilar-other")
    found = installed()["bells"]
    assert found.state is PluginState.BROKEN
    assert "vigilar-bells" in found.reason
    assert "vigilar-other" in found.reason


def test_a_stranger_under_a_name_of_the_house_is_not_first_party(install: Install) -> None:
    install("ups-nut", "", distribution="vigilar-evil")
    assert not installed()["ups-nut"].first_party


PLUGINS = {
    "a": PluginReport("a", "vigilar-a"),
    "motion": PluginReport("motion", "vigilar-motion", first_party=True),
    "twice": PluginReport("twice", "x, y").broken("claimed more than once"),
}


def states(**options: bool) -> dict[str, str]:
    chosen = choose(PLUGINS, ["twice"], **options)
    return {name: report.state.value for name, report in chosen.items()}


def test_listed_plugins_are_disabled_even_broken_ones() -> None:
    assert states() == {"a": "installed", "motion": "installed", "twice": "disabled"}


def test_the_kill_switch_leaves_only_the_plugins_of_the_house() -> None:
    assert states(third_party=False) == {
        "a": "disabled",
        "motion": "installed",
        "twice": "disabled",
    }
