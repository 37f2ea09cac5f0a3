"""Quarantined rows: each kept whole, as it came, with every reason."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from evenkeel.domain.quality import Split
    from evenkeel.domain.rows import UnreadableLine

_MAX_VALUE = 200
_CAUSES = {
    "dtype": "data.column_retyped",
    "isin": "data.unseen_category",
    "notin": "data.unseen_category",
    "unique_values_eq": "data.unseen_category",
    "greater_than": "data.out_of_range",
    "greater_than_or_equal_to": "data.out_of_range",
    "less_than": "data.out_of_range",
    "less_than_or_equal_to": "data.out_of_range",
    "in_range": "data.out_of_range",
    "finite": "data.out_of_range",
    "not_nullable": "data.nulls",
    "missing_share": "data.nulls",
    "unique": "data.duplicated_rows",
    "not_future": "data.future_timestamps",
    "ragged": "data.unreadable_lines",
    "encoding": "data.unreadable_lines",
    "quote": "data.unreadable_lines",
    "json": "data.unreadable_lines",
    "repeated_header": "data.unreadable_lines",
    "footer": "data.unreadable_lines",
}


@dataclass(frozen=True)
class Finding:
    """One check of one column, and the rows that break it.

    Attributes:
        column: Its name; several joined by a comma for a check of several, ``*`` for one of the whole row.
        check: As in the schema, or ``dtype``, ``finite``, ``not_nullable``, ``unique``, ``missing_share``.
        rows: Positions in the batch.
        values: What was found there, as text.
    """

    column: str
    check: str
    rows: npt.NDArray[np.intp]
    values: Sequence[str]


def cause_of(check: str) -> str:
    """Return the failure-catalogue cause that a broken check stands for."""
    return _CAUSES.get(check, "data.invalid_value")


def cells_as_text(column: pd.Series[Any], rows: npt.NDArray[np.intp]) -> list[str]:
    """Return cells as they came, as short text; a missing cell is empty."""
    return [_short(cell) for cell in column.iloc[rows].astype(object)]


def quarantine(
    frame: pd.DataFrame, findings: Iterable[Finding], keys: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the refused rows and how many were refused for each cause.

    Args:
        frame: The batch as it came.
        findings: What was found; positions refer to ``frame``.
        keys: The row key columns of the whole batch as far as they could be read, typed, in the order of
            ``frame``.

    Returns:
        The rows as :class:`evenkeel.domain.quality.Split` has them, in the order of ``frame``, and
        cause -> rows.
    """
    reasons: dict[int, list[dict[str, str]]] = {}
    per_cause: dict[str, list[npt.NDArray[np.intp]]] = {}
    for found in findings:
        per_cause.setdefault(cause_of(found.check), []).append(found.rows)
        for row, value in zip(found.rows.tolist(), found.values, strict=True):
            reasons.setdefault(row, []).append({"column": found.column, "check": found.check, "value": value})
    rows = np.array(sorted(reasons), dtype=np.intp)
    columns: dict[str, list[Any]] = {
        "raw": as_json(frame.iloc[rows]),
        "reasons": [reasons[row] for row in rows.tolist()],
    }
    for name in keys.columns:
        columns[name] = [_key_text(cell) for cell in keys[name].iloc[rows].astype(object)]
    refused = pd.DataFrame(columns, index=frame.index[rows], dtype=object)
    return refused, {
        cause: len(np.unique(np.concatenate(found))) for cause, found in sorted(per_cause.items())
    }


def unreadable_rows(lines: Sequence[UnreadableLine], row_key: Sequence[str]) -> pd.DataFrame:
    """Return lines that are no row as refused rows: ``raw`` has the file, the line number and the bytes as text.

    Bytes that are no UTF-8 are written as backslash escapes. The key columns are null.
    """
    raw = [
        {"file": line.file, "line": line.line, "bytes": line.raw.decode("utf-8", "backslashreplace")}
        for line in lines
    ]
    columns: dict[str, list[Any]] = {
        "raw": [dumped(row) for row in raw],
        "reasons": [[{"column": "*", "check": line.check, "value": _short(line.found)}] for line in lines],
    }
    return pd.DataFrame(columns | {name: [None] * len(lines) for name in row_key}, dtype=object)


def set_aside(split: Split, frame: pd.DataFrame, found: Finding, row_key: Sequence[str]) -> Split:
    """Move accepted rows to quarantine.

    Args:
        split: The batch as divided so far.
        frame: The batch as it came.
        found: Why; positions refer to ``split.accepted``.
        row_key: The row key columns.
    """
    from evenkeel.domain.quality import Split

    moved = split.accepted.index[found.rows]
    rows = frame.index.get_indexer(moved)
    keys = split.accepted[list(row_key)].astype(object).reindex(frame.index)
    refused, causes = quarantine(frame, [Finding(found.column, found.check, rows, found.values)], keys)
    together = pd.concat([split.quarantined, refused]) if len(split.quarantined) else refused
    return Split(
        accepted=split.accepted.drop(index=moved),
        quarantined=together.loc[frame.index[frame.index.isin(together.index)]],
        ignored_columns=split.ignored_columns,
        filled_columns=split.filled_columns,
        causes={c: split.causes.get(c, 0) + causes.get(c, 0) for c in sorted({*split.causes, *causes})},
    )


def as_json(frame: pd.DataFrame) -> list[str]:
    """Return each row as a JSON object; what JSON has no word for becomes text, what is missing null."""
    names = [str(name) for name in frame.columns]
    columns = [plain_cells(frame.iloc[:, i]) for i in range(len(names))]
    rows = zip(*columns, strict=True) if columns else iter([()] * len(frame))
    return [dumped(dict(zip(names, row, strict=True))) for row in rows]


def plain_cells(column: pd.Series[Any]) -> list[Any]:
    """Return the cells of a column as JSON has them; finite numbers need no look at each cell."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf" and np.isfinite(column).all():
        return column.tolist()
    return [_plain(cell) for cell in column.astype(object)]


def dumped(row: dict[str, Any]) -> str:
    """Return a row of cells as :func:`plain_cells` gives them as a JSON object."""
    # Half a surrogate pair cannot be written as UTF-8: its backslash escape means the same in JSON.
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace").decode()


def _plain(cell: Any) -> Any:
    plain: Any
    if cell is None or cell is pd.NA or cell is pd.NaT:
        plain = None
    elif isinstance(cell, bool | int | str):
        plain = cell
    elif isinstance(cell, float | np.floating):
        plain = float(cell) if math.isfinite(cell) else None if math.isnan(cell) else str(cell)
    elif isinstance(cell, np.bool_ | np.integer):
        plain = cell.item()
    elif isinstance(cell, datetime | date):
        plain = cell.isoformat()
    elif isinstance(cell, bytes | bytearray):
        plain = bytes(cell).decode("utf-8", "backslashreplace")
    elif isinstance(cell, Mapping):
        plain = {str(key): _plain(value) for key, value in cell.items()}
    elif isinstance(cell, list | tuple | set | frozenset | np.ndarray):
        plain = [_plain(value) for value in cell]
    else:
        plain = str(cell)
    return plain


def _short(cell: Any) -> str:
    plain = _plain(cell)
    text = "" if plain is None else plain if isinstance(plain, str) else _dumped_value(plain)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + "…"


def _dumped_value(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, dict | list) else str(plain)


def _key_text(cell: Any) -> str | None:
    plain = _plain(cell)
    return None if plain is None else str(plain)
