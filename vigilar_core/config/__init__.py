"""Configuration: sections that belong to plugins, joined, checked and shown."""

from __future__ import annotations

from vigilar_core.config.core import Camera, CameraLocation
from vigilar_core.config.load import ConfigFile, find_config, load_settings, read_config
from vigilar_core.config.loaded import LoadedSettings, build_settings
from vigilar_core.config.secret import Secret, SecretUrl, redact_url
from vigilar_core.config.section import ConfigSection, Settings, SettingsModel
from vigilar_core.config.types import AbsolutePath, Host, Port, TimeZone

__all__ = [
    "AbsolutePath",
    "Camera",
    "CameraLocation",
    "ConfigFile",
    "ConfigSection",
    "Host",
    "LoadedSettings",
    "Port",
    "Secret",
    "SecretUrl",
    "Settings",
    "SettingsModel",
    "TimeZone",
    "build_settings",
    "find_config",
    "load_settings",
    "read_config",
    "redact_url",
]
