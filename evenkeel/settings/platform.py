"""Where state lives and how failure of each dependency is met: what a profile says."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Section(BaseModel):
    """A part of the settings: frozen, and every key must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lake(Section):
    """The Delta Lake; its credentials come from the environment.

    Attributes:
        uri: Folder or ``s3://`` URI under which every table lies.
    """

    uri: str = "{home}/lake"


class LandingZone(Section):
    """Where files land, byte for byte, and the copies kept of them.

    Attributes:
        uri: Folder or fsspec URI.
        replicas: Further folders or URIs that each get a copy.
        max_bytes: A larger file is refused.
    """

    uri: str = "{home}/landing"
    replicas: tuple[str, ...] = ()
    max_bytes: int = Field(default=4 * 1024**3, gt=0)


class Ledger(Section):
    """The ledger database.

    Attributes:
        url: SQLAlchemy URL, SQLite or PostgreSQL (``postgresql+psycopg://``); its password is never logged.
    """

    url: SecretStr = SecretStr("sqlite:///{home}/ledger.db")


class Registry(Section):
    """The model registry: MLflow.

    Attributes:
        uri: Tracking and registry URI: a server's ``http(s)://``, or a database.
        artifacts: Where model files go when ``uri`` is a database; a server has a place of its own.
        cache: Folder of the local copies of models, used when the registry is away.
    """

    uri: SecretStr = SecretStr("sqlite:///{home}/mlflow.db")
    artifacts: str = "{home}/mlartifacts"
    cache: str = "{home}/cache/models"


class Orchestrator(Section):
    """The Prefect server.

    Attributes:
        api_url: Its API; without one a run starts a server of its own, its state under ``{home}/prefect``.
        work_pool: The process work pool that deployments go to.
    """

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
    """One entry per dependency: the only place where a retry count or a timeout is written.

    Attributes:
        source: Fetching from where batches come from. All places of all sources share its ``timeout``: one that
            takes longer than its part is passed over for the next replica.
        landing: The landing zone and its replicas.
        lake: The Delta Lake.
        ledger: The ledger database.
        registry: MLflow.
        compute: Steps that only compute: validation, training.
        monitoring: Steps that only watch: drift, artifacts.
    """

    source: PolicyNumbers = PolicyNumbers(attempts=4, timeout=300)
    landing: PolicyNumbers = PolicyNumbers()
    lake: PolicyNumbers = PolicyNumbers()
    ledger: PolicyNumbers = PolicyNumbers()
    registry: PolicyNumbers = PolicyNumbers(attempts=2, first_delay=0.5, timeout=120)
    compute: PolicyNumbers = PolicyNumbers(attempts=1, timeout=1800)
    monitoring: PolicyNumbers = PolicyNumbers(attempts=1, timeout=300)


class Log(Section):
    """Logging.

    Attributes:
        level: The least that is logged.
        format: ``json``, one object a line; ``console``, coloured lines for a person at a terminal.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Platform(Section):
    """What a profile sets: everything that is not about one prediction problem.

    ``{home}`` in any value stands for EVENKEEL_HOME.

    Attributes:
        lake: The Delta Lake.
        landing: Where files land.
        ledger: The ledger database.
        registry: The model registry.
        orchestrator: The Prefect server.
        policies: How failure of each dependency is met.
        log: Logging.
    """

    lake: Lake = Lake()
    landing: LandingZone = LandingZone()
    ledger: Ledger = Ledger()
    registry: Registry = Registry()
    orchestrator: Orchestrator = Orchestrator()
    policies: Policies = Policies()
    log: Log = Log()
