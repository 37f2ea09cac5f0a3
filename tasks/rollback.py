"""The steps of the rollback flow."""

from __future__ import annotations

from evenkeel.domain.model_event import Standing
from evenkeel.resilience.policy import Dependency
from evenkeel.stages import rollout
from tasks.scope import PipelineScope
from tasks.step import step


@step("standing", touches=Dependency.LEDGER)
def read_standing(scope: PipelineScope) -> Standing:
    """Read who is in charge, once: a retry must not take back one version after the other."""
    return scope.workspace.ledger.standing(scope.workspace.name)


@step("rollback", touches=Dependency.LEDGER)
def take_back(scope: PipelineScope, before: Standing, to: str | None, why: str) -> Standing:
    """Put the previous champion back in charge, at once."""
    return rollout.roll_back(scope.workspace, before, to=to, why=why)


@step("mirror", touches=Dependency.REGISTRY)
def mirror_aliases(scope: PipelineScope) -> None:
    """Make the registry's aliases tell what the history says."""
    rollout.mirror(scope.workspace)
