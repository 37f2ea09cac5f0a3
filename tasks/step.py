"""The one wrapper around every task: what it does about failure comes from the policy table alone."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import structlog
from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import task_run

from evenkeel.bootstrap import Workspace
from evenkeel.failures.attribution import attribute, evidence
from evenkeel.resilience.degraded import Degraded
from evenkeel.resilience.policy import Dependency, Policy

P = ParamSpec("P")
R = TypeVar("R")


class Scope(Protocol):
    """What every step is given first: a run over a batch, or over the pipeline."""

    @property
    def workspace(self) -> Workspace:
        """The pipeline's workspace."""

    @property
    def label(self) -> str:
        """What the run is over, for a person."""

    def note(self, cause: str, stage: str, response: str, **evidence: Any) -> None:
        """Note an incident."""

    def passed(self, stage: str) -> None:
        """Take note that a stage was passed."""


def step(
    stage: str, *, touches: Dependency
) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[Concatenate[Scope, P], R]]:
    """Make a function a Prefect task whose retries, delays, jitter and timeout are its dependency's policy.

    Args:
        stage: The stage's name, as in logs and incidents.
        touches: The dependency the step calls; the only thing a step says about failure.
    """

    def decorate(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Scope, P], R]:
        made = task(
            function,
            name=stage,
            description=(function.__doc__ or "").strip(),
            cache_policy=NO_CACHE,
            persist_result=False,
            on_failure=[_log_failure],
        )

        @functools.wraps(function)
        def call(scope: Scope, /, *args: P.args, **kwargs: P.kwargs) -> R:
            policy = scope.workspace.policies[touches]
            named = f"{stage} {scope.label}"
            return _settled(stage, _under(made, policy, named), policy, scope, *args, **kwargs)

        return call

    return decorate


def is_last_attempt(scope: Scope, touches: Dependency) -> bool:
    """Say whether the policy table gives the step that is running no further attempt."""
    return int(task_run.run_count or 1) >= scope.workspace.policies[touches].attempts


def _under(made: Task[Any, Any], policy: Policy, named: str) -> Task[Any, Any]:
    return made.with_options(
        task_run_name=named,
        retries=policy.attempts - 1,
        retry_delay_seconds=list(policy.delays),
        retry_jitter_factor=1.0,
        retry_condition_fn=lambda _task, _run, state: policy.retries_on(_error_of(state)),
        timeout_seconds=policy.timeout,
    )


def _settled(
    stage: str, made: Task[Any, Any], policy: Policy, scope: Scope, *args: Any, **kwargs: Any
) -> Any:
    """Run the task; where the policy goes without the dependency, note and return what was missing."""
    started = time.perf_counter()
    try:
        value = made(scope, *args, **kwargs)
    except Exception as error:
        if not policy.goes_without(error):
            raise
        degraded = Degraded(cause=attribute(error), reason=str(error))
        scope.note(degraded.cause, stage, f"went on without: {degraded.reason}", **evidence(error))
        return degraded
    else:
        scope.passed(stage)
        return value
    finally:
        structlog.get_logger().info(
            "step ended", stage=stage, seconds=round(time.perf_counter() - started, 4)
        )


def _error_of(state: State[Any]) -> BaseException:
    error = state.result(raise_on_failure=False)
    return error if isinstance(error, BaseException) else RuntimeError(str(error))


def _log_failure(_task: Task[Any, Any], run: TaskRun, state: State[Any]) -> None:
    structlog.get_logger().warning("step failed", stage=run.name, state=state.name, message=state.message)
