"""Fill missing cells by imputers fitted on the reference, and say of each row which were filled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from evenkeel.errors import DataRejected
from evenkeel.quality.imputers import joint_imputer, simple_imputer, typed_value
from evenkeel.quality.quarantine import Finding, set_aside

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from evenkeel.domain.quality import Split
    from evenkeel.quality.kind import Kind
    from evenkeel.settings import Pipeline


@dataclass(frozen=True)
class Imputed:
    """A batch without missing feature cells.

    Attributes:
        frame: n rows, index and columns as they came; the very frame where nothing was missing.
        columns_per_row: Per row the list of columns that were filled, in the order of the features; index as
            the frame's. Rows share their lists: they are to be read only.
        counts: Column -> number of cells filled; columns without a gap are left out.
    """

    frame: pd.DataFrame
    columns_per_row: pd.Series[Any]
    counts: dict[str, int] = field(default_factory=dict)


class Imputer:
    """Per-column imputers; deterministic.

    Attributes:
        parts: scikit-learn objects and plain values that skops can dump: ``time``, ``columns`` (name ->
            ``kind``, ``strategy``, ``simple``: the ``SimpleImputer`` of the last resort) and ``joint``
            (strategy -> ``columns``, ``scaler``, ``imputer``).
    """

    def __init__(self, parts: dict[str, Any]) -> None:
        self.parts = parts

    @classmethod
    def from_parts(cls, parts: dict[str, Any]) -> Self:
        """Make an imputer again from its ``parts``."""
        return cls(parts)

    def apply(self, frame: pd.DataFrame, *, last_good: Mapping[str, Any]) -> Imputed:
        """Fill every missing feature cell.

        ``last_known_good`` takes the value before it in the batch's own time order, else the one in
        ``last_good``, else the reference's median or most frequent value.

        Args:
            frame: Accepted rows with all feature columns, and the time column where values are carried on.
            last_good: Column -> its newest known value before this batch.
        """
        columns: dict[str, dict[str, Any]] = self.parts["columns"]
        gaps = {name: gap for name in columns if (gap := _gap(frame[name])) is not None}
        done = Imputed(
            frame, _lists(frame.index, gaps), {name: int(mask.sum()) for name, mask in gaps.items()}
        )
        if not gaps:
            return done
        filled = frame.copy(deep=False)
        joint = {s: self._joint(s, frame, gaps) for s in self.parts["joint"]}
        for name, gap in gaps.items():
            strategy = columns[name]["strategy"]
            if name in joint.get(strategy, {}):
                filled[name] = joint[strategy][name]
            elif strategy == "last_known_good":
                filled[name] = self._carried(frame, name, last_good.get(name))
            else:
                filled[name] = frame[name].where(~gap, self._last_resort(name))
        return Imputed(filled, done.columns_per_row, done.counts)

    def _last_resort(self, name: str) -> Any:
        column = self.parts["columns"][name]
        missing = None if column["kind"] == "categorical" else np.nan
        value = column["simple"].transform(np.array([[missing]], dtype=object if missing is None else float))[
            0, 0
        ]
        return typed_value(value, column["kind"])

    def _carried(self, frame: pd.DataFrame, name: str, last_good: Any) -> pd.Series[Any]:
        values = frame[name]
        kind = self.parts["columns"][name]["kind"]
        order = np.arange(len(values))
        if self.parts["time"] in frame.columns:
            order = np.argsort(frame[self.parts["time"]].to_numpy(), kind="stable")
        # By position, not with ffill, which on pandas 2 retypes object columns and warns of it.
        known = np.where(values.notna().to_numpy()[order], np.arange(len(values)), -1)
        newest = np.maximum.accumulate(known)
        source = np.empty(len(values), dtype=np.int64)
        source[order] = np.where(newest >= 0, order[newest], order)
        carried = values.take(source).set_axis(values.index)
        missing = bool(pd.isna(last_good))
        first = self._last_resort(name) if missing else typed_value(last_good, kind)
        return carried.where(carried.notna(), first)

    def _joint(
        self, strategy: str, frame: pd.DataFrame, gaps: Mapping[str, npt.NDArray[np.bool_]]
    ) -> dict[str, pd.Series[Any]]:
        """Fill the columns of a strategy that looks at all numbers of a row, for the rows that need it."""
        part, columns = self.parts["joint"][strategy], self.parts["columns"]
        wanted = [c for c in part["columns"] if c in gaps and columns[c]["strategy"] == strategy]
        if not wanted:
            return {}
        rows = np.flatnonzero(np.logical_or.reduce([gaps[c] for c in wanted]))
        numbers = frame[part["columns"]].iloc[rows].to_numpy(dtype="float64")
        scaled = part["scaler"].transform(numbers)
        chunks = [part["imputer"].transform(scaled[i : i + _CHUNK]) for i in range(0, len(rows), _CHUNK)]
        filled = part["scaler"].inverse_transform(np.concatenate(chunks))
        answers = {}
        for name in wanted:
            values = frame[name].to_numpy(dtype="float64", copy=True)
            gap = gaps[name]
            values[gap] = filled[:, part["columns"].index(name)][gap[rows]]
            answers[name] = pd.Series(values, index=frame.index)
        return answers


_CHUNK = 5_000  # rows at once: bounds the distances that nearest neighbours keep in memory


def fit_imputer(reference: pd.DataFrame, pipeline: Pipeline, kinds: Mapping[str, Kind]) -> Imputer:
    """Fit each feature column's imputer on the reference.

    Nearest neighbours are looked for among at most 2,000 rows of the reference, the iterative regressions
    (Bayesian ridge) are fitted on at most 20,000; both on numbers scaled by median and quartiles, taken
    evenly over the rows. A column without any value in the reference gets 0, ``missing`` or false.

    Args:
        reference: Rows learned from, un-imputed, with the feature columns.
        pipeline: Names the features and their strategies.
        kinds: Kind of each column.
    """
    impute = pipeline.impute
    columns: dict[str, dict[str, Any]] = {}
    for name in pipeline.features.columns:
        kind = kinds[name]
        chosen = impute.columns.get(name, impute.numeric if kind == "numeric" else impute.categorical)
        simple = simple_imputer(reference[name], kind, chosen.strategy, chosen.fill_value)
        columns[name] = {"kind": kind, "strategy": chosen.strategy, "simple": simple}
    numeric = [n for n, c in columns.items() if c["kind"] == "numeric" and reference[n].notna().any()]
    used = {c["strategy"] for c in columns.values()} & {"knn", "iterative"}
    joint = {
        strategy: joint_imputer(strategy, reference[numeric], pipeline.training.seed)
        for strategy in sorted(used)
    }
    return Imputer({"time": pipeline.time, "columns": columns, "joint": joint})


def refuse_rows(split: Split, frame: pd.DataFrame, pipeline: Pipeline) -> Split:
    """Quarantine accepted rows with too many missing feature cells to be filled.

    Args:
        split: The batch as divided by its schema.
        frame: The batch as it came.
        pipeline: ``impute.max_row_share`` and ``impute.max_batch_share``.

    Returns:
        ``split`` itself, or one with those rows moved to quarantine for ``missing_share``.

    Raises:
        DataRejected: The whole batch has too many (``data.nulls``).
    """
    features = list(pipeline.features.columns)
    rows = len(split.accepted)
    gaps = {name: gap for name in features if (gap := _gap(split.accepted[name])) is not None}
    if not gaps:
        return split
    missing = np.sum(list(gaps.values()), axis=0)
    share = missing.sum() / (rows * len(features))
    limits = pipeline.impute
    if share > limits.max_batch_share:
        raise DataRejected(
            f"{share:.0%} of the batch's feature cells are missing, at most {limits.max_batch_share:.0%} may",
            fix="land the batch again once its source is whole, or raise impute.max_batch_share",
            cause="data.nulls",
            evidence={
                "share": round(float(share), 4),
                "missing": {name: int(gap.sum()) for name, gap in gaps.items()},
            },
        )
    past = np.flatnonzero(missing > limits.max_row_share * len(features))
    if not len(past):
        return split
    values = [f"{k} of {len(features)}" for k in missing[past]]
    return set_aside(split, frame, Finding("*", "missing_share", past, values), pipeline.row_key)


def _gap(values: pd.Series[Any]) -> npt.NDArray[np.bool_] | None:
    """Return which cells are missing, or None where none is."""
    if values.dtype == np.float64 and len(values) and not np.isnan(values.to_numpy().min()):
        return None  # the least of numbers with a NaN among them is NaN: much cheaper than a mask
    gap = values.isna().to_numpy()
    return gap if gap.any() else None


def _lists(index: pd.Index, gaps: Mapping[str, npt.NDArray[np.bool_]]) -> pd.Series[Any]:
    """Return each row's list of gaps; rows with the same gaps share one list."""
    lists = np.empty(len(index), dtype=object)
    lists.fill([])
    if gaps:
        names = list(gaps)
        rows = np.flatnonzero(np.logical_or.reduce(list(gaps.values())))
        cells = np.column_stack([gaps[name][rows] for name in names])
        _, example, of_row = np.unique(
            np.packbits(cells, axis=1), axis=0, return_index=True, return_inverse=True
        )
        named = np.empty(len(example), dtype=object)
        for i, row in enumerate(example):
            named[i] = [name for name, gap in zip(names, cells[row], strict=True) if gap]
        lists[rows] = named[of_row.reshape(-1)]
    return pd.Series(lists, index=index)
