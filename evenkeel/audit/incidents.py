"""P5: every failure has its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.audit.promise import Findings, shown
from evenkeel.domain.batch import BatchState
from evenkeel.failures.catalogue import catalogue
from evenkeel.quality.quarantine import cause_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from evenkeel.audit.book import Book
    from evenkeel.domain.incident import Incident


def check_incidents(incidents: list[Incident], findings: Findings) -> None:
    """Every incident has a cause of the catalogue, a stage, a response and evidence."""
    for incident in incidents:
        findings.check("P5")
        lacking = [
            what
            for what, there in (
                ("a cause of the catalogue", incident.cause in catalogue()),
                ("a stage", incident.stage),
                ("a response", incident.response),
                ("evidence", incident.evidence),
            )
            if not there
        ]
        if lacking:
            findings.breach(
                "P5", incident.batch_id, f"incident {incident.cause!r} lacks {', '.join(lacking)}"
            )


def check_attribution(
    book: Book, incidents: list[Incident], findings: Findings, row_key: Sequence[str]
) -> None:
    """A held batch has an incident; every refused row has reasons, and each of them its incident."""
    findings.check("P5", len(book.quarantine))
    if book.state is BatchState.HELD and not incidents:
        findings.breach("P5", book.batch_id, "held without an incident")
    silent = book.quarantine["reasons"].map(len) == 0
    if silent.any():
        findings.breach(
            "P5",
            book.batch_id,
            f"{silent.sum()} rows quarantined without a reason: {_named(book.quarantine[silent], row_key)}",
        )
    causes = book.quarantine["reasons"].map(lambda reasons: {cause_of(str(r["check"])) for r in reasons})
    told = {i.cause for i in incidents}
    for cause in sorted({c for found in causes for c in found} - told):
        rows = book.quarantine[[cause in found for found in causes]]
        findings.breach(
            "P5",
            book.batch_id,
            f"{len(rows)} rows quarantined for {cause}, without an incident of it: {_named(rows, row_key)}",
        )


def _named(rows: pd.DataFrame, row_key: Sequence[str]) -> str:
    return shown(["/".join(map(str, k)) for k in rows[list(row_key)].itertuples(index=False, name=None)])
