"""The steps of the retrain flow."""

from __future__ import annotations

from evenkeel.domain.batch import ModelRef
from evenkeel.domain.model_event import ModelEvent
from evenkeel.learning.bundle import Bundle
from evenkeel.learning.trained import Trained
from evenkeel.resilience.degraded import Degraded
from evenkeel.resilience.policy import Dependency
from evenkeel.stages import models, request, rollout, train
from tasks.artifacts import show_gates
from tasks.scope import PipelineScope
from tasks.step import step


@step("request", touches=Dependency.LEDGER)
def find_request(scope: PipelineScope) -> ModelEvent | None:
    """Find the open request for a retrain."""
    return request.open_request(scope.workspace)


@step("examples", touches=Dependency.LAKE)
def gather_examples(scope: PipelineScope) -> train.Examples:
    """Gather labelled rows in time order."""
    return train.gather_examples(scope.workspace)


@step("train", touches=Dependency.COMPUTE)
def train_challenger(scope: PipelineScope, examples: train.Examples) -> Trained:
    """Search, fit and calibrate a challenger."""
    return train.train_challenger(scope.workspace, examples)


@step("champion", touches=Dependency.REGISTRY)
def open_champion(scope: PipelineScope) -> Bundle | Degraded | None:
    """Open the champion to compare with."""
    champion = scope.workspace.ledger.standing(scope.workspace.name).champion
    return models.open_model(scope.workspace, champion) if champion else None


@step("gates", touches=Dependency.COMPUTE)
def judge_challenger(
    scope: PipelineScope, trained: Trained, champion: Bundle | Degraded | None
) -> train.Judged:
    """Judge the challenger at every gate."""
    return train.judge_challenger(scope.workspace, trained, champion)


@step("register", touches=Dependency.REGISTRY)
def register_challenger(scope: PipelineScope, judged: train.Judged, by: str) -> ModelRef | Degraded:
    """Log the challenger to the registry and enter it in the history."""
    ref = train.register_challenger(scope.workspace, judged)
    source = train.source_of(scope.workspace, judged.trained)
    rollout.record_registered(scope.workspace, ref, judged.report, by=by, source=source)
    return ref


@step("show", touches=Dependency.MONITORING)
def show(scope: PipelineScope, judged: train.Judged, ref: ModelRef | Degraded) -> None:
    """Show what the gates said in the UI."""
    version = ref.version if isinstance(ref, ModelRef) else "that could not be registered"
    show_gates(scope.workspace.name, version, judged.report)


@step("promote", touches=Dependency.LEDGER)
def promote_or_refuse(scope: PipelineScope, judged: train.Judged, ref: ModelRef | Degraded) -> bool:
    """Put the challenger in charge if every gate passed and it is registered; else record why not."""
    if isinstance(ref, Degraded):
        rollout.refuse(scope.workspace, None, f"not registered: {ref.reason}", report=judged.report)
        return False
    return rollout.promote(scope.workspace, ref, judged.report, against=judged.against)


@step("mirror", touches=Dependency.REGISTRY)
def mirror_aliases(scope: PipelineScope, judged: train.Judged | None = None) -> None:
    """Make the registry's aliases tell what the history says; then a challenger is settled."""
    rollout.mirror(scope.workspace)
    if judged is not None:
        train.forget_spooled(judged)
