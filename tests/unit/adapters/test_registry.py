"""The registry on MLflow with SQLite: what is logged, who is in charge, and what may be loaded."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from evenkeel.adapters.model_folder import prepare_model_folder
from evenkeel.adapters.registry import Registry
from evenkeel.domain.batch import ModelRef
from evenkeel.errors import ModelUnusable, Permanent, Transient

from .model_bundles import CARD, model, rows, sealed

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = (f"market_{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture
def uri(home: Path) -> str:
    return f"sqlite:///{home}/mlflow.db"


@pytest.fixture
def registry(home: Path, uri: str, tmp_path: Path) -> Registry:
    return Registry(uri, str(home / "artifacts"), tmp_path / "cache")


@pytest.fixture
def pipeline() -> str:
    return next(_NAMES)


def _register(registry: Registry, pipeline: str, folder: Path, note: str = "") -> ModelRef:
    return registry.register(pipeline, folder, sealed(folder, note), CARD)


def _stored_file(home: Path, pipeline: str, name: str) -> Path:
    [file] = (home / "artifacts" / pipeline).rglob(name)
    return file


def test_register_logs_everything_to_one_run(
    registry: Registry, uri: str, pipeline: str, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    plot = tmp_path / "calibration.png"
    plot.write_bytes(b"png")
    folder = tmp_path / "bundle"
    digest = sealed(folder)
    ref = registry.register(pipeline, folder, digest, CARD, plots=[plot])

    client = MlflowClient(tracking_uri=uri)
    run = client.get_run(ref.run_id)
    assert ref == ModelRef("1", digest, ref.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["estimator"] == "linear"
    assert run.data.params["estimator.C"] == "0.5"
    assert run.data.metrics == {"accuracy": 0.8, "search accuracy": 0.79}
    assert run.data.tags["evenkeel.sha256"] == digest
    assert run.data.tags["evenkeel.data_fingerprint"] == CARD.fingerprint
    assert run.data.tags["evenkeel.code_version"] == CARD.code_version
    assert [f.path for f in client.list_artifacts(ref.run_id, "plots")] == ["plots/calibration.png"]
    [dataset] = run.inputs.dataset_inputs
    assert '"num_rows": 200' in dataset.dataset.profile
    assert len(run.outputs.model_outputs) == 1
    assert client.get_model_version(pipeline, "1").status == "READY"


def test_mlflow_loads_the_very_bundle_with_its_signature(
    registry: Registry, pipeline: str, tmp_path: Path
) -> None:
    import mlflow

    ref = _register(registry, pipeline, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "cache")
    loaded = mlflow.pyfunc.load_model(str(registry.fetch(pipeline, ref)))
    assert loaded.metadata.signature.inputs.input_names() == ["price", "demand"]
    assert np.array_equal(loaded.predict(rows()), model().predict(rows()))


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    sealed(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    before = (tmp_path / "one" / "MLmodel").read_bytes()
    prepare_model_folder(
        tmp_path / "two", rows().head(20), model().predict(rows().head(20)), created=CARD.window[1]
    )
    assert (tmp_path / "two" / "MLmodel").read_bytes() == before


def test_registering_again_changes_nothing(registry: Registry, pipeline: str, tmp_path: Path) -> None:
    first = _register(registry, pipeline, tmp_path / "bundle")
    again = registry.register(pipeline, tmp_path / "bundle", first.sha256, CARD)
    assert again == first
    assert [v.ref for v in registry.versions(pipeline)] == [first]


def test_a_register_that_failed_half_way_leaves_no_ghost_after_the_retry(
    registry: Registry, uri: str, pipeline: str, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    folder = tmp_path / "bundle"
    digest = sealed(folder)
    with pytest.raises(FileNotFoundError):
        registry.register(pipeline, folder, digest, CARD, plots=[tmp_path / "absent.png"])
    ref = registry.register(pipeline, folder, digest, CARD)

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(pipeline).experiment_id
    assert [r.info.run_id for r in client.search_runs([experiment])] == [ref.run_id]
    assert len(client.search_logged_models([experiment])) == 1
    assert [v.ref for v in registry.versions(pipeline)] == [ref]


def test_a_bundle_damaged_before_it_is_registered_leaves_no_version(
    registry: Registry, pipeline: str, tmp_path: Path
) -> None:
    digest = sealed(tmp_path / "bundle")
    (tmp_path / "bundle" / "card.json").write_text("altered")
    with pytest.raises(ModelUnusable):
        registry.register(pipeline, tmp_path / "bundle", digest, CARD)
    assert registry.versions(pipeline) == ()


def test_aliases_follow_the_standing(registry: Registry, pipeline: str, tmp_path: Path) -> None:
    first = _register(registry, pipeline, tmp_path / "one", "1")
    second = _register(registry, pipeline, tmp_path / "two", "2")
    registry.set_standing(pipeline, first, None)
    assert registry.aliases(pipeline) == {"champion": "1"}
    registry.set_standing(pipeline, second, first)
    assert registry.aliases(pipeline) == {"champion": "2", "previous": "1"}
    registry.set_standing(pipeline, first, None)
    assert registry.aliases(pipeline) == {"champion": "1"}
    registry.set_standing(pipeline, None, None)
    assert registry.aliases(pipeline) == {}


def test_a_mark_is_read_back(registry: Registry, pipeline: str, tmp_path: Path) -> None:
    _register(registry, pipeline, tmp_path / "one", "1")
    _register(registry, pipeline, tmp_path / "two", "2")
    registry.mark(pipeline, "2", "reverted", "worse than the champion")
    assert [(v.ref.version, v.status, v.why) for v in registry.versions(pipeline)] == [
        ("1", "", ""),
        ("2", "reverted", "worse than the champion"),
    ]


def test_a_pipeline_without_models_has_no_aliases_and_no_versions(registry: Registry, pipeline: str) -> None:
    registry.set_standing(pipeline, None, None)
    assert registry.aliases(pipeline) == {}
    assert registry.versions(pipeline) == ()


def test_an_unknown_version_is_refused_for_good(registry: Registry, pipeline: str, tmp_path: Path) -> None:
    _register(registry, pipeline, tmp_path / "bundle")
    with pytest.raises(Permanent, match="version 9"):
        registry.mark(pipeline, "9", "reverted", "")
    with pytest.raises(ModelUnusable) as caught:
        registry.fetch(pipeline, ModelRef("9", "0" * 64, ""))
    assert caught.value.cause == "model.artifact_missing"


def test_a_registered_version_is_cached_at_once_and_needs_no_registry(
    registry: Registry, pipeline: str, tmp_path: Path
) -> None:
    ref = _register(registry, pipeline, tmp_path / "bundle")
    away = Registry("http://127.0.0.1:9", "", tmp_path / "cache")
    assert away.fetch(pipeline, ref) == tmp_path / "cache" / pipeline / f"1-{ref.sha256[:12]}"


def test_fetch_from_the_cache_does_not_import_mlflow(
    registry: Registry, pipeline: str, tmp_path: Path
) -> None:
    ref = _register(registry, pipeline, tmp_path / "bundle")
    script = f"""
import sys
from pathlib import Path
from evenkeel.adapters.registry import Registry
from evenkeel.domain.batch import ModelRef
Registry("http://127.0.0.1:9", "", Path({str(tmp_path / "cache")!r})).fetch({pipeline!r}, {ref!r})
assert not {{"mlflow", "sklearn", "sqlalchemy", "requests"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_damaged_cache_entry_is_replaced(registry: Registry, pipeline: str, tmp_path: Path) -> None:
    ref = _register(registry, pipeline, tmp_path / "bundle")
    folder = registry.fetch(pipeline, ref)
    good = (folder / "model.skops").read_bytes()
    (folder / "model.skops").write_bytes(_flipped(good))
    assert (registry.fetch(pipeline, ref) / "model.skops").read_bytes() == good
    assert [f.name for f in folder.parent.iterdir()] == [folder.name]


def test_a_damaged_cache_entry_with_the_registry_away_is_salvageable_but_not_fetched(
    registry: Registry, pipeline: str, tmp_path: Path
) -> None:
    ref = _register(registry, pipeline, tmp_path / "bundle")
    folder = registry.fetch(pipeline, ref)
    (folder / "model.skops").write_bytes(b"")
    away = Registry("http://127.0.0.1:9", "", tmp_path / "cache")
    with pytest.raises(Transient) as caught:
        away.fetch(pipeline, ref)
    assert caught.value.cause == "dependency.mlflow_down"
    assert away.salvage(pipeline, ref) == folder
    assert away.salvage(pipeline, ModelRef("2", "0" * 64, "")) is None


def test_a_byte_flip_in_the_artifact_store_is_not_let_through(
    registry: Registry, home: Path, pipeline: str, tmp_path: Path
) -> None:
    ref = _register(registry, pipeline, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "cache")
    stored = _stored_file(home, pipeline, "model.skops")
    stored.write_bytes(_flipped(stored.read_bytes()))
    with pytest.raises(ModelUnusable) as caught:
        registry.fetch(pipeline, ref)
    assert caught.value.cause == "model.artifact_corrupt"
    assert list((tmp_path / "cache" / pipeline).iterdir()) == []


def test_an_artifact_that_is_gone_is_called_missing(
    registry: Registry, home: Path, pipeline: str, tmp_path: Path
) -> None:
    ref = _register(registry, pipeline, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "cache")
    shutil.rmtree(_stored_file(home, pipeline, "model.skops").parent)
    with pytest.raises(ModelUnusable) as caught:
        registry.fetch(pipeline, ref)
    assert caught.value.cause == "model.artifact_missing"


def test_a_bundle_that_does_not_match_its_digest_is_not_cached(registry: Registry, tmp_path: Path) -> None:
    sealed(tmp_path / "bundle")
    with pytest.raises(ModelUnusable):
        registry.warm("market", ModelRef("1", "0" * 64, ""), tmp_path / "bundle")


@pytest.mark.parametrize("kind", ["not a database", "refused server", "refused database"])
def test_a_registry_that_is_away_is_a_transient_failure_of_the_dependency(kind: str, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    uri = {
        "not a database": f"sqlite:///{tmp_path}/mlflow.db",
        "refused server": "http://someone:secret@127.0.0.1:9",
        "refused database": "postgresql+psycopg://someone:secret@127.0.0.1:9/mlflow",
    }[kind]
    with pytest.raises(Transient) as caught:
        Registry(uri, str(tmp_path), tmp_path / "cache").aliases("market")
    assert caught.value.cause == "dependency.mlflow_down"
    assert "secret" not in str(caught.value)


def test_mlflow_is_left_as_it_was_for_everyone_else(
    registry: Registry, pipeline: str, tmp_path: Path
) -> None:
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri(), mlflow.active_run()
    _register(registry, pipeline, tmp_path / "bundle")
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri(), mlflow.active_run()) == before


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
