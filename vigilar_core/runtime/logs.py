"""Logs: one line per record on standard error, for people or as JSON; secrets never."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

from vigilar_core.config.secret import MASK, redact_url

#: ``auto``: for people on a terminal, JSON elsewhere.
LogFormat = Literal["auto", "console", "json"]

#: Keys of a record whose value is never written, whatever it is.
_SECRET_KEYS = frozenset(
    {"password", "passphrase", "secret", "token", "pin", "key", "authorization", "cookie"}
)
#: Libraries that report their own steps at level INFO.
_TALKATIVE = ("alembic", "amqtt", "transitions")
#: Level → syslog severity (RFC 5424, table 2).
_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)


def configure(
    level: str, *, service: str, format: LogFormat = "auto", stream: TextIO | None = None
) -> None:
    """Send every record of this process, structlog's and ``logging``'s, to one place.

    :param level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``
    :param service: stands in each record
    :param stream: standard error when omitted
    """
    out = stream or sys.stderr
    journal = _is_journal(out)
    shared = _shared_processors(service, timestamp=not journal)
    handler = logging.StreamHandler(out)
    formatter = _JournalFormatter if journal else structlog.stdlib.ProcessorFormatter
    handler.setFormatter(
        formatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _rendering(format, out, journal),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(level if level == "DEBUG" else "WARNING")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared_processors(service: str, *, timestamp: bool) -> list[Processor]:
    def add_service(_logger: object, _method: str, record: EventDict) -> EventDict:
        record.setdefault("service", service)
        return record

    found: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        add_service,
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    if timestamp:  # the journal has its own
        found.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    return found


def _rendering(format: LogFormat, out: TextIO, journal: bool) -> Processor:
    if format == "console" or (format == "auto" and (journal or out.isatty())):
        return structlog.dev.ConsoleRenderer(
            colors=out.isatty(),
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,
        )
    return structlog.processors.JSONRenderer(default=str, ensure_ascii=False)


class _JournalFormatter(structlog.stdlib.ProcessorFormatter):
    """Begins each line with its priority, which journald takes off again (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_priority(record.levelno)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())


def _priority(level: int) -> int:
    return next((value for least, value in _PRIORITIES if level >= least), 7)


def hide_secrets(_logger: object, _method: str, record: EventDict) -> EventDict:
    """Mask secret keys by name and the user part of URLs wherever they stand."""
    for name, value in record.items():
        record[name] = _hidden(name, value)
    return record


def _hidden(name: str, value: Any) -> Any:
    if name.lower().rpartition("_")[2] in _SECRET_KEYS:
        return MASK
    if isinstance(value, str):
        return redact_url(value)
    if isinstance(value, Mapping):
        return {str(key): _hidden(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", inner) for inner in value]
    return value


def _is_journal(out: TextIO) -> bool:
    """Whether the stream is the one that systemd connected to the journal (sd-daemon(3))."""
    try:
        status = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
