"""The core's own sections, declared the same way as a plugin declares its own."""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from vigilar_core.bus import topics
from vigilar_core.config.secret import Secret, SecretUrl
from vigilar_core.config.section import ConfigSection, SettingsModel
from vigilar_core.config.types import AbsolutePath, Host, Port, TimeZone
from vigilar_core.paths import Paths

_GROUP = re.compile(r"[a-z0-9][a-z0-9_-]*(:[A-Za-z0-9_*-]+)?")


def _service_pattern(name: str) -> str:
    if not _GROUP.fullmatch(name):
        raise ValueError(f"{name!r} names no service: 'presence', 'camera:hall' or 'camera:*'")
    return name


class LogLevel(enum.StrEnum):
    """How much is logged, from most to least."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class CameraLocation(enum.StrEnum):
    """Where a camera looks; rules and alert texts may depend on it."""

    INTERIOR = "INTERIOR"
    EXTERIOR = "EXTERIOR"
    ENTRANCE = "ENTRANCE"
    PERIMETER = "PERIMETER"
    GARAGE = "GARAGE"


class System(SettingsModel):
    """The installation as a whole: its name, its folders, its logs."""

    name: str = Field(
        default="Vigilar Home Security", min_length=1, description="Name shown to people"
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the house, IANA name")
    data_dir: AbsolutePath = Field(
        default=Path("/var/vigilar/data"), description="Database, spools and locks"
    )
    recordings_dir: AbsolutePath = Field(
        default=Path("/var/vigilar/recordings"), description="Encrypted recordings and thumbnails"
    )
    hls_dir: AbsolutePath = Field(
        default=Path("/var/vigilar/hls"), description="Segments and playlists of the live picture"
    )
    runtime_dir: AbsolutePath = Field(
        default=Path("/run/vigilar"),
        description="Sockets, heartbeats and frame rings; best kept in memory",
    )
    secrets_dir: AbsolutePath = Field(
        default=Path("/etc/vigilar/secrets"),
        description='Files that { secret = "name" } is read from, outside systemd',
    )
    log_level: LogLevel = Field(
        default=LogLevel.INFO, description="Least important level that is logged"
    )
    arm_pin_hash: Secret = Field(
        default=Secret(),
        description="Former place of the PIN hash; accepted and not used",
        json_schema_extra={"x-deprecated": "set pin_hash in [security] instead: config set-pin"},
    )

    def paths(self) -> Paths:
        """The folders of the installation."""
        return Paths(
            self.data_dir, self.recordings_dir, self.hls_dir, self.runtime_dir, self.secrets_dir
        )


class Mqtt(SettingsModel):
    """A broker of your own. Without this section a private one is started on this machine."""

    model_config = ConfigDict(json_schema_extra={"x-presence-matters": True})

    host: Host = Field(default="127.0.0.1", description="Address of the broker")
    port: Port = Field(default=1883, description="TCP port of the broker; 8883 is usual with TLS")
    username: str = Field(default="", description="User name at the broker; empty for none")
    password: Secret = Field(default=Secret(), description="Password at the broker")
    tls: bool = Field(
        default=False, description="Speak TLS to the broker and check its certificate"
    )
    tls_ca_file: AbsolutePath | None = Field(
        default=None,
        examples=["/etc/vigilar/certs/ca.pem"],
        description="PEM file of authorities to trust instead of the system's own",
    )
    tls_certificate_file: AbsolutePath | None = Field(
        default=None,
        examples=["/etc/vigilar/certs/mqtt.pem"],
        description="PEM certificate to show the broker",
    )
    tls_key_file: AbsolutePath | None = Field(
        default=None,
        examples=["/etc/vigilar/certs/mqtt.key"],
        description="PEM key of the certificate shown to the broker",
    )


class Security(SettingsModel):
    """What arming and disarming asks for."""

    pin_hash: Secret = Field(
        default=Secret(),
        description="PIN for arming and disarming, hashed by `vigilar config set-pin`; "
        "empty: signed-in users only",
    )
    recovery_passphrase_hash: Secret = Field(
        default=Secret(),
        description="Passphrase that resets the PIN, hashed by "
        "`vigilar config set-recovery-passphrase`; empty: no recovery",
    )


class Storage(SettingsModel):
    """How recordings are kept."""

    key_file: AbsolutePath = Field(
        default=Path("/etc/vigilar/secrets/storage.key"),
        description="32 bytes that recordings are encrypted with; the systemd credential "
        "'storage.key' comes first. Without it recordings are lost: keep a copy elsewhere",
    )


class Location(SettingsModel):
    """Where the house stands, for sunrise and sunset."""

    latitude: float = Field(default=0.0, ge=-90, le=90, description="Degrees, north positive")
    longitude: float = Field(default=0.0, ge=-180, le=180, description="Degrees, east positive")


class PluginChoice(SettingsModel):
    """Which of the installed plugins run: all that are not listed here."""

    disabled: tuple[str, ...] = Field(default=(), description="Names of installed plugins left out")
    third_party: bool = Field(
        default=True, description="Also run plugins that are not part of Vigilar itself"
    )
    trace_hooks: bool = Field(
        default=False, description="Log each call of a hook, for authors of plugins"
    )
    probe_timeout_s: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="Longest time a plugin may take to declare itself, seconds",
    )


class Runtime(SettingsModel):
    """How services are spread over processes."""

    groups: dict[str, tuple[Annotated[str, AfterValidator(_service_pattern)], ...]] = Field(
        default={},
        description="Services that share one process, by name of the group; each other one has "
        'its own: { light = ["presence", "ups-nut"] }',
    )


class Database(SettingsModel):
    """Where events, alerts and recordings are registered."""

    url: SecretUrl = Field(
        default=SecretUrl(),
        description="SQLAlchemy URL, such as postgresql+psycopg://user@host/vigilar; "
        "empty: SQLite in data_dir",
    )


class Camera(SettingsModel):
    """One camera; further keys belong to the plugins that capture, analyse and record."""

    id: str = Field(
        pattern=f"^{topics.ID_PATTERN}$",
        examples=["front_door"],
        description="What tells the camera apart, in topics, file names and addresses",
    )
    display_name: str = Field(default="", description="Name shown to people; the id when empty")
    enabled: bool = Field(default=True, description="Whether the camera is used at all")
    location: CameraLocation = Field(default=CameraLocation.INTERIOR, description="Where it looks")

    @property
    def title(self) -> str:
        """What to call it to people."""
        return self.display_name or self.id


#: Name of the core where a plugin's name would stand.
CORE: Literal["core"] = "core"

SECTIONS: tuple[ConfigSection, ...] = (
    ConfigSection("system", System),
    ConfigSection("plugins", PluginChoice),
    ConfigSection("cameras", Camera, many=True),
    ConfigSection("mqtt", Mqtt),
    ConfigSection("security", Security),
    ConfigSection("storage", Storage),
    ConfigSection("location", Location),
    ConfigSection("database", Database),
    ConfigSection("runtime", Runtime),
)
