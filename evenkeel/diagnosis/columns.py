"""Columns that come under another name, recognised by what is in them."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import expit
from scipy.stats import ks_2samp

from evenkeel.diagnosis.runs import cut, numbers, sample
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject
    from evenkeel.quality.kind import Kind

_SAMPLE = 1_000
_RUNS = 12
_READABLE = 0.9
_FEW_VALUES = 5
_ALIKE = 0.6
_LEAST_CONFIDENCE = 0.5
_SLACK = 0.1

# Log odds, of which 3 are 95%.
_RICH, _POOR, _OTHERWISE, _UNREADABLE = 3.5, 1.0, -4.0, -20.0
_SAME_NAME, _LIKE_NAME, _NO_CHOICE, _AT_ODDS = 8.0, 4.0, 2.5, -3.0


def recognise(
    unknown: pd.DataFrame,
    missing: Sequence[str],
    past: Past,
    subject: Subject,
    coerce: Callable[[str, pd.Series[Any]], pd.Series[Any]],
) -> tuple[Fault, ...]:
    """Match unknown columns to the schema's missing ones, one to one.

    A match is as sure as its content fits the past (distribution against the past's own runs, names known,
    kind of value) and its name is like the missing one's, less where another would do nearly as well.

    Args:
        unknown: The batch's columns that the schema does not know, as they came.
        missing: Schema columns that did not come.
        past: What their content is held against.
        subject: What is known of the pipeline.
        coerce: Reads a column as a schema column is read: ``coerce(schema column, cells)``.

    Returns:
        One ``data.column_renamed`` fault for each match likelier than not, surest first.
    """
    if unknown.empty or not len(missing):
        return ()
    looked = unknown.iloc[sample(len(unknown), _SAMPLE)].reset_index(drop=True)
    content = np.array(
        [
            [_content(coerce(name, looked[came]), looked[came], name, past, subject) for name in missing]
            for came in looked.columns
        ]
    )
    odds = content + np.array([[_likeness(str(c), name) for name in missing] for c in looked.columns])
    if odds.shape == (1, 1):
        odds += _NO_CHOICE
    found = []
    for row, at in zip(*linear_sum_assignment(odds, maximize=True), strict=True):
        rivals = np.append(np.delete(odds[row], at), np.delete(odds[:, at], row))
        sure = min(odds[row, at], odds[row, at] - rivals.max(initial=-np.inf))
        confidence = float(expit(sure))
        if confidence > _LEAST_CONFIDENCE:
            came, name = str(looked.columns[row]), missing[at]
            evidence = {"from": came, "to": name, "content": round(float(content[row, at]), 1)}
            found.append(
                Fault("data.column_renamed", (name,), confidence, f"{came}->{name}", evidence=evidence)
            )
    return tuple(sorted(found, key=lambda f: -f.confidence))


def _likeness(came: str, name: str) -> float:
    """Return how much a name speaks for a match, in log odds."""
    one, other = (_letters(text) for text in (came, name))
    if one == other:
        return _SAME_NAME
    stem = one.rstrip("0123456789")
    if stem and other.startswith(stem):
        return _LIKE_NAME
    ratio = SequenceMatcher(None, one, other).ratio()
    return _LIKE_NAME * ratio if ratio >= _ALIKE else 0.0


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _content(typed: pd.Series[Any], came: pd.Series[Any], name: str, past: Past, subject: Subject) -> float:
    """Return how much the content of a column speaks for its being the schema's ``name``, in log odds."""
    there = came.notna() & (came.astype(str).str.strip() != "")
    if typed[there].notna().mean() < _READABLE or not there.any():
        return _UNREADABLE
    if name not in past.rows.columns:
        return 0.0
    kind: Kind = subject.kinds[name]
    before = past.rows[name]
    if kind in {"numeric", "boolean"}:
        return _numbers_fit(numbers(typed), numbers(before), past, len(typed))
    if kind == "categorical":
        return _names_fit(typed.dropna(), before.dropna())
    if kind == "time":
        return _times_fit(typed.dropna(), before.dropna())
    return _texts_fit(typed.dropna(), before.dropna())


def _numbers_fit(values: np.ndarray, before: np.ndarray, past: Past, rows: int) -> float:
    """Hold the nearest run of the past against how near its runs are to each other."""
    runs = [before[piece][~np.isnan(before[piece])] for piece in cut(past, rows)[-_RUNS:]]
    runs = [run[sample(len(run), _SAMPLE)] for run in runs if len(run)]
    values = values[~np.isnan(values)]
    if not runs or not len(values):
        return 0.0
    apart = [min((_apart(run, other) for other in runs[:at]), default=0.0) for at, run in enumerate(runs)]
    nearest = min(_apart(values, run) for run in runs)
    if nearest > max(apart) * (1 + _SLACK) + _SLACK:
        return _OTHERWISE
    return _RICH if len(np.unique(values)) > _FEW_VALUES else _POOR


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(ks_2samp(one, other, method="asymp").statistic)


def _names_fit(names: pd.Series[Any], before: pd.Series[Any]) -> float:
    known = set(before.unique())
    if names.isin(list(known)).mean() < _READABLE:
        return _AT_ODDS if len(known) > _FEW_VALUES else _OTHERWISE
    telling = sum(not str(name).isdigit() for name in names.unique())
    return _RICH if telling > 1 and len(known) > 2 else _POOR  # noqa: PLR2004 - yes and no tell little


def _times_fit(times: pd.Series[Any], before: pd.Series[Any]) -> float:
    """Expect the next times, as far on as the past is long at the most."""
    if before.empty or times.empty:
        return 0.0
    near = times.between(before.min(), before.max() + (before.max() - before.min()))
    return _RICH if near.mean() >= _READABLE else _OTHERWISE


def _texts_fit(texts: pd.Series[Any], before: pd.Series[Any]) -> float:
    """Compare how the texts are made: letters and digits in their places."""
    shapes = {_shape(text) for text in before.iloc[sample(len(before), _SAMPLE)]}
    share = float(np.mean([_shape(text) in shapes for text in texts])) if len(texts) else 0.0
    return _RICH if share >= _READABLE and len(shapes) < len(texts) else _POOR


def _shape(text: Any) -> str:
    return "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in str(text))
