"""The flows as the command line calls them: in this process, with or without a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.retrain import retrain as retrain_flow
from flows.rollback import rollback as rollback_flow
from flows.score import score as score_flow


@contextmanager
def _supervised_if_served() -> Iterator[None]:
    """Send heartbeats only where a server outlives the run to miss them.

    The heartbeat thread sleeps in steps of a second and is waited for, so each would cost a run up to one.
    """
    unserved = not PREFECT_API_URL.value()
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None} if unserved else {}):
        yield


def score(**parameters: Any) -> dict[str, Any]:
    """Run the score flow."""
    with _supervised_if_served():
        return score_flow(**parameters)


def retrain(**parameters: Any) -> dict[str, Any]:
    """Run the retrain flow."""
    with _supervised_if_served():
        return retrain_flow(**parameters)


def rollback(**parameters: Any) -> dict[str, Any]:
    """Run the rollback flow."""
    with _supervised_if_served():
        return rollback_flow(**parameters)
