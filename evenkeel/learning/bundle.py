"""A model version on disk: a folder of parts, each verified by itself so that a bad file costs one part."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from evenkeel.errors import ModelUnusable
from evenkeel.learning import skops_types
from evenkeel.learning.confidence import Confidence
from evenkeel.learning.heuristic import Heuristic
from evenkeel.learning.manifest import read_manifest, read_part
from evenkeel.learning.scorer import Scorer
from evenkeel.learning.trained import Card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from evenkeel.drift.calibration import Calibration
    from evenkeel.learning.trained import Trained
    from evenkeel.quality.imputation import Imputer
    from evenkeel.settings import Pipeline

T = TypeVar("T")

MODEL = "model.skops"
BASELINE = "baseline.skops"
IMPUTER = "imputer.skops"
CONFIDENCE = "confidence.json"
HEURISTIC = "heuristic.json"
REFERENCE = "reference.parquet"
DRIFT = "drift.json"
CARD = "card.json"


def write_parts(trained: Trained, folder: Path) -> None:
    """Write every part of a version into ``folder``, which must be new or empty.

    The folder is complete only after :func:`~evenkeel.learning.manifest.seal`: write into a temporary one,
    seal it, then move it to where others look.
    """
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ModelUnusable(f"{folder}: is not empty, expected a new folder", cause="model.artifact_corrupt")
    skops.io.dump(trained.model, folder / MODEL)
    skops.io.dump(trained.baseline, folder / BASELINE)
    skops.io.dump(trained.imputer.parts, folder / IMPUTER)
    trained.reference.to_parquet(folder / REFERENCE)
    confidence = {"champion": trained.confidence.to_json(), "baseline": trained.baseline_confidence.to_json()}
    for name, document in (
        (CONFIDENCE, confidence),
        (HEURISTIC, trained.heuristic.to_json()),
        (DRIFT, trained.calibration.to_json()),
        (CARD, asdict(trained.card)),
    ):
        (folder / name).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def open_bundle(folder: Path, digest: str, pipeline: Pipeline) -> Bundle:
    """Open a sealed version: its manifest is checked now, each part when it is asked for.

    Args:
        folder: The version's folder.
        digest: sha256 of its manifest, from the ledger and not from the folder.
        pipeline: The prediction problem it answers for.

    Raises:
        ModelUnusable: The manifest is absent or altered (``model.artifact_missing``, ``.artifact_corrupt``).
    """
    return Bundle(folder, digest, pipeline, read_manifest(folder, digest))


@dataclass(frozen=True)
class Bundle:
    """A model version whose parts are read on demand.

    Every part is hashed against the manifest and loaded from the same bytes, so a damaged ``model.skops``
    leaves the baseline usable. ``champion`` and ``baseline`` rest on the card and on ``confidence.json``
    too, and the imputer on the card. Each method raises ModelUnusable: ``model.artifact_missing``,
    ``model.artifact_corrupt``, ``model.unloadable``, or ``code.incompatible_library`` where the version was
    written by another scikit-learn.

    Attributes:
        folder: The version's folder.
        digest: sha256 of its manifest.
        pipeline: The prediction problem.
        files: File name -> sha256, from the verified manifest.
    """

    folder: Path
    digest: str
    pipeline: Pipeline
    files: Mapping[str, str]

    def champion(self) -> Scorer:
        """Load the version's best model."""
        card = self.card()
        return Scorer(self._skops(MODEL, card), self._confidence("champion"), card.columns, card.task)

    def baseline(self) -> Scorer:
        """Load the small model that needs few columns."""
        card = self.card()
        return Scorer(
            self._skops(BASELINE, card), self._confidence("baseline"), card.baseline_columns, card.task
        )

    def heuristic(self) -> Heuristic:
        """Load the lowest rung."""
        return self._json(HEURISTIC, Heuristic.from_json)

    def imputer(self) -> Imputer:
        """Load the imputers that were fitted with the version."""
        from evenkeel.quality.imputation import Imputer

        parts = self._skops(IMPUTER, self.card())
        return _built(IMPUTER, lambda: Imputer.from_parts(parts))

    def reference(self) -> pd.DataFrame:
        """Load the rows that drift is measured against, with ``__target__``."""
        data = read_part(self.folder, self.files, REFERENCE)
        return _built(REFERENCE, lambda: pd.read_parquet(io.BytesIO(data)))

    def drift_calibration(self) -> Calibration:
        """Load the drift thresholds of that reference."""
        from evenkeel.drift.calibration import Calibration

        return self._json(DRIFT, Calibration.from_json)

    def card(self) -> Card:
        """Load the version's facts."""
        return self._json(CARD, _card)

    def _skops(self, name: str, card: Card) -> Any:
        _check_library(card)
        return skops_types.load(read_part(self.folder, self.files, name), name)

    def _confidence(self, part: str) -> Confidence:
        return self._json(CONFIDENCE, lambda document: Confidence.from_json(document[part]))

    def _json(self, name: str, build: Callable[[Any], T]) -> T:
        data = read_part(self.folder, self.files, name)
        return _built(name, lambda: build(json.loads(data)))


def _built(name: str, build: Callable[[], T]) -> T:
    try:
        return build()
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise ModelUnusable(
            f"{name}: cannot be loaded ({type(error).__name__}: {first})", cause="model.unloadable"
        ) from error


def _card(document: dict[str, Any]) -> Card:
    known = {f.name for f in fields(Card)}
    tuples = {"columns", "baseline_columns", "classes", "window", "notes", "batches"}
    values: dict[str, Any] = {k: tuple(v) if k in tuples else v for k, v in document.items() if k in known}
    return Card(**values)


def _check_library(card: Card) -> None:
    import sklearn

    written = card.versions.get("scikit-learn", "")
    if written.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        raise ModelUnusable(
            f"the version was written by scikit-learn {written or 'of an unknown version'}, "
            f"and {sklearn.__version__} is installed",
            fix="install the version it was written by, or retrain",
            cause="code.incompatible_library",
            evidence={"library": "scikit-learn", "written": written, "installed": sklearn.__version__},
        )
