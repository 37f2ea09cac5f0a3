"""How often undrifted batches alarm, and how often real shifts do: evenkeel's policy and two usual ones.

Run from the root: ``python -m bench.drift_false_alarms``. Per stream, several references of 60 batches are
drawn, each followed by undrifted batches of the same stream; every batch is judged as it is, and with one
column moved by 0.5 and by 1 standard deviation. With ``EVENKEEL_DATA`` set to a folder that holds
``elec2.csv``, the days of that market before row 17,424 (where three of its columns start to vary) are judged
too: real data that nobody has promised to be undrifted.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from scipy.signal import lfilter
from scipy.stats import ks_2samp

from evenkeel.drift.calibration import Calibration, calibrate
from evenkeel.drift.distance import values_of
from evenkeel.drift.measurement import measure
from evenkeel.settings.quality import Drift

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 48
REFERENCE_BATCHES = 60
NUMERIC = 15
SHIFTS = (0.0, 0.5, 1.0)
CONFIG = Drift()
POLICIES = ("evenkeel", "evidently default", "any KS p<0.05")
ELEC2_BEFORE = 17_424
ELEC2_REFERENCE_DAYS = 140
ELEC2_STEP_DAYS = 28
DRIFT_SHARE = 0.5  # of the preset
TEXTBOOK_P = 0.05
TRUE_ABOVE = 0.5
LINE = "{:<16}{:>6}{:>9}  {:<19}{:>11}{:>11}{:>11}"

KINDS = {
    **{f"n{i}": "numeric" for i in range(NUMERIC)},
    "c0": "categorical",
    "c1": "categorical",
    "c2": "categorical",
    "b0": "boolean",
    "b1": "boolean",
}


@dataclass
class Tally:
    """Alarms of one policy, by the shift of the moved column."""

    batches: int = 0
    alarms: dict[float, int] = field(default_factory=lambda: dict.fromkeys(SHIFTS, 0))


def autocorrelated(rng: np.random.Generator, rows: int, columns: int, phi: float) -> npt.NDArray[np.float64]:
    """Return unit-variance AR(1) columns."""
    noise = rng.normal(size=(rows + 500, columns)) * math.sqrt(1 - phi**2)
    return np.asarray(lfilter([1], [1, -phi], noise, axis=0))[500:]


def stream(kind: str, rows: int, seed: int) -> pd.DataFrame:
    """Return 15 numeric, 3 categorical and 2 boolean columns that never drift."""
    rng = np.random.default_rng(seed)
    columns = len(KINDS)
    if kind == "iid":
        values = rng.normal(size=(rows, columns))
    elif kind == "autocorrelated":
        values = autocorrelated(rng, rows, columns, 0.7)
    else:
        phase = 2 * np.pi * (np.arange(rows)[:, None] / DAY + rng.random(columns))
        values = np.sin(phase) + 0.7 * autocorrelated(rng, rows, columns, 0.5)
    frame = pd.DataFrame(values, columns=list(KINDS))
    for column, name in KINDS.items():
        if name == "categorical":
            cells = pd.cut(frame[column], [-np.inf, -1, 0, 1, np.inf], labels=["a", "b", "c", "d"])
            frame[column] = cells.astype(object)
        elif name == "boolean":
            frame[column] = (frame[column] > TRUE_ABOVE).astype(object)
    return frame


class Usual:
    """The two usual policies over the same bounded reference that evenkeel looks at."""

    def __init__(self, reference: pd.DataFrame, kinds: dict[str, str], seed: int) -> None:
        sampled = reference.sample(min(len(reference), CONFIG.sample), random_state=seed)
        self.kinds = kinds
        self.reference = {
            column: pd.Series(values_of(sampled[column], kind)) for column, kind in kinds.items()
        }

    def evidently_default(self, batch: pd.DataFrame) -> bool:
        """Return whether half the columns drift by Evidently's own choice of test and threshold.

        That is the verdict of its ``DataDriftPreset``, computed without its widgets.
        """
        drifted = 0
        for column, kind in self.kinds.items():
            role = ColumnType.Numerical if kind == "numeric" else ColumnType.Categorical
            current = pd.Series(values_of(batch[column], kind))
            test = get_stattest(self.reference[column], current, role, None)
            drifted += bool(test(self.reference[column], current, role, None).drifted)
        return drifted / len(self.kinds) >= DRIFT_SHARE

    def any_ks(self, batch: pd.DataFrame) -> bool:
        """Return whether a two-sample Kolmogorov-Smirnov test of any numeric column has p < 0.05."""
        return any(
            ks_2samp(self.reference[column], values_of(batch[column], kind)).pvalue < TEXTBOOK_P
            for column, kind in self.kinds.items()
            if kind == "numeric"
        )


def judge(
    reference: pd.DataFrame,
    batches: Iterator[pd.DataFrame],
    kinds: dict[str, str],
    calibration: Calibration,
    tallies: dict[str, Tally],
    *,
    moved: str,
    seed: int,
) -> None:
    """Judge every batch, as it is and with one column moved, by every policy."""
    usual = Usual(reference, kinds, seed)
    sd = float(reference[moved].std())
    for batch in batches:
        for shift in SHIFTS:
            frame = batch.assign(**{moved: batch[moved] + shift * sd})
            verdict = measure(frame, reference, calibration, CONFIG, reference_version="1", seed=seed)
            alarms = (verdict.drifted, usual.evidently_default(frame), usual.any_ks(frame))
            for policy, alarm in zip(POLICIES, alarms, strict=True):
                tallies[policy].alarms[shift] += alarm
        for tally in tallies.values():
            tally.batches += 1


def cut(frame: pd.DataFrame, rows: int) -> Iterator[pd.DataFrame]:
    """Yield consecutive whole batches."""
    for start in range(0, len(frame) - rows + 1, rows):
        yield frame.iloc[start : start + rows].reset_index(drop=True)


def synthetic(kind: str, rows: int, references: int, each: int, seconds: list[float]) -> dict[str, Tally]:
    """Judge ``references * each`` batches of a synthetic stream."""
    tallies = {policy: Tally() for policy in POLICIES}
    for seed in range(references):
        frame = stream(kind, (REFERENCE_BATCHES + each) * rows, seed)
        reference = frame.iloc[: REFERENCE_BATCHES * rows]
        began = time.perf_counter()
        calibration = calibrate(reference, KINDS, CONFIG, batch_rows=rows, seed=seed)
        seconds.append(time.perf_counter() - began)
        later = cut(frame.iloc[len(reference) :], rows)
        judge(reference, later, KINDS, calibration, tallies, moved="n0", seed=seed)
    return tallies


def elec2(folder: Path) -> dict[str, Tally]:
    """Judge the market's days, each against the 140 days before the four weeks that it lies in."""
    frame = pd.read_csv(folder / "elec2.csv", nrows=ELEC2_BEFORE)
    kinds = dict.fromkeys(["nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"], "numeric")
    tallies = {policy: Tally() for policy in POLICIES}
    step, length = ELEC2_STEP_DAYS * DAY, ELEC2_REFERENCE_DAYS * DAY
    for start in range(length, len(frame) - DAY + 1, step):
        reference = frame.iloc[start - length : start][list(kinds)]
        calibration = calibrate(reference, kinds, CONFIG, batch_rows=DAY, seed=0)
        later = cut(frame.iloc[start : start + step][list(kinds)], DAY)
        judge(reference, later, kinds, calibration, tallies, moved="nswdemand", seed=0)
    return tallies


def show(name: str, rows: int, tallies: dict[str, Tally]) -> None:
    """Print one stream's lines of the table."""
    for policy, tally in tallies.items():
        rates = [f"{tally.alarms[shift] / tally.batches:.1%}" for shift in SHIFTS]
        print(LINE.format(name, rows, tally.batches, policy, *rates), flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--references", type=int, default=10, help="references per stream")
    parser.add_argument("--batches", type=int, default=30, help="undrifted batches after each reference")
    given = parser.parse_args()
    print(f"{len(KINDS)} columns, false_alarm {CONFIG.false_alarm:.0%}; share of batches that alarm:")
    print(LINE.format("stream", "rows", "batches", "policy", "undrifted", "+0.5 sd", "+1 sd"))
    seconds: list[float] = []
    for rows in (DAY, 7 * DAY):
        for kind in ("iid", "autocorrelated", "seasonal"):
            show(kind, rows, synthetic(kind, rows, given.references, given.batches, seconds))
    if folder := os.environ.get("EVENKEEL_DATA"):
        show("elec2 days", DAY, elec2(Path(folder)))
    else:
        print("elec2 days: left out, EVENKEEL_DATA is not set")
    print(f"calibration of {len(KINDS)} columns: median {np.median(seconds):.2f} s")


if __name__ == "__main__":
    main()
