"""P3: no value was changed on the way without a word, be the row answered or refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evenkeel.audit.row_keys import name_rows, row_keys
from evenkeel.quality.quarantine import as_json

if TYPE_CHECKING:
    from evenkeel.audit.book import Book
    from evenkeel.audit.promise import Findings
    from evenkeel.bootstrap import Workspace

_CHUNK = 50_000


def check_values(workspace: Workspace, came: pd.DataFrame, book: Book, findings: Findings) -> None:
    """Every accepted feature is what landed, but for the cells that landed empty and say they were imputed."""
    key = list(workspace.pipeline.row_key)
    columns = [*dict.fromkeys((*key, *workspace.pipeline.features.columns))]
    landed, accepted = _typed(workspace, came, columns), _typed(workspace, book.accepted, columns)
    accepted["imputed"] = book.accepted["imputed"]
    # Of rows that share a key it cannot be told which was accepted; P1 counts them.
    landed = landed.drop_duplicates(key, keep=False)
    both = accepted.merge(landed, on=key, suffixes=("", "_landed"))
    altered = np.zeros(len(both), dtype=np.bool_)
    touched = np.flatnonzero(both["imputed"].map(len))
    for column in workspace.pipeline.features.columns:
        if column in key:
            continue
        was, now = both[f"{column}_landed"], both[column]
        imputed = np.zeros(len(both), dtype=np.bool_)
        imputed[touched] = [column in names for names in both["imputed"].iloc[touched]]
        same = ((was == now) | (was.isna() & now.isna())).fillna(False).to_numpy(np.bool_)
        altered |= np.where(imputed, was.notna(), ~same)
    what = "with values that neither landed nor are said to be imputed"
    name_rows(findings, book, what, row_keys(workspace, both[altered]), promise="P3")


def _typed(workspace: Workspace, frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns as the schema types them; one that is not there is all null."""
    nothing = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    return pd.DataFrame({c: workspace.schema.coerce(c, frame.get(c, nothing)).values for c in columns})


def check_raw(workspace: Workspace, came: pd.DataFrame, book: Book, findings: Findings) -> None:
    """Every quarantined row is, as raw JSON, one of those that landed and no more often than it landed."""
    kept = Counter(map(str, book.quarantine["raw"]))
    landed: Counter[str] = Counter()
    if kept:
        for start in range(0, len(came), _CHUNK):
            landed.update(text for text in as_json(came.iloc[start : start + _CHUNK]) if text in kept)
    rewritten = kept - landed
    rows = book.quarantine[book.quarantine["raw"].isin(list(rewritten))]
    name_rows(
        findings,
        book,
        "quarantined with raw values that did not land",
        row_keys(workspace, rows),
        promise="P1",
    )
