"""What a plugin that shows pages shares with the web plugin: access marks and services.

Nothing here imports Flask: a mark is an attribute of the view function, read by the
web plugin before each request. A view without a mark answers nobody.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from vigilar_core.bus import Bus
from vigilar_core.clock import Clock
from vigilar_core.config import Settings
from vigilar_core.events import EventCatalogue
from vigilar_core.paths import Paths

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy import Engine

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "__vigilar_access__"


class Role(enum.IntEnum):
    """What a person may do; each role may all that the lower ones may."""

    ANYONE = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a view.

    :param role: the least role
    :param camera: name of the view's argument that holds a camera id, checked against the
        cameras the person may see
    """

    role: Role
    camera: str | None = None


def access(role: Role, *, camera: str | None = None) -> Callable[[View], View]:
    """Mark a view with the role that may call it."""

    def mark(view: View) -> View:
        setattr(view, _MARK, Access(role, camera))
        return view

    return mark


def access_of(view: Callable[..., Any]) -> Access | None:
    """The mark of a view, ``None`` when it has none."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Access) else None


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """An entry of the menu.

    :param label: the word people see
    :param endpoint: Flask endpoint it leads to: ``recordings.index``
    :param icon: name of a Bootstrap icon without its prefix: ``camera-video``
    :param order: smaller stands further left
    """

    label: str
    endpoint: str
    icon: str
    order: int = 100
    role: Role = Role.VIEWER


@dataclass(frozen=True, slots=True)
class WebPart:
    """What a plugin adds to the web interface.

    :param blueprint: pages and API; pages extend ``vigilar/base.html``; the API lives under
        ``/api/v1``
    :param navigation: entries of the menu
    """

    blueprint: Blueprint
    navigation: Sequence[NavigationEntry] = ()


class WebContext(Protocol):
    """What views may use; handed to ``register_blueprint`` before the first request."""

    settings: Settings
    bus: Bus
    clock: Clock
    catalogue: EventCatalogue
    paths: Paths

    @property
    def engine(self) -> Engine:
        """The store, for reading and for the plugin's own tables."""

    def storage_key(self) -> bytes:
        """The 32 bytes that recordings are encrypted with.

        :raises NotReadyError: there is no key file
        """

    def may_see(self, camera_id: str) -> bool:
        """Whether the person of the present request may see a camera."""

    def user_name(self) -> str:
        """Who makes the present request; empty for nobody."""
