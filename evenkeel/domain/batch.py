"""A batch: the unit of work, what it came from and what it is pinned to."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from evenkeel.errors import UsageError

_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+-]{0,127}")


class BatchState(StrEnum):
    """Where a batch stands in the ledger."""

    LANDED = "landed"
    VALIDATED = "validated"
    SCORED = "scored"
    PUBLISHED = "published"
    HELD = "held"


@dataclass(frozen=True)
class LandedFile:
    """One immutable file of the landing zone.

    Attributes:
        name: File name inside the batch's landing folder.
        sha256: Hex digest of its bytes.
        size: Bytes.
        source: Where it came from, secrets masked.
        format: ``csv``, ``csv.gz``, ``jsonl`` or ``parquet``.
        origin: Name of the configured source that brought it; empty where a person named it.
        stale: Name of the source whose rows these are although they are older than they should be; else empty.
    """

    name: str
    sha256: str
    size: int
    source: str
    format: str
    origin: str = ""
    stale: str = ""


@dataclass(frozen=True)
class Landing:
    """A batch as it landed.

    Attributes:
        pipeline: Pipeline name.
        batch_id: Batch id.
        files: Its files, in order.
        landed_at: UTC.
        repeats: The earlier batch whose files these are, standing in for a source that was away; else empty.
    """

    pipeline: str
    batch_id: str
    files: tuple[LandedFile, ...]
    landed_at: datetime
    repeats: str = ""

    @property
    def stale(self) -> tuple[str, ...]:
        """The sources that this batch has older rows of than it should, sorted."""
        return tuple(sorted({f.stale for f in self.files if f.stale}))


@dataclass(frozen=True)
class ModelRef:
    """A registered model version and the sha256 of its manifest (which lists every file's sha256)."""

    version: str
    sha256: str
    run_id: str


@dataclass(frozen=True)
class Pins:
    """What a batch is scored with, fixed when it starts so that a rerun gives the same answers.

    Attributes:
        champion: The model in charge, or None before the first promotion.
        previous: The model in charge before it, or None.
        config_sha256: Digest of the pipeline's configuration and expectations.
        inputs: sha256 of the landed files, in order.
        as_of: The instant the batch started (UTC): nothing later is looked at.
        last_good: For columns imputed by last known good, the newest value known at the start.
        history: The last good batches that this one is compared with, oldest first.
        joined: For each enrichment, the ids of the landings that it is joined from, oldest first.
        revision: Which answer to the batch this is; 1 is the first.
        earlier: The pins of the revision before this one, as :meth:`to_json` writes them; None for the first.
    """

    champion: ModelRef | None
    previous: ModelRef | None
    config_sha256: str
    inputs: tuple[str, ...]
    as_of: datetime
    last_good: dict[str, Any] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    revision: int = 1
    earlier: dict[str, Any] | None = None

    @property
    def before(self) -> Pins | None:
        """The pins of the revision before this one."""
        return Pins.from_json(self.earlier) if self.earlier else None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, read back by :meth:`from_json`."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls(
            champion=ModelRef(**data["champion"]) if data["champion"] else None,
            previous=ModelRef(**data["previous"]) if data["previous"] else None,
            config_sha256=data["config_sha256"],
            inputs=tuple(data["inputs"]),
            as_of=datetime.fromisoformat(data["as_of"]),
            last_good=data["last_good"],
            # Batches that were pinned before these were kept.
            history=tuple(data.get("history", ())),
            joined={name: tuple(found) for name, found in data.get("joined", {}).items()},
            revision=data.get("revision", 1),
            earlier=data.get("earlier"),
        )


@dataclass(frozen=True)
class Counts:
    """How many rows of a batch ended where; landed = scored + quarantined + held."""

    landed: int = 0
    scored: int = 0
    quarantined: int = 0
    held: int = 0


def check_batch_id(batch_id: str) -> str:
    """Return ``batch_id`` if it is safe as a folder name and a partition value.

    Raises:
        UsageError: It has other characters than letters, digits and ``._=+-``, or is too long.
    """
    if not _BATCH_ID.fullmatch(batch_id) or ".." in batch_id:
        raise UsageError(
            f"batch id {batch_id!r} cannot be used",
            fix="use 1 to 128 letters, digits and ._=+- , starting with a letter or digit, e.g. --batch 2026-11-23",
        )
    return batch_id


@dataclass(frozen=True)
class BatchRecord:
    """What the ledger knows of a batch."""

    pipeline: str
    batch_id: str
    state: BatchState
    counts: Counts
    pins: Pins | None
    landed_at: datetime
    published_at: datetime | None = None
    held_reason: str = ""
    run_id: str = ""
