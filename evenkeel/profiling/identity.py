"""What tells rows apart and when they are of: the row key and the time, or that evenkeel must make them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenkeel.profiling.column import Column

_ID = re.compile(
    r"(?i)(^|[^a-z])(id|ids|uuid|guid|key|index|idx|serial|instant|record|reference|ref|number|nr|no|code)($|[^a-z])"
)
_CAMEL_ID = re.compile(r"[a-z](Id|ID|Key|Nr|No)$")
_CLOCK = re.compile(r"(?i)time|date|day|stamp|created|when|start|_at$|hour|^ts$|settle")
_NOT_A_CLOCK = re.compile(r"(?i)birth|dob|born|expir|valid|due|until")
_COLLISIONS = 5.0  # equal keys that chance would give; where there are none all the same, it was no chance
_LONGEST = 64
_MOST_PARTS = 3
_PARTNERS = 12
_MOST_OF_A_PARTNER = 1_000
_FEWEST_TIMES = 10
_IN_ORDER = 0.9


@dataclass(frozen=True)
class Identity:
    """How rows are told apart and ordered.

    Attributes:
        row_key: Columns that identify a row.
        time: Column with the row's time.
        key_made: Whether the key is made by evenkeel.
        time_made: Whether the time is.
        why_key: What was found, for a person.
        why_time: The same of the time.
    """

    row_key: tuple[str, ...]
    time: str
    key_made: bool
    time_made: bool
    why_key: str
    why_time: str


def find_identity(
    columns: Mapping[str, Column], *, key: Sequence[str], time: str | None, taken: Sequence[str]
) -> Identity:
    """Choose the row key and the time.

    Being unique is not enough to be a key: measurements are often unique by chance. A column must be named
    as a key is, or be unique where chance would have repeated it (the birthday problem), or hold the times
    themselves.

    Args:
        columns: Name -> column; the target and those that cannot be used are left out.
        key: As asked for; empty to find out.
        time: As asked for; None to find out.
        taken: Names that a made column may not have.

    Raises:
        UsageError: What was asked for cannot play its part.
    """
    chosen_time, why_time = _asked_time(columns[time]) if time else _find_time(columns)
    chosen_key, why_key = _asked_key(columns, key) if key else _find_key(columns, chosen_time)
    return Identity(
        row_key=chosen_key or (_free("row", taken),),
        time=chosen_time or _free("landed_at", taken),
        key_made=not chosen_key,
        time_made=chosen_time is None,
        why_key=why_key,
        why_time=why_time,
    )


def _asked_time(column: Column) -> tuple[str, str]:
    if column.kind != "time":
        raise UsageError(
            f"--time {column.name!r}: its cells are no times, e.g. {column.cells.dropna().iloc[:1].tolist()}",
            fix="name a column of dates or times, or leave --time out",
        )
    gaps = int(column.values.isna().sum())
    return column.name, "as asked" + (f"; {gaps} rows have none and will be quarantined" if gaps else "")


def _find_time(columns: Mapping[str, Column]) -> tuple[str | None, str]:
    times = [c for c in columns.values() if c.kind == "time" and c.complete and c.distinct >= _FEWEST_TIMES]
    orders = {c.name: _order(c) for c in times}
    fitting = [
        c
        for c in times
        if not _NOT_A_CLOCK.search(c.name) and (orders[c.name] >= _IN_ORDER or _CLOCK.search(c.name))
    ]
    if not fitting:
        others = [c.name for c in columns.values() if c.kind == "time"]
        seen = f"{', '.join(others)}: not one time for each row" if others else "no column holds times"
        return None, f"{seen}; made from when a batch lands, rows keep their order"
    best = max(fitting, key=lambda c: (orders[c.name] >= _IN_ORDER, bool(_CLOCK.search(c.name)), c.distinct))
    how = "in order" if orders[best.name] >= _IN_ORDER else "not in order in the file"
    return best.name, f"{best.distinct} times from {best.values.min()} to {best.values.max()}, {how}"


def _order(column: Column) -> float:
    """Return the share of steps in the file that go the way most go."""
    steps = column.values.diff().iloc[1:]
    still = pd.Timedelta(0)
    return float(max((steps >= still).mean(), (steps <= still).mean())) if len(steps) else 0.0


def _asked_key(columns: Mapping[str, Column], key: Sequence[str]) -> tuple[tuple[str, ...], str]:
    frame = pd.DataFrame({k: columns[k].exact for k in key})
    gaps = int(frame.isna().any(axis=1).sum())
    twice = int(frame.duplicated().sum())
    if twice > len(frame) // 2:
        raise UsageError(
            f"--key {' '.join(key)}: {twice} of {len(frame)} rows repeat the key of another",
            fix="name further columns with --key, or leave it out: evenkeel then numbers the rows",
        )
    bad = [f"{n} rows {what}" for n, what in ((gaps, "have none"), (twice, "repeat one")) if n]
    return tuple(key), "as asked" + (f"; {' and '.join(bad)} and will be quarantined" if bad else "")


def _find_key(columns: Mapping[str, Column], time: str | None) -> tuple[tuple[str, ...], str]:
    whole = [c for c in columns.values() if c.complete and not c.unreadable]
    unique = [c for c in whole if c.exact.is_unique and (c.kind in ("time", "categorical") or c.whole)]
    named = [c for c in unique if c.kind != "time" and is_id(c.name)]
    clock = [c for c in unique if c.name == time]
    others = [c for c in unique if c.kind != "time" and c not in named and _deliberate(c)]
    for column in (*named, *(c for c in clock if _steady(c)), *others):
        return (column.name,), "unique in every row"
    if parts := _combination(whole, time):
        return parts, "no column is unique, together these are"
    if clock:
        return (clock[0].name,), "unique in every row"
    return (), "no column or combination is unique by design; made of the batch and the row's number in it"


def is_id(name: str) -> bool:
    """Say whether a column is named as a key is."""
    return bool(_ID.search(name) or _CAMEL_ID.search(name))


def _deliberate(column: Column) -> bool:
    """Say whether chance would not have made the column unique."""
    if column.kind == "categorical":
        texts = column.values.astype("string")
        return bool(texts.str.len().max() <= _LONGEST and not texts.str.contains(r"\s").any())
    numbers = column.values
    return _expected_collisions(len(numbers), float(numbers.max() - numbers.min()) + 1) >= _COLLISIONS


def _steady(column: Column) -> bool:
    """Say whether the times keep a step, or stand so close that chance would have repeated one."""
    steps = column.values.sort_values().diff().iloc[1:]
    usual = steps.median()
    if (steps == usual).mean() >= 0.5:  # noqa: PLR2004 - most
        return True
    return _expected_collisions(len(column.values), float(steps.sum() / steps.min()) + 1) >= _COLLISIONS


def _expected_collisions(rows: int, values: float) -> float:
    return rows * (rows - 1) / 2 / values


def _combination(columns: Sequence[Column], time: str | None) -> tuple[str, ...]:
    """Return the tightest combination that is unique by design and holds the time or an id; empty if none."""
    anchors = [
        c for c in columns if c.name == time or (is_id(c.name) and (c.whole or c.kind == "categorical"))
    ]
    partners = [
        c
        for c in columns
        if c.name != time
        and (c.kind in ("categorical", "boolean") or c.whole)
        and 1 < c.distinct <= max(_MOST_OF_A_PARTNER, len(c.values) // 10)
    ]
    partners = sorted(partners, key=lambda c: (not is_id(c.name), -c.distinct))[:_PARTNERS]
    for size in range(2, _MOST_PARTS + 1):
        found: list[tuple[int, tuple[str, ...]]] = []
        for anchor in anchors:
            rest = [p for p in partners if p.name != anchor.name]
            for chosen in itertools.combinations(rest, size - 1):
                parts = (anchor, *chosen)
                room = 1
                for part in parts:
                    room *= part.distinct
                enough = len(anchor.values) <= room
                if not enough or _expected_collisions(len(anchor.values), room) < _COLLISIONS:
                    continue
                if not pd.DataFrame({p.name: p.exact for p in parts}).duplicated().any():
                    found.append((room, tuple(p.name for p in parts)))
        if found:
            return min(found)[1]
    return ()


def _free(name: str, taken: Sequence[str]) -> str:
    lower = {t.lower() for t in taken}
    tried = itertools.chain([name, f"{name}_made"], (f"{name}_{i}" for i in itertools.count(2)))
    return next(t for t in tried if t.lower() not in lower)
