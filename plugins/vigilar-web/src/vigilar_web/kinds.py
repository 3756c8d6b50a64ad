"""What the web itself tells the house: who signed in, who was kept out, what changed."""

from __future__ import annotations

from collections.abc import Sequence

from vigilar_core.bus import Bus
from vigilar_core.events import EventKind, Severity

SIGNED_IN = "vigilar/web/signed_in"
SIGN_IN_BLOCKED = "vigilar/web/sign_in_blocked"
USER_CHANGED = "vigilar/web/user_changed"

KINDS: Sequence[EventKind] = (
    EventKind(
        "web_signed_in", SIGNED_IN, Severity.INFO, "{user} signed in", "From {address}", False
    ),
    EventKind(
        "web_sign_in_blocked",
        SIGN_IN_BLOCKED,
        Severity.WARNING,
        "Sign-in held back after wrong passwords",
        "Somebody at {address} guessed at {user}; the next try is answered in {wait_s} s",
    ),
    EventKind(
        "web_user_changed", USER_CHANGED, Severity.NOTICE, "{user}: {change}", "Done by {by}"
    ),
)


def signed_in(bus: Bus, user: str, address: str) -> None:
    bus.publish_event(SIGNED_IN, user=user, address=address)


def sign_in_blocked(bus: Bus, user: str, address: str, wait_s: int) -> None:
    bus.publish_event(SIGN_IN_BLOCKED, user=user, address=address, wait_s=wait_s)


def user_changed(bus: Bus, user: str, change: str, by: str) -> None:
    bus.publish_event(USER_CHANGED, user=user, change=change, by=by)
