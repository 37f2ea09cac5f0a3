"""The steps of the rollback flow."""

from __future__ import annotations

from evenkeel.domain.model_event import Standing
from evenkeel.resilience.policy import Dependency
from evenkeel.stages import rollout
from tasks.scope import PipelineScope
from tasks.step import step


@step("rollback", touches=Dependency.LEDGER)
def take_back(scope: PipelineScope, to: str | None, why: str) -> Standing:
    """Put the previous champion back in charge, at once."""
    return rollout.roll_back(scope.workspace, to=to, why=why)
