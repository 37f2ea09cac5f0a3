"""The flows as the command line calls them: in this process, with or without a server."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.retrain import retrain as retrain_flow
from flows.rollback import rollback as rollback_flow
from flows.score import score as score_flow

# What every run imports sooner or later, seconds in all.
_SLOW = ("great_expectations", "evidently", "skops.io", "pandera.pandas")


@contextmanager
def _served() -> Iterator[None]:
    """Run with the server that is configured, or else with one of this process's own.

    Heartbeats go out only where a server outlives the run to miss them: their thread sleeps in steps of a
    second and is waited for, so each would cost a run up to one.
    """
    if PREFECT_API_URL.value():
        yield
        return
    _start_own_server()
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _start_own_server() -> None:
    """Start the server that Prefect would start by itself, and import what is slow while it comes up."""
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()  # one per process: a flow finds it running
    if server.running:
        return

    def start() -> None:
        with suppress(RuntimeError):  # the flow tries once more, and tells why it could not
            server.start()

    starting = Thread(target=start, daemon=True)
    starting.start()
    for name in _SLOW:
        importlib.import_module(name)
    starting.join()


def score(**parameters: Any) -> dict[str, Any]:
    """Run the score flow."""
    with _served():
        return score_flow(**parameters)


def retrain(**parameters: Any) -> dict[str, Any]:
    """Run the retrain flow."""
    with _served():
        return retrain_flow(**parameters)


def rollback(**parameters: Any) -> dict[str, Any]:
    """Run the rollback flow."""
    with _served():
        return rollback_flow(**parameters)
