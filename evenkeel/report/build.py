"""Build the pages a person asks for: the report, Data Docs of a batch, Evidently's page of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.adapters.lake import Table
from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from evenkeel.audit.promise import Findings
    from evenkeel.bootstrap import Workspace


def report_page(workspace: Workspace, findings: Findings, out: Path | None) -> Path:
    """Write the report page with an audit's findings on it, and return its path."""
    from evenkeel.report.gather import gather
    from evenkeel.report.page import render

    return render(gather(workspace, findings), out or _folder(workspace) / "index.html")


def data_docs_page(workspace: Workspace, batch_id: str, out: Path | None) -> Path:
    """Build Great Expectations Data Docs of one batch's accepted rows."""
    from evenkeel.quality.suite import build_data_docs

    rows = _accepted(workspace, batch_id)
    return build_data_docs(rows, workspace.suite, out or _folder(workspace) / "data-docs" / batch_id)


def drift_page(workspace: Workspace, batch_id: str, out: Path | None) -> Path:
    """Build Evidently's page of one batch against the reference its verdict was measured with.

    Raises:
        UsageError: The batch has no verdict, or its model is no longer known.
    """
    from evenkeel.drift.report import render_html
    from evenkeel.stages.models import open_model

    verdict = workspace.ledger.drift(workspace.name).get(batch_id)
    models = {e.version: e.model for e in workspace.ledger.events(workspace.name) if e.model}
    model = models.get(verdict.reference_version) if verdict else None
    if verdict is None or model is None:
        why = verdict.note if verdict else "no such batch was measured"
        raise UsageError(
            f"{workspace.name}: batch {batch_id!r} has no drift to show: {why}",
            fix=f"choose a batch that `evenkeel report {workspace.name}` shows with drift",
        )
    return render_html(
        _accepted(workspace, batch_id),
        open_model(workspace, model).reference(),
        verdict,
        out or _folder(workspace) / "drift" / f"{batch_id}.html",
        config=workspace.pipeline.drift,
        seed=workspace.pipeline.training.seed,
    )


def _folder(workspace: Workspace) -> Path:
    return workspace.settings.home / "reports" / workspace.name


def _accepted(workspace: Workspace, batch_id: str) -> pd.DataFrame:
    rows = workspace.lake.read(workspace.name, Table.ACCEPTED, batch_id=batch_id)
    if rows.empty:
        raise UsageError(
            f"{workspace.name}: no accepted rows of batch {batch_id!r}",
            fix=f"`evenkeel status {workspace.name}` names the last batch",
        )
    return rows.drop(columns=["batch_id", "imputed", "stale"])
