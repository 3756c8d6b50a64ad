"""The ledger: the one writer of events. It commits, acknowledges, and tells everybody in order.

Its kinds are known everywhere; ``vigilar_core.ledger.service`` needs SQLAlchemy and is imported
by the ledger's own worker alone.
"""

from __future__ import annotations

from vigilar_core.ledger.kinds import LEDGER_KINDS

__all__ = ["LEDGER_KINDS"]
