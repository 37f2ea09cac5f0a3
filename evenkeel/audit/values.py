"""P3: no value was changed on the way without a word, be the row answered or refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.audit.row_keys import name_rows, row_keys
from evenkeel.quality.imputed import names
from evenkeel.quality.quarantine import as_json

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.audit.book import Book
    from evenkeel.audit.landed import Landed
    from evenkeel.audit.promise import Findings
    from evenkeel.bootstrap import Workspace

_CHUNK = 50_000
_POSITION = "\0position"  # no column of a file is called so, as one may be called row


def check_values(
    workspace: Workspace,
    came: pd.DataFrame,
    book: Book,
    findings: Findings,
    *,
    stale: pd.Series[Any] | None = None,
) -> None:
    """Every accepted feature is what landed, but for cells that are said to be imputed or repaired.

    An imputed cell landed empty, or what landed in it is kept beside it, as is what a repaired cell was.

    Args:
        workspace: The pipeline's workspace.
        came: n rows as they landed, with what was joined to them.
        book: The batch.
        findings: Where a breach is added.
        stale: Per landed row the sources that it lacks or has older rows of; None where nobody can tell.
    """
    key = list(workspace.pipeline.row_key)
    columns = [*dict.fromkeys((*key, *workspace.pipeline.features.columns))]
    landed, accepted = _typed(workspace, came, columns), _typed(workspace, book.accepted, columns)
    kept = _originals(workspace, book.accepted, columns)
    for column, values in kept.items():
        if column in key:
            accepted[column] = accepted[column].where(values.isna(), values)
    for name in ("imputed", "repaired"):
        nothing = pd.Series([[]] * len(accepted))
        accepted[name] = book.accepted.get(name, nothing).reset_index(drop=True)
    accepted[_POSITION] = range(len(accepted))
    accepted["stale"] = [tuple(names) for names in book.accepted["stale"]]
    if stale is not None:
        landed["stale"] = [tuple(names) for names in stale]
    # Of rows that share a key it cannot be told which was accepted; P1 counts them.
    landed = landed.drop_duplicates(key, keep=False)
    both = accepted.merge(landed, on=key, suffixes=("", "_landed"))
    altered = np.zeros(len(both), dtype=np.bool_)
    for column in workspace.pipeline.features.columns:
        if column in key:
            continue
        was, now = both[f"{column}_landed"], both[column]
        said = kept[column].iloc[both[_POSITION]].set_axis(both.index) if column in kept else None
        same = _same(was, now)
        told = was.isna().to_numpy() if said is None else was.isna().to_numpy() | _same(was, said)
        imputed, repaired = names(both["imputed"], column), names(both["repaired"], column)
        # A cell that was emptied stays empty where there is no model yet whose imputers could fill it.
        emptied = now.isna().to_numpy() & was.notna().to_numpy() & told
        altered |= ~np.where(imputed | repaired | emptied, told, same)
    if stale is not None:
        silent = both[both["stale"] != both["stale_landed"]]
        what = "that name other stale sources than those they lack"
        name_rows(findings, book, what, row_keys(workspace, silent), promise="P3")
    what = "with values that neither landed nor are said to be imputed or repaired"
    name_rows(findings, book, what, row_keys(workspace, both[altered]), promise="P3")


def _same(one: pd.Series[Any], other: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = (
        ((one == other) | (one.isna() & other.isna())).fillna(False).to_numpy(np.bool_)
    )
    return same


def _originals(workspace: Workspace, accepted: pd.DataFrame, columns: list[str]) -> dict[str, pd.Series[Any]]:
    """Return what landed in treated cells, typed; null in the others."""
    texts = accepted["original"] if "original" in accepted.columns else pd.Series(dtype=object)
    rows = {i: json.loads(text) for i, text in texts.dropna().items()}
    kept: dict[str, pd.Series[Any]] = {}
    for column in columns:
        cells = [rows.get(i, {}).get(column) for i in accepted.index]
        if any(cell is not None for cell in cells):
            kept[column] = workspace.schema.coerce(column, pd.Series(cells, dtype=object)).values
    return kept


def _typed(workspace: Workspace, frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns as the schema types them; one that is not there is all null."""
    nothing = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    typed = {c: workspace.schema.coerce(c, frame.get(c, nothing)).values for c in columns}
    return pd.DataFrame(typed).reset_index(drop=True)


def check_raw(workspace: Workspace, read: Landed, book: Book, findings: Findings) -> None:
    """Every quarantined row is, as raw JSON, one of those that landed and no more often than it landed."""
    kept = Counter(map(str, book.quarantine["raw"]))
    came = read.came
    landed: Counter[str] = Counter(read.unreadable)
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
