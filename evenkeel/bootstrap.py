"""The composition root: settings in, a workspace of adapters and policies out."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evenkeel.adapters.lake import Lake
from evenkeel.adapters.landing import LandingZone
from evenkeel.adapters.ledger import Ledger
from evenkeel.adapters.registry import Registry
from evenkeel.logs import configure_logging
from evenkeel.resilience.policy import Dependency, Policy, policy_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenkeel.quality.schema import Kind, TableSchema
    from evenkeel.quality.suite import Suite
    from evenkeel.settings import Settings

# This software does not phone home, and the libraries below it must not either.
_QUIET = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
}


class Workspace:
    """Everything the stages of one pipeline work with.

    Attributes:
        settings: The settings.
        landing: The landing zone.
        lake: The lake.
        ledger: The ledger, migrated.
        registry: The model registry with its local cache.
        policies: How failure of each dependency is met.
        now: The clock.
    """

    def __init__(
        self, settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        platform = settings.platform
        self.settings = settings
        self.pipeline = settings.pipeline
        self.name = settings.name
        self.landing = LandingZone(
            platform.landing.uri, platform.landing.replicas, max_bytes=platform.landing.max_bytes
        )
        self.lake = Lake(platform.lake.uri)
        self.ledger = Ledger(platform.ledger.url.get_secret_value())
        self.registry = Registry(
            platform.registry.uri.get_secret_value(), platform.registry.artifacts, platform.registry.cache
        )
        self.policies: Mapping[Dependency, Policy] = policy_table(platform.policies)
        self.now = now

    @cached_property
    def schema(self) -> TableSchema:
        """The pipeline's schema."""
        from evenkeel.quality.schema import load_schema

        return load_schema(self.settings)

    @cached_property
    def suite(self) -> Suite:
        """The pipeline's expectation suite."""
        from evenkeel.quality.suite import load_suite

        return load_suite(self.settings)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kind of every schema column."""
        return self.schema.kinds

    def close(self) -> None:
        """Give back connections."""
        self.ledger.close()


def open_workspace(settings: Settings, **parts: Any) -> Workspace:
    """Build the workspace: quiet libraries, logging, adapters, a migrated ledger.

    Raises:
        Transient: The ledger does not answer.
    """
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    configure_logging(settings.platform.log)
    workspace = Workspace(settings, **parts)
    workspace.ledger.migrate()
    return workspace
