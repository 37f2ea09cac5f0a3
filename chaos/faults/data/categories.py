"""Names of categories that come otherwise: other case, codes, each other's, or never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chaos.faults.data.cells import need, put
from chaos.faults.data.damage import (
    Damaged,
    Positions,
    check_severity,
    draw,
    last_rows,
    one,
    scattered_rows,
    several,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_UNSEEN = "unheard_of"
_ABBREVIATED = 3
_PROSE = frozenset({"categorical", "text"})


def _recode(
    frame: pd.DataFrame,
    severity: float,
    columns: Sequence[str],
    rename: Callable[[list[str]], Mapping[str, str]],
    kinds: frozenset[str] = frozenset({"categorical"}),
) -> Damaged:
    """Write the names of one column otherwise, in the last ``severity`` of the rows."""
    need(frame, name := one(columns), kinds)
    cells = frame[name].astype(object).to_numpy()
    null = pd.isna(cells)
    names = sorted({str(cell) for cell in cells[~null]})
    new = {old: spelled for old, spelled in rename(names).items() if old != spelled}
    rows = last_rows(frame, check_severity(severity))
    rows = np.array([row for row in rows if not null[row] and str(cells[row]) in new], dtype=np.intp)
    damaged = put(frame, name, rows, [new[str(cells[row])] for row in rows])
    words = ", ".join(f"{old}->{spelled}" for old, spelled in new.items())
    everywhere = severity == 1 and bool(len(rows))
    changed = np.arange(len(frame)) if everywhere else rows
    return truth(damaged, "data.category_recoding", (name,), words, changed)


def change_case(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Write names in capitals, or in small letters where they were in capitals. Severity: share of rows."""
    return _recode(frame, severity, columns, lambda names: {n: _other_case(n) for n in names}, _PROSE)


def abbreviate(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Write the shortest beginnings that still tell the names apart, in capitals. Severity: share of rows."""

    def rename(names: list[str]) -> dict[str, str]:
        short = {n: _beginning(n, names).upper() for n in names}
        return (
            short
            if len(set(short.values())) == len(names)
            else {n: f"{n[:3]}_{i}" for i, n in enumerate(names)}
        )

    return _recode(frame, severity, columns, rename)


def number_codes(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Write codes 1 to k in the alphabet's order. Severity: share of rows."""
    return _recode(frame, severity, columns, lambda names: {n: str(i) for i, n in enumerate(names, start=1)})


def pad(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Write a space behind each name, as fields of fixed width have. Severity: share of rows."""
    return _recode(frame, severity, columns, lambda names: {n: f"{n} " for n in names}, _PROSE)


def permute(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Give categories each other's names: every name is known and none is right.

    Severity is the share of rows; the seed picks by how many places the sorted names are turned.
    """

    def rename(names: list[str]) -> dict[str, str]:
        turn = 1 + int(draw(seed).integers(max(1, len(names) - 1)))
        return dict(zip(names, names[turn % len(names) :] + names[: turn % len(names)], strict=True))

    return _recode(frame, severity, columns, rename, frozenset({"categorical", "boolean"}))


def invert(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Write true for false and false for true. Severity is the share of rows, counted from the end."""
    need(frame, name := one(columns), {"boolean"})
    rows = last_rows(frame, check_severity(severity))
    cells = frame[name].astype(object).to_numpy()
    changed = [_inverted(cells[row]) for row in rows]
    damaged = put(frame, name, rows, changed)
    if frame[name].dtype != object:
        damaged[name] = damaged[name].astype(frame[name].dtype)
    return truth(damaged, "data.category_recoding", (name,), "true->false, false->true", rows)


def unseen(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Write a name that never was. Severity is the share of rows, scattered."""
    rows = scattered_rows(frame, check_severity(severity), seed)
    damaged = frame.copy()
    for name in several(columns):
        need(frame, name, {"categorical"})
        damaged = put(damaged, name, rows, _UNSEEN)
    return truth(damaged, "data.unseen_category", tuple(columns), _UNSEEN, rows)


def garble(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Write what a failing export leaves in a cell: ``#REF!``, ``N/A``, ``<null>``. Severity: share of rows."""
    rows: Positions = scattered_rows(frame, check_severity(severity), seed)
    damaged = frame.copy()
    for number, name in enumerate(several(columns)):
        need(frame, name, {"numeric", "boolean", "time"})
        words = draw(seed, number + 1).choice(["#REF!", "N/A", "<null>"], size=len(rows))
        damaged = put(damaged, name, rows, [str(word) for word in words])
    return truth(damaged, "data.column_retyped", tuple(columns), "garbled", rows)


def _other_case(name: str) -> str:
    return name.upper() if name != name.upper() else name.lower()


def _beginning(name: str, names: list[str]) -> str:
    for length in range(1, max(_ABBREVIATED, len(name))):
        if sum(other[:length].upper() == name[:length].upper() for other in names) == 1:
            return name[:length]
    return name


def _inverted(cell: Any) -> Any:
    if pd.isna(cell):
        return cell
    if isinstance(cell, str):
        pairs = (("true", "false"), ("yes", "no"), ("1", "0"))
        text = cell.strip()
        for one_word, other in pairs:
            for old, new in ((one_word, other), (other, one_word)):
                if text.lower() == old:
                    return new.upper() if text.isupper() else new.capitalize() if text[0].isupper() else new
    return type(cell)(not cell)
