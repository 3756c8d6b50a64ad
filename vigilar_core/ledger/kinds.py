"""The kinds of event that the ledger publishes itself."""

from __future__ import annotations

from typing import Final

from vigilar_core.events import EventKind, Severity

LEDGER_KINDS: Final = (
    EventKind(
        "ledger_started",
        "vigilar/system/ledger_started",
        Severity.DEBUG,
        "Event ledger started",
        "The last event before was number {head}.",
        timeline=False,
    ),
    EventKind(
        "projection_failed",
        "vigilar/system/projection_failed",
        Severity.WARNING,
        "{distribution} could not store what follows from {kind}",
        "The event itself is kept. {error}",
    ),
    EventKind(
        "database_damaged",
        "vigilar/system/database_damaged",
        Severity.CRITICAL,
        "The database was damaged",
        "{reason}. {events} events could be read and were kept, {lost} rows could not. What was "
        "damaged is kept as {moved_to}.",
    ),
    EventKind(
        "event_rejected",
        "vigilar/system/event_rejected",
        Severity.WARNING,
        "Events of {service} were refused",
        "{count} on {topic}: {reason}",
    ),
    EventKind(
        "messages_untrusted",
        "vigilar/system/messages_untrusted",
        Severity.WARNING,
        "Messages that nobody here signed",
        "{count} messages on the bus were dropped: not signed by this installation, or too old.",
    ),
    EventKind(
        "commits_delayed",
        "vigilar/system/commits_delayed",
        Severity.WARNING,
        "Events could not be stored for {duration_s} s",
        "They were kept and are stored now. {reason}",
    ),
    EventKind(
        "disk_full",
        "vigilar/system/disk_full",
        Severity.CRITICAL,
        "The disk with the database is full",
        "Events are stored in room kept back for them, which will not last: make room.",
    ),
)
