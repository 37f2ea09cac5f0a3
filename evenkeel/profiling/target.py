"""What is predicted: the task, the classes, the answer to give before anything was learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evenkeel.errors import UsageError
from evenkeel.quality.coercion import coerce_column

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.profiling.column import Column

Task = Literal["binary", "multiclass", "regression"]

_FEW = 10  # as many different whole numbers are rather classes than amounts
_MOST_CLASSES = 200
_LEAST_PER_CLASS = 3  # rows per class on average; with fewer the answers are no classes
_POSITIVE = ("yes", "true", "1", "y", "t", "up", "positive", "pos", "good", "won", "success", "on", "late")
_MOSTLY = 0.95


@dataclass(frozen=True)
class Target:
    """The target.

    Attributes:
        column: Its name.
        task: What kind of answer is wanted.
        classes: Every class as text, the positive one last; empty for a regression.
        default: The majority class, or the median.
        tolerance: For a regression, half the standard deviation; None otherwise.
        values: n labels: class texts or float64, null where there is none.
        why: What was found, for a person.
    """

    column: str
    task: Task
    classes: tuple[str, ...]
    default: str | float
    tolerance: float | None
    values: pd.Series[Any]
    why: str

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which rows have a label."""
        return self.values.notna().to_numpy(np.bool_)

    @property
    def codes(self) -> npt.NDArray[np.float64]:
        """The labelled rows' answers as numbers: n x classes of 0 and 1, or n x 1 standardised amounts."""
        known = self.values[self.known]
        if self.classes:
            indicators: npt.NDArray[np.float64] = np.eye(len(self.classes))
            return indicators[pd.Index(self.classes).get_indexer(pd.Index(known))]
        amounts = known.to_numpy(dtype=np.float64)
        standard: npt.NDArray[np.float64] = (amounts - amounts.mean()) / (amounts.std() or 1.0)
        return standard.reshape(-1, 1)


def study_target(column: Column, task: Task | None) -> Target:
    """Find out what is predicted.

    Args:
        column: The target's column.
        task: As asked for; None to find out.

    Raises:
        UsageError: It is constant or empty, or cannot be what ``task`` says.
    """
    texts = _texts(column.cells)
    given = texts.dropna()
    if given.empty:
        raise UsageError(f"target {column.name!r} is empty in every row", fix="name another --target")
    if (given == given.iloc[0]).all():
        raise UsageError(
            f"target {column.name!r} is {given.iloc[0]!r} in every row: there is nothing to learn",
            fix="name another --target, or give a file with more of the history",
        )
    numbers = coerce_column(texts, "numeric").values
    numbers = numbers.where(np.isfinite(numbers))
    numeric = numbers.notna().sum() >= _MOSTLY * len(given)
    chosen = task or _task(given, numbers.dropna() if numeric else None)
    if chosen == "regression":
        return _regression(column.name, numbers, given, numeric=bool(numeric))
    return _classes(column.name, texts, chosen)


def _texts(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return labels as late labels will be read: text without spaces around, whole numbers without a point."""
    texts = cells.astype("string").str.strip()
    return texts.mask(texts == "").str.replace(r"^([+-]?\d+)\.0+$", r"\1", regex=True).astype(object)


def _task(given: pd.Series[Any], numbers: pd.Series[Any] | None) -> Task:
    distinct = given.nunique()
    if distinct == 2:  # noqa: PLR2004 - binary
        return "binary"
    if numbers is None:
        return "multiclass"
    whole = bool((numbers == np.rint(numbers)).all())
    return "multiclass" if whole and distinct <= _FEW and distinct * _FEW <= len(numbers) else "regression"


def _regression(name: str, numbers: pd.Series[Any], given: pd.Series[Any], *, numeric: bool) -> Target:
    if not numeric:
        odd = given[numbers.reindex(given.index).isna()].iloc[0]
        raise UsageError(
            f"target {name!r} is no number in {len(given) - int(numbers.notna().sum())} rows, e.g. {odd!r}",
            fix="leave out --task regression, or name another --target",
        )
    known = numbers.dropna()
    deviation = float(known.std())
    why = f"{known.nunique()} different numbers from {known.min():g} to {known.max():g}"
    return Target(name, "regression", (), _round(float(known.median())), _round(deviation / 2), numbers, why)


def _classes(name: str, texts: pd.Series[Any], task: Task) -> Target:
    counts = texts.value_counts()
    if task == "binary" and len(counts) > 2:  # noqa: PLR2004 - binary
        listed = ", ".join(map(str, counts.index[:4]))
        raise UsageError(
            f"target {name!r} has {len(counts)} classes ({listed}, ...), --task binary needs 2",
            fix="say --task multiclass",
        )
    if task == "multiclass" and len(counts) == 2:  # noqa: PLR2004 - binary
        task = "binary"
    if len(counts) > _MOST_CLASSES or len(counts) * _LEAST_PER_CLASS > counts.sum():
        raise UsageError(
            f"target {name!r} has {len(counts)} different texts in {counts.sum()} rows: these are no classes",
            fix=f"name another --target; at most {_MOST_CLASSES} classes are told apart",
        )
    classes = tuple(sorted(counts.index, key=lambda c: _order(c, counts, binary=task == "binary")))
    shares = ", ".join(f"{c} {n / counts.sum():.1%}" for c, n in counts.head(5).items())
    why = shares + (", ..." if len(counts) > 5 else "")  # noqa: PLR2004 - enough to see
    return Target(name, task, classes, str(counts.index[0]), None, texts, why)


def _order(label: str, counts: pd.Series[Any], *, binary: bool) -> tuple[float, float, str]:
    """Sort numbers as numbers and texts as texts; of two classes the positive, else the rarer, comes last."""
    number = coerce_column(pd.Series([label], dtype=object), "numeric").values.iloc[0]
    if binary and not any(c.lower() in _POSITIVE for c in counts.index):
        return (-float(counts[label]), 0.0, label)
    if binary:
        return (float(label.lower() in _POSITIVE), 0.0, label)
    return (float(np.isnan(number)), 0.0 if np.isnan(number) else float(number), label)


def _round(value: float) -> float:
    """Keep 4 digits: enough for a starting point, and readable."""
    return float(f"{value:.4g}")
