"""Sources with replicas through the real flow: what fails is told while it lasts, and answers say what they rest on."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from evenkeel.adapters.lake import Table
from evenkeel.demo.market import write_day
from tests.e2e.market import DAYS, LEARNED, NAME, Market

if TYPE_CHECKING:
    from pathlib import Path

DEAD = "http://127.0.0.1:9/rows.csv"


@pytest.fixture
def place(market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a source offers: the next day's rows; two quick attempts at it."""
    monkeypatch.setenv("EVENKEEL_PLATFORM__POLICIES__SOURCE__ATTEMPTS", "2")
    monkeypatch.setenv("EVENKEEL_PLATFORM__POLICIES__SOURCE__FIRST_DELAY", "0.01")
    rows, _ = write_day(DAYS[LEARNED], market.home / "files")
    return shutil.copy(rows, tmp_path / "rows.csv")


def _offers(monkeypatch: pytest.MonkeyPatch, **source: object) -> None:
    monkeypatch.setenv("EVENKEEL_SOURCES", json.dumps([{"name": "feed", **source}]))


def _open_outside_batches(market: Market) -> dict[str, dict[str, object]]:
    incidents = market.workspace().ledger.incidents(NAME, open_only=True)
    return {i.cause: i.evidence for i in incidents if not i.batch_id}


def test_a_source_that_is_down_is_told_while_a_replica_answers_and_resolved_when_it_is_back(
    market: Market, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicas = [{"uri": str(place)}]
    _offers(monkeypatch, uri=DEAD, replicas=replicas)
    report = market.run("first")
    assert report["first"]["state"] == "published"
    told = _open_outside_batches(market)
    assert list(told) == ["dependency.source_down"]
    assert told["dependency.source_down"]["places"][0]["place"] == "sources.feed"
    assert set(market.read(Table.PREDICTIONS, "first")["stale"].map(len)) == {0}

    _offers(monkeypatch, uri=str(place), replicas=replicas)
    market.run("first")
    assert _open_outside_batches(market) == {}
    assert not market.audit().breaches


def test_the_last_known_good_rows_are_answered_and_every_answer_says_so(
    market: Market, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = {"snapshot": True, "last_known_good": {"max_staleness": 86_400}}
    _offers(monkeypatch, uri=str(place), **snapshot)
    market.run("monday")

    _offers(monkeypatch, uri=DEAD, **snapshot)
    report = market.run("tuesday")

    assert report["tuesday"]["state"] == "published"
    answers = market.read(Table.PREDICTIONS, "tuesday")
    assert len(answers) == len(market.read(Table.PREDICTIONS, "monday"))
    assert {tuple(s) for s in answers["stale"]} == {("feed",)}
    assert "data.source_stale" in market.causes("tuesday")
    assert "dependency.source_down" in _open_outside_batches(market)
    assert not market.audit().breaches
