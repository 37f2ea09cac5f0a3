"""Score: land what came, then answer every pending batch."""

from __future__ import annotations

from typing import Any

from prefect import flow

from evenkeel.bootstrap import Workspace
from flows.hooks import log_end
from flows.names import score_run_name
from tasks import score as steps
from tasks.report import conclude
from tasks.scope import open_scope
from tasks.settle import Outcomes, settled


@flow(
    name="score",
    flow_run_name=score_run_name,
    on_failure=[log_end],
    on_crashed=[log_end],
    validate_parameters=True,
)
def score(pipeline: str, batch: str | None = None, config: str | None = None) -> dict[str, Any]:
    """Score the pending batches of a pipeline.

    Args:
        pipeline: Pipeline name.
        batch: Only this batch.
        config: A pipeline YAML outside the config folder.

    Returns:
        Per batch its state and counts.
    """
    scope = open_scope(pipeline, config)
    steps.land_incoming(scope, batch)
    steps.land_joined(scope)
    steps.revise_late(scope)
    steps.look_for_labels(scope)
    outcomes = Outcomes()
    for batch_id in steps.list_pending(scope, batch):
        score_batch(scope.workspace, batch_id, outcomes)
    return conclude(scope, outcomes)


def score_batch(workspace: Workspace, batch_id: str, outcomes: Outcomes) -> None:
    """Take one batch from landed to published."""
    with settled(workspace, batch_id, outcomes) as run:
        if steps.close_if_published(run):
            return
        if steps.must_wait(run):
            return
        pins = steps.pin_batch(run)
        rows = steps.read_batch(run, pins)
        enriched = steps.enrich_batch(run, pins, rows)
        models = steps.open_models(run, pins)
        treatment = steps.diagnose_batch(run, pins, rows, enriched, models)
        checked = steps.validate_batch(run, rows, enriched, treatment)
        filled = steps.impute_batch(run, pins, checked, models)
        answers = steps.score_rows(run, checked, filled, models)
        steps.publish_batch(run, pins, checked, filled, answers)
        steps.measure_drift(run, filled, answers, models)
        steps.show(run, answers)
        steps.conclude_batch(run)
