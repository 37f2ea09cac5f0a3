"""Names of flow runs, for people."""

from __future__ import annotations

from prefect.runtime import flow_run


def score_run_name() -> str:
    """Return ``score market`` or, for one batch, ``score market 2026-01-05``."""
    given = flow_run.parameters
    return " ".join(filter(None, ("score", given["pipeline"], given.get("batch"))))
