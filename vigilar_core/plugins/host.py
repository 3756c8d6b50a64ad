"""The plugins of one process, and the one way to call their hooks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy
from pluggy import HookImpl
from stevedore import NamedExtensionManager

from vigilar_core import hookspecs
from vigilar_core.errors import PluginBrokenError
from vigilar_core.plugins.discovery import GROUP

#: Told of each failed call: plugin, hook, error.
FailureReporter = Callable[[str, str, BaseException], None]
#: Told of each call in words, when hooks are traced.
Trace = Callable[[str], None]
_LONGEST_ANSWER = 160


@dataclass(frozen=True, slots=True)
class Answer:
    """What one plugin returned from a hook.

    :param plugin: name of the plugin
    :param value: what its function returned; plugins that raised have no answer
    """

    plugin: str
    value: Any


class PluginHost:
    """Imports plugins and calls their hooks one by one, each call guarded.

    :param on_failure: called with each exception a guarded call raised
    :param trace: called with a line of text for each call
    """

    def __init__(
        self, *, on_failure: FailureReporter | None = None, trace: Trace | None = None
    ) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._on_failure = on_failure
        self._trace = trace
        #: How often a guarded call failed, by plugin and hook.
        self.failures: Counter[tuple[str, str]] = Counter()

    def load(self, names: Iterable[str]) -> None:
        """Import these plugins and no others.

        :raises PluginBrokenError: one is not installed, cannot be imported, or breaks the contract
        """
        for name in names:
            self.register(name, _import(name))

    def register(self, name: str, plugin: object) -> None:
        """Take in a plugin object that is already there: a module or an instance.

        :raises PluginBrokenError: a hook is unknown, has other arguments, or defaults
        """
        if self._manager.has_plugin(name):
            raise PluginBrokenError(name, "it is registered twice")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            for hook, implementation in self._hooks(name):
                _check_signature(hook, implementation)
        except (pluggy.PluginValidationError, TypeError) as error:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            raise PluginBrokenError(name, _first_line(error)) from error

    @property
    def names(self) -> Sequence[str]:
        """Names of the plugins taken in, sorted."""
        return sorted(name for name, _ in self._manager.list_name_plugin())

    def plugin(self, name: str) -> object:
        """The plugin object itself."""
        return self._manager.get_plugin(name)

    def hooks_of(self, plugin: str) -> Sequence[str]:
        """Names of the hooks that a plugin implements, sorted."""
        return sorted(hook for hook, _ in self._hooks(plugin))

    def implementers(self, hook: str) -> Sequence[str]:
        """Names of the plugins that implement a hook, sorted."""
        return [each.plugin_name for each in self._implementations(hook)]

    def call(self, hook: str, /, **arguments: Any) -> list[Answer]:
        """Call a hook of every plugin, in order of names; one that raises loses its own answer.

        :param arguments: by the names of the specification
        """
        answers = []
        for implementation in self._implementations(hook):
            try:
                value = self._invoke(hook, implementation, arguments)
            # A plugin may raise anything; the others still get the call. SystemExit too: no
            # plugin ends the process of the others.
            except (Exception, SystemExit) as error:  # noqa: BLE001
                self._failed(implementation.plugin_name, hook, error)
            else:
                answers.append(Answer(implementation.plugin_name, value))
        return answers

    def call_one(self, plugin: str, hook: str, /, **arguments: Any) -> Any:
        """Call a hook of one plugin and let its exception through, counted.

        :raises KeyError: the plugin is not here or does not implement the hook
        """
        for implementation in self._implementations(hook):
            if implementation.plugin_name == plugin:
                try:
                    return self._invoke(hook, implementation, arguments)
                except (Exception, SystemExit):
                    self.failures[plugin, hook] += 1
                    raise
        raise KeyError(f"plugin {plugin!r} does not implement {hook!r}")

    def _implementations(self, hook: str) -> list[HookImpl]:
        found = getattr(self._manager.hook, hook).get_hookimpls()
        return sorted(found, key=lambda implementation: implementation.plugin_name)

    def _hooks(self, plugin: str) -> list[tuple[str, HookImpl]]:
        callers = self._manager.get_hookcallers(self._manager.get_plugin(plugin)) or []
        return [
            (caller.name, implementation)
            for caller in callers
            for implementation in caller.get_hookimpls()
            if implementation.plugin_name == plugin
        ]

    def _invoke(self, hook: str, implementation: HookImpl, arguments: dict[str, Any]) -> Any:
        chosen = [arguments[name] for name in implementation.argnames]
        if self._trace is None:
            return implementation.function(*chosen)
        started, outcome = time.perf_counter(), "raised"
        try:
            value = implementation.function(*chosen)
            outcome = repr(value)[:_LONGEST_ANSWER]
            return value
        finally:
            took_ms = (time.perf_counter() - started) * 1000
            self._trace(f"{hook} {implementation.plugin_name} {took_ms:.1f} ms → {outcome}")

    def _failed(self, plugin: str, hook: str, error: BaseException) -> None:
        self.failures[plugin, hook] += 1
        if self._on_failure is not None:
            self._on_failure(plugin, hook, error)


class _Manager(NamedExtensionManager[object]):
    """Reads the metadata afresh: stevedore's own list comes from a cache file in the home folder,
    which a service should neither trust nor leave behind."""

    def list_entry_points(self) -> list[EntryPoint]:
        found = entry_points(group=self.namespace)
        return list({(point.name, point.value): point for point in found}.values())


def _import(name: str) -> object:
    def failed(_manager: object, _point: object, error: BaseException) -> None:
        raise error

    if len({point.value for point in entry_points(group=GROUP, name=name)}) > 1:
        raise PluginBrokenError(name, "its name is claimed by more than one package")
    try:
        found = _Manager(
            GROUP,
            [name],
            on_load_failure_callback=failed,
            on_missing_entrypoints_callback=lambda _names: None,
        )
    # Importing runs the plugin's code, which may raise anything, sys.exit() included.
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {_first_line(error)}"
        raise PluginBrokenError(name, f"cannot be imported: {reason}") from error
    for extension in found:
        plugin: object = extension.plugin
        return plugin
    raise PluginBrokenError(name, "is not installed")


def _check_signature(hook: str, implementation: HookImpl) -> None:
    """Refuse what pluggy lets through but a plain call would not honour."""
    if implementation.kwargnames:
        # pluggy 1.6 and 1.7 disagree on whether such arguments are handed over.
        names = ", ".join(implementation.kwargnames)
        raise TypeError(f"{hook}: arguments must not have defaults: {names}")
    if implementation.wrapper or implementation.hookwrapper:
        raise TypeError(f"{hook}: wrappers of hooks are not supported")


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:300] or type(error).__name__
