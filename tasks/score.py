"""The steps of the score flow."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect.runtime import flow_run

from evenkeel.domain.batch import Counts, Pins
from evenkeel.domain.drift import DriftVerdict
from evenkeel.domain.ladder import Answers
from evenkeel.domain.rows import Rows
from evenkeel.learning.bundle import Bundle
from evenkeel.quality.treatment import Treatment
from evenkeel.resilience.degraded import Degraded
from evenkeel.resilience.policy import Dependency
from evenkeel.stages import (
    deliver,
    diagnose,
    drift,
    enrich,
    impute,
    incoming,
    label,
    models,
    pin,
    publish,
    read,
    revise,
    score,
    validate,
)
from evenkeel.stages.batch_run import BatchRun
from tasks.artifacts import show_batch, show_drift
from tasks.scope import PipelineScope
from tasks.step import is_last_attempt, step


@step("land", touches=Dependency.SOURCE)
def land_incoming(scope: PipelineScope, batch: str | None) -> incoming.Arrivals:
    """Land what the configured sources have that has not landed yet; note what was refused or got over."""
    scheduled = flow_run.scheduled_start_time or datetime.now(UTC)
    last = is_last_attempt(scope, Dependency.SOURCE)
    arrivals = incoming.land_incoming(scope.workspace, batch, scheduled=scheduled, last=last)
    for note in arrivals.notes:
        scope.note(note.cause, "land", note.response, **note.evidence)
    arrivals.check_answered()
    return arrivals


@step("join", touches=Dependency.SOURCE)
def land_joined(scope: PipelineScope) -> None:
    """Land what the enrichment sources have brought since; note what went wrong at one."""
    deliveries = deliver.land_joined(scope.workspace)
    for finding in deliveries.findings:
        scope.note(finding.cause, "join", finding.said, **{finding.place: finding.evidence})
    deliveries.check_answered()


@step("revise", touches=Dependency.LEDGER)
def revise_late(scope: PipelineScope) -> list[str]:
    """Reopen the batches for which something came late."""
    return revise.revise_late(scope.workspace)


@step("labels", touches=Dependency.LAKE)
def look_for_labels(scope: PipelineScope) -> None:
    """Note that labels have not come when they should have."""
    late = label.labels_late(scope.workspace)
    if late:
        scope.note("data.labels_late", "labels", "labels asked for", **late)


@step("pending", touches=Dependency.LEDGER)
def list_pending(scope: PipelineScope, batch: str | None) -> list[str]:
    """List the batches that wait to be scored; note landings whose manifest is damaged."""
    if damaged := scope.workspace.landing.damaged(scope.workspace.name):
        scope.note("data.landed_copy_damaged", "pending", "waits until its files land again", batches=damaged)
    return pin.pending(scope.workspace, batch)


@step("close", touches=Dependency.LAKE)
def close_if_published(run: BatchRun) -> bool:
    """Close a batch that a crashed run has published already."""
    return publish.close_if_published(run)


@step("wait", touches=Dependency.LANDING)
def must_wait(run: BatchRun) -> bool:
    """Say whether the batch waits for a source that has not delivered."""
    return enrich.must_wait(run)


@step("pin", touches=Dependency.LEDGER)
def pin_batch(run: BatchRun) -> Pins:
    """Fix the batch's models, configuration and inputs."""
    return pin.pin_batch(run)


@step("read", touches=Dependency.LANDING)
def read_batch(run: BatchRun, pins: Pins) -> Rows:
    """Read the landed rows, their bytes verified."""
    return read.read_batch(run, pins)


@step("model", touches=Dependency.REGISTRY)
def _open_model(run: BatchRun, pins: Pins, which: str) -> Bundle | Degraded | None:
    """Open a pinned model from the verified cache or the registry."""
    ref = getattr(pins, which)
    return models.open_model(run.workspace, ref) if ref else None


def open_models(run: BatchRun, pins: Pins) -> models.Models:
    """Open the pinned models; one that cannot be had is gone without, and noted."""
    return models.Models(
        champion=models.standby(run.workspace, pins.champion, _open_model(run, pins, "champion")),
        previous=models.standby(run.workspace, pins.previous, _open_model(run, pins, "previous")),
    )


@step("enrich", touches=Dependency.LANDING)
def enrich_batch(run: BatchRun, pins: Pins, rows: Rows) -> enrich.Enriched:
    """Join the enrichment sources, as far as they have delivered."""
    return enrich.enrich_batch(run, pins, rows)


@step("diagnose", touches=Dependency.LAKE)
def diagnose_batch(
    run: BatchRun, pins: Pins, rows: Rows, enriched: enrich.Enriched, opened: models.Models
) -> Treatment:
    """Find the batch's silent faults and treat them."""
    return diagnose.diagnose_batch(run, pins, rows, enriched, opened)


@step("validate", touches=Dependency.COMPUTE)
def validate_batch(
    run: BatchRun, rows: Rows, enriched: enrich.Enriched, treatment: Treatment
) -> validate.Checked:
    """Split accepted from quarantined rows and judge the batch."""
    return validate.validate_batch(run, rows, enriched, treatment)


@step("impute", touches=Dependency.COMPUTE)
def impute_batch(
    run: BatchRun, pins: Pins, checked: validate.Checked, opened: models.Models
) -> impute.Filled:
    """Fill missing cells and say where."""
    return impute.impute_batch(run, pins, checked, opened)


@step("score", touches=Dependency.COMPUTE)
def score_rows(
    run: BatchRun, checked: validate.Checked, filled: impute.Filled, opened: models.Models
) -> Answers:
    """Answer every row from the highest healthy rung."""
    return score.score_batch(run, checked, filled, opened)


@step("publish", touches=Dependency.LAKE)
def publish_batch(
    run: BatchRun, pins: Pins, checked: validate.Checked, filled: impute.Filled, answers: Answers
) -> Counts:
    """Commit the answers, once."""
    return publish.publish_batch(run, pins, checked, filled, answers)


@step("drift", touches=Dependency.MONITORING)
def measure_drift(
    run: BatchRun, filled: impute.Filled, answers: Answers, opened: models.Models
) -> DriftVerdict:
    """Measure the batch against the champion's reference; show it, and ask for a retrain by rule."""
    verdict = drift.measure_drift(run, filled, opened)
    drift.note_prior_drift(run, answers, opened)
    drift.request_retrain(run)
    show_drift(run, verdict, drift.drift_page(run, filled, opened, verdict))
    return verdict


@step("show", touches=Dependency.MONITORING)
def show(run: BatchRun, answers: Answers) -> None:
    """Show the batch in the UI."""
    show_batch(run, answers)


@step("conclude", touches=Dependency.LEDGER)
def conclude_batch(run: BatchRun) -> None:
    """Close the batch in the ledger and resolve the incidents it shows to be over."""
    publish.conclude_batch(run)
