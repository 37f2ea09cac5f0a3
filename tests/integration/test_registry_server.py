"""The registry on a real MLflow server: what is kept when the server is killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from evenkeel.adapters.registry import Registry
from evenkeel.domain.batch import ModelRef
from evenkeel.errors import ModelUnusable, Transient
from tests.unit.adapters.model_bundles import CARD, sealed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 150.0


@dataclass(frozen=True)
class Server:
    """A running ``mlflow server``, in a process group of its own."""

    process: subprocess.Popen[bytes]
    uri: str
    store: Path

    def signal_all(self, number: int) -> None:
        """Send a signal to the server and its workers."""
        os.killpg(self.process.pid, number)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
    command += ["--artifacts-destination", str(home / "store")]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=home, env=environment, start_new_session=True
        )
    running = Server(process, f"http://127.0.0.1:{port}", home / "store")
    try:
        _wait_for(running, home / "log")
        yield running
    finally:
        running.signal_all(signal.SIGCONT)
        running.signal_all(signal.SIGKILL)
        process.wait()


def _wait_for(server: Server, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.uri}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"mlflow server did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture
def registry(server: Server, tmp_path: Path) -> Registry:
    return Registry(server.uri, "ignored", tmp_path / "cache")


def test_a_version_registered_on_a_server_comes_back_byte_for_byte(
    registry: Registry, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    ref = registry.register("there_and_back", folder, sealed(folder), CARD)
    registry.set_standing("there_and_back", ref, None)
    assert registry.aliases("there_and_back") == {"champion": "1"}
    shutil.rmtree(tmp_path / "cache")
    fetched = registry.fetch("there_and_back", ref)
    assert {f.name: f.read_bytes() for f in fetched.iterdir()} == {
        f.name: f.read_bytes() for f in folder.iterdir()
    }


def test_a_byte_flip_on_the_server_is_not_let_through(
    registry: Registry, server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    ref = registry.register("flipped", folder, sealed(folder, "flipped"), CARD)
    shutil.rmtree(tmp_path / "cache")
    [stored] = [f for f in server.store.rglob("card.json") if f.read_text() == "flipped"]
    stored.write_text("flippeD")
    with pytest.raises(ModelUnusable) as caught:
        registry.fetch("flipped", ref)
    assert caught.value.cause == "model.artifact_corrupt"


def test_what_the_server_does_not_have_is_missing(registry: Registry) -> None:
    with pytest.raises(ModelUnusable) as caught:
        registry.fetch("unheard_of", ModelRef("1", "0" * 64, ""))
    assert caught.value.cause == "model.artifact_missing"


# Last: the server does not survive it.
def test_a_hung_and_then_killed_server_costs_seconds_and_the_cache_still_answers(
    registry: Registry, server: Server, tmp_path: Path
) -> None:
    folder, other = tmp_path / "bundle", tmp_path / "other"
    digest = sealed(other, "other")
    ref = registry.register("killed", folder, sealed(folder), CARD)

    for number in (signal.SIGSTOP, signal.SIGKILL):
        server.signal_all(number)
        started = time.monotonic()
        with pytest.raises(Transient) as caught:
            registry.register("killed", other, digest, CARD)
        # The bound is the promise under test: MLflow's own defaults would wait for minutes.
        assert time.monotonic() - started < 20
        assert caught.value.cause == "dependency.mlflow_down"
        assert registry.fetch("killed", ref).is_dir()
