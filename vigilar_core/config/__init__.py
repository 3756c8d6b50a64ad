"""Configuration: sections that belong to plugins, joined, checked and shown."""

from __future__ import annotations

from vigilar_core.config.secret import Secret, SecretUrl
from vigilar_core.config.section import ConfigSection, Settings, SettingsModel

__all__ = ["ConfigSection", "Secret", "SecretUrl", "Settings", "SettingsModel"]
