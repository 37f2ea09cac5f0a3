"""What the steps that are not about one batch are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.runtime import flow_run
from structlog.contextvars import bind_contextvars

from evenkeel.bootstrap import Workspace, open_workspace
from evenkeel.domain.incident import Incident
from evenkeel.settings import load_settings


class PipelineScope:
    """One flow run over one pipeline.

    Attributes:
        workspace: The pipeline's workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._noted: set[tuple[str, str]] = set()

    @property
    def label(self) -> str:
        """The pipeline's name."""
        return self.workspace.name

    def note(self, cause: str, stage: str, response: str, **evidence: Any) -> None:
        """Open an incident of the pipeline; a repeat folds into it."""
        self._noted.add((stage, cause))
        self.workspace.ledger.open_incident(
            Incident(
                pipeline=self.workspace.name,
                batch_id="",
                cause=cause,
                stage=stage,
                response=response,
                evidence=evidence,
                opened_at=self.workspace.now(),
            )
        )

    def passed(self, stage: str) -> None:
        """Resolve what earlier runs left open at a stage that this one has passed without meeting it again."""
        ledger, name = self.workspace.ledger, self.workspace.name
        over = [
            i
            for i in ledger.incidents(name, open_only=True)
            if not i.batch_id and i.stage == stage and (stage, i.cause) not in self._noted
        ]
        ledger.resolve_incidents(over, at=self.workspace.now())


def open_scope(pipeline: str, config: str | None) -> PipelineScope:
    """Read the pipeline's settings and open its workspace."""
    settings = load_settings(pipeline, config_file=Path(config) if config else None)
    bind_contextvars(pipeline=settings.name, run_id=str(flow_run.id or ""))
    return PipelineScope(open_workspace(settings))
