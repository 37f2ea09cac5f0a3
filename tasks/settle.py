"""The one place where a batch's failure is settled: attributed, entered, and met as the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.runtime import flow_run
from structlog.contextvars import bound_contextvars

from evenkeel.bootstrap import Workspace
from evenkeel.domain.batch import ModelRef
from evenkeel.errors import DataRejected, Permanent
from evenkeel.failures.attribution import attribute, evidence
from evenkeel.resilience.degraded import Degraded
from evenkeel.stages import rollout
from evenkeel.stages.batch_run import BatchRun
from tasks.scope import PipelineScope


class Outcomes:
    """What became of the batches of one flow run.

    Attributes:
        runs: The batches that ended, published or held.
        errors: Batch id -> the error of a batch that did not.
    """

    def __init__(self) -> None:
        self.runs: list[BatchRun] = []
        self.errors: dict[str, Exception] = {}


@contextmanager
def settled(workspace: Workspace, batch_id: str, outcomes: Outcomes) -> Iterator[BatchRun]:
    """Run one batch: a rejected one is held, a failing one is attributed and does not stop the next."""
    run = BatchRun(workspace, batch_id, run_id=str(flow_run.id or ""))
    try:
        with bound_contextvars(pipeline=workspace.name, batch=batch_id, run_id=run.run_id):
            yield run
    except DataRejected as error:
        run.note(attribute(error), "validate", "batch held, whole", **evidence(error))
        run.hold(error.message)
    except Exception as error:  # noqa: BLE001 - whatever a step raised is attributed here, and only here
        run.note(
            attribute(error), "run", "batch not finished: the next run takes it up again", **evidence(error)
        )
        run.open_incidents()
        run.log("run").error("batch failed", error=str(error))
        outcomes.errors[batch_id] = error
        return
    outcomes.runs.append(run)


class TrainingRun:
    """What became of one retrain.

    Attributes:
        model: The registered challenger, what kept it from being registered, or None.
        promoted: Whether it is now champion.
        why: Why training gave no challenger; empty where it did.
    """

    def __init__(self) -> None:
        self.model: ModelRef | Degraded | None = None
        self.promoted = False
        self.why = ""


@contextmanager
def training_settled(scope: PipelineScope) -> Iterator[TrainingRun]:
    """Run one retrain: a training that cannot give a model is a recorded refusal, not a crash."""
    run = TrainingRun()
    try:
        yield run
    except Permanent as error:
        run.why = error.message
        rollout.refuse(scope.workspace, None, error.message)
    except Exception as error:
        scope.note(attribute(error), "train", "no challenger: the champion stays", **evidence(error))
        raise
