"""The audit: recount the promises from the lake, the landing zone and the ledger."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from evenkeel.audit.answers import AnswerCheck
from evenkeel.audit.book import open_books
from evenkeel.audit.history import check_attribution, check_incidents, check_pins, check_promotions
from evenkeel.audit.promise import Findings
from evenkeel.audit.rows import check_rows

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.incident import Incident


def audit(workspace: Workspace) -> Findings:
    """Check P1 to P5 over everything the pipeline ever did.

    Raises:
        Transient: The lake, the landing zone or the ledger cannot be read.
    """
    findings = Findings()
    incidents = workspace.ledger.incidents(workspace.name)
    by_batch: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        by_batch[incident.batch_id].append(incident)
    events = workspace.ledger.events(workspace.name)
    answers = AnswerCheck(workspace, findings)
    for book in open_books(workspace):
        check_rows(workspace, book, findings)
        answers.check(book, by_batch[book.batch_id])
        check_pins(book, events, findings)
        check_attribution(book, by_batch[book.batch_id], findings, workspace.pipeline.row_key)
    check_promotions(workspace, events, findings)
    check_incidents(incidents, findings)
    return findings
