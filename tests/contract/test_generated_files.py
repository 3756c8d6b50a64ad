"""What is generated is up to date, works as it is, and knows every plugin of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigilar_core import reference
from vigilar_core.config.catalogue import owner_of
from vigilar_core.config.load import read_config
from vigilar_core.plugins import Plan, PluginState, build_plan, installed, plan_file

ROOT = Path(__file__).parents[2]
NAMES = {
    path.parent.name.removeprefix("vigilar-") for path in ROOT.glob("plugins/*/pyproject.toml")
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return build_plan({}, third_party=False)


@pytest.fixture(autouse=True)
def all_plugins_are_installed() -> None:
    assert installed().keys() >= NAMES, "install the plugins of this repository: scripts/test"


def test_sample_file_and_pages_are_up_to_date() -> None:
    assert reference.outdated(ROOT) == [], "nox -s docs"


def test_the_sample_file_works_as_it_is() -> None:
    found = plan_file(read_config(ROOT / "config" / "vigilar.toml"), third_party=False)
    assert found.problems == ()
    assert {report.name for report in found.reports if report.usable} >= NAMES


def test_the_sample_file_shows_every_key(plan: Plan) -> None:
    text = (ROOT / "config" / "vigilar.toml").read_text()
    hidden = [
        f"{section.path}.{key}"
        for section in plan.sections
        for key, schema in section.keys.items()
        if f"\n# {key} = " not in text and "x-deprecated" not in schema
    ]
    assert hidden == []


def test_the_catalogue_of_owners_knows_every_key_of_every_plugin(plan: Plan) -> None:
    wrong = [
        f"{section.path}.{key} of {report.distribution}: {owner_of(section.path, key)}"
        for report in plan.reports
        if report.state is not PluginState.DISABLED
        for section in report.sections
        for key in section.keys
        if owner_of(section.path, key) != report.distribution
    ]
    assert wrong == []
