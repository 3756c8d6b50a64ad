"""A section of the configuration as its owner declares it, and as a plugin reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict


class SettingsModel(BaseModel):
    """Base of every section's model: unknown keys refused, values never changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


Model = TypeVar("Model", bound=SettingsModel)


@dataclass(frozen=True, slots=True)
class ConfigSection:
    """A contribution to the configuration.

    Several plugins may contribute to one path: ``[[cameras]]`` carries the keys of the
    source, the motion analyser and the recorder side by side, each reads its own model.

    :param path: dotted table name: ``web``, ``alerts.email``, ``cameras``
    :param model: the keys, each with type, default, range and ``description``
    :param many: an array of tables (``[[cameras]]``) whose items are told apart by ``id``
    """

    path: str
    model: type[SettingsModel]
    many: bool = False


class Settings(Protocol):
    """The checked configuration, read by model: each plugin sees the keys it declared."""

    def section(self, model: type[Model]) -> Model:
        """The section declared with ``model``.

        :raises KeyError: no plugin of this process declared it
        """

    def items(self, path: str) -> Sequence[str]:
        """Ids of an array of tables in file order, disabled ones left out: ``items("cameras")``."""

    def item(self, path: str, id: str, model: type[Model]) -> Model:
        """One item of an array of tables, seen through ``model``.

        :raises KeyError: no such item or nobody declared the model
        """
