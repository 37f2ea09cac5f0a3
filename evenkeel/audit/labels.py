"""P3: what an answer says of itself is possible, and is what the batch's other accounts say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenkeel.audit.promise import Findings, shown
from evenkeel.domain.ladder import Rung

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.audit.book import Book
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import Pins

_ARM = "champion"


def check_labels(workspace: Workspace, book: Book, pins: Pins, findings: Findings) -> None:
    """Check what the answers of one batch say: rung, version, arm, revision, confidence, inputs, review."""
    rows = book.newest

    def breach(wrong: pd.DataFrame, what: str) -> None:
        name_answers(workspace, book, wrong, what, findings)

    for wrong, what in _not_pinned(rows, pins):
        breach(wrong, what)
    confidence = rows["confidence"]
    heuristic = rows["rung"] == Rung.HEURISTIC.value
    breach(rows[confidence.notna() & heuristic], "have a confidence from a heuristic")
    breach(rows[~confidence.between(0, 1) & ~heuristic], "have no confidence between 0 and 1")
    breach(rows[(rows["arm"] != _ARM).fillna(True)], f"say another arm than {_ARM}")
    every = book.predictions
    breach(
        every[(every["revision"] != pins.revision).fillna(True)],
        f"say another revision than {pins.revision}",
    )
    if book.of_today:
        review = confidence < workspace.pipeline.review.below
        wrong_review = (rows["needs_review"] != review).fillna(True)
        breach(rows[wrong_review], "say of needs_review what their confidence does not")
    both = rows.merge(book.accepted, on=list(workspace.pipeline.row_key), suffixes=("", "_accepted"))
    for column, what in (
        ("imputed", "say other imputed columns than were imputed"),
        ("stale", "say other stale sources than the accepted rows"),
        ("repaired", "say other repaired columns than the accepted rows"),
    ):
        if column not in rows.columns:
            continue  # answered before there was such a column
        pairs = zip(both[column], both[f"{column}_accepted"], strict=True)
        breach(both[np.array([list(a) != list(b) for a, b in pairs], dtype=bool)], what)


def _not_pinned(rows: pd.DataFrame, pins: Pins) -> list[tuple[pd.DataFrame, str]]:
    """Return the answers whose rung is none of the ladder's, or of a version that was not pinned."""
    champion = pins.champion.version if pins.champion else ""
    previous = pins.previous.version if pins.previous else ""
    allowed = {
        Rung.CHAMPION.value: {champion} - {""},
        Rung.PREVIOUS.value: {previous} - {""},
        Rung.BASELINE.value: {champion, previous} - {""},
        Rung.HEURISTIC.value: {champion, previous, ""},
    }
    return [
        (part, f"say rung {rung} of version {version!r}, pinned were {champion!r} and {previous!r}")
        for (rung, version), part in rows.groupby(["rung", "model_version"], dropna=False)
        if version not in allowed.get(str(rung), set())
    ]


def name_answers(workspace: Workspace, book: Book, rows: pd.DataFrame, what: str, findings: Findings) -> None:
    """Add a breach of P3 that names answers, if there are any."""
    if len(rows):
        key = list(workspace.pipeline.row_key)
        names = ["/".join(map(str, k)) for k in rows[key].itertuples(index=False, name=None)]
        findings.breach("P3", book.batch_id, f"{len(rows)} answers {what}: {shown(names)}")
