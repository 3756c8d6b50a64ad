"""Plugins: found by entry points, asked in processes of their own, called through one host."""

from __future__ import annotations

from vigilar_core.plugins.discovery import COMMAND_GROUP, GROUP, choose, installed
from vigilar_core.plugins.host import Answer, PluginHost
from vigilar_core.plugins.plan import Plan, build_plan, plan_file
from vigilar_core.plugins.report import DETACHED_HOOKS, PluginReport, PluginState

__all__ = [
    "COMMAND_GROUP",
    "DETACHED_HOOKS",
    "GROUP",
    "Answer",
    "Plan",
    "PluginHost",
    "PluginReport",
    "PluginState",
    "build_plan",
    "choose",
    "installed",
    "plan_file",
]
