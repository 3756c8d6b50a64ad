"""The keys of ``[web]``."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from vigilar_core.config import AbsolutePath, Host, Port, Secret, SettingsModel


def _network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)
    return value


#: A path, where ``""`` says the same as leaving the key out.
OptionalPath = Annotated[AbsolutePath | None, BeforeValidator(lambda value: value or None)]


class WebSettings(SettingsModel):
    """Where the web interface listens, how it proves itself, and who the first user is."""

    host: Host = Field(
        "0.0.0.0",  # noqa: S104 - the house's network is its purpose; loopback until set up
        description="Address to listen on; until an administrator exists it is loopback only",
    )
    port: Port = Field(49735, description="TCP port")
    tls: bool = Field(True, description="Serve HTTPS; turn off only behind a proxy that does")
    tls_cert: OptionalPath = Field(
        None, description="Certificate chain, PEM; empty: one is made, signed by itself"
    )
    tls_key: OptionalPath = Field(None, description="Private key of the certificate, PEM")
    username: str = Field(
        "admin", min_length=1, max_length=64, description="Name of the first administrator"
    )
    password_hash: Secret = Field(
        Secret(),
        description="That administrator's password, hashed by `vigilar config set-password`",
    )
    session_timeout: int = Field(
        3600, ge=60, le=2_592_000, description="Seconds without a request that end a session"
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="Addresses or networks of reverse proxies whose X-Forwarded-* is believed"
    )
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="Names this server may be called by, besides addresses, localhost and the "
        "machine's own names; a leading dot covers sub-domains",
    )

    @property
    def reached_by_tls(self) -> bool:
        """Whether browsers speak TLS with us, or with the proxy in front of us."""
        return self.tls or bool(self.trusted_proxies)

    @model_validator(mode="after")
    def _certificate_and_key(self) -> WebSettings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together: set both or neither")
        return self
