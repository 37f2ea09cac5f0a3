"""What a person sees in the Prefect UI: the batch, its drift, the gates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from evenkeel.domain.drift import DriftVerdict
from evenkeel.domain.gates import GateReport
from evenkeel.domain.ladder import Answers
from evenkeel.stages.batch_run import BatchRun


def show_batch(run: BatchRun, answers: Answers) -> None:
    """Show one batch: where its rows ended, who answered, what was noted."""
    counts = run.counts
    rows = [
        {"what": "landed", "rows": counts.landed, "note": ""},
        {"what": "scored", "rows": counts.scored, "note": ""},
        {"what": "quarantined", "rows": counts.quarantined, "note": ""},
        *({"what": f"rung {rung}", "rows": n, "note": ""} for rung, n in answers.per_rung.items()),
        *({"what": note.cause, "rows": "", "note": _text(note.response)} for note in run.notes),
    ]
    create_table_artifact(
        key=_key(run.workspace.name, "batch"), table=rows, description=f"## Batch {_text(run.batch_id)}"
    )


def show_drift(run: BatchRun, verdict: DriftVerdict, page: Path | None) -> None:
    """Show one batch's drift, with a link to Evidently's page where the batch drifted."""
    lines = [
        f"## Drift of batch {_text(run.batch_id)}: {'**drifted**' if verdict.drifted else 'no drift'}",
        _text(verdict.note),
        "",
        "| column | distance | score | threshold | drifted |",
        "|---|---|---|---|---|",
        *(
            f"| {_text(c.column)} | {_text(c.method)} | {c.score:.4f} | {c.threshold:.4f} |"
            f" {'yes' if c.drifted else ''} |"
            for c in verdict.columns
        ),
    ]
    if page is not None:
        lines += ["", f"[Evidently's report]({page.as_uri()})"]
    create_markdown_artifact(key=_key(run.workspace.name, "drift"), markdown="\n".join(lines))


def show_gates(pipeline: str, version: str, report: GateReport) -> None:
    """Show what the gates said of a challenger."""
    create_table_artifact(
        key=_key(pipeline, "gates"),
        table=[
            {
                "gate": r.gate,
                "passed": "yes" if r.passed else "NO",
                "observed": _text(r.observed),
                "required": _text(r.required),
                "why": _text(r.why),
            }
            for r in report.results
        ],
        description=f"## Gates of version {_text(version)}: {'passed' if report.passed else 'refused'}",
    )


def show_standing(pipeline: str, lines: Sequence[str]) -> None:
    """Show who is in charge after a rollback."""
    create_markdown_artifact(
        key=_key(pipeline, "standing"), markdown="\n".join(["## In charge", *map(_text, lines)])
    )


def _key(pipeline: str, what: str) -> str:
    """Return an artifact key: Prefect allows lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9-]", "-", f"{pipeline}-{what}")


def _text(value: str) -> str:
    """Neutralise Markdown and HTML in values that come from data."""
    return re.sub(r"([|<>&`\[\]\\])", lambda m: f"&#{ord(m.group(1))};", str(value)).replace("\n", " ")
