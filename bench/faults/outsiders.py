"""What evenkeel is measured against: a bare script, Evidently's drift preset alone, a pandera schema alone."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.faults.alarms import refused, rejected
from bench.faults.evenkeel_path import Outcome, Prepared
from evenkeel.drift.distance import values_of
from evenkeel.errors import DataRejected
from evenkeel.learning.features import model_frame
from evenkeel.quality.schema import split

if TYPE_CHECKING:
    from pathlib import Path

_TRUTHS = {True: 1.0, False: 0.0, "true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_SAMPLE = 2000


def bare_read(came: pd.DataFrame | Path) -> pd.DataFrame:
    """Read what came as a script does: pandas, its defaults."""
    if isinstance(came, pd.DataFrame):
        return pd.read_csv(io.StringIO(came.to_csv(index=False)))
    if came.suffix == ".parquet":
        return pd.read_parquet(came)
    if came.suffix == ".jsonl":
        return pd.read_json(came, lines=True)
    return pd.read_csv(came)


def bare_answers(prepared: Prepared, read: pd.DataFrame) -> npt.NDArray[Any]:
    """Answer as a script does: median (or most frequent) for what is missing, the same model, predict."""
    problem, trained = prepared.problem, prepared.trained
    pipeline, kinds = prepared.workspace.pipeline, prepared.workspace.kinds
    frame = read.copy()
    reference = trained.reference
    for name in problem.features:
        values = frame[name]
        if kinds[name] == "numeric":
            frame[name] = values.fillna(reference[name].median()).astype(float)
        elif kinds[name] == "boolean":
            truths = values.map(_TRUTHS)
            frame[name] = truths.fillna(float(reference[name].astype(float).median()))
        else:
            filled = values.astype(object).where(values.notna(), reference[name].mode()[0])
            frame[name] = filled.astype(str).astype(object)
    frame[problem.time] = pd.to_datetime(frame[problem.time], utc=True)
    answers: npt.NDArray[Any] = trained.model.predict(model_frame(frame, pipeline, kinds))
    return answers


def bare(prepared: Prepared, came: pd.DataFrame | Path) -> tuple[pd.DataFrame, npt.NDArray[Any]] | None:
    """Return what the bare script read and answered; None where it ended in an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read = bare_read(came)
            return read, bare_answers(prepared, read)
        except Exception:  # noqa: BLE001 - whatever ends the script ends it
            return None


class Evidently:
    """The data drift preset's own tests and thresholds over the champion's reference."""

    def __init__(self, prepared: Prepared) -> None:
        self._kinds = {c: prepared.problem.kinds[c] for c in prepared.problem.features}
        reference = prepared.trained.reference
        sampled = reference.sample(min(len(reference), _SAMPLE), random_state=0)
        self._reference = {c: pd.Series(values_of(sampled[c], kind)) for c, kind in self._kinds.items()}
        self._schema = prepared.workspace.schema

    def drifted(self, frame: pd.DataFrame) -> list[str]:
        """Return the features that drifted, those that cannot be compared among them."""
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

        found = []
        for name, kind in self._kinds.items():
            if name not in frame.columns:
                found.append(name)
                continue
            role = ColumnType.Numerical if kind == "numeric" else ColumnType.Categorical
            typed = self._schema.coerce(name, frame[name]).values
            current = pd.Series(values_of(typed, kind))
            if not len(current.dropna()):
                found.append(name)
                continue
            before = self._reference[name]
            test = get_stattest(before, current, role, None)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                if test(before, current, role, None).drifted:
                    found.append(name)
        return found

    def preset(self, drifted: list[str]) -> bool:
        """Return the preset's verdict: at least half of the columns drifted."""
        return len(drifted) >= len(self._kinds) / 2


def pandera_alone(prepared: Prepared, frame: pd.DataFrame) -> Outcome:
    """Return what the schema alone refuses, and the bare script's answers for the rest."""
    problem, workspace = prepared.problem, prepared.workspace
    try:
        parted = split(frame, workspace.schema, problem.key)
    except DataRejected as error:
        return Outcome(alarms=rejected(error), held=True, touched=len(frame))
    alarms = refused(parted.quarantined)
    kept = parted.accepted
    if not len(kept):
        return Outcome(alarms=alarms, touched=len(frame))
    filled = prepared.trained.imputer.apply(kept, last_good={}).frame
    answers = prepared.trained.model.predict(model_frame(filled, workspace.pipeline, workspace.kinds))
    return Outcome(
        alarms=alarms, answers=pd.Series(answers, index=kept.index), touched=len(parted.quarantined)
    )
