"""Which of several copies of a batch to believe, by their bytes and, where those differ, by their rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.adapters import reading
from evenkeel.domain.batch import LandedFile
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from evenkeel.adapters.fetched import Fetched

_FEWEST = 3  # with fewer copies nobody is outvoted
_EXACT = 2**53  # larger whole numbers are not all told apart as floats


@dataclass(frozen=True)
class Copy:
    """A batch as one place holds it, here and whole.

    Attributes:
        place: Where the place stands in the configuration.
        files: Its files.
        checked: Whether they match a checksum that their source states.
    """

    place: str
    files: tuple[Fetched, ...]
    checked: bool = False

    @property
    def modified(self) -> datetime | None:
        """When the newest of it was written, UTC; None where no file tells."""
        return max((t for f in self.files if (t := f.stated.modified)), default=None)


@dataclass(frozen=True)
class Agreement:
    """What became of a comparison.

    Attributes:
        chosen: The copy to use.
        others: The copies that say something else.
        outvoted: Whether those are outvoted; else nobody can say who is right.
    """

    chosen: Copy
    others: tuple[Copy, ...] = ()
    outvoted: bool = False


def best(copies: Sequence[Copy]) -> Copy:
    """Return the copy with a checksum, then the freshest, then the first."""

    def rank(number: int) -> tuple[bool, float, int]:
        modified = copies[number].modified
        return copies[number].checked, modified.timestamp() if modified else -np.inf, -number

    return copies[max(range(len(copies)), key=rank)]


def agree(copies: Sequence[Copy]) -> Agreement:
    """Return the copy that most others agree with; without a majority, the best and who contradicts it."""
    groups: dict[str, list[Copy]] = {}
    for copy, said in zip(copies, _contents(copies), strict=True):
        groups.setdefault(said, []).append(copy)
    sizes = sorted((len(g) for g in groups.values()), reverse=True)
    if len(sizes) == 1:
        return Agreement(best(copies))
    outvoted = len(copies) >= _FEWEST and sizes[0] > sizes[1]
    chosen = best(max(groups.values(), key=len) if outvoted else copies)
    others = tuple(c for g in groups.values() if chosen not in g for c in g)
    return Agreement(chosen, others, outvoted)


def _contents(copies: Sequence[Copy]) -> list[str]:
    """Return for each copy what it says: the same text for the same bytes, or for the same rows."""
    by_bytes = [" ".join(sorted(f.sha256 for f in copy.files)) for copy in copies]
    if len(set(by_bytes)) == 1:
        return by_bytes
    by_rows = {said: _rows(copy) or said for said, copy in zip(by_bytes, copies, strict=True)}
    return [by_rows[said] for said in by_bytes]


def _rows(copy: Copy) -> str:
    """Return a digest of a copy's rows, whatever their order, format and spelling; empty where it cannot be read."""
    described = [LandedFile(f.name, f.sha256, f.size, f.source, f.format) for f in copy.files]
    try:
        rows = reading.read([(d, f.path) for d, f in zip(described, copy.files, strict=True)])
    except DataRejected:
        return ""
    columns = sorted(map(str, rows.frame.columns))
    plain = pd.DataFrame({c: _plain(rows.frame[c]) for c in columns}, index=rows.frame.index)
    digest = hashlib.sha256(repr((columns, sorted(line.raw for line in rows.unreadable))).encode())
    hashes = pd.util.hash_pandas_object(plain, index=False).to_numpy()
    digest.update(np.sort(hashes).tobytes())
    return digest.hexdigest()


def _plain(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as csv and parquet would both give it: numbers, instants in UTC, or text."""
    present = cells.dropna()
    text = present.map(_written).astype(object)
    # A time or a truth value of parquet is no number, though pandas would make one of it.
    numbers = pd.to_numeric(present if _is_number(cells) else text, errors="coerce")
    if numbers.notna().all() and (numbers.abs() < _EXACT).all():
        return numbers.astype("float64").reindex(cells.index) + 0.0
    times = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    if times.notna().all():
        text = times.map(_written).astype(object)
    elif text.str.lower().isin(["true", "false"]).all():
        text = text.str.lower()
    return text.reindex(cells.index).fillna("").astype(object)


def _is_number(cells: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)


def _written(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
