"""The audit: recount the promises from the lake, the landing zone and the ledger."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from evenkeel.audit.answers import AnswerCheck
from evenkeel.audit.book import Book, open_books
from evenkeel.audit.history import check_pins, check_promotions
from evenkeel.audit.incidents import check_attribution, check_incidents
from evenkeel.audit.promise import Findings
from evenkeel.audit.rows import check_rows
from evenkeel.audit.training import check_training
from evenkeel.errors import EvenkeelError

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.incident import Incident


def audit(workspace: Workspace) -> Findings:
    """Check P1 to P5 over everything the pipeline ever did.

    Raises:
        Transient: The lake, the ledger or the list of what landed cannot be read.
    """
    findings = Findings()
    incidents = workspace.ledger.incidents(workspace.name)
    by_batch: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        by_batch[incident.batch_id].append(incident)
    events = workspace.ledger.events(workspace.name)
    answers = AnswerCheck(workspace, findings)
    books = open_books(workspace)
    for book in books:
        try:
            check_rows(workspace, book, by_batch[book.batch_id], findings)
        except EvenkeelError as error:
            _unreadable(book, error, findings)
        answers.check(book, by_batch[book.batch_id])
        check_pins(book, events, findings)
        check_attribution(book, by_batch[book.batch_id], findings, workspace.pipeline.row_key)
    _tell_other_configs(books, findings)
    check_promotions(workspace, events, incidents, findings)
    check_training(workspace, events, incidents, findings)
    check_incidents(incidents, findings)
    return findings


def _unreadable(book: Book, error: EvenkeelError, findings: Findings) -> None:
    """One batch that cannot be read does not end the audit; only of one that was ended is it a breach."""
    if book.pending:
        findings.notes.append(f"batch {book.batch_id} cannot be read; the run will hold it: {error}")
    else:
        findings.breach("P1", book.batch_id, f"the landed files cannot be recounted: {error}")


def _tell_other_configs(books: list[Book], findings: Findings) -> None:
    others = sum(not book.of_today for book in books)
    if others:
        findings.notes.append(
            f"{others} batches were run under another configuration: their rows, keys, models and incidents "
            "were checked; values, classes, needs_review and heuristics, which depend on it, were not"
        )
