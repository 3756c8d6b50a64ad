"""Alerts: what a person must hear of, and what became of one try to tell them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vigilar_core.events import Severity


@dataclass(frozen=True, slots=True)
class Alert:
    """A message that is owed to people until a channel has delivered it.

    :param id: unique and stable over retries, so that a receiver can drop repeats
    :param title: one line
    :param text: a sentence or two
    :param severity: of the event behind it
    :param event_id: the committed event it speaks of
    :param time_us: when that happened, microseconds since 1970 UTC
    :param recipient: whom the channel shall reach, in the channel's own terms
    :param camera: id of the camera whose picture belongs to it, if any
    """

    id: str
    title: str
    text: str
    severity: Severity
    event_id: str
    time_us: int
    recipient: str = ""
    camera: str | None = None


class DeliveryOutcome(enum.StrEnum):
    """Delivered, worth another try, or hopeless."""

    DELIVERED = "delivered"
    TRANSIENT = "transient"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one try of a channel came to.

    :param retry_after_s: the receiver's wish for the next try, seconds
    """

    outcome: DeliveryOutcome
    reason: str = ""
    retry_after_s: float | None = None
