"""The ledger: what happened to batches and models, in a database that a crash leaves consistent."""

from evenkeel.adapters.ledger.store import Ledger

__all__ = ["Ledger"]
