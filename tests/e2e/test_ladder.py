"""Models and the registry fail: every row is answered from the highest rung that is left, and says so."""

import shutil

import pytest

from evenkeel.adapters.lake import Table
from tests.e2e.market import LEARNED, NAME

NEXT = LEARNED + 1


@pytest.fixture
def away(monkeypatch):
    """Make the registry one that does not answer."""
    monkeypatch.setenv("EVENKEEL_PLATFORM__REGISTRY__URI", "http://127.0.0.1:1")
    monkeypatch.setenv("EVENKEEL_PLATFORM__POLICIES__REGISTRY__ATTEMPTS", "1")


def test_without_the_registry_the_champion_answers_from_its_cache_and_nothing_is_amiss(market, away):
    batch = market.land(NEXT)
    market.run()

    assert _rungs(market, batch) == {("champion", market.champion())}
    assert market.causes(batch) == set()


def test_a_damaged_copy_is_replaced_from_the_registry(market):
    copy = _cached(market, "1")
    whole = (copy / "model.skops").read_bytes()
    (copy / "model.skops").write_bytes(whole[:-100])
    batch = market.land(NEXT)
    market.run()

    assert _rungs(market, batch) == {("champion", "1")}
    assert (copy / "model.skops").read_bytes() == whole
    assert market.audit().clean


def test_a_lost_cache_is_fetched_from_the_registry(market):
    shutil.rmtree(market.home / "cache")
    batch = market.land(NEXT)
    market.run()

    assert _rungs(market, batch) == {("champion", "1")}
    assert market.causes(batch) == set()


def test_a_damaged_champion_without_the_registry_is_stood_in_for_by_the_previous_version(
    market_with_previous, away, monkeypatch
):
    market = market_with_previous
    _damage(_cached(market, "2") / "model.skops")
    batch = market.land_dirty(NEXT)
    counts = market.run()[batch]

    assert _rungs(market, batch) == {("previous", "1")}
    _nothing_lost(market, batch, counts)
    assert market.causes(batch) >= {"dependency.mlflow_down", "model.artifact_corrupt"}
    assert _audits_clean_with_the_registry_back(market, monkeypatch)


def test_a_damaged_champion_with_none_before_it_is_stood_in_for_by_its_baseline(market, away, monkeypatch):
    _damage(_cached(market, "1") / "model.skops")
    batch = market.land_dirty(NEXT)
    counts = market.run()[batch]

    assert _rungs(market, batch) == {("baseline", "1")}
    _nothing_lost(market, batch, counts)
    assert market.causes(batch) >= {"dependency.mlflow_down", "model.artifact_corrupt"}
    assert _audits_clean_with_the_registry_back(market, monkeypatch)


@pytest.mark.parametrize("file", ["manifest.json", "card.json", "imputer.skops", "reference.parquet"])
def test_whatever_is_damaged_of_a_model_no_row_is_lost(market, away, monkeypatch, file):
    _damage(_cached(market, "1") / file)
    batch = market.land_dirty(NEXT)
    counts = market.run()[batch]

    _nothing_lost(market, batch, counts)
    assert market.causes(batch) >= {"dependency.mlflow_down"}
    assert _audits_clean_with_the_registry_back(market, monkeypatch)


def test_with_no_model_and_no_registry_the_heuristic_answers(market_with_previous, away, monkeypatch):
    market = market_with_previous
    shutil.rmtree(market.home / "cache")
    batch = market.land_dirty(NEXT)
    counts = market.run()[batch]

    assert _rungs(market, batch) == {("heuristic", "")}
    _nothing_lost(market, batch, counts)
    assert "dependency.mlflow_down" in market.causes(batch)
    assert _audits_clean_with_the_registry_back(market, monkeypatch)


def test_a_registry_that_has_lost_the_version_is_told_apart_from_one_that_is_away(market):
    shutil.rmtree(market.home / "cache")
    _mlflow(market).delete_registered_model(NAME)
    batch = market.land(NEXT)
    market.run()

    assert _rungs(market, batch) == {("heuristic", "")}
    assert "model.artifact_missing" in market.causes(batch)


def test_the_champion_answers_again_once_it_is_back(market, away, monkeypatch):
    _damage(_cached(market, "1") / "model.skops")
    market.land(NEXT)
    market.run()
    _return(monkeypatch)
    batch = market.land(NEXT + 1)
    market.run()

    assert _rungs(market, batch) == {("champion", "1")}
    open_now = {i.cause for i in market.workspace().ledger.incidents(NAME, open_only=True)}
    assert not open_now & {"dependency.mlflow_down", "model.artifact_corrupt"}
    assert market.audit().clean


def _rungs(market, batch):
    answers = market.read(Table.PREDICTIONS, batch)
    return set(zip(answers["rung"], answers["model_version"], strict=True))


def _cached(market, version):
    (folder,) = (market.home / "cache" / "models" / NAME).glob(f"{version}-*")
    return folder


def _damage(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))


def _nothing_lost(market, batch, counts):
    answers, refused = market.read(Table.PREDICTIONS, batch), market.read(Table.QUARANTINE, batch)
    assert len(answers) + len(refused) == counts["landed"]
    assert answers["prediction"].isin(["UP", "DOWN"]).all()


def _return(monkeypatch):
    monkeypatch.delenv("EVENKEEL_PLATFORM__REGISTRY__URI")


def _audits_clean_with_the_registry_back(market, monkeypatch):
    _return(monkeypatch)
    assert market.audit().breaches == []
    return True


def _mlflow(market):
    from mlflow import MlflowClient

    uri = f"sqlite:///{market.home / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)
