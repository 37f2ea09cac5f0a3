"""A sealed bundle logged to MLflow: one run with the facts of its training, one model with its very files."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel

    from evenkeel.learning.trained import Card

SHA256 = "evenkeel.sha256"
REFERENCE = "reference.parquet"  # as evenkeel.learning.bundle names it
_NOT_IN_A_KEY = re.compile(r"[^\w. :/-]")
_VALUE_LENGTH = 500


def log_bundle(
    client: MlflowClient, experiment: str, folder: Path, *, digest: str, card: Card, plots: Sequence[Path]
) -> LoggedModel:
    """Log a bundle and return the MLflow model, ready, whose ``source_run_id`` is the run.

    Args:
        client: Talks to the registry.
        experiment: Id of the pipeline's experiment.
        folder: The bundle, sealed.
        digest: sha256 of its manifest, logged as a tag of run and model.
        card: Its facts: logged as params, metrics, tags and the description of the reference.
        plots: Image files, logged under ``plots/``.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric, Param

    tags, params, now = tags_of(card, digest), _params(card), int(time.time() * 1000)
    run_id = client.create_run(experiment, tags=tags, run_name=f"{card.pipeline} {digest[:12]}").info.run_id
    model = client.create_logged_model(
        experiment, name=card.pipeline, source_run_id=run_id, tags=tags, params=params, model_type="sklearn"
    )
    client.log_batch(
        run_id,
        metrics=[
            Metric(_key(name), float(value), now, 0, model_id=model.model_id)
            for name, value in card.metrics.items()
        ],
        params=[Param(name, value) for name, value in params.items()],
    )
    if (folder / REFERENCE).is_file():
        client.log_inputs(run_id, [_reference(folder, model.artifact_location, card)])
    for plot in plots:
        client.log_artifact(run_id, str(plot), "plots")
    client.log_model_artifacts(model.model_id, str(folder))
    model = client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    client.set_terminated(run_id)
    return model


def clear_attempts(client: MlflowClient, experiment: str, digest: str) -> None:
    """Remove the runs and models of earlier calls with this digest that did not get as far as a version."""
    for run in client.search_runs([experiment], f"tags.`{SHA256}`='{digest}'"):
        client.delete_run(run.info.run_id)
    for model in client.search_logged_models([experiment], f"tags.`{SHA256}`='{digest}'"):
        client.delete_logged_model(model.model_id)


def tags_of(card: Card, digest: str) -> dict[str, str]:
    """Return the tags by which a run, a model and a version are found again."""
    return {
        SHA256: digest,
        "evenkeel.data_fingerprint": card.fingerprint,
        "evenkeel.code_version": card.code_version,
        "evenkeel.window": " to ".join(card.window),
    }


def _params(card: Card) -> dict[str, str]:
    """Flatten the card's choices into MLflow's text params."""
    facts: dict[str, Any] = {
        "task": card.task,
        "estimator": card.estimator,
        "metric": card.metric,
        "rows": card.rows,
        "seed": card.seed,
        "columns": ", ".join(card.columns),
        "baseline_columns": ", ".join(card.baseline_columns),
        **{f"estimator.{name}": value for name, value in card.params.items()},
        **{f"version.{name}": value for name, value in card.versions.items()},
    }
    if card.tolerance is not None:
        facts["tolerance"] = card.tolerance
    return {_key(name): str(value)[:_VALUE_LENGTH] for name, value in facts.items()}


def _reference(folder: Path, stored_at: str, card: Card) -> DatasetInput:
    import pyarrow.parquet as pq
    from mlflow.entities import Dataset, DatasetInput, InputTag

    rows = pq.read_metadata(folder / REFERENCE).num_rows
    dataset = Dataset(
        name=f"{card.pipeline} reference",
        digest=card.fingerprint[:36],
        source_type="evenkeel",
        source=json.dumps({"uri": f"{stored_at}/{REFERENCE}", "window": card.window}),
        schema=json.dumps({"kinds": card.kinds}),
        profile=json.dumps({"num_rows": rows, "rows_learned_from": card.rows}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _key(name: str) -> str:
    return _NOT_IN_A_KEY.sub("_", name)
