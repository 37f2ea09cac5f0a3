"""What every test stands on: state in a folder of its own, no environment leaking in, no telemetry out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Set before a test module imports a library that reads them once; every process a test starts inherits them.
for _name in [name for name in os.environ if name.startswith(("EVENKEEL_", "PREFECT_", "MLFLOW_"))]:
    del os.environ[_name]
os.environ |= {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "OMP_NUM_THREADS": "1",  # two test workers share two cores
    "NO_COLOR": "1",
    "COLUMNS": "200",
}

# The same examples every time: a failure seen once can be seen again.
settings.register_profile("evenkeel", derandomize=True, deadline=None)
settings.load_profile("evenkeel")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[str]:
    if reason := postgres.why_not():
        pytest.skip(reason)
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgresql_url(_postgresql_server: str) -> str:
    """Return the SQLAlchemy URL of a fresh database on a real PostgreSQL; skip where none can run."""
    return postgres.fresh_database(_postgresql_server)
