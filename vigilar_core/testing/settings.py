"""Checked settings made in a test, without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from vigilar_core.config import SettingsModel

Model = TypeVar("Model", bound=SettingsModel)


class FakeSettings:
    """Answers with the instances it was given, or with a model's defaults.

    :param sections: instances of section models
    :param items: path → id → instances of the models of that item
    """

    def __init__(
        self,
        sections: Sequence[SettingsModel] = (),
        items: Mapping[str, Mapping[str, Sequence[SettingsModel]]] | None = None,
    ) -> None:
        self._sections = {type(section): section for section in sections}
        self._items = items or {}

    def section(self, model: type[Model]) -> Model:
        found = self._sections.get(model)
        return found if isinstance(found, model) else model()

    def items(self, path: str) -> Sequence[str]:
        return tuple(self._items.get(path, ()))

    def item(self, path: str, id: str, model: type[Model]) -> Model:
        for instance in self._items[path][id]:
            if isinstance(instance, model):
                return instance
        return model()
