"""Rows of a batch by their key, however the place they are in writes it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.audit.promise import Findings, shown

if TYPE_CHECKING:
    from evenkeel.audit.book import Book
    from evenkeel.audit.landed import Landed
    from evenkeel.bootstrap import Workspace


def name_rows(
    findings: Findings, book: Book, what: str, rows: Counter[tuple[str, ...]], *, promise: str = "P1"
) -> None:
    """Add a breach that names rows, if there are any."""
    if rows:
        names = ["/".join(key) for key in sorted(rows.elements())]
        findings.breach(promise, book.batch_id, f"{len(names)} rows {what}: {shown(names)}")


def row_keys(workspace: Workspace, frame: pd.DataFrame) -> Counter[tuple[str, ...]]:
    """Count the row keys, each written the one way its column's kind is written."""
    return Counter(_key_tuples(workspace, frame))


def _key_tuples(workspace: Workspace, frame: pd.DataFrame) -> list[tuple[str, ...]]:
    columns = [
        workspace.schema.coerce(k, frame[k]).values.astype("string").fillna("")
        for k in workspace.pipeline.row_key
    ]
    return list(zip(*columns, strict=True))


def landed_keys(workspace: Workspace, book: Book, frame: pd.DataFrame) -> Counter[tuple[str, ...]]:
    """Count the row keys of answered rows as they landed: a repaired key as it was before its repair."""
    repaired = _repaired_keys(workspace, book)
    if not repaired:
        return row_keys(workspace, frame)
    counted: Counter[tuple[str, ...]] = Counter()
    for key, count in row_keys(workspace, frame).items():
        counted[repaired.get(key, key)] += count
    return counted


def _repaired_keys(workspace: Workspace, book: Book) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return answered key -> landed key of the rows whose key was repaired."""
    key = list(workspace.pipeline.row_key)
    if "repaired" not in book.accepted.columns:
        return {}
    rows = book.accepted[[bool(set(names) & set(key)) for names in book.accepted["repaired"]]]
    if rows.empty:
        return {}
    before = rows[key].astype(object)
    for row, text in zip(rows.index, rows["original"], strict=True):
        for column, value in _parsed(text).items():
            if column in key:
                before.loc[row, column] = value
    return dict(zip(_key_tuples(workspace, rows), _key_tuples(workspace, before), strict=True))


def quarantined_keys(workspace: Workspace, raw: pd.Series[Any], landed: Landed) -> Counter[tuple[str, ...]]:
    """Count the keys of quarantined rows from the rows as they came, not from the key columns."""
    key = list(workspace.pipeline.row_key)
    rows = [_parsed(text) for text in raw]
    cells = [{k: row.get(landed.names.get(k, k)) for k in key} for row in rows]
    return row_keys(workspace, pd.DataFrame(cells, columns=key, dtype=object))


def _parsed(text: Any) -> dict[str, Any]:
    """Return a raw row; one that was made unreadable has no key."""
    try:
        row = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return row if isinstance(row, dict) else {}
