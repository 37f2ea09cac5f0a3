"""Retrain: make a challenger, judge it at the gates, and put it in charge only if every gate passed."""

from __future__ import annotations

from typing import Any

from prefect import flow

from flows.hooks import log_end
from tasks import retrain as steps
from tasks.report import asked_by, nothing_to_do, report_retrain
from tasks.scope import open_scope
from tasks.settle import training_settled


@flow(
    name="retrain",
    flow_run_name="retrain {pipeline}",
    on_failure=[log_end],
    on_crashed=[log_end],
    validate_parameters=True,
)
def retrain(pipeline: str, force: bool = False, config: str | None = None) -> dict[str, Any]:
    """Train, judge, register and promote or refuse.

    Args:
        pipeline: Pipeline name.
        force: Train even if nothing asks for it.
        config: A pipeline YAML outside the config folder.

    Returns:
        The version, whether it was promoted, and why or why not.
    """
    scope = open_scope(pipeline, config)
    request = steps.find_request(scope)
    champion = steps.open_champion(scope)
    if champion is not None and request is None and not force:
        steps.mirror_aliases(scope)
        return nothing_to_do(scope)
    with training_settled(scope) as run:
        examples = steps.gather_examples(scope)
        trained = steps.train_challenger(scope, examples)
        judged = steps.judge_challenger(scope, trained, champion)
        run.model = steps.register_challenger(scope, judged, asked_by(request, force=force))
        steps.show(scope, judged, run.model)
        run.promoted = steps.promote_or_refuse(scope, judged, run.model)
        steps.mirror_aliases(scope, judged)
    return report_retrain(scope, run)
