"""The lowest rung: an answer from the labels alone, which no input column can break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from evenkeel.learning.features import calendar_part, utc_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from evenkeel.settings import Pipeline
    from evenkeel.settings.pipeline import Calendar

_RADIX = {"half_hour": 48, "hour": 24, "weekday": 7, "day": 32, "month": 13, "weekend": 2}


@dataclass(frozen=True)
class Heuristic:
    """A fitted heuristic.

    Attributes:
        kind: ``prior``, ``last``, ``seasonal`` or ``default``.
        answer_to_all: The answer where no season is known: a class as text, or a number.
        season: Calendar parts that make a season's cell.
        cells: Code of a cell -> its answer, sorted by code.
    """

    kind: str
    answer_to_all: str | float
    season: tuple[Calendar, ...] = ()
    cells: tuple[tuple[int, str | float], ...] = ()

    def answer(self, frame: pd.DataFrame, pipeline: Pipeline) -> npt.NDArray[Any]:
        """Return one answer per row: object str for classes, float64 for regression.

        Args:
            frame: n rows; only the time column is looked at, and only by a seasonal heuristic.
            pipeline: Names the time column.
        """
        dtype = object if isinstance(self.answer_to_all, str) else np.float64
        answers = np.full(len(frame), self.answer_to_all, dtype=dtype)
        if not self.cells or pipeline.time not in frame:
            return answers
        known = np.array([code for code, _ in self.cells], dtype=np.int64)
        values = np.array([value for _, value in self.cells], dtype=dtype)
        codes = _codes(frame[pipeline.time], self.season)
        at = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        hit = known[at] == codes
        answers[hit] = values[at[hit]]
        return answers

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, read back by :meth:`from_json`."""
        return {
            "kind": self.kind,
            "answer_to_all": self.answer_to_all,
            "season": list(self.season),
            "cells": [list(cell) for cell in self.cells],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls(
            kind=data["kind"],
            answer_to_all=data["answer_to_all"],
            season=tuple(data["season"]),
            cells=tuple((int(code), value) for code, value in data["cells"]),
        )


def default_heuristic(pipeline: Pipeline) -> Heuristic:
    """Return the heuristic of a pipeline that has learned nothing yet: it answers ``target.default``."""
    default = pipeline.target.default
    return Heuristic("default", str(default) if pipeline.is_classification else float(default))


def fit_heuristic(frame: pd.DataFrame, target: pd.Series[Any], pipeline: Pipeline) -> Heuristic:
    """Learn the configured heuristic from labelled rows.

    A class is the most frequent one (the first in ``target.classes`` where several are), a number the median.

    Args:
        frame: n >= 1 rows in time order, with the time column where the heuristic is seasonal.
        target: n labels, none missing: str for classes, else numbers.
        pipeline: Says which heuristic, and the season.
    """
    config = pipeline.ladder.heuristic
    if config.kind == "last":
        last = target.iloc[-1]
        return Heuristic("last", str(last) if pipeline.is_classification else float(last))
    one_cell = np.zeros(len(target), dtype=np.int64)
    prior = _answers(one_cell, target, pipeline)[0][1]
    if config.kind == "prior":
        return Heuristic("prior", prior)
    codes = _codes(frame[pipeline.time], config.season)
    dated = codes >= 0
    cells = _answers(codes[dated], target[dated], pipeline) if dated.any() else []
    return Heuristic("seasonal", prior, config.season, tuple(cells))


def _answers(
    codes: npt.NDArray[np.int64], target: pd.Series[Any], pipeline: Pipeline
) -> list[tuple[int, str | float]]:
    if not pipeline.is_classification:
        medians = pd.Series(target.to_numpy(dtype=np.float64)).groupby(codes).median()
        return [(int(c), float(v)) for c, v in zip(medians.index.to_numpy(), medians, strict=True)]
    classes = list(pipeline.target.classes)
    cells, rows = np.unique(codes, return_inverse=True)
    counts = np.zeros((len(cells), len(classes)), dtype=np.int64)
    np.add.at(counts, (rows, pd.Index(classes).get_indexer(pd.Index(target))), 1)
    return [(int(cell), classes[best]) for cell, best in zip(cells, counts.argmax(axis=1), strict=True)]


def _codes(times: pd.Series[Any], season: Sequence[Calendar]) -> npt.NDArray[np.int64]:
    """Return one whole number per time that tells its cell; -1 where there is no time."""
    index = utc_times(times)
    code = np.zeros(len(index), dtype=np.float64)
    for part in season:
        code = code * _RADIX[part] + calendar_part(index, part)
    return np.where(np.isnan(code), -1, code).astype(np.int64)
