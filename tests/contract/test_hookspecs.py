"""Every hook is specified in the same words, and somebody uses and tests it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from vigilar_core import hookspecs
from vigilar_core.plugins import build_plan
from vigilar_core.reference.hooks import hook_fields, hook_functions

ROOT = Path(__file__).parents[2]
HOOKS = list(hook_functions().values())
PLACES = {"probe", "worker", "web", "ledger", "camera worker", "a worker of the plugin's own"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_a_specification_says_all_that_an_implementer_asks(hook: object) -> None:
    assert inspect.isfunction(hook)
    signature = inspect.signature(hook)
    wanted = ["When"]
    if signature.return_annotation != "None":
        wanted.append("Returns")
    wanted += [f"param {name}" for name in signature.parameters]
    wanted += ["Guarantee", "Runs in", "Errors", "Since"]
    fields = hook_fields(hook)
    assert [name for name, _ in fields] == wanted
    assert all(text for _, text in fields)
    assert re.fullmatch(r"\d+\.\d+", dict(fields)["Since"])


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_a_specification_is_typed_has_no_defaults_and_begins_with_a_sentence(hook: object) -> None:
    assert inspect.isfunction(hook)
    signature = inspect.signature(hook)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty
        assert parameter.default is inspect.Parameter.empty
    sentence = (inspect.getdoc(hook) or "").partition("\n\n")[0]
    assert sentence.endswith(".")


def test_every_function_of_the_module_is_a_specification() -> None:
    marked = [name for name, hook in hook_functions().items() if hasattr(hook, "vigilar_spec")]
    assert marked == list(hook_functions())
    # No shortcut to the first answer, no wrapping: each plugin's answer counts.
    for hook in HOOKS:
        options = hook.vigilar_spec  # type: ignore[attr-defined]
        assert not options["firstresult"]
        assert not options["historic"]


def test_the_hooks_of_the_card_are_there() -> None:
    assert {"on_frame", "on_motion", "on_event", "notify", "health_check"} <= set(hook_functions())
    assert hookspecs.PROJECT == "vigilar"


def test_every_hook_is_used_by_a_plugin_of_this_repository() -> None:
    used = {hook for report in build_plan({}).reports for hook in report.hooks}
    assert set(hook_functions()) - used == set()


def test_every_hook_is_tested_by_name() -> None:
    text = "".join(
        path.read_text()
        for folder in ("tests", "plugins", "examples")
        for path in (ROOT / folder).rglob("test_*.py")
        if path != Path(__file__)
    )
    assert [name for name in hook_functions() if not re.search(rf"\b{name}\b", text)] == []
