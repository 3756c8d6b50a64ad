"""One caller for all hooks: each plugin's failure is its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vigilar_core.errors import PluginBrokenError
from vigilar_core.hookspecs import hookimpl
from vigilar_core.plugins import Answer, PluginHost


def plugin(**hooks: Callable[..., Any]) -> SimpleNamespace:
    for name, function in hooks.items():
        function.__name__ = name
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


def answering(value: object) -> SimpleNamespace:
    return plugin(on_event=lambda event: (value, event))


def raising(error: BaseException) -> SimpleNamespace:
    def on_event(event: object) -> None:
        raise error

    return plugin(on_event=on_event)


def test_answers_come_in_the_order_of_names_with_what_each_returned() -> None:
    host = PluginHost()
    for name in ("zoo", "ant", "mid"):
        host.register(name, answering(name.upper()))
    assert host.call("on_event", event=7) == [
        Answer("ant", ("ANT", 7)),
        Answer("mid", ("MID", 7)),
        Answer("zoo", ("ZOO", 7)),
    ]


def test_none_is_an_answer_too() -> None:
    host = PluginHost()
    host.register("quiet", plugin(on_event=lambda event: None))
    assert host.call("on_event", event=1) == [Answer("quiet", None)]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), AssertionError()])
def test_who_raises_loses_the_own_answer_only(error: BaseException) -> None:
    told: list[tuple[str, str, BaseException]] = []
    host = PluginHost(on_failure=lambda *call: told.append(call))
    host.register("a", answering(1))
    host.register("b", raising(error))
    host.register("c", answering(3))
    assert [answer.plugin for answer in host.call("on_event", event=0)] == ["a", "c"]
    assert told == [("b", "on_event", error)]
    assert host.failures == {("b", "on_event"): 1}


def test_an_interrupt_by_a_person_goes_through() -> None:
    host = PluginHost()
    host.register("a", raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        host.call("on_event", event=0)


def test_a_call_to_one_plugin_raises_and_is_counted() -> None:
    host = PluginHost()
    host.register("a", answering(1))
    host.register("b", raising(ValueError("no")))
    assert host.call_one("a", "on_event", event=5) == (1, 5)
    with pytest.raises(ValueError, match="no"):
        host.call_one("b", "on_event", event=5)
    assert host.failures == {("b", "on_event"): 1}
    with pytest.raises(KeyError, match="does not implement"):
        host.call_one("a", "notify", alert=None)


def test_an_implementation_may_take_fewer_arguments() -> None:
    host = PluginHost()
    host.register("a", plugin(on_event=lambda: "called"))
    assert host.call("on_event", event=1) == [Answer("a", "called")]


def with_default(event: object = None) -> None:
    pass


def with_more(event: object, colour: object) -> None:
    pass


def a_wrapper(event: object) -> Any:
    yield


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (plugin(on_evnt=lambda event: None), "on_evnt"),
        (plugin(on_event=with_default), "must not have defaults: event"),
        (plugin(on_event=with_more), "colour"),
        (SimpleNamespace(on_event=hookimpl(wrapper=True)(a_wrapper)), "wrapper"),
    ],
)
def test_a_plugin_that_breaks_the_contract_is_refused_whole(broken: object, reason: str) -> None:
    host = PluginHost()
    with pytest.raises(PluginBrokenError, match=reason) as caught:
        host.register("bad", broken)
    assert caught.value.plugin == "bad"
    assert host.names == []
    host.register("good", answering(1))
    assert len(host.call("on_event", event=1)) == 1


def test_a_name_is_taken_once() -> None:
    host = PluginHost()
    host.register("a", answering(1))
    with pytest.raises(PluginBrokenError, match="registered twice"):
        host.register("a", answering(2))
    assert len(host.call("on_event", event=1)) == 1


def test_it_knows_who_implements_what() -> None:
    host = PluginHost()
    host.register("b", plugin(on_event=lambda: 1, notify=lambda: 2))
    host.register("a", plugin(notify=lambda: 2))
    assert host.hooks_of("b") == ["notify", "on_event"]
    assert host.implementers("notify") == ["a", "b"]
    assert host.implementers("on_frame") == []
    assert host.names == ["a", "b"]


def test_a_trace_names_hook_plugin_time_and_outcome() -> None:
    lines: list[str] = []
    host = PluginHost(trace=lines.append)
    host.register("a", answering("x" * 1000))
    host.register("b", raising(ValueError()))
    host.call("on_event", event=1)
    assert lines[0].startswith("on_event a ")
    assert " ms → ('xxx" in lines[0]
    assert len(lines[0]) < 250
    assert lines[1].endswith("→ raised")


def test_only_the_named_plugins_are_imported(install: Callable[..., str]) -> None:
    source = "from vigilar_core.hookspecs import hookimpl\n@hookimpl\ndef on_event(): return 1\n"
    install("wanted", source)
    install("unwanted", "raise RuntimeError('imported')")
    host = PluginHost()
    host.load(["wanted"])
    assert host.call("on_event", event=0) == [Answer("wanted", 1)]
    assert "vigilar_unwanted" not in sys.modules
    # The control: asking for it does import it.
    with pytest.raises(PluginBrokenError, match="RuntimeError: imported"):
        host.load(["unwanted"])


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("assert False", "AssertionError"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_plugin_that_cannot_be_imported_says_why(
    install: Callable[..., str], source: str, reason: str
) -> None:
    install("bad", source)
    with pytest.raises(PluginBrokenError, match=f"cannot be imported: {reason}"):
        PluginHost().load(["bad"])


def test_a_plugin_that_is_not_there_says_so() -> None:
    with pytest.raises(PluginBrokenError, match="is not installed"):
        PluginHost().load(["no-such-plugin"])


def test_a_name_claimed_by_two_packages_is_not_imported(install: Callable[..., str]) -> None:
    install("bells", "", distribution="vigilar-bells")
    install("bells", "", distribution="vigilar-other")
    with pytest.raises(PluginBrokenError, match="more than one package"):
        PluginHost().load(["bells"])
    assert not {"vigilar_bells", "vigilar_other"} & sys.modules.keys()


def test_nothing_is_written_into_the_home_folder(
    install: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    install("bells", "")
    PluginHost().load(["bells"])
    assert list(home.iterdir()) == []
