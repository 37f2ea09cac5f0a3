"""What a flow returns: plain values a person can read in the UI or the terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from evenkeel.domain.batch import ModelRef
from evenkeel.domain.model_event import ModelEvent, Standing
from tasks.artifacts import show_standing
from tasks.scope import PipelineScope
from tasks.settle import Outcomes, TrainingRun


def conclude(scope: PipelineScope, outcomes: Outcomes) -> dict[str, Any]:
    """Return what became of each batch; a batch that did not finish fails the flow run.

    Raises:
        Exception: The first error, after every other batch had its turn.
    """
    report = {
        run.batch_id: {
            "state": run.state.value,
            **asdict(run.counts),
            "incidents": [n.cause for n in run.notes],
        }
        for run in outcomes.runs
    }
    scope.workspace.close()
    for error in outcomes.errors.values():
        raise error
    return report


def asked_by(request: ModelEvent | None, *, force: bool) -> str:
    """Return who asked for a challenger, as the history tells it."""
    if request is not None:
        return request.by
    return "hand" if force else "first"


def nothing_to_do(scope: PipelineScope) -> dict[str, Any]:
    """Return that no retrain was asked for."""
    scope.workspace.close()
    return {"promoted": False, "version": "", "why": "nothing asks for a retrain"}


def report_retrain(scope: PipelineScope, run: TrainingRun) -> dict[str, Any]:
    """Return what became of the challenger, as the history tells it."""
    events = scope.workspace.ledger.events(scope.workspace.name)
    scope.workspace.close()
    version = run.model.version if isinstance(run.model, ModelRef) else ""
    return {"promoted": run.promoted, "version": version, "why": run.why or events[-1].why}


def report_standing(scope: PipelineScope, standing: Standing) -> dict[str, Any]:
    """Return who is in charge."""
    champion = standing.champion.version if standing.champion else ""
    previous = standing.previous.version if standing.previous else ""
    show_standing(scope.workspace.name, [f"champion: version {champion}", f"previous: {previous or 'none'}"])
    scope.workspace.close()
    return {"champion": champion, "previous": previous}
