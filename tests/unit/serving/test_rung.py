"""A version's damage costs a rung, not the batch: what stands behind it answers, and the reason is kept."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from evenkeel.errors import ModelUnusable
from evenkeel.learning.bundle import open_bundle, write_parts
from evenkeel.learning.features import model_frame
from evenkeel.learning.manifest import seal
from evenkeel.serving.ladder import answer
from evenkeel.serving.rung import Standby, build_rungs

PATIENT = 60.0


@pytest.fixture(scope="module")
def sealed(market, tmp_path_factory):
    folder = tmp_path_factory.mktemp("version") / "1"
    write_parts(market.trained, folder)
    return folder, seal(folder)


@pytest.fixture
def standby(market, sealed, tmp_path):
    """Return a function that gives a version, some of its files damaged."""

    def make(version, *damaged):
        folder = shutil.copytree(sealed[0], tmp_path / version)
        for name in damaged:
            (folder / name).write_bytes(b"damaged")
        return Standby(version, open_bundle(folder, sealed[1], market.pipeline))

    return make


@pytest.fixture
def frame(market):
    return market.trained.imputer.apply(market.trained.holdout, last_good={}).frame


@pytest.fixture
def answered(market, frame):
    def run(champion, previous, *, suspect=frozenset(), kinds=market.kinds):
        rungs = build_rungs(champion, previous, market.pipeline, kinds)
        found = answer(frame, rungs, target=market.pipeline.target, timeout=PATIENT, suspect=suspect)
        [rung], [version] = (found.frame[c].unique().tolist() for c in ("rung", "model_version"))
        return rung, version, [(s.rung.value, s.model_version, s.cause) for s in found.skipped], found

    return run


MODELS = ("model.skops", "baseline.skops")
GONE = ModelUnusable("the registry is away", cause="model.artifact_missing")


def test_a_healthy_champion_answers_alone_as_in_training(answered, standby, market):
    rung, version, skipped, found = answered(standby("7"), standby("6"))
    assert (rung, version, skipped) == ("champion", "7", [])
    assert found.frame["prediction"].tolist() == market.trained.holdout_answers["prediction"].tolist()


def test_a_champion_without_a_previous_is_no_failure(answered, standby):
    assert answered(standby("7"), None)[:3] == ("champion", "7", [])


def test_a_damaged_champion_is_followed_by_previous(answered, standby):
    rung, version, skipped, _ = answered(standby("7", "model.skops"), standby("6"))
    assert (rung, version) == ("previous", "6")
    assert skipped == [("champion", "7", "model.artifact_corrupt")]


def test_where_both_models_are_damaged_the_champions_baseline_answers(answered, standby):
    rung, version, skipped, _ = answered(standby("7", "model.skops"), standby("6", "model.skops"))
    assert (rung, version) == ("baseline", "7")
    assert [s[0] for s in skipped] == ["champion", "previous"]


def test_a_missing_previous_is_reported_once_the_champion_failed(answered, standby):
    rung, version, skipped, _ = answered(standby("7", "model.skops"), None)
    assert (rung, version) == ("baseline", "7")
    assert skipped == [("champion", "7", "model.artifact_corrupt"), ("previous", "", "model.no_champion")]


def test_the_previous_baseline_stands_behind_a_damaged_one(answered, standby):
    rung, version, skipped, _ = answered(standby("7", *MODELS), standby("6", "model.skops"))
    assert (rung, version) == ("baseline", "6")
    assert [s[:2] for s in skipped] == [("champion", "7"), ("previous", "6"), ("baseline", "7")]


def test_a_version_that_could_not_be_opened_is_stood_in_for_by_previous(answered, standby):
    rung, version, skipped, _ = answered(Standby("7", GONE), standby("6", "model.skops"))
    assert (rung, version) == ("baseline", "6")
    assert skipped[0] == ("champion", "7", "model.artifact_missing")


def test_the_heuristics_stand_in_the_same_order(answered, standby, market, frame):
    rung, version, _, found = answered(standby("7", *MODELS), standby("6", *MODELS))
    assert (rung, version) == ("heuristic", "7")
    expected = market.trained.heuristic.answer(frame, market.pipeline)
    assert found.frame["prediction"].tolist() == expected.tolist()
    rung, version, _, _ = answered(standby("9", *MODELS, "heuristic.json"), standby("8", *MODELS))
    assert (rung, version) == ("heuristic", "8")


def test_where_nothing_of_any_version_is_left_the_default_answers(answered, standby):
    damaged = (*MODELS, "heuristic.json")
    rung, version, _, found = answered(standby("7", *damaged), Standby("6", GONE))
    assert (rung, version) == ("heuristic", "")
    assert set(found.frame["prediction"]) == {"DOWN"}


def test_before_the_first_promotion_only_the_champion_is_missed(answered):
    rung, version, skipped, _ = answered(None, None)
    assert (rung, version) == ("heuristic", "")
    assert skipped == [("champion", "", "model.no_champion")]


def test_a_damaged_card_takes_both_models_and_leaves_the_heuristic(answered, standby):
    rung, version, skipped, _ = answered(standby("7", "card.json"), None)
    assert (rung, version) == ("heuristic", "7")
    assert ("baseline", "7", "model.artifact_corrupt") in skipped


def test_a_suspect_column_leaves_the_baseline_that_does_not_need_it(answered, standby):
    rung, version, skipped, _ = answered(standby("7"), standby("6"), suspect=frozenset({"transfer"}))
    assert (rung, version) == ("baseline", "7")
    assert [s[2] for s in skipped] == ["data.suspect_column"] * 2


def test_a_suspect_clock_leaves_the_heuristic_without_its_season(answered, standby, market):
    rung, _, skipped, found = answered(standby("7"), None, suspect=frozenset({"settlement"}))
    assert rung == "heuristic"
    assert ("baseline", "7", "data.suspect_column") in skipped
    assert set(found.frame["prediction"]) == {market.trained.heuristic.answer_to_all}


def test_a_column_that_changed_its_kind_since_training_is_a_wrong_signature(answered, standby, market):
    kinds = market.kinds | {"transfer": "categorical"}
    rung, _, skipped, found = answered(standby("7"), None, kinds=kinds)
    assert rung == "heuristic"
    assert ("champion", "7", "model.wrong_signature") in skipped
    assert "transfer was numeric in training and is categorical now" in found.skipped[0].reason


def test_a_model_once_loaded_is_kept(market, frame, standby):
    champion = standby("7")
    rungs = build_rungs(champion, None, market.pipeline, market.kinds)
    target = market.pipeline.target
    first = answer(frame, rungs, target=target, timeout=PATIENT)
    shutil.rmtree(champion.bundle.folder)
    pd.testing.assert_frame_equal(answer(frame, rungs, target=target, timeout=PATIENT).frame, first.frame)


def test_a_batch_of_many_chunks_is_answered_as_if_it_were_one(market, standby, frame):
    many = frame.iloc[np.arange(250_000) % len(frame)].reset_index(drop=True)
    many["demand"] = np.random.default_rng(0).normal(size=len(many))
    standing = standby("7")
    rungs = build_rungs(standing, None, market.pipeline, market.kinds)
    found = answer(many, rungs, target=market.pipeline.target, timeout=PATIENT)
    model = standing.bundle.champion().estimator
    at_once = model.predict_proba(model_frame(many, market.pipeline, market.kinds))
    np.testing.assert_array_equal(found.frame["confidence"], at_once.max(axis=1))
    np.testing.assert_array_equal(found.frame["prediction"], model.classes_[at_once.argmax(axis=1)])
