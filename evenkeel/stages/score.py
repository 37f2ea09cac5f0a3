"""Answer every accepted row from the highest healthy rung of the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.domain.batch import BatchState
from evenkeel.serving.ladder import answer
from evenkeel.serving.rung import build_rungs

if TYPE_CHECKING:
    from evenkeel.domain.ladder import Answers
    from evenkeel.stages.batch_run import BatchRun
    from evenkeel.stages.impute import Filled
    from evenkeel.stages.models import Models
    from evenkeel.stages.validate import Checked


def score_batch(run: BatchRun, checked: Checked, filled: Filled, models: Models) -> Answers:
    """Answer the batch; every rung that was stepped over is noted on the run."""
    workspace = run.workspace
    pipeline = workspace.pipeline
    rungs = build_rungs(models.champion, models.previous, pipeline, workspace.kinds)
    answers = answer(
        filled.frame,
        rungs,
        target=pipeline.target,
        timeout=pipeline.ladder.timeout,
        suspect=checked.suspect,
    )
    for skipped in answers.skipped:
        run.note(
            skipped.cause,
            "score",
            f"{skipped.rows} rows answered from a lower rung than {skipped.rung}",
            **{
                str(skipped.rung): {
                    "version": skipped.model_version,
                    "rows": skipped.rows,
                    "why": skipped.reason,
                }
            },
        )
    workspace.ledger.advance(workspace.name, run.batch_id, BatchState.SCORED, run_id=run.run_id)
    run.log("score").info("batch scored", **answers.per_rung)
    return answers
