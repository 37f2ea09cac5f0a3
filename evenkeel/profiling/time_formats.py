"""Find how a column of texts writes its times."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.quality.coercion import coerce_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

_PROBE = 20  # distinct texts tried before all are
_NUMBER = re.compile(
    r"\s*[+-]?(\d+\.\d*|\.\d+|\d{1,7}|\d{9,11}|\d{13}|\d{15,})([eE][+-]?\d+)?\s*"
)  # no 20111224
_MONTH = ("%m", "%b", "%B", "%j")
_SHORT_YEAR = re.compile(r"^(\d{1,2}([/.-])(?:\d{1,2}|[A-Za-z]{3})\2)(\d{2})(?!\d)")


def find_time_format(texts: pd.Series[Any]) -> str | None:
    """Return the strptime format that reads every text; empty for ISO 8601; None where there is none.

    Where day and month could be either way round the one is taken in which the times run more evenly in
    the order of the file, month first where that does not tell either.

    Args:
        texts: n texts, none missing.
    """
    distinct = texts.str.strip().drop_duplicates()
    distinct = distinct[distinct != ""]
    probe = distinct.iloc[
        np.unique(np.linspace(0, len(distinct) - 1, min(_PROBE, len(distinct))).astype(int))
    ]
    if not probe.str.contains(r"\d").all() or any(_NUMBER.fullmatch(t) for t in probe):
        return None
    if _readable(probe, None) and _readable(distinct, None):
        return ""
    fitting = [p for p in _patterns(probe) if _readable(probe, p) and _readable(distinct, p)]
    return min(fitting, key=lambda p: _roughness(texts, p)) if fitting else None


def _patterns(probe: pd.Series[Any]) -> Iterable[str]:
    """Return formats that name a whole date, as pandas guesses them from the texts."""
    from pandas.tseries.api import guess_datetime_format  # type: ignore[attr-defined]  # the stubs lack it

    patterns: dict[str, None] = {}
    for text in probe:
        whole = _SHORT_YEAR.sub(r"\g<1>20\3", text)
        for day_first in (False, True):
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", UserWarning
                )  # that it took the other way round: it is looked at
                guessed = guess_datetime_format(whole, dayfirst=day_first)
            if guessed and any(part in guessed for part in _MONTH) and "%Y" in guessed:
                patterns[guessed if whole == text else guessed.replace("%Y", "%y")] = None
    return patterns


def _readable(texts: pd.Series[Any], pattern: str | None) -> bool:
    read = coerce_column(texts, "time", time_format=pattern)
    return not read.flawed and bool(read.values.notna().all()) and _sane(read.values)


def _sane(times: pd.Series[Any]) -> bool:
    """Refuse what only looks like a date: eight digits that are a number give years like 1000 or 9999."""
    return bool(times.dt.year.between(1800, 2200).all())


def _roughness(texts: pd.Series[Any], pattern: str) -> float:
    """Return how far the times jump between rows in the order of the file, in all."""
    times = coerce_column(texts, "time", time_format=pattern).values
    return float(np.abs(np.diff(times.to_numpy(dtype="datetime64[s]").astype(np.int64))).sum())
