"""Where an installation's bus is, and what its messages are signed with."""

from __future__ import annotations

import os
from pathlib import Path

from vigilar_core.bus.address import BrokerAddress, choose_broker
from vigilar_core.bus.secret import bus_secret
from vigilar_core.config.core import Mqtt
from vigilar_core.config.loaded import LoadedSettings
from vigilar_core.paths import Paths


def broker_of(settings: LoadedSettings, paths: Paths) -> BrokerAddress:
    """The configured broker, or the private one of this installation."""
    configured = settings.section(Mqtt) if settings.has("mqtt") else None
    return choose_broker(configured, paths.runtime_dir)


def installation_secret(paths: Paths) -> bytes:
    """The secret that the installation's messages are signed with, made at the first start."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return bus_secret(paths.secrets_dir, Path(credentials) if credentials else None)
