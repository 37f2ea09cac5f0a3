"""A model bundle dressed as an MLflow model: the same bytes that evenkeel verifies are what MLflow shows."""

from __future__ import annotations

import hashlib
import uuid
import warnings
from importlib.metadata import version
from platform import python_version
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from evenkeel.adapters.mlflow_access import bound_waits
from evenkeel.learning.skops_types import REVIEWED

if TYPE_CHECKING:
    from pathlib import Path

MODEL_FILE = "model.skops"  # as evenkeel.learning.bundle names it
_PACKAGES = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")


def prepare_model_folder(folder: Path, example: pd.DataFrame, predictions: Any, *, created: str) -> None:
    """Write ``MLmodel`` and its environment files next to ``model.skops``; call before the folder is sealed.

    Building the files takes milliseconds; letting MLflow save the model and infer its requirements takes
    seconds. Nothing written depends on the clock or on chance: the same model gives the same bytes.

    Args:
        folder: The bundle; ``model.skops`` must be in it. Those of its types that were reviewed are
            recorded as trusted for MLflow's own loaders, which refuse any other.
        example: Rows as the model sees them, shape (rows, features): the signature's input side.
        predictions: The model's answers for them, shape (rows,).
        created: ISO time recorded as the model's; the newest row learned from.
    """
    bound_waits()
    from mlflow import pyfunc
    from mlflow.models import Model, infer_signature
    from skops.io import get_untrusted_types

    file = folder / MODEL_FILE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # integer columns: null cells were imputed before
        signature = infer_signature(_plain(example), pd.Series(list(predictions), name="prediction"))
    model = Model(
        signature=signature,
        utc_time_created=created,
        model_uuid=uuid.uuid5(uuid.NAMESPACE_OID, hashlib.sha256(file.read_bytes()).hexdigest()).hex,
    )
    pyfunc.add_to_model(
        model,
        loader_module="mlflow.sklearn",
        model_path=MODEL_FILE,
        conda_env="conda.yaml",
        python_env="python_env.yaml",
        predict_fn="predict",
    )
    model.add_flavor(
        "sklearn",
        pickled_model=MODEL_FILE,
        serialization_format="skops",
        sklearn_version=version("scikit-learn"),
        skops_trusted_types=sorted(set(get_untrusted_types(file=file)) & set(REVIEWED)),
        code=None,
    )
    model.save(str(folder / "MLmodel"))
    _write_environment(folder)


def _plain(example: pd.DataFrame) -> pd.DataFrame:
    """Return the example with categories as text: MLflow's schemas have no categories."""
    categories = example.select_dtypes("category").columns
    return example.astype(dict.fromkeys(categories, object))


def _write_environment(folder: Path) -> None:
    pins = [f"{package}=={version(package)}" for package in _PACKAGES]
    (folder / "requirements.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    python_env = {
        "python": python_version(),
        "build_dependencies": ["pip"],
        "dependencies": ["-r requirements.txt"],
    }
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python_version()}", "pip", {"pip": pins}],
    }
    for name, content in (("python_env.yaml", python_env), ("conda.yaml", conda)):
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
