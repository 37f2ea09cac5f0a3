"""A damaged file costs the parts that rest on it; nothing altered, unlisted or unreviewed loads."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from evenkeel.errors import ModelUnusable
from evenkeel.learning.bundle import open_bundle, write_parts
from evenkeel.learning.manifest import seal, verify

PARTS = ("champion", "baseline", "heuristic", "imputer", "reference", "drift_calibration", "card")
RESTS_ON = {
    "model.skops": {"champion"},
    "baseline.skops": {"baseline"},
    "confidence.json": {"champion", "baseline"},
    "heuristic.json": {"heuristic"},
    "imputer.skops": {"imputer"},
    "reference.parquet": {"reference"},
    "drift.json": {"drift_calibration"},
    "card.json": {"card", "champion", "baseline", "imputer"},
}


@pytest.fixture(scope="session")
def original(market, tmp_path_factory):
    folder = tmp_path_factory.mktemp("version") / "1"
    write_parts(market.trained, folder)
    return folder, seal(folder)


@pytest.fixture
def version(original, tmp_path):
    folder, digest = original
    return shutil.copytree(folder, tmp_path / "version"), digest


def unusable(bundle):
    causes = {}
    for part in PARTS:
        try:
            getattr(bundle, part)()
        except ModelUnusable as error:
            causes[part] = error
    return causes


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_every_part_comes_back_as_it_was(market, version):
    folder, digest = version
    verify(folder, digest)
    bundle, trained = open_bundle(folder, digest, market.pipeline), market.trained
    rows = bundle.imputer().apply(trained.holdout, last_good={}).frame
    pd.testing.assert_frame_equal(rows, trained.imputer.apply(trained.holdout, last_good={}).frame)
    predictions, confidences = bundle.champion().answer(rows, market.pipeline, market.kinds)
    assert predictions.tolist() == trained.holdout_answers["prediction"].tolist()
    np.testing.assert_array_equal(confidences, trained.holdout_answers["confidence"])
    assert bundle.baseline().columns == ("demand",)
    assert bundle.heuristic() == trained.heuristic
    assert bundle.card() == trained.card
    assert bundle.drift_calibration() == trained.calibration
    pd.testing.assert_frame_equal(bundle.reference(), trained.reference)


@pytest.mark.parametrize("file", RESTS_ON)
def test_one_flipped_bit_costs_the_parts_that_rest_on_the_file_and_no_other(market, version, file):
    folder, digest = version
    flip(folder / file)
    failed = unusable(open_bundle(folder, digest, market.pipeline))
    assert set(failed) == RESTS_ON[file]
    assert {error.cause for error in failed.values()} == {"model.artifact_corrupt"}
    assert all(file in error.message for error in failed.values())
    with pytest.raises(ModelUnusable, match=file) as caught:
        verify(folder, digest)
    assert caught.value.cause == "model.artifact_corrupt"


@pytest.mark.parametrize("file", RESTS_ON)
def test_a_missing_file_is_named(market, version, file):
    folder, digest = version
    (folder / file).unlink()
    failed = unusable(open_bundle(folder, digest, market.pipeline))
    assert set(failed) == RESTS_ON[file]
    assert {error.cause for error in failed.values()} == {"model.artifact_missing"}
    with pytest.raises(ModelUnusable, match=file) as caught:
        verify(folder, digest)
    assert caught.value.cause == "model.artifact_missing"


def test_an_altered_manifest_opens_nothing(market, version):
    folder, digest = version
    flip(folder / "manifest.json")
    with pytest.raises(ModelUnusable, match=r"manifest\.json") as caught:
        open_bundle(folder, digest, market.pipeline)
    assert caught.value.cause == "model.artifact_corrupt"


def test_a_version_that_is_not_there_is_missing(market, tmp_path):
    with pytest.raises(ModelUnusable) as caught:
        open_bundle(tmp_path / "nowhere", "0" * 64, market.pipeline)
    assert caught.value.cause == "model.artifact_missing"


def test_files_may_be_added_until_the_seal_and_not_after(version):
    folder, digest = version
    (folder / "MLmodel").write_text("flavors: {}\n")
    with pytest.raises(ModelUnusable, match="MLmodel"):
        verify(folder, digest)
    verify(folder, seal(folder))


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_only_plain_files_are_sealed(version, kind):
    folder, _ = version
    if kind == "folder":
        (folder / "extra").mkdir()
    else:
        (folder / "extra").symlink_to(folder / "card.json")
    with pytest.raises(ModelUnusable, match="extra"):
        seal(folder)


@pytest.mark.parametrize("name", ["../card.json", "/etc/hostname", "a\\b", "..", "manifest.json", ""])
def test_a_manifest_may_not_name_files_elsewhere(market, version, name):
    folder, _ = version
    (folder / "manifest.json").write_text(json.dumps({name: "0" * 64}))
    digest = sha256((folder / "manifest.json").read_bytes()).hexdigest()
    with pytest.raises(ModelUnusable, match="plain file names"):
        open_bundle(folder, digest, market.pipeline)


def test_an_existing_version_is_not_written_over(market, version):
    folder, _ = version
    with pytest.raises(ModelUnusable, match="not empty"):
        write_parts(market.trained, folder)


def foreign(function):
    return FunctionTransformer(function)


@pytest.mark.parametrize("function", [subprocess.call, np.load], ids=["subprocess", "numpy"])
def test_a_file_with_types_nobody_reviewed_does_not_load(market, version, function):
    folder, _ = version
    skops.io.dump(foreign(function), folder / "model.skops")
    failed = unusable(open_bundle(folder, seal(folder), market.pipeline))
    assert set(failed) == {"champion"}
    assert failed["champion"].cause == "model.unloadable"
    assert function.__name__ in failed["champion"].message


def test_a_file_that_is_not_skops_does_not_load(market, version):
    folder, _ = version
    (folder / "model.skops").write_bytes(b"\x80\x04K\x01.")
    failed = unusable(open_bundle(folder, seal(folder), market.pipeline))
    assert {part: error.cause for part, error in failed.items()} == {"champion": "model.unloadable"}


def test_an_absurdly_large_file_is_not_read(market, version):
    folder, digest = version
    with (folder / "model.skops").open("r+b") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(ModelUnusable, match="at most"):
        open_bundle(folder, digest, market.pipeline).champion()


def test_a_version_written_by_another_scikit_learn_names_both(market, tmp_path):
    card = replace(market.trained.card, versions={"scikit-learn": "0.24.2"})
    write_parts(replace(market.trained, card=card), tmp_path / "old")
    failed = unusable(open_bundle(tmp_path / "old", seal(tmp_path / "old"), market.pipeline))
    assert {part: error.cause for part, error in failed.items()} == dict.fromkeys(
        ("champion", "baseline", "imputer"), "code.incompatible_library"
    )
    assert "0.24.2" in failed["champion"].message


def test_a_reference_keeps_its_kinds(market, tmp_path):
    reference = pd.DataFrame(
        {
            "numeric": [1.5, np.nan, -0.0],
            "text": pd.Series(["north", None, ""], dtype=object),
            "flag": pd.Series([True, None, False], dtype=object),
            "nullable": pd.array([True, None, False], dtype="boolean"),
            "at": pd.to_datetime(
                ["2026-01-01T00:00:00.000000001Z", None, "2026-01-02T00:00Z"], format="ISO8601"
            ),
            "class": pd.Categorical(["a", None, "a"], categories=["b", "a"]),
            "empty": pd.Series([None, None, None], dtype=object),
        }
    )
    write_parts(replace(market.trained, reference=reference), tmp_path / "kinds")
    bundle = open_bundle(tmp_path / "kinds", seal(tmp_path / "kinds"), market.pipeline)
    pd.testing.assert_frame_equal(bundle.reference(), reference)


@pytest.mark.parametrize("family", ["linear", "random_forest"])
def test_every_family_loads_again(market, tmp_path, family):
    candidates = [{"estimator": family}]
    pipeline = market.pipeline.model_validate(
        market.pipeline.model_dump() | {"training": {"folds": 2, "candidates": candidates}}
    )
    trained = market.retrained(pipeline=pipeline)
    write_parts(trained, tmp_path / family)
    bundle = open_bundle(tmp_path / family, seal(tmp_path / family), pipeline)
    rows = bundle.imputer().apply(trained.holdout, last_good={}).frame
    predictions, _ = bundle.champion().answer(rows, pipeline, market.kinds)
    assert predictions.tolist() == trained.holdout_answers["prediction"].tolist()


def test_a_regression_loads_again(load_market, tmp_path):
    trained = load_market.trained
    write_parts(trained, tmp_path / "load")
    bundle = open_bundle(tmp_path / "load", seal(tmp_path / "load"), load_market.pipeline)
    rows = bundle.imputer().apply(trained.holdout, last_good={}).frame
    predictions, confidences = bundle.champion().answer(rows, load_market.pipeline, load_market.kinds)
    np.testing.assert_array_equal(predictions, trained.holdout_answers["prediction"])
    np.testing.assert_array_equal(confidences, trained.holdout_answers["confidence"])
