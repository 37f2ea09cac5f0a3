"""A file on its way into the landing zone: named, and brought to this machine when first looked at."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.adapters.formats import detect, masked
from evenkeel.adapters.vendor_errors import translated
from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


class Fetched:
    """One file from a source.

    Attributes:
        name: Its file name, which decides the format and, by default, the batch.
        source: Where it comes from, secrets masked.
    """

    def __init__(self, name: str, source: str, bring: Callable[[Path], Path]) -> None:
        """Describe the file; nothing is read yet.

        Args:
            name: Its file name.
            source: Where it comes from; masked here.
            bring: Given an empty scratch folder, returns the path of the whole file: the file itself, or its
                download into that folder. The folder goes when this object does.
        """
        self.name = name
        self.source = masked(source)
        self._bring = bring
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    @cached_property
    def path(self) -> Path:
        """The whole file on this machine.

        Raises:
            UsageError: It is missing, a folder, or empty.
            Transient: The source does not answer.
            Permanent: The source refuses.
        """
        self._scratch = tempfile.TemporaryDirectory(prefix="evenkeel-")
        path = self._bring(Path(self._scratch.name))
        if not path.stat().st_size:
            raise UsageError(
                f"{self.source}: the file is empty (0 bytes)",
                fix="give a file with at least a header",
                cause="data.empty",
            )
        return path

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
        cause = "dependency.source_refuses"
        with (
            translated(self.source, down="dependency.source_down", refused=cause),
            self.path.open("rb") as file,
        ):
            return hashlib.file_digest(file, "sha256").hexdigest()
