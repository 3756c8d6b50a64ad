"""The page of the hooks says what the docstrings say."""

from __future__ import annotations

from vigilar_core import hookspecs
from vigilar_core.reference.hooks import hook_fields, hook_functions, hooks_markdown


def test_fields_are_read_over_several_lines_and_in_order() -> None:
    fields = hook_fields(hookspecs.notify)
    assert [name for name, _ in fields] == [
        "When",
        "Returns",
        "param alert",
        "Guarantee",
        "Runs in",
        "Errors",
        "Since",
    ]
    event = dict(hook_fields(hookspecs.service_run))
    assert "\n" not in "".join(event.values())
    assert event["Guarantee"].endswith("else restarts it")


def test_every_hook_stands_on_the_page_under_its_signature() -> None:
    page = hooks_markdown()
    for name in hook_functions():
        assert page.count(f"### `{name}(") == 1
    assert "### `notify(alert: Alert) -> Delivery | None`" in page
    assert page.index("## Declare") < page.index("## Live") < page.index("## Inline")
    assert ":class:" not in page
    assert "``" not in page
