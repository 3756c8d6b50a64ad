"""The ledger: the one writer of events. It commits, acknowledges, and tells everybody in order."""

from __future__ import annotations

from vigilar_core.ledger.kinds import LEDGER_KINDS
from vigilar_core.ledger.service import run_ledger

__all__ = ["LEDGER_KINDS", "run_ledger"]
