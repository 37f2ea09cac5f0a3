"""Roll back: put the previous champion back in charge."""

from __future__ import annotations

from typing import Any

from prefect import flow

from flows.hooks import log_end
from tasks import rollback as steps
from tasks.report import report_standing
from tasks.scope import open_scope


@flow(
    name="rollback",
    flow_run_name="rollback {pipeline}",
    on_failure=[log_end],
    on_crashed=[log_end],
    validate_parameters=True,
)
def rollback(
    pipeline: str, to: str | None = None, why: str = "by hand", config: str | None = None
) -> dict[str, Any]:
    """Take the champion back.

    Args:
        pipeline: Pipeline name.
        to: The version to go back to; by default the previous champion.
        why: The reason, kept in the history.
        config: A pipeline YAML outside the config folder.

    Returns:
        The champion and the previous version after it.
    """
    scope = open_scope(pipeline, config)
    before = steps.read_standing(scope)
    standing = steps.take_back(scope, before, to, why)
    steps.mirror_aliases(scope)
    return report_standing(scope, standing)
