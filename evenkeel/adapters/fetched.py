"""A file on its way into the landing zone: named, and brought to this machine when first looked at."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from evenkeel.adapters.formats import detect, masked
from evenkeel.adapters.vendor_errors import translated
from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Stated:
    """What a source states of a file.

    Attributes:
        modified: When it was last written, UTC; None where that is not told.
        fingerprint: Tells this version of the file from any other of the same name; empty where nothing does.
        checksum: ``sha256:<hex>`` or ``md5:<hex>`` of its bytes; empty where none is stated.
    """

    modified: datetime | None = None
    fingerprint: str = ""
    checksum: str = ""


@dataclass(frozen=True)
class Brought:
    """A whole file on this machine.

    Attributes:
        path: The file.
        stated: What its source states of it.
    """

    path: Path
    stated: Stated = Stated()


class Check(Protocol):
    """Called now and then by what may take long; raises where it is given up."""

    def __call__(self) -> None:
        """Return, or raise."""


class Bring(Protocol):
    """How a file is brought here."""

    def __call__(self, scratch: Path, check: Check, /) -> Brought:
        """Bring the whole file, or find it here; ``scratch`` is an empty folder it may be written to."""


class Fetched:
    """One file from a source.

    Attributes:
        name: Its file name, which decides the format and, by default, the batch.
        source: Where it comes from, secrets masked.
        listed: What a listing states of it, before anything of it is read.
        origin: Name of the configured source that it comes through; empty where a person named it.
        stale: Name of the source where the file is older than it should be; else empty.
    """

    def __init__(
        self, name: str, source: str, bring: Bring, *, listed: Stated = Stated(), origin: str = ""
    ) -> None:
        """Describe the file; nothing is read yet.

        Args:
            name: Its file name.
            source: Where it comes from; masked here.
            bring: Returns the whole file: itself, or its download into the scratch folder, which goes when
                this object does.
            listed: What a listing states of it.
            origin: Name of the configured source.
        """
        self.name = name
        self.source = masked(source)
        self.listed = listed
        self.origin = origin
        self.stale = ""
        self._bring = bring
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._brought: Brought | None = None

    def bring(self, check: Check = lambda: None) -> Brought:
        """Bring the whole file to this machine, once.

        Args:
            check: Called between the parts of a download.

        Raises:
            UsageError: It is missing, a folder, or empty.
            Transient: The source does not answer.
            Permanent: The source refuses.
        """
        if self._brought is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="evenkeel-")
            brought = self._bring(Path(self._scratch.name), check)
            if not brought.path.stat().st_size:
                raise UsageError(
                    f"{self.source}: the file is empty (0 bytes)",
                    fix="give a file with at least a header",
                    cause="data.empty",
                )
            modified = brought.stated.modified or self.listed.modified
            self._brought = replace(brought, stated=replace(brought.stated, modified=modified))
        return self._brought

    @property
    def path(self) -> Path:
        """The whole file on this machine; raises as :meth:`bring` does."""
        return self.bring().path

    @property
    def stated(self) -> Stated:
        """What its source states of it, once it is here."""
        return self.bring().stated

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size

    @cached_property
    def format(self) -> str:
        """``csv``, ``csv.gz``, ``jsonl`` or ``parquet``; UsageError where it is none of them."""
        return detect(self.path, self.name)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of its bytes."""
        return self.digest("sha256")

    def digest(self, algorithm: str) -> str:
        """Return the hex digest of its bytes by another algorithm, as ``md5``."""
        cause = "dependency.source_refuses"
        with (
            translated(self.source, down="dependency.source_down", refused=cause),
            self.path.open("rb") as file,
        ):
            return hashlib.file_digest(file, algorithm).hexdigest()
