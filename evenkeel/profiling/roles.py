"""Which columns the models are to see, and why the others are left out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evenkeel.adapters.lake_schemas import REQUIRED, Table
from evenkeel.errors import UsageError
from evenkeel.profiling.identity import is_id
from evenkeel.profiling.strength import adds_up, as_numbers, gives_away, strength

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.profiling.column import Column
    from evenkeel.profiling.identity import Identity
    from evenkeel.profiling.target import Target

# Columns of the tables that hold rows; those of the reviews never meet a row's own.
RESERVED = frozenset(n for table, columns in REQUIRED.items() if table is not Table.REVIEWS for n in columns)

_MISSING = 0.95
_TOLD_ALL = 0.995
_MOST_CATEGORIES = 200
_WORDS = 3.0
_CLOCKLIKE = 0.99
_PER_VALUE = 50


@dataclass(frozen=True)
class Roles:
    """What each column is for.

    Attributes:
        features: What the models see, name -> strength (:func:`evenkeel.profiling.strength.strength`).
        left_out: Name -> why, in the order of the file.
    """

    features: dict[str, float]
    left_out: dict[str, str]


def divide(columns: Mapping[str, Column], target: Target, identity: Identity) -> Roles:
    """Divide the columns, the target apart, into features and those left out.

    Raises:
        UsageError: Nothing is left to predict from.
    """
    left: dict[str, str] = {}
    seen: dict[str, str] = {}
    for column in columns.values():
        if why := _useless(column, identity) or _copy(column, seen):
            left[column.name] = why
    told = {c.name: strength(c, target) for c in columns.values() if c.name not in left}
    leaks = {
        n: f"gives the target away: alone it tells {s:.1%} of it" for n, s in _leaks(columns, told, target)
    }
    numbers = [columns[n] for n in told if columns[n].kind == "numeric"]
    summed = adds_up(numbers, target)
    leaks |= dict.fromkeys(summed, f"gives the target away: it is made of {' and '.join(summed)}")
    features = {n: s for n, s in told.items() if n not in leaks}
    if not features:
        reasons = "; ".join(f"{n}: {why}" for n, why in {**left, **leaks}.items())
        raise UsageError(
            f"no column is left to predict {target.column!r} from: {reasons}",
            fix="give a file with columns that are known before the target is",
        )
    return Roles(features, {c: {**left, **leaks}[c] for c in columns if c in left or c in leaks})


def _leaks(
    columns: Mapping[str, Column], told: Mapping[str, float], target: Target
) -> list[tuple[str, float]]:
    close = [(name, gives_away(columns[name], target, s)) for name, s in told.items()]
    return [(name, s) for name, s in close if s >= _TOLD_ALL]


def _useless(column: Column, identity: Identity) -> str:
    """Return why a column cannot help, whatever the target is; empty where it may."""
    if column.name.lower() in RESERVED or not column.name:
        return "evenkeel has a column of that name; give it another in the file to use it"
    if column.kind is None:
        return "its cells are lists, objects or of several types"
    if column.kind == "time":
        own = column.name == identity.time
        return "the row's time; the models see its calendar" if own else "a time, and not the row's own"
    if column.missing > _MISSING:
        return "empty" if column.missing == 1 else f"{column.missing:.1%} missing"
    if identity.row_key == (column.name,):
        return "the row's key"
    return f"always {column.values.dropna().iloc[0]}" if column.distinct == 1 else _name_or_text(column)


def _name_or_text(column: Column) -> str:
    rows = int(column.values.notna().sum())
    if column.kind == "categorical":
        words = float(column.values.dropna().str.count(r"\S+").mean())
        if words > _WORDS and column.distinct > max(_MOST_CATEGORIES, rows // 20):
            return f"free text: {column.distinct} different texts of {words:.0f} words"
        if column.distinct > rows // 2 or (
            column.distinct > _MOST_CATEGORIES and column.distinct > rows // 10
        ):
            return f"{column.distinct} different texts in {rows} rows: rather a name than a category"
    if column.kind == "numeric" and column.whole and is_id(column.name) and column.distinct > rows // 2:
        return f"{column.distinct} different numbers in {rows} rows, named as an identifier"
    if column.kind == "numeric" and column.distinct > max(20, rows // _PER_VALUE // 4) and _runs(column):
        return "only grows or only falls with the row: a counter or a clock, new in every batch"
    return ""


def _runs(column: Column) -> bool:
    """Say whether a column runs one way from the first row to the last (Spearman's rank correlation)."""
    from scipy.stats import spearmanr

    numbers = as_numbers(column)
    known = ~np.isnan(numbers)
    if known.sum() < 10:  # noqa: PLR2004 - too few to say
        return False
    return bool(abs(spearmanr(np.flatnonzero(known), numbers[known]).statistic) >= _CLOCKLIKE)


def _copy(column: Column, seen: dict[str, str]) -> str:
    """Return of which earlier column this one is a copy; remember it otherwise."""
    texts = column.values.astype("string").fillna("\0").astype(object)
    content = hashlib.sha256(pd.util.hash_array(texts.to_numpy(dtype=object)).tobytes()).hexdigest()
    if content in seen:
        return f"a copy of {seen[content]}"
    seen[content] = column.name
    return ""
