"""Strings that must not be shown: they print as dots and reveal themselves only when asked."""

from __future__ import annotations

import re
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

MASK = "••••"
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")


class Secret:
    """A string that prints as ``••••``; falsy when empty."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The string itself; for the one place that needs it."""
        return self._value

    def __str__(self) -> str:
        return MASK if self._value else ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str),
            metadata={"pydantic_js_functions": [lambda _schema, _handler: cls._json_schema()]},
        )

    @classmethod
    def _validate(cls, value: object) -> Secret:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise ValueError('must be a string or { secret = "name" }')
        return cls(value)

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}


class SecretUrl(Secret):
    """A URL whose user name and password stay hidden: ``rtsp://••••@camera/stream``."""

    __slots__ = ()

    def __str__(self) -> str:
        return redact_url(self._value)

    @classmethod
    def _json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "format": "uri"}


def redact_url(text: str) -> str:
    """A text in which the user information of each URL (RFC 3986, section 3.2.1) is masked."""
    return _USERINFO.sub(f"{MASK}@", text)
