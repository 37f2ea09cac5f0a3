"""MLflow reached in bounded time, and its errors said in evenkeel's words."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from evenkeel.errors import Permanent, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient

DOWN = "dependency.mlflow_down"
PROBE_SECONDS = 3
# MLflow's own defaults wait for minutes on a dead server; retries are decided by the policy table, not here.
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_MISSING = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "ENDPOINT_NOT_FOUND"})
_FOR_GOOD = frozenset(
    {
        "INVALID_PARAMETER_VALUE",
        "BAD_REQUEST",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "CUSTOMER_UNAUTHORIZED",
        "RESOURCE_ALREADY_EXISTS",
        "FEATURE_DISABLED",
    }
)


class RegistryMissing(Permanent):
    """What was asked for is not in the registry."""


def is_server(uri: str) -> bool:
    """Say whether the registry is an MLflow server rather than a database opened by this process."""
    return uri.startswith(("http://", "https://"))


def shown(uri: str) -> str:
    """Return the URI without its user and password."""
    parts = urlsplit(uri)
    return uri.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1) if parts.netloc else uri


def bound_waits() -> None:
    """Put MLflow's settings into the environment, the only place where it looks; call before its import.

    What the environment already says stays.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)


def connect(uri: str) -> MlflowClient:
    """Return a client for ``uri`` after a quick look that something answers there.

    The look takes at most :data:`PROBE_SECONDS`. Without it a database that is away is tried ten times by
    MLflow, with growing pauses, for about 100 seconds.

    Raises:
        Transient: Nothing answers, or it answers with a server error.
    """
    bound_waits()
    (_probe_server if is_server(uri) else _probe_database)(uri)
    from mlflow import MlflowClient

    with translated(uri, "open the registry"):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def translated(uri: str, action: str) -> Iterator[None]:
    """Turn what MLflow and the libraries under it raise into evenkeel's errors.

    ``OSError`` of the local disk goes through as it is: a full disk is no fault of the registry.

    Args:
        uri: The registry, for the message.
        action: What was being done, for the message.

    Raises:
        RegistryMissing: The registry answers that there is no such thing.
        Permanent: The registry refuses, and would again.
        Transient: Anything else: away, slow, a server error, a locked database.
    """
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        code, line = error.error_code, _first_line(error)
        if code in _MISSING:
            raise RegistryMissing(f"registry {shown(uri)}: could not {action}: {line}") from error
        if code in _FOR_GOOD:
            raise Permanent(
                f"registry {shown(uri)} refused to {action}: {line}",
                fix="check platform.registry.uri and the registry's permissions",
                evidence={"error_code": code},
            ) from error
        raise _down(uri, action, error) from error
    except (
        requests.RequestException,
        sqlalchemy.exc.SQLAlchemyError,
        ConnectionError,
        TimeoutError,
    ) as error:
        raise _down(uri, action, error) from error


def _probe_server(uri: str) -> None:
    import requests

    try:
        status = requests.get(f"{uri.rstrip('/')}/health", timeout=PROBE_SECONDS).status_code
    except requests.RequestException as error:
        raise _down(uri, "reach it", error) from error
    # Any other status is an answer: a gateway may not pass /health on.
    if status >= 500:  # noqa: PLR2004 - HTTP's server errors
        raise Transient(f"registry {shown(uri)} answered {status}", cause=DOWN, evidence={"status": status})


def _probe_database(uri: str) -> None:
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    url = sqlalchemy.make_url(uri)
    if url.get_backend_name() == "sqlite":
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
        limit = {"timeout": PROBE_SECONDS}
    else:
        limit = {"connect_timeout": PROBE_SECONDS}
    engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=limit)
    try:
        sqlalchemy.inspect(engine).has_table("alembic_version")
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise _down(uri, "reach it", error) from error
    finally:
        engine.dispose()


def _down(uri: str, action: str, error: Exception) -> Transient:
    return Transient(
        f"registry {shown(uri)}: could not {action}: {_first_line(error)}",
        fix="start the MLflow server, or check platform.registry.uri",
        cause=DOWN,
        evidence={"error": type(error).__name__},
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
