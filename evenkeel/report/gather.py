"""Gather what the report page and `evenkeel status` show, from the ledger and the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.adapters.lake import Table
from evenkeel.audit.promise import PROMISES, Findings
from evenkeel.domain.batch import BatchRecord, BatchState
from evenkeel.report.data import BatchLine, EventLine, IncidentLine, PromiseLine, ReportData
from evenkeel.stages.label import newest_labels
from evenkeel.stages.request import open_request
from evenkeel.stages.resolve import tainted_batches, tell

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.drift import DriftVerdict


def standing_lines(workspace: Workspace) -> list[dict[str, Any]]:
    """Return where the pipeline stands, as lines of what and value."""
    name = workspace.name
    batches = workspace.ledger.batches(name)
    now = workspace.ledger.standing(name)
    drift = workspace.ledger.drift(name)
    request = open_request(workspace)
    open_incidents = workspace.ledger.incidents(name, open_only=True)
    last = batches[-1] if batches else None
    lines = {
        "champion": f"version {now.champion.version}" if now.champion else "none yet",
        "previous": f"version {now.previous.version}" if now.previous else "none",
        **{f"batches {s.value}": sum(b.state is s for b in batches) for s in BatchState},
        "rows scored": sum(b.counts.scored for b in batches),
        "rows quarantined": sum(b.counts.quarantined for b in batches),
        "rows held": sum(b.counts.held for b in batches),
        "last batch": f"{last.batch_id} ({last.state})" if last else "none",
        "last drift": _drift_word(list(drift.values())[-1]) if drift else "not measured",
        "retrain": f"asked for: {request.why}" if request else "not asked for",
        "open incidents": len(open_incidents),
        "kept out of training": tell(tainted_batches(workspace)) or "no batch",
    }
    return [{"what": what, "value": value} for what, value in lines.items()]


def gather(workspace: Workspace, findings: Findings | None) -> ReportData:
    """Return everything the report page shows."""
    pipeline = workspace.pipeline
    standing = workspace.ledger.standing(workspace.name)
    drift = workspace.ledger.drift(workspace.name)
    answers = _answers(workspace)
    return ReportData(
        pipeline=workspace.name,
        description=pipeline.description,
        task=pipeline.task,
        metric_name="accuracy" if pipeline.is_classification else "mean absolute error",
        higher_is_better=pipeline.is_classification,
        champion=standing.champion.version if standing.champion else "",
        generated_at=workspace.now(),
        batches=[
            _batch_line(b, drift.get(b.batch_id), answers.get(b.batch_id))
            for b in workspace.ledger.batches(workspace.name)
        ],
        events=[
            EventLine(at=e.at, kind=e.kind.value, version=e.version, by=e.by, why=e.why, champion=e.champion)
            for e in workspace.ledger.events(workspace.name)
        ],
        incidents=[
            IncidentLine(
                cause=i.cause,
                stage=i.stage,
                batch_id=i.batch_id,
                response=i.response,
                opened_at=i.opened_at or workspace.now(),
                resolved_at=i.resolved_at,
                evidence=i.evidence,
            )
            for i in workspace.ledger.incidents(workspace.name)
        ],
        audit=_promise_lines(findings) if findings else (),
    )


def _answers(workspace: Workspace) -> dict[str, pd.DataFrame]:
    """Return the newest answers by batch, each with ``right``: 1 or 0, the absolute error, or NaN without a label."""
    key = list(workspace.pipeline.row_key)
    columns = [*key, "batch_id", "prediction", "rung", "imputed", "revision"]
    answers = workspace.lake.read(workspace.name, Table.PREDICTIONS, columns=columns)
    if answers.empty:
        return {}
    newest = answers.groupby("batch_id")["revision"].transform("max")
    answers = answers[answers["revision"] == newest]
    if workspace.lake.exists(workspace.name, Table.LABELS):
        answers = answers.merge(newest_labels(workspace)[[*key, "label"]], on=key, how="left")
    else:
        answers = answers.assign(label=None)
    if workspace.pipeline.is_classification:
        right = (answers["prediction"] == answers["label"]).astype(float)
    else:
        right = (answers["prediction"] - answers["label"].astype(float)).abs()
    answers["right"] = right.where(answers["label"].notna())
    return {str(i): part for i, part in answers.groupby("batch_id")}


def _batch_line(batch: BatchRecord, drift: DriftVerdict | None, answers: pd.DataFrame | None) -> BatchLine:
    counts = batch.counts
    measured = [c for c in drift.columns if c.threshold > 0] if drift else []
    # One figure for the whole batch: the column that is furthest beyond, or nearest to, its own threshold.
    worst = max((c.score / c.threshold for c in measured), default=None)
    labelled = answers[answers["right"].notna()] if answers is not None else None
    return BatchLine(
        batch_id=batch.batch_id,
        state=batch.state.value,
        at=batch.published_at or batch.landed_at,
        landed=counts.landed,
        scored=counts.scored,
        quarantined=counts.quarantined,
        held=counts.held,
        imputed_cells=int(answers["imputed"].map(len).sum()) if answers is not None else 0,
        per_rung={str(k): int(v) for k, v in answers["rung"].value_counts().items()}
        if answers is not None
        else {},
        drift_statistic=worst,
        drift_threshold=1.0 if worst is not None else None,
        drifted=drift.drifted if drift and drift.measured else None,
        metric=float(np.mean(labelled["right"])) if labelled is not None and len(labelled) else None,
        metric_by_rung={str(k): float(v) for k, v in labelled.groupby("rung")["right"].mean().items()}
        if labelled is not None and len(labelled)
        else {},
    )


def _promise_lines(findings: Findings) -> list[PromiseLine]:
    return [
        PromiseLine(
            promise=promise,
            title=title,
            kept=not findings.broken(promise),
            detail="; ".join(f"{b.batch_id}: {b.what}" for b in findings.broken(promise)[:3])
            or f"{findings.checked[promise]} checked",
        )
        for promise, title in PROMISES.items()
    ]


def _drift_word(verdict: DriftVerdict) -> str:
    if not verdict.measured:
        return f"not measured: {verdict.note}"
    columns = ", ".join(c.column for c in verdict.columns if c.drifted)
    return f"drifted: {columns}" if verdict.drifted else "no drift"
