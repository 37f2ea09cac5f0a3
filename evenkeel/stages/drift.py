"""Measure how far a batch lies from the champion's reference, and ask for a retrain by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenkeel.domain.drift import DriftVerdict, asks_for_retrain
from evenkeel.domain.ladder import Rung
from evenkeel.domain.model_event import EventKind, ModelEvent
from evenkeel.failures.catalogue import taints
from evenkeel.stages.request import last_judged, open_request

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.domain.ladder import Answers
    from evenkeel.drift.prior import PriorDrift
    from evenkeel.stages.batch_run import BatchRun
    from evenkeel.stages.impute import Filled
    from evenkeel.stages.models import Models


def measure_drift(run: BatchRun, filled: Filled, models: Models) -> DriftVerdict:
    """Measure, store and note the batch's drift.

    Drift of a batch whose feed broke says nothing of the world: it is kept as measured, and counts for nothing.

    Raises:
        ModelUnusable: The champion's reference is altered or missing.
    """
    workspace = run.workspace
    verdict = _discounted(run, _verdict(run, filled, models))
    if verdict.drifted:
        run.note(
            "data.covariate_drift",
            "drift",
            "counted towards a retrain",
            columns={c.column: round(c.score, 4) for c in verdict.columns if c.drifted},
        )
        run.open_incidents()
    workspace.ledger.record_drift(workspace.name, run.batch_id, verdict, at=workspace.now())
    run.log("drift").info("drift measured", drifted=verdict.drifted, note=verdict.note)
    return verdict


def note_prior_drift(run: BatchRun, answers: Answers, models: Models) -> PriorDrift | None:
    """Note where the champion's answers are shared out otherwise than the labels it learned from.

    It changes no outcome. Of a batch whose feed broke nothing is said.

    Raises:
        ModelUnusable: The champion's reference is altered or missing.
    """
    from evenkeel.drift.prior import measure_prior
    from evenkeel.learning.training import TARGET_COLUMN

    if models.reference is None or any(taints(i.cause) for i in run.notes):
        return None
    pipeline = run.workspace.pipeline
    own = answers.frame[answers.frame["rung"] == Rung.CHAMPION.value]
    target = models.reference.reference()[TARGET_COLUMN]
    found = measure_prior(own, target, pipeline.drift, pipeline.target.classes)
    if found is not None and found.drifted:
        run.note(
            "data.prior_drift",
            "drift",
            "answered all the same",
            drifted=list(found.drifted),
            observed=found.observed,
            reference=found.reference,
            thresholds=found.thresholds,
        )
        run.open_incidents()
    return found


def request_retrain(run: BatchRun) -> bool:
    """Ask for a retrain by rule and say whether one was asked.

    Counted are the batches measured against the champion's reference since the last challenger was
    judged: a refused challenger is not asked for again by the same evidence.
    """
    workspace = run.workspace
    rule = workspace.pipeline.drift.retrain_when
    champion = workspace.ledger.standing(workspace.name).champion
    verdicts = [
        v.drifted
        for v in workspace.ledger.drift(workspace.name, since=last_judged(workspace)).values()
        if champion and v.measured and v.reference_version == champion.version
    ]
    if not asks_for_retrain(verdicts, drifted=rule.drifted, of=rule.of) or open_request(workspace):
        return False
    workspace.ledger.add_event(
        ModelEvent(
            pipeline=workspace.name,
            kind=EventKind.REQUESTED,
            version="",
            by="drift",
            why=f"{sum(verdicts[-rule.of :])} of the last {rule.of} batches drifted, the last {run.batch_id}",
            at=workspace.now(),
            champion=champion.version if champion else "",
        )
    )
    return True


def drift_page(run: BatchRun, filled: Filled, models: Models, verdict: DriftVerdict) -> Path | None:
    """Render Evidently's HTML for the first of a row of drifted batches and return its path.

    It takes seconds and 5 MB, so the others of the row are rendered when asked for (`evenkeel report --drift`).
    """
    from evenkeel.drift.report import render_html

    workspace = run.workspace
    earlier = [v for b, v in workspace.ledger.drift(workspace.name).items() if b != run.batch_id]
    streak = earlier and earlier[-1].drifted and earlier[-1].reference_version == verdict.reference_version
    if not verdict.drifted or streak or models.reference is None:
        return None
    path = workspace.settings.home / "reports" / workspace.name / "drift" / f"{run.batch_id}.html"
    return render_html(
        filled.frame,
        models.reference.reference(),
        verdict,
        path,
        config=workspace.pipeline.drift,
        seed=workspace.pipeline.training.seed,
    )


def _discounted(run: BatchRun, verdict: DriftVerdict) -> DriftVerdict:
    """Return the verdict, not drifted where an incident of this run taints the rows that it was measured on."""
    broke = sorted({i.cause for i in run.notes if taints(i.cause)})
    if not verdict.drifted or not broke:
        return verdict
    return replace(
        verdict,
        drifted=False,
        note=f"does not count: the feed broke ({', '.join(broke)}); {verdict.note}",
    )


def _verdict(run: BatchRun, filled: Filled, models: Models) -> DriftVerdict:
    from evenkeel.drift.measurement import measure

    champion = models.reference
    if champion is None:
        return DriftVerdict(
            columns=(), drifted=False, rows=0, reference_version="", note="no champion to measure against"
        )
    pipeline = run.workspace.pipeline
    return measure(
        filled.frame,
        champion.reference(),
        champion.drift_calibration(),
        pipeline.drift,
        reference_version=models.champion.version if models.champion else "",
        seed=pipeline.training.seed,
    )
