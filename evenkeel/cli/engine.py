"""Run a flow in this process: flows are found by entry point, so the command line knows no orchestrator."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from evenkeel.errors import Permanent

if TYPE_CHECKING:
    from evenkeel.settings import Settings

_GROUP = "evenkeel.flows"


def run_flow(name: str, settings: Settings, **parameters: Any) -> dict[str, Any]:
    """Run a flow of the ``evenkeel.flows`` entry points to its end and return its report.

    Raises:
        Permanent: The flow is not installed.
    """
    prepare_orchestrator(settings)
    found = entry_points(group=_GROUP, name=name)
    if not found:
        raise Permanent(
            f"flow {name!r} is not installed", fix="install evenkeel with its flows: `make setup`"
        )
    report: dict[str, Any] = next(iter(found)).load()(pipeline=settings.name, **parameters)
    return report


def prepare_orchestrator(settings: Settings) -> None:
    """Say where the orchestrator's server is, before it is imported; the environment wins.

    Without a server a run starts its own, which needs none of the services that schedule for others.
    """
    api_url = settings.platform.orchestrator.api_url
    if api_url:
        os.environ.setdefault("PREFECT_API_URL", api_url)
    for key, value in _ORCHESTRATOR.items():
        os.environ.setdefault(key, value)
    if "PREFECT_API_URL" not in os.environ:
        os.environ.setdefault("PREFECT_HOME", str(settings.home / "prefect"))
        for service in _IDLE_SERVICES:
            os.environ.setdefault(f"PREFECT_SERVER_SERVICES_{service}_ENABLED", "false")


_ORCHESTRATOR = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A person at a terminal is told in one line; the tracebacks are in the run's log on the server.
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
}
_IDLE_SERVICES = (
    "SCHEDULER",
    "LATE_RUNS",
    "FOREMAN",
    "CANCELLATION_CLEANUP",
    "PAUSE_EXPIRATIONS",
    "TRIGGERS",
)
