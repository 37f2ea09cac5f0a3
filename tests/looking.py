"""A look at a source, as tests ask for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evenkeel.adapters.replicas import Look
from evenkeel.adapters.sources import Asked
from evenkeel.settings.sources import Source

if TYPE_CHECKING:
    from pathlib import Path


def look(
    home: Path, batch: str = "b", *, now: datetime | None = None, patience: float = 60, **source: Any
) -> Look:
    """Begin a look at a source that holds one batch at a time."""
    described = Source.model_validate(source)
    asked = Asked(
        home=home,
        named=batch,
        origin=described.name,
        time="at",
        sidecars=described.checksum == "sidecar",
        max_bytes=10**7,
    )
    return Look(described, asked, now=now or datetime.now(UTC), patience=patience)
