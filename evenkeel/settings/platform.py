"""Where state lives and how failure of each dependency is met: what a profile says."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Section(BaseModel):
    """A part of the settings: frozen, and every key must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lake(Section):
    """The Delta Lake. ``{home}`` stands for EVENKEEL_HOME; credentials come from the environment."""

    uri: str = "{home}/lake"


class LandingZone(Section):
    """Where files land, byte for byte, and the copies kept of them (fsspec URIs or folders)."""

    uri: str = "{home}/landing"
    replicas: tuple[str, ...] = ()
    max_bytes: int = Field(default=4 * 1024**3, gt=0, description="a larger file is refused")


class Ledger(Section):
    """The ledger database (an SQLAlchemy URL; the password is never logged)."""

    url: SecretStr = SecretStr("sqlite:///{home}/ledger.db")


class Registry(Section):
    """MLflow: tracking and registry URI, and the artifact root used where the URI is a database."""

    uri: SecretStr = SecretStr("sqlite:///{home}/mlflow.db")
    artifacts: str = "{home}/mlartifacts"
    cache: str = "{home}/cache/models"


class Orchestrator(Section):
    """The Prefect server; with no ``api_url`` a run starts its own, with its state under ``{home}/prefect``."""

    api_url: str | None = None
    work_pool: str = "evenkeel"


class PolicyNumbers(Section):
    """How calls to one dependency are retried and limited.

    Attributes:
        attempts: Calls in all, the first included.
        first_delay: Seconds before the second call; doubles each time, with full jitter.
        max_delay: Seconds; no wait is longer.
        timeout: Seconds that one attempt of the step may take.
    """

    attempts: int = Field(default=3, ge=1, le=20)
    first_delay: float = Field(default=1.0, gt=0)
    max_delay: float = Field(default=30.0, gt=0)
    timeout: float = Field(default=600.0, gt=0)


class Policies(Section):
    """One entry per dependency: the only place where a retry count or a timeout is written."""

    source: PolicyNumbers = PolicyNumbers(attempts=4, timeout=300)
    landing: PolicyNumbers = PolicyNumbers()
    lake: PolicyNumbers = PolicyNumbers()
    ledger: PolicyNumbers = PolicyNumbers()
    registry: PolicyNumbers = PolicyNumbers(attempts=2, first_delay=0.5, timeout=900)
    compute: PolicyNumbers = PolicyNumbers(attempts=1, timeout=1800)
    monitoring: PolicyNumbers = PolicyNumbers(attempts=1, timeout=300)


class Log(Section):
    """Logging: one JSON object a line in production, coloured lines for a person at a terminal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Platform(Section):
    """What a profile sets: everything that is not about one prediction problem."""

    lake: Lake = Lake()
    landing: LandingZone = LandingZone()
    ledger: Ledger = Ledger()
    registry: Registry = Registry()
    orchestrator: Orchestrator = Orchestrator()
    policies: Policies = Policies()
    log: Log = Log()
