"""What is done about the faults of a batch before its rows are judged: repaired, emptied and refused cells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.quality.quarantine import dumped, plain_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.quality.coercion import Coerced
    from evenkeel.quality.quarantine import Finding

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Treatment:
    """A batch's treatment; every mask has one entry per row of the batch as it was read.

    Attributes:
        names: Schema column -> the name it came under, where that is another.
        read: Column -> what reading it as it came found, so that it need not be read again.
        values: Column -> its typed values after repair and emptying, index as the batch's.
        repaired: Column -> rows whose value was repaired, or was found under another name.
        emptied: Column -> rows whose value was taken away to be imputed; all of them for a lost column.
        refused: Rows that must go to quarantine, and why.
        distrusted: Columns that no answer may rest on.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, Coerced] = field(default_factory=dict)
    values: Mapping[str, pd.Series[Any]] = field(default_factory=dict)
    repaired: Mapping[str, Mask] = field(default_factory=dict)
    emptied: Mapping[str, Mask] = field(default_factory=dict)
    refused: tuple[Finding, ...] = ()
    distrusted: frozenset[str] = frozenset()

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the batch with its columns under the names of the schema."""
        return (
            frame.rename(columns={came: name for name, came in self.names.items()}) if self.names else frame
        )

    def losing(self, columns: Mapping[str, pd.Series[Any]], *, distrust: bool) -> Treatment:
        """Return the treatment with whole columns emptied besides.

        Args:
            columns: Column -> n nulls, typed.
            distrust: Whether no answer may rest on them.
        """
        whole = {name: np.ones(len(nothing), dtype=np.bool_) for name, nothing in columns.items()}
        return replace(
            self,
            values={**self.values, **columns},
            repaired={name: mask for name, mask in self.repaired.items() if name not in columns},
            emptied={**self.emptied, **whole},
            distrusted=self.distrusted | (frozenset(columns) if distrust else frozenset()),
        )

    def repaired_lists(self, index: pd.Index) -> pd.Series[Any]:
        """Return, for the rows of ``index`` (positions in the batch), the list of their repaired columns."""
        if not self.repaired:
            return pd.Series([[]] * len(index), index=index, dtype=object)
        lists: list[list[str]] = [[] for _ in range(len(index))]
        for name, mask in self.repaired.items():
            for row in np.flatnonzero(mask[index.to_numpy()]).tolist():
                lists[row].append(name)
        return pd.Series(lists, index=index, dtype=object)

    def originals(self, frame: pd.DataFrame, index: pd.Index) -> pd.Series[Any]:
        """Return, for the rows of ``index``, what came in the repaired and emptied cells: a JSON object, or None.

        Args:
            frame: The batch as it came.
            index: Positions in it.
        """
        touched: dict[str, Mask] = {}
        for name, mask in (*self.repaired.items(), *self.emptied.items()):
            if self.names.get(name, name) in frame.columns:
                came = frame[self.names.get(name, name)].notna().to_numpy()
                touched[name] = touched.get(name, np.zeros(len(mask), dtype=np.bool_)) | (mask & came)
        if not touched:
            return pd.Series([None] * len(index), index=index, dtype=object)
        kept: dict[int, dict[str, Any]] = {}
        for name, mask in touched.items():
            rows = np.flatnonzero(mask[index.to_numpy()])
            cells = frame[self.names.get(name, name)].iloc[index.to_numpy()[rows]]
            for row, cell in zip(rows.tolist(), plain_cells(cells), strict=True):
                kept.setdefault(row, {})[name] = cell
        texts = [dumped(kept[i]) if i in kept else None for i in range(len(index))]
        return pd.Series(texts, index=index, dtype=object)


UNTREATED = Treatment()
