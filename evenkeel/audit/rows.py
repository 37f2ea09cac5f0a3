"""P1 and P2: every landed row ends in exactly one place, and every accepted row has an answer.

And of P3, that no value an answer rests on was changed on the way without a word.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.adapters import reading
from evenkeel.audit.promise import Findings, shown
from evenkeel.domain.batch import BatchState
from evenkeel.errors import EvenkeelError

if TYPE_CHECKING:
    from evenkeel.audit.book import Book
    from evenkeel.bootstrap import Workspace

_UNFINISHED = (BatchState.LANDED, BatchState.VALIDATED, BatchState.SCORED)


def check_rows(workspace: Workspace, book: Book, findings: Findings) -> None:
    """Recount one batch from its landed bytes."""
    answers, refused = len(book.predictions), len(book.quarantine)
    if book.landing is None:
        findings.breach(
            "P1",
            book.batch_id,
            f"{answers} answers and {refused} quarantined rows of a batch that never landed",
        )
        return
    try:
        files = workspace.landing.fetch(book.landing)
    except EvenkeelError as error:
        findings.breach("P1", book.batch_id, f"the landed files are not what landed: {error}")
        return
    state = book.record.state if book.record else BatchState.LANDED
    if state is BatchState.HELD:
        _check_held(files, book, findings)
    elif state in _UNFINISHED and book.predictions.empty:
        findings.rows["pending"] += sum(reading.count_rows(f) for f in files)
        findings.notes.append(f"batch {book.batch_id} waits to be scored")
    else:
        _check_published(workspace, files, book, findings)


def _check_held(files: Any, book: Book, findings: Findings) -> None:
    if len(book.predictions):
        findings.breach("P1", book.batch_id, f"held, and yet {len(book.predictions)} answers are published")
    held = book.record.counts.held if book.record else 0
    findings.check("P1", held)
    findings.rows["landed"] += held
    findings.rows["held"] += held
    if held and held != (counted := sum(reading.count_rows(f) for f in files)):
        findings.breach("P1", book.batch_id, f"{held} rows said to be held, {counted} landed")


def _check_published(workspace: Workspace, files: Any, book: Book, findings: Findings) -> None:
    newest = book.newest
    landed = sum(reading.count_rows(f) for f in files)
    scored, refused = len(newest), len(book.quarantine)
    findings.check("P1", landed)
    findings.check("P2", len(book.accepted))
    for place, rows in (("landed", landed), ("scored", scored), ("quarantined", refused)):
        findings.rows[place] += rows
    if landed != scored + refused:
        findings.breach(
            "P1",
            book.batch_id,
            f"{landed} rows landed, {scored} scored + {refused} quarantined = {scored + refused}",
        )
    raw = reading.read(files)
    came = _keys(workspace, raw)
    answered = _keys(workspace, newest)
    turned_away = _quarantined_keys(workspace, book)
    _name(findings, book, "landed, neither answered nor quarantined", came - answered - turned_away)
    _name(findings, book, "answered or quarantined more often than landed", answered + turned_away - came)
    accepted = _keys(workspace, book.accepted)
    _name(findings, book, "accepted without an answer", accepted - answered, promise="P2")
    _name(findings, book, "answered without being accepted", answered - accepted)
    empty = newest[newest["prediction"].isna()]
    _name(findings, book, "answered with nothing", _keys(workspace, empty), promise="P2")
    classes = workspace.pipeline.target.classes
    if classes:
        foreign = newest[~newest["prediction"].isin(classes) & newest["prediction"].notna()]
        _name(
            findings,
            book,
            "answered with a class that is not configured",
            _keys(workspace, foreign),
            promise="P2",
        )
    _check_values(workspace, raw, book, findings)


def _check_values(workspace: Workspace, came: pd.DataFrame, book: Book, findings: Findings) -> None:
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
    _name(findings, book, what, _keys(workspace, both[altered]), promise="P3")


def _typed(workspace: Workspace, frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns as the schema types them; one that is not there is all null."""
    nothing = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    return pd.DataFrame({c: workspace.schema.coerce(c, frame.get(c, nothing)).values for c in columns})


def _name(
    findings: Findings, book: Book, what: str, rows: Counter[tuple[str, ...]], *, promise: str = "P1"
) -> None:
    if rows:
        names = ["/".join(key) for key in sorted(rows.elements())]
        findings.breach(promise, book.batch_id, f"{len(names)} rows {what}: {shown(names)}")


def _keys(workspace: Workspace, frame: pd.DataFrame) -> Counter[tuple[str, ...]]:
    """Count the row keys, each written the one way its column's kind is written."""
    columns = [
        workspace.schema.coerce(k, frame[k]).values.astype("string").fillna("")
        for k in workspace.pipeline.row_key
    ]
    return Counter(zip(*columns, strict=True))


def _quarantined_keys(workspace: Workspace, book: Book) -> Counter[tuple[str, ...]]:
    """Count the keys of the quarantined rows from the rows as they came, not from the key columns."""
    key = list(workspace.pipeline.row_key)
    raw = [json.loads(text) for text in book.quarantine["raw"]]
    return _keys(
        workspace, pd.DataFrame([{k: row.get(k) for k in key} for row in raw], columns=key, dtype=object)
    )
