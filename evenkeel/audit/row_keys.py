"""Rows of a batch by their key, however the place they are in writes it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.audit.promise import Findings, shown

if TYPE_CHECKING:
    from evenkeel.audit.book import Book
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
    columns = [
        workspace.schema.coerce(k, frame[k]).values.astype("string").fillna("")
        for k in workspace.pipeline.row_key
    ]
    return Counter(zip(*columns, strict=True))


def quarantined_keys(workspace: Workspace, book: Book) -> Counter[tuple[str, ...]]:
    """Count the keys of the quarantined rows from the rows as they came, not from the key columns."""
    key = list(workspace.pipeline.row_key)
    raw = [_parsed(text) for text in book.quarantine["raw"]]
    return row_keys(
        workspace, pd.DataFrame([{k: row.get(k) for k in key} for row in raw], columns=key, dtype=object)
    )


def _parsed(text: Any) -> dict[str, Any]:
    """Return a raw row; one that was made unreadable has no key."""
    try:
        row = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return row if isinstance(row, dict) else {}
