"""What happens when a flow run fails or crashes: it is logged, with its name and state."""

from __future__ import annotations

from typing import Any

import structlog
from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State


def log_end(flow: Flow[Any, Any], run: FlowRun, state: State[Any]) -> None:
    """Log a flow run that did not complete."""
    structlog.get_logger().error(
        "flow run ended badly", flow=flow.name, run=run.name, state=state.name, message=state.message
    )
