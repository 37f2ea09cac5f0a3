"""P1 and P2: every landed row ends in exactly one place, and every accepted row has an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.adapters import reading
from evenkeel.audit.landed import Landed, read_landed
from evenkeel.audit.row_keys import landed_keys, name_rows, quarantined_keys, row_keys
from evenkeel.audit.values import check_raw, check_values
from evenkeel.domain.batch import BatchState
from evenkeel.errors import DataRejected
from evenkeel.stages.enrich import joined_as_pinned

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.audit.book import Book
    from evenkeel.audit.promise import Findings
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import LandedFile, Landing
    from evenkeel.domain.incident import Incident

    Files = list[tuple[LandedFile, Path]]

_DAMAGED = "data.landed_copy_damaged"


def check_rows(workspace: Workspace, book: Book, incidents: list[Incident], findings: Findings) -> None:
    """Recount one batch from its landed bytes.

    Raises:
        EvenkeelError: They cannot be read.
    """
    if book.damaged:
        findings.breach("P1", book.batch_id, "the landing's manifest is damaged")
        return
    if book.landing is None:
        findings.breach(
            "P1",
            book.batch_id,
            f"{len(book.predictions)} answers and {len(book.quarantine)} quarantined rows "
            "of a batch that never landed",
        )
        return
    files = workspace.landing.fetch(book.landing)
    if book.state is BatchState.HELD:
        _check_held(files, book, incidents, findings)
    elif book.pending:
        findings.rows["pending"] += sum(reading.count_rows(f) for f in files)
        findings.notes.append(f"batch {book.batch_id} waits to be scored")
    else:
        _check_published(workspace, files, book, incidents, findings, landing=book.landing)


def _check_held(files: Files, book: Book, incidents: list[Incident], findings: Findings) -> None:
    """A held batch is whole in the landing zone and nowhere else, and the ledger has its rows.

    It has none of a batch that could not be read, which is tried again here.
    """
    for rows, where in (
        (book.predictions, "answers are published"),
        (book.accepted, "rows are in accepted"),
        (book.quarantine, "rows are in quarantine"),
    ):
        if len(rows):
            findings.breach("P1", book.batch_id, f"held, and yet {len(rows)} {where}")
    held = book.record.counts.held if book.record else 0
    findings.check("P1", held)
    findings.rows["landed"] += held
    findings.rows["held"] += held
    try:
        counted = sum(reading.count_rows(f) for f in files)
        readable = held > 0 or len(reading.read(files).frame) > 0
    except DataRejected as error:
        if held:
            raise
        findings.notes.append(f"batch {book.batch_id} is held, its rows cannot be counted: {error}")
        return
    # A landing that was damaged when the batch was held may have been repaired since.
    repaired = not held and any(i.cause == _DAMAGED for i in incidents)
    if readable and held != counted and not repaired:
        findings.breach("P1", book.batch_id, f"{held} rows said to be held, {counted} landed")


def _check_published(
    workspace: Workspace,
    files: Files,
    book: Book,
    incidents: list[Incident],
    findings: Findings,
    *,
    landing: Landing,
) -> None:
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
    _check_counts(book, findings, landed=landed, scored=scored, quarantined=refused)
    read = read_landed(files, landing, incidents, workspace.pipeline)
    refused_rows = book.quarantine[~book.quarantine["raw"].isin(read.unreadable)]
    came = row_keys(workspace, read.rows)
    answered = landed_keys(workspace, book, newest)
    turned_away = quarantined_keys(workspace, refused_rows["raw"], read)
    name_rows(findings, book, "landed, neither answered nor quarantined", came - answered - turned_away)
    name_rows(findings, book, "answered or quarantined more often than landed", answered + turned_away - came)
    accepted = landed_keys(workspace, book, book.accepted)
    name_rows(findings, book, "accepted without an answer", accepted - answered, promise="P2")
    name_rows(findings, book, "answered without being accepted", answered - accepted)
    empty = newest[newest["prediction"].isna()]
    name_rows(findings, book, "answered with nothing", row_keys(workspace, empty), promise="P2")
    classes = workspace.pipeline.target.classes
    if classes and book.of_today:
        foreign = newest[~newest["prediction"].isin(classes) & newest["prediction"].notna()]
        name_rows(
            findings,
            book,
            "answered with a class that is not configured",
            row_keys(workspace, foreign),
            promise="P2",
        )
    check_raw(workspace, read, book, findings)
    if book.of_today:
        whole, stale = _with_joined(workspace, book, read)
        check_values(workspace, whole, book, findings, stale=stale)


def _with_joined(
    workspace: Workspace, book: Book, read: Landed
) -> tuple[pd.DataFrame, pd.Series[Any] | None]:
    """Return the landed rows with what the enrichment sources brought, joined again, and what they lack of it."""
    if book.pins is None:
        return read.rows, None
    joined = joined_as_pinned(workspace, book.batch_id, book.pins, read.came)
    return joined.frame(read.rows), joined.stale_lists(pd.RangeIndex(len(read.came)))


def _check_counts(book: Book, findings: Findings, **found: int) -> None:
    """The ledger tells of a batch that it closed what there is."""
    if book.record is None or book.state is not BatchState.PUBLISHED:
        return
    for place, rows in found.items():
        told = getattr(book.record.counts, place)
        if told != rows:
            findings.breach("P1", book.batch_id, f"{told} rows {place} says the ledger, there are {rows}")
