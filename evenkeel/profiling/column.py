"""One column of the file: what kind it is, and its values as the schema will type them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.profiling.time_formats import find_time_format
from evenkeel.quality.coercion import Coerced, coerce_column

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.quality.kind import Kind

_DTYPES: dict[Kind, str] = {
    "numeric": "float64",
    "categorical": "str",
    "boolean": "bool",
    "time": "datetime64[ns, UTC]",
}
_CODE = re.compile(r"\s*[+-]?0\d+\s*")  # 007 is no number: its zeros would be lost
_EXACT = 2.0**53
# A few cells that are no number do not make a column of numbers one of texts; their rows are quarantined.
_MOSTLY = 0.995
# Rows that show a rule without an exception before the rule is believed: at most 1 in 100 breaks it (95 %).
_CONVINCING = 300
_ABSENT = ("na", "n/a", "#n/a", "null", "none", "nil", "?", "-", "--", ".", "missing", "unknown")
_BOTH = 5  # rows of each of 0 and 1


@dataclass(frozen=True)
class Column:
    """A column, typed.

    Attributes:
        name: Its name.
        kind: Its kind; None where no step can read it, as with lists in JSON lines.
        dtype: As ``schema.yaml`` says it.
        cells: As they came, n of them.
        values: Typed, n values, index as the cells'.
        time_format: strptime format of times that are not ISO 8601.
        unreadable: Cells that hold something else.
        null_texts: Texts that stand for a missing value.
    """

    name: str
    kind: Kind | None
    dtype: str
    cells: pd.Series[Any]
    values: pd.Series[Any]
    time_format: str | None = None
    unreadable: int = 0
    null_texts: tuple[str, ...] = ()

    @cached_property
    def missing(self) -> float:
        """Share of cells without a value, 0 to 1."""
        return float(self.values.isna().mean())

    @cached_property
    def distinct(self) -> int:
        """Distinct values."""
        return int(self.values.nunique())

    @property
    def complete(self) -> bool:
        """Whether every cell has a readable value."""
        return not self.values.isna().any()

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers only."""
        if self.kind != "numeric":
            return False
        numbers = self.values.dropna().to_numpy()
        return bool(len(numbers) and np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all())

    @cached_property
    def exact(self) -> pd.Series[Any]:
        """The values as a key holds them: whole numbers beyond 2**53 keep their last digits."""
        if not self.whole:
            return self.values
        read = coerce_column(self.cells, "numeric", whole=True, key=True, null_texts=self.null_texts)
        return self.values if read.flawed else read.values


def type_column(name: str, cells: pd.Series[Any]) -> Column:
    """Find out what kind a column is.

    Args:
        name: Its name.
        cells: As they came: text cells of csv, any cells of JSON lines, typed columns of parquet.
    """
    texts = _texts(cells)
    if texts is not None and (marks := _marks_of_absence(texts)):
        return replace(type_column(name, cells.mask(cells.isin(marks))), cells=cells, null_texts=marks)
    if texts is not None and not texts.str.strip().any():
        return _column(name, "categorical", cells, coerce_column(cells, "categorical"))
    pattern = None if texts is None else find_time_format(texts)
    if pattern is not None:
        read = coerce_column(cells, "time", time_format=pattern or None)
        return _column(name, "time", cells, read, time_format=pattern or None)
    coded = texts is not None and any(_CODE.fullmatch(t) for t in texts)
    for kind, read_as in _WAYS:
        if kind == "numeric" and coded:
            continue
        if (typed := read_as(cells, texts)) is not None:
            return _column(name, kind, cells, typed)
    nothing = pd.Series([None] * len(cells), index=cells.index, dtype=object)
    return Column(name, None, "", cells, nothing, unreadable=int(cells.notna().sum()))


def _column(
    name: str, kind: Kind, cells: pd.Series[Any], read: Coerced, *, time_format: str | None = None
) -> Column:
    unreadable = int(np.sum([mask.sum() for mask in read.flawed.values()])) if read.flawed else 0
    values = read.values
    if "finite" in read.flawed:
        values = values.mask(read.flawed["finite"])
    column = Column(name, kind, _DTYPES[kind], cells, values, time_format, unreadable)
    convinced = values.notna().sum() >= _CONVINCING and values.abs().max() < _EXACT if column.whole else False
    return Column(name, kind, "int64", cells, values, None, unreadable) if convinced else column


def _texts(cells: pd.Series[Any]) -> pd.Series[Any] | None:
    """Return the texts of a column that holds nothing else, without the empty cells; None for others."""
    kept = cells.dropna()
    if pd.api.types.infer_dtype(kept, skipna=True) not in ("string", "empty"):
        return None
    return kept.astype(object)


def _marks_of_absence(texts: pd.Series[Any]) -> tuple[str, ...]:
    """Return the words for "missing" that stand among numbers or times; among other texts they are categories."""
    absent = texts.str.strip().str.lower().isin(_ABSENT)
    if not absent.any() or absent.all():
        return ()
    others = texts[~absent]
    numbers = _numbers(others, others) is not None and not any(_CODE.fullmatch(t) for t in others)
    return tuple(texts[absent].unique()) if numbers or find_time_format(others) is not None else ()


def _truths(cells: pd.Series[Any], texts: pd.Series[Any] | None) -> Coerced | None:
    read = _clean(cells, "boolean")
    return read if read is not None and _is_boolean(cells, read, texts) else None


def _instants(cells: pd.Series[Any], texts: pd.Series[Any] | None) -> Coerced | None:
    return _clean(cells, "time") if texts is None else None


def _categories(cells: pd.Series[Any], _texts: pd.Series[Any] | None) -> Coerced | None:
    read = coerce_column(cells, "categorical")
    return None if read.flawed else read


def _clean(cells: pd.Series[Any], kind: Kind) -> Coerced | None:
    read = coerce_column(cells, kind)
    return None if read.flawed or not read.values.notna().any() else read


def _is_boolean(cells: pd.Series[Any], read: Coerced, texts: pd.Series[Any] | None) -> bool:
    """Tell words of truth from the numbers 0 and 1, which a longer history may show to be counts."""
    if texts is None:
        words = pd.api.types.infer_dtype(cells.dropna(), skipna=True) == "boolean"
    else:
        words = not texts.str.strip().isin(["0", "1"]).any()
    counts = read.values.value_counts()
    both = len(counts) > 1 and counts.min() >= _BOTH and counts.sum() >= _CONVINCING
    return bool(words or both)


def _numbers(cells: pd.Series[Any], _texts: pd.Series[Any] | None) -> Coerced | None:
    read = coerce_column(cells, "numeric")
    given = int(cells.notna().sum())
    good = int(read.values.notna().sum() - read.flawed.get("finite", np.zeros(1)).sum())
    bad = sum(int(mask.sum()) for mask in read.flawed.values())
    return read if good and bad <= (1 - _MOSTLY) * given else None


# In the order tried: what says most of a column first.
_WAYS: tuple[tuple[Kind, Callable[[pd.Series[Any], pd.Series[Any] | None], Coerced | None]], ...] = (
    ("boolean", _truths),
    ("time", _instants),
    ("numeric", _numbers),
    ("categorical", _categories),
)
