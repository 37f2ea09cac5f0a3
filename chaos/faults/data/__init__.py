"""Faults of a feed: of the file's bytes, and of the meaning of readable values."""

from chaos.faults.data.damage import Damaged
from chaos.faults.data.registry import FAULTS, SEVERITIES, DataFault

__all__ = ["FAULTS", "SEVERITIES", "Damaged", "DataFault"]
