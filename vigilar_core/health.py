"""What a plugin says of its own well-being when asked."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class HealthState(enum.StrEnum):
    """Fit, working with less, or not working."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Health:
    """The answer to ``health_check``.

    :param state: the worst that is true
    :param reason: one sentence for people, empty when fit
    :param fix: what a person can do about it
    :param figures: measurements, unit in the name: ``{"packets_per_s": 25.0}``
    """

    state: HealthState = HealthState.OK
    reason: str = ""
    fix: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
