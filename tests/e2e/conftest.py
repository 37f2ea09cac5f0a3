"""One Prefect server for all end-to-end tests of a worker, and a market that has learned, copied for each."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.market import LEARNED, Market

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """Run a real Prefect server on loopback and yield its API's URL."""
    os.environ["PREFECT_LOGGING_LEVEL"] = "CRITICAL"
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_URL.value())


@pytest.fixture(scope="session")
def _learned_home(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose market has a champion: twelve days landed, scored and labelled, then one retrain."""
    home = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENKEEL_HOME", str(home))
        market = Market(home)
        for number in range(LEARNED):
            market.land(number)
        market.run()
        for number in range(LEARNED):
            market.label(number)
        report = market.retrain()
        assert report["promoted"], report
    return home


@pytest.fixture
def market(_learned_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A copy of the learned home, this test's own."""
    home = tmp_path / "market"
    shutil.copytree(_learned_home, home)
    monkeypatch.setenv("EVENKEEL_HOME", str(home))
    return Market(home)


@pytest.fixture(scope="session")
def _promoted_home(_learned_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The learned home after one more labelled day and a second promotion: there is a version to go back to."""
    home = tmp_path_factory.mktemp("promoted") / "home"
    shutil.copytree(_learned_home, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENKEEL_HOME", str(home))
        patch.setenv("EVENKEEL_GATES__MARGIN", "1")
        market = Market(home)
        market.land(LEARNED)
        market.run()
        market.label(LEARNED)
        report = market.retrain()
        assert report["promoted"], report
    return home


@pytest.fixture
def market_with_previous(_promoted_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A copy of a home with a champion, version 2, and a previous one, version 1."""
    home = tmp_path / "market"
    shutil.copytree(_promoted_home, home)
    monkeypatch.setenv("EVENKEEL_HOME", str(home))
    return Market(home)


@pytest.fixture
def new_market(prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A market that has seen nothing yet."""
    home = tmp_path / "market"
    monkeypatch.setenv("EVENKEEL_HOME", str(home))
    return Market(home)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests on one worker: they share a server and the learned home."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("flows"))
