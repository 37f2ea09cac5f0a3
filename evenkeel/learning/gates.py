"""The gates: what a challenger must show on rows it never learned from before it may become champion."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from evenkeel.domain.gates import GateReport, GateResult
from evenkeel.learning.leakage import known_afterwards, too_good
from evenkeel.learning.resampling import calibration_error, lower_bound
from evenkeel.learning.scorer import Scorer, mismatch
from evenkeel.learning.training import TARGET_COLUMN
from evenkeel.learning.window import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenkeel.learning.bundle import Bundle
    from evenkeel.learning.trained import Trained
    from evenkeel.settings import Pipeline

LEAKAGE = "leakage"
_LATENCY_ROWS = 1000
_LATENCY_RUNS = 3
_PROBE_ROWS = 50


class _Verdict(NamedTuple):
    passed: bool
    observed: str
    why: str


def judge(
    challenger: Trained,
    challenger_bytes: int,
    champion: Bundle | None,
    champion_reason: str,
    *,
    pipeline: Pipeline,
    kinds: Mapping[str, str],
    fresh: pd.DataFrame | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> GateReport:
    """Judge a challenger by every gate; a gate that cannot be computed refuses, saying why.

    Args:
        challenger: As training left it, with its holdout.
        challenger_bytes: Size of its files.
        champion: The model in charge; None where there is none or it could not be opened.
        champion_reason: Why the champion that should be there could not be opened; empty where it could,
            or where none was ever promoted.
        pipeline: The prediction problem, with ``gates``.
        kinds: Kind of each schema column.
        fresh: Newest rows that wait for their label, in time order, un-imputed; None where none are known.
        clock: Seconds, monotonic.

    Returns:
        Gates ``enough_rows``, ``leakage``, ``beats_champion``, ``calibration``, ``latency``, ``size``,
        ``signature``.
    """
    court = _Court(challenger, pipeline, kinds)
    limits = pipeline.gates
    rows, least = len(challenger.holdout), limits.min_holdout_rows
    rivals = f"difference at least {-limits.margin:g} at the lower end of a {limits.confidence:.0%} interval"
    return GateReport(
        (
            _gate(
                "enough_rows",
                f"at least {least} holdout rows",
                lambda: _Verdict(
                    rows >= least, f"{rows} rows", f"the holdout has {rows} rows, {least} are needed"
                ),
            ),
            _gate(
                LEAKAGE,
                f"no feature known only after the label, or that alone reaches {limits.max_single_feature:g}"
                " and far more than all others",
                lambda: court.sealed(fresh),
            ),
            _gate("beats_champion", rivals, lambda: court.beats(champion, champion_reason)),
            _gate("calibration", f"at most {limits.max_calibration_error:g}", court.calibrated),
            _gate("latency", f"at most {limits.max_latency:g} s per 1000 rows", lambda: court.fast(clock)),
            _gate(
                "size",
                f"at most {limits.max_bytes} bytes",
                lambda: _Verdict(
                    0 < challenger_bytes <= limits.max_bytes,
                    f"{challenger_bytes} bytes",
                    f"its files have {challenger_bytes} bytes",
                ),
            ),
            _gate("signature", "columns, kinds, classes and answers as configured", court.signed),
        )
    )


def _gate(name: str, required: str, compute: Callable[[], _Verdict]) -> GateResult:
    try:
        verdict = compute()
    except Exception as error:  # noqa: BLE001 - a gate runs a foreign model's code and fails closed on whatever it does
        first = (str(error).splitlines() or [""])[0]
        return GateResult(
            name, False, "not computed", required, f"cannot be computed: {type(error).__name__}: {first}"
        )
    return GateResult(
        name, verdict.passed, verdict.observed, required, "passed" if verdict.passed else verdict.why
    )


@dataclass(frozen=True)
class _Court:
    """One challenger and the rows it is judged on."""

    challenger: Trained
    pipeline: Pipeline
    kinds: Mapping[str, str]

    def beats(self, champion: Bundle | None, reason: str) -> _Verdict:
        """Compare with the champion on the same rows, each imputing them as it would in charge.

        The score of a row is 1 or 0 for a class, and minus the absolute error for a regression, so that
        ``gates.margin`` is a share of rows or an error in the target's unit. Before a first champion the
        challenger's own heuristic stands in, and must not be better at all.
        """
        limits, truth = self.pipeline.gates, self.challenger.holdout_target.to_numpy()
        if champion is None and reason:
            return _Verdict(False, "not computed", f"cannot be computed: the champion is unusable: {reason}")
        if len(truth) < limits.min_holdout_rows:
            return _Verdict(False, "not computed", f"cannot be computed on {len(truth)} holdout rows")
        rival = "the heuristic" if champion is None else "the champion"
        differences = self._scores(self._own[0], truth) - self._scores(self._rival(champion), truth)
        mean = float(differences.mean())
        lowest = lower_bound(
            differences,
            confidence=limits.confidence,
            resamples=limits.bootstrap,
            seed=self.pipeline.training.seed,
        )
        passed = lowest >= -limits.margin and (champion is not None or mean >= 0)
        observed = f"{mean:+.4f} against {rival}, lower end {lowest:+.4f}"
        return _Verdict(passed, observed, f"{self.challenger.card.metric} is {observed}")

    def sealed(self, fresh: pd.DataFrame | None) -> _Verdict:
        """Look for features through which the label leaks into the rows, see :mod:`evenkeel.learning.leakage`."""
        trained, limit = self.challenger, self.pipeline.gates.max_single_feature
        learned = Part(trained.reference, trained.reference[TARGET_COLUMN])
        strength = too_good(
            learned, Part(trained.holdout, trained.holdout_target), self.pipeline, self.kinds, limit=limit
        )
        found = []
        if strength.leaking:
            named = " and ".join(strength.leaking)
            found.append(
                f"{named} alone {'tells' if len(strength.leaking) == 1 else 'tell'} the label,"
                f" everything else together reaches {strength.without:.3f}:"
                " leave it out of features.columns, or set gates.max_single_feature if it is honest"
            )
        if fresh is not None:
            columns = self.pipeline.features.columns
            labelled = pd.concat([trained.reference, trained.holdout])
            late = known_afterwards(labelled, fresh, columns)
            found += [
                f"{c}: {what}: it is known only after the label, or has stopped" for c, what in late.items()
            ]
        best = max(strength.alone, key=strength.alone.__getitem__, default="")
        observed = f"{best} alone reaches {strength.alone[best]:.3f}" if best else "one label only"
        return _Verdict(not found, observed, "; ".join(found))

    def calibrated(self) -> _Verdict:
        """Compare stated confidence with the share right; for a regression, right is within its tolerance."""
        predictions, confidences = self._own
        truth = self.challenger.holdout_target.to_numpy()
        if self.pipeline.is_classification:
            right = predictions == truth
        else:
            tolerance = self.challenger.card.tolerance
            if tolerance is None:
                return _Verdict(False, "not computed", "cannot be computed: the model states no tolerance")
            right = np.abs(predictions - truth.astype(float)) <= tolerance
        error = calibration_error(confidences, right)
        passed = error <= self.pipeline.gates.max_calibration_error  # NaN does not pass
        return _Verdict(passed, f"{error:.4f}", f"stated confidence is off by {error:.4f}")

    def fast(self, clock: Callable[[], float]) -> _Verdict:
        """Time 1,000 imputed rows, the median of 3."""
        rows = np.resize(np.arange(len(self._imputed)), _LATENCY_ROWS)
        frame = self._imputed.iloc[rows].reset_index(drop=True)
        scorer, took = Scorer.of(self.challenger), []
        for _ in range(_LATENCY_RUNS):
            start = clock()
            scorer.answer(frame, self.pipeline, self.kinds)
            took.append(clock() - start)
        seconds = statistics.median(took)
        limit = self.pipeline.gates.max_latency
        return _Verdict(seconds <= limit, f"{seconds:.3f} s", f"1000 rows took {seconds:.3f} s")

    def signed(self) -> _Verdict:
        """Check the columns it was made for and what it answers, also on nulls and unseen categories."""
        card, truth = self.challenger.card, self.challenger.holdout_target
        problem = mismatch(card, self.pipeline, self.kinds)
        if not problem and set(card.columns) != set(self.pipeline.features.columns):
            problem = f"made for columns {list(card.columns)}, and the pipeline's are others"
        problem = problem or self._bad_answers("the holdout", *self._own, len(truth))
        if not problem and len(set(truth)) > 1 and len(set(self._own[0])) == 1:
            problem = f"answers the holdout with {self._own[0][0]} only, and its labels vary"
        if not problem:
            probe = self._probe()
            imputed = self.challenger.imputer.apply(probe, last_good={}).frame
            answers = Scorer.of(self.challenger).answer(imputed, self.pipeline, self.kinds)
            problem = self._bad_answers("rows with nulls and unseen categories", *answers, len(probe))
        return _Verdict(not problem, problem or "as configured", problem)

    @cached_property
    def _imputed(self) -> pd.DataFrame:
        frame: pd.DataFrame = self.challenger.imputer.apply(self.challenger.holdout, last_good={}).frame
        return frame

    @cached_property
    def _own(self) -> tuple[np.ndarray, np.ndarray]:
        return Scorer.of(self.challenger).answer(self._imputed, self.pipeline, self.kinds)

    def _rival(self, champion: Bundle | None) -> np.ndarray:
        if champion is None:
            return self.challenger.heuristic.answer(self._imputed, self.pipeline)
        scorer, imputer = champion.champion(), champion.imputer()
        imputed = imputer.apply(self.challenger.holdout, last_good={}).frame
        return scorer.answer(imputed, self.pipeline, self.kinds)[0]

    def _scores(self, predictions: np.ndarray, truth: np.ndarray) -> np.ndarray:
        if self.pipeline.is_classification:
            right: np.ndarray = predictions == truth
            return right.astype(float)
        scores: np.ndarray = -np.abs(predictions - truth.astype(float))
        if not np.isfinite(scores).all():
            raise ValueError(f"{int((~np.isfinite(scores)).sum())} predictions or labels are not finite")
        return scores

    def _probe(self) -> pd.DataFrame:
        holdout = self.challenger.holdout.head(_PROBE_ROWS)
        rows = [holdout]
        for column in self.challenger.card.columns:
            row: pd.DataFrame = holdout.head(1).copy()
            row[column] = pd.Series([None], index=row.index, dtype=holdout[column].dtype)
            rows.append(row)
            if self.kinds[column] == "categorical":
                unseen: Any = pd.Series(["a category never seen"], index=row.index, dtype=object)
                rows.append(row.assign(**{column: unseen}))
        return pd.concat(rows, ignore_index=True)

    def _bad_answers(self, on: str, predictions: np.ndarray, confidences: np.ndarray, rows: int) -> str:
        if predictions.shape != (rows,) or confidences.shape != (rows,):
            shapes = f"{predictions.shape} and {confidences.shape}"
            return f"gives answers and confidences of shape {shapes} for {rows} rows on {on}"
        if self.pipeline.is_classification:
            if foreign := set(predictions.tolist()) - set(self.pipeline.target.classes):
                return f"answers {sorted(map(str, foreign))} on {on}, not among target.classes"
        elif predictions.dtype.kind != "f" or not np.isfinite(predictions).all():
            return f"answers something else than finite numbers on {on}"
        if not ((confidences >= 0) & (confidences <= 1)).all():
            return f"states confidences outside 0 to 1 on {on}"
        return ""
